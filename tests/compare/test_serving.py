"""The example of heavier serving in `docs/comparing.md`, as it stands there, at other addresses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import jan_jupyter as jan
from jan_jupyter import bridge
from peers.aimock import AIMock
from support.jan import write_json
from support.server import StreamingServer

PAGE = (Path(__file__).parents[2] / "docs" / "comparing.md").read_text("utf-8")
EXAMPLE = PAGE.partition("## Heavier serving")[2]
KEY = "sk-canary-gateway-0815"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", EXAMPLE, re.MULTILINE | re.DOTALL)


def write_models(folder: Path, url: str) -> list[str]:
    """The files that the page shows, each at the server of a test; gives the models' ids."""
    (shown,) = blocks("text")
    files = re.split(r"^models/(\S+)/model\.json\s+", shown, flags=re.MULTILINE)[1:]
    for name, text in zip(files[::2], files[1::2], strict=True):
        model = json.loads(re.sub(r"http://[\w-]+:\d+", url, text))
        write_json(folder / "models" / name / "model.json", model)
    return files[::2]


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    bridge.wait(jan.router.close())


def test_the_example_runs(
    isolated: Path, server: StreamingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LITELLM_API_KEY", KEY)
    names = write_models(isolated / "jan", server.url)
    for model in ("Qwen/Qwen3-32B", "ensemble"):
        server.behave(model, "echo,first=0.02")
    server.behave("team/large", "echo,first=0.02,most=1,retry_after=0.01")  # a busy gateway
    (code,) = blocks("py")
    found: dict[str, Any] = {"jan": jan}
    exec(code, found)
    served = found["served"]
    assert [one.name for one in served.grid.contestants] == names
    assert [row.error for row in served] == [""] * 16
    assert all("Italy" in row.text for row in served if row.call.case == 0)
    assert all(row.scores["contains"].value is False for row in served)  # it only repeats
    entries = server.journal()
    paths = {entry.path for entry in entries if entry.method == "POST"}
    assert len(paths) == 2
    assert "/v1/chat/completions" in paths
    assert any(path.startswith("/v2/models/ensemble/") for path in paths)
    keys = {(e.body or {}).get("model"): e.headers.get("authorization") for e in entries}
    assert keys["team/large"] == f"Bearer {KEY}"  # nobody else gets it
    assert {*keys.values()} == {f"Bearer {KEY}", None}


@pytest.mark.peers
def test_a_server_that_we_did_not_write(
    isolated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LITELLM_API_KEY", KEY)
    with AIMock(tmp_path, KEY) as mock:
        write_models(isolated / "jan", mock.url)
        made = jan.compare("hello", ["served", "gateway"], repeats=3)
    assert all(row.text.startswith("Hello! I am a script") for row in made["gateway"])
    assert {row.error.split(":")[0] for row in made["served"]} == {"AuthenticationFailed"}
