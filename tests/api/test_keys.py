"""Keys of engines, given by a page: kept as `%jan keys set` keeps them, and told to nobody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jan_jupyter.workspace import Workspace
from support.jan import add_model

from .conftest import Client

CANARY = "gsk-canary-of-a-page-5e1d"


def row(client: Client, id: str) -> Any:
    (found,) = [one for one in client.get("keys")["data"] if one["id"] == id]
    return found


def test_a_key_is_set_used_and_forgotten(client: Client, workspace: Workspace) -> None:
    add_model(workspace.models.writable, "far", engine="groq")
    before = row(client, "groq")
    assert (before["source"], before["kept"]) == ("", False)
    assert "%jan keys set groq" in before["hint"]
    states = {one["id"]: one["state"] for one in client.get("models?all=true")["data"]}
    assert states["far"] == "needs-key"

    answer = client.ask("PUT", "keys/groq", {"key": f" {CANARY}\n"})
    assert answer.status == 200
    assert CANARY.encode() not in answer.body
    file = workspace.models.writable / "keys.json"
    assert json.loads(file.read_text("utf-8")) == {"groq": CANARY}
    assert file.stat().st_mode & 0o077 == 0
    now = row(client, "groq")
    assert (now["source"], now["kept"]) == (str(file), True)
    states = {one["id"]: one["state"] for one in client.get("models?all=true")["data"]}
    assert states["far"] == "ready"
    for path in ("keys", "engines", "engines/groq", "models/far", "openapi.json"):
        assert CANARY.encode() not in client.ask("GET", path).body

    gone = client.ask("DELETE", "keys/groq").json
    assert (gone["deleted"], gone["places"], gone["left"]) == (True, [str(file)], "")
    assert row(client, "groq")["source"] == ""


def test_a_key_of_one_host_is_kept_for_that_alone(client: Client, workspace: Workspace) -> None:
    there = "https://llm.example.org/v1"
    add_model(workspace.models.writable, "near", engine="openai", settings={"base_url": there})
    set_there = client.ask("PUT", "keys/openai", {"key": CANARY, "for": "llm.example.org"}).json
    assert set_there["id"] == "openai@llm.example.org"
    assert row(client, "openai@llm.example.org")["kept"]
    gone = client.ask("DELETE", "keys/openai?for=llm.example.org").json
    assert gone["places"]


def test_what_wins_over_it_is_told(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "gsk-canary-of-the-environment")
    answer = client.ask("PUT", "keys/groq", {"key": CANARY}).json
    assert answer["hint"] == "But the one from environment (GROQ_API_KEY) wins."
    assert client.ask("DELETE", "keys/groq").json["left"] == "environment (GROQ_API_KEY)"


@pytest.mark.parametrize(
    ("engine", "body"),
    [
        ("groq", {"key": ""}),
        ("groq", {"key": "<your key>"}),
        ("groq", {"key": f"{CANARY}\nX-Other: 1"}),
        ("groq", {"key": f"{CANARY}…"}),
        ("groq", {"key": [CANARY]}),
        ("groq", {"key": CANARY, "for": "no host"}),
        ("groq", CANARY.encode()),
        (CANARY, {"key": CANARY}),
    ],
)
def test_what_is_no_key_is_refused_and_not_repeated(
    client: Client, engine: str, body: Any, isolated: Path
) -> None:
    answer = client.ask("PUT", f"keys/{engine}", body)
    assert answer.status == 400
    assert CANARY.encode() not in answer.body
    assert not [*isolated.rglob("keys.json")]
