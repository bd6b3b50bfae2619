"""Both servers, with models that answer as told, and the page that tells how to use them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.hosts import HOSTS, Alone, Host
from support.jan import add_remote
from support.server import StreamingServer

PAGE = Path(__file__).parents[2] / "docs" / "clients.md"
MODELS = {
    "quick": "n=3",
    "echo": "echo",
    "caller": "tools=1,finish=tool_calls",
    "thinker": "n=3,reasoning=2",
    "cut": "n=10,cut=5",
}
ANSWER = "the **bold** for "
"""What `quick` says."""


@pytest.fixture(scope="module", params=[*HOSTS])
def host(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    _streaming_server: StreamingServer,
) -> Iterator[Host]:
    kind = HOSTS[request.param]
    host = kind(tmp_path_factory.mktemp(request.param), env={"JAN_KEEP_ALIVE": "30"})
    if isinstance(host, Alone):
        host.prefix = "/v1"
    add_remote(host.data_folder, _streaming_server, **MODELS)
    with host:
        yield host
        host.ask("POST", "/models/jan-mini/unload")


@pytest.fixture(autouse=True)
def _as_told(server: StreamingServer) -> None:
    """What a test asks finds an empty journal, and each model as it is."""
    for name, behaviour in MODELS.items():
        server.behave(name, behaviour)


def address(host: Host) -> str:
    """What a client is told."""
    return f"http://127.0.0.1:{host.port}{host.prefix}"


def filled(text: str, host: Host) -> str:
    """A block of the page with the address and the key of a server in it."""
    base = address(host)
    text = text.replace("http://127.0.0.1:1338/v1", base).replace("YOUR-KEY", host.key)
    return text.replace("http://127.0.0.1:1338", base.removesuffix("/v1"))


def blocks(heading: str, language: str, host: Host) -> list[str]:
    """The blocks of a language below a heading of the page."""
    page = PAGE.read_text("utf-8")
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert section is not None, heading
    found = re.findall(rf"^```{language}\n(.*?)^```", section[1], re.MULTILINE | re.DOTALL)
    assert found, (heading, language)
    return [filled(block, host) for block in found]
