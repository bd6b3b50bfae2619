"""The description is made from the table of routes: here every route is asked, and answers so."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from jan_jupyter import api, bridge
from jan_jupyter.api import ROUTES, Route, route_of
from jan_jupyter.compare.comparison import acompare
from jan_jupyter.engine_options.engine_rows import DATA
from jan_jupyter.errors import MethodNotAllowed
from jan_jupyter.models.hub.unfinished import begin, folder_of
from jan_jupyter.workspace import Workspace
from support.hub import Hub
from support.jan import write_json

from .conftest import Client

SAID = [{"role": "user", "content": "hi"}]
FILE = str(next(DATA.rglob("*.gguf")))
TAKEN = {"model": "a", "shown": 1, "taken": 0, "words": 0, "characters": 0, "seconds": 0.1}
ASKED: list[tuple[str, str, Any]] = [
    ("GET", "openapi.json", None),
    ("GET", "models", None),
    ("GET", "models?all=true", None),
    ("POST", "models", {"id": "new", "engine": "openai"}),
    ("PATCH", "models/new", {"temperature": 0.1}),
    ("GET", "models/new", None),
    ("DELETE", "models/new", None),
    ("POST", "models/import", {"source": FILE, "id": "mini"}),
    ("POST", "models/pull", {"model": "mini"}),
    ("POST", "models/pull", {"model": "mini", "stream": False}),
    ("POST", "models/short/load", None),
    ("POST", "models/short/unload", None),
    ("POST", "models/short/stop", None),
    ("GET", "pulls", None),
    ("POST", "pulls/later/stop", None),
    ("DELETE", "pulls/later", None),
    ("POST", "complete", {"line": "%jan mo"}),
    ("GET", "hub", None),
    ("GET", "hub/choices?source=hf:org/repo", None),
    ("GET", "generating", None),
    ("POST", "chat/completions", {"model": "short", "messages": SAID}),
    ("POST", "chat/completions", {"model": "short", "messages": SAID, "stream": True}),
    ("POST", "completions", {"model": "short", "prompt": "a"}),
    ("POST", "completions", {"model": "short", "prompt": "a", "stream": True}),
    ("POST", "completions/taken", {"models": [TAKEN]}),
    ("POST", "embeddings", {"model": "short", "input": "a"}),
    ("POST", "rerank", {"model": "short", "query": "a", "documents": ["b"]}),
    ("POST", "audio/speech", {"model": "short", "input": "a"}),
    ("POST", "messages", {"model": "short", "messages": SAID, "max_tokens": 5}),
    ("POST", "messages", {"model": "short", "messages": SAID, "max_tokens": 5, "stream": True}),
    ("POST", "messages/count_tokens", {"model": "short", "messages": SAID}),
    ("POST", "responses", {"model": "short", "input": "a", "stream": True}),
    ("POST", "responses", {"model": "short", "input": "a"}),
    ("GET", "responses/{response}", None),
    ("DELETE", "responses/{response}", None),
    ("POST", "threads", {"title": "t", "messages": SAID}),
    ("GET", "threads", None),
    ("GET", "threads/{thread}", None),
    ("PATCH", "threads/{thread}", {"title": "u"}),
    ("POST", "threads/{thread}", {"title": "v"}),
    ("POST", "threads/{thread}/messages", SAID[0]),
    ("GET", "threads/{thread}/messages", None),
    ("GET", "threads/{thread}/messages/{message}", None),
    ("PATCH", "threads/{thread}/messages/{message}", {"content": "ho"}),
    ("DELETE", "threads/{thread}/messages/{message}", None),
    ("DELETE", "threads/{thread}", None),
    ("POST", "assistants", {"name": "a"}),
    ("GET", "assistants", None),
    ("GET", "assistants/a", None),
    ("PATCH", "assistants/a", {"instructions": "b"}),
    ("POST", "assistants/a", {"instructions": "c"}),
    ("DELETE", "assistants/a", None),
    ("GET", "engines", None),
    ("GET", "engines/openai", None),
    ("PUT", "keys/groq", {"key": "gsk-canary"}),
    ("GET", "keys", None),
    ("DELETE", "keys/groq", None),
    ("GET", "runs", None),
    ("GET", "runs/r", None),
    ("DELETE", "runs/r", None),
]
"""Every route, in an order in which they can be asked; names in braces are of an earlier answer."""
ENDLESS = {"/events"}
NOT_HERE = {"/embeddings", "/rerank", "/audio/speech"}
"""What the server that stands for an engine does not offer: its refusal goes on to the caller."""


def test_every_route_is_described(client: Client) -> None:
    told = client.get("openapi.json")
    described = {(m.upper(), p) for p, methods in told["paths"].items() for m in methods}
    assert described == {(route.method, route.path.replace("...}", "}")) for route in ROUTES}
    ids = [one["operationId"] for methods in told["paths"].values() for one in methods.values()]
    assert len({*ids}) == len(ids)
    for schema in told["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for reference in _references(told):
        place = told
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_the_page_names_every_route() -> None:
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8").partition("\n## ")[0]
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    named: set[tuple[str, str]] = set()
    for row in rows:
        methods: list[str] = []
        for text in re.findall(r"`([^`]+)`", row):
            method, _, path = text.rpartition(" ")
            if not path.startswith("/"):
                methods.append(text)
                continue
            named |= {(one, path) for one in [*methods, method]}
            methods = []
    assert named == {(route.method, route.path.replace("...}", "}")) for route in ROUTES}


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [ref for inner in value.values() for ref in _references(inner)]
    return [ref for inner in value for ref in _references(inner)] if isinstance(value, list) else []


def test_every_route_answers_as_described(
    client: Client,
    workspace: Workspace,
    isolated: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Hub(tmp_path / "hub") as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        hub.add("org/repo/a-Q8_0.gguf", b"GGUF")
        data = workspace.models.writable
        begin(folder_of(data, "later"), "later", "hf:org/later")
        _every_route_answers_as_described(client, workspace)


def _every_route_answers_as_described(client: Client, workspace: Workspace) -> None:
    bridge.wait(acompare("hi", ["short"], name="r", workspace=workspace))
    told = client.get("openapi.json")
    names: dict[str, str] = {}
    asked: set[tuple[str, str]] = set()
    for method, path, body in ASKED:
        answer = client.ask(method, path.format(**names), body)
        route, _ = route_of(method, "/" + path.partition("?")[0])
        asked.add((method, route.path))
        kind = answer.headers["content-type"]
        operation = told["paths"][route.path.replace("...}", "}")][method.lower()]
        if body is not None:
            sent = operation["requestBody"]["content"]["application/json"]["schema"]
            jsonschema.validate(body, {**told, **sent})
        if route.path in NOT_HERE and answer.status != 200:
            answered = operation["responses"]["default"]
        else:
            assert answer.status == route.status, (method, path, answer.body)
            assert kind in route.answers
            answered = operation["responses"][str(route.status)]
        if kind == "application/json":
            schema = answered["content"][kind]["schema"]
            jsonschema.validate(answer.json, {**told, **schema})
            if isinstance(id := answer.json.get("id"), str):
                names[answer.json.get("object", "").rpartition(".")[2]] = id
    assert asked == {(r.method, r.path) for r in ROUTES if r.path not in ENDLESS}


@pytest.mark.parametrize("route", ROUTES, ids=lambda r: f"{r.method} {r.path}")
def test_every_refusal_is_the_callers_envelope(
    route: Route, client: Client, isolated: Path
) -> None:
    """Whatever is sent: nothing, what is no JSON, what is of another kind, names of nothing."""
    if route.path in ENDLESS:
        return
    told = client.get("openapi.json")
    envelope = {**told, "$ref": f"#/components/schemas/{route.dialect}_error"}
    path = "/".join(
        "nobody" if step.startswith("{") else step for step in route.path.strip("/").split("/")
    )
    before = {file for file in isolated.rglob("*") if file.is_file()}
    for body in (b"", b"[", b"7", b"[]", b'{"model": 7}', b'{"messages": "x", "input": 7}'):
        answer = client.ask(route.method, path, body if route.method != "GET" else None)
        if route.kind is None and answer.status == route.status:
            continue  # there is nothing to be wrong
        assert 400 <= answer.status < 500, answer.body
        jsonschema.validate(answer.json, envelope)
        assert b"Traceback" not in answer.body
    assert {file for file in isolated.rglob("*") if file.is_file()} == before


def test_what_a_description_holds_is_no_secret(client: Client, isolated: Path) -> None:
    written = {"name": "a", "id": "a", "api_key": "sk-secret", "instructions": "b"}
    write_json(isolated / "api" / "assistants" / "a" / "assistant.json", written)
    assert b"sk-secret" not in client.ask("GET", "assistants/a").body


def test_a_fault_of_ours_is_a_line(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise ZeroDivisionError("in the store")

    monkeypatch.setattr(workspace.models, "list", fails)
    response = bridge.wait(api.respond(workspace, api.Request("GET", "/models")))
    assert isinstance(response.body, bytes)
    assert response.status == 500
    assert "fault in jan_jupyter" in json.loads(response.body)["error"]["message"]
    assert b"Traceback" not in response.body


def test_another_method_is_told(client: Client) -> None:
    with pytest.raises(MethodNotAllowed):
        route_of("PUT", "/models")
