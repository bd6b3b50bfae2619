"""Models, threads, assistants, engines, runs and events: what others see, and may change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from jan_jupyter import api, bridge, lookout
from jan_jupyter.compare.comparison import acompare
from jan_jupyter.engine_options.engine_rows import DATA
from jan_jupyter.models.hub.unfinished import begin, discard, folder_of
from jan_jupyter.types import Running
from jan_jupyter.workspace import Workspace
from support.jan import KEY

from .conftest import MODELS, Client

# Models -------------------------------------------------------------------------------------------


def test_all_kinds_of_clients_read_the_list(address: str, client: Client) -> None:
    listed = client.get("models")
    assert listed["object"] == "list"
    assert {row["id"] for row in listed["data"]} == {*MODELS}
    assert {row["owned_by"] for row in listed["data"]} == {"openai"}
    with openai.OpenAI(base_url=address, api_key="none") as other:
        assert {model.id for model in other.models.list()} == {*MODELS}
    base = address.removesuffix("/v1")
    with anthropic.Anthropic(base_url=base, api_key="none") as claude:
        assert {model.id for model in claude.models.list()} == {*MODELS}
        assert claude.models.retrieve("short").display_name == "short"


def test_details_tell_what_a_person_asks_before_loading(client: Client, tmp_path: Path) -> None:
    file = next(DATA.rglob("*.gguf"))
    client.post("models/import", {"source": str(file), "id": "mine"})
    rows = {row["id"]: row for row in client.get("models?all=true&details=true")["data"]}
    mine, remote = rows["mine"], rows["short"]
    assert (mine["loads"], mine["fit"], mine["removable"]) == (True, "fits", True)
    assert mine["size"] == file.stat().st_size
    assert mine["context"] > 0
    assert (mine["origin"], mine["foreign"]) == ("data folder", False)
    assert (remote["loads"], remote["fit"], remote["size"]) == (False, "", 0)
    assert "origin" not in client.get("models?all=true")["data"][0]


def test_a_model_is_made_changed_and_removed(client: Client, workspace: Workspace) -> None:
    made = client.post(
        "models",
        {
            "id": "org/new:1",
            "engine": "openai",
            "settings": {"base_url": "http://u:secret@h/v1?key=secret", "api_key": "secret"},
            "parameters": {"temperature": 0.5},
        },
    )
    assert (made["id"], made["engine"]) == ("org/new:1", "openai")
    path = "models/org%2Fnew:1"
    changed = client.ask("PATCH", path, {"temperature": 0.1, "settings": {"ctx_len": 512}})
    assert changed.status == 200
    assert changed.json["parameters"] == {"temperature": 0.1}
    assert changed.json["settings"]["ctx_len"] == 512
    for answer in (changed.body, client.ask("GET", "models/org/new:1").body):
        assert b"secret" not in answer
    again = client.ask("POST", "models", {"id": "org/new:1"})
    assert (again.status, again.json["error"]["type"]) == (409, "model_exists")
    assert client.ask("DELETE", path).json == {
        "id": "org/new:1",
        "object": "model",
        "deleted": True,
        "left": [],
    }
    assert client.ask("GET", path).status == 404
    assert {model.id for model in workspace.models.list()} == {*MODELS}


def test_a_file_becomes_a_model(client: Client, tmp_path: Path) -> None:
    file = next(DATA.rglob("*.gguf"))
    made = client.post("models/import", {"source": str(file), "id": "mine"})
    assert (made["id"], made["state"], made["engine"]) == ("mine", "ready", "nitro")
    pulled = client.ask("POST", "models/pull", {"model": "mine"})
    *steps, (_, last) = pulled.events
    assert last == "[DONE]"
    assert steps[-1][1]["model"]["id"] == "mine"
    whole = client.post("models/pull", {"model": "mine", "stream": False})
    assert whole["message"] == "mine is here already."
    lost = client.ask("POST", "models/pull", {"model": "nothing-of-that-name"})
    assert lost.status == 404


@pytest.mark.parametrize("allowed", ["short", "openai:short"])
def test_who_may_use_some_sees_no_others(workspace: Workspace, allowed: str) -> None:
    def ask(method: str, path: str, body: Any = None) -> api.Response:
        data = b"" if body is None else json.dumps(body).encode()
        request = api.Request(method, path, body=data, models={allowed})
        return bridge.wait(api.respond(workspace, request))

    listed = ask("GET", "/models").body
    assert isinstance(listed, bytes)
    assert [row["id"] for row in json.loads(listed)["data"]] == ["short"]
    hi = {"messages": [{"role": "user", "content": "hi"}]}
    assert ask("POST", "/chat/completions", {"model": "short", **hi}).status == 200
    for path, body in (
        ("chat/completions", hi),
        ("messages", {"max_tokens": 5, **hi}),
        ("responses", {"input": "hi"}),
        ("completions", {"prompt": "hi"}),
        ("embeddings", {"input": "hi"}),
        ("rerank", {"query": "a", "documents": ["a"]}),
        ("audio/speech", {"input": "hi"}),
        ("models/thinker/load", None),
    ):
        assert ask("POST", path, body and {"model": "thinker", **body}).status == 404, path
    assert ask("GET", "/models/thinker").status == 404
    engine = ask("GET", "/engines/openai").body
    assert isinstance(engine, bytes)
    assert json.loads(engine)["models"] == "short"
    near = ask("POST", "/chat/completions", {"model": "thinke", **hi})
    assert near.status == 404
    assert b"thinker" not in near.body  # type: ignore[operator]
    workspace.models.import_(next(DATA.rglob("*.gguf")), id="mini")  # the default
    unnamed = ask("POST", "/chat/completions", hi)
    assert unnamed.status == 404
    assert f"these: {allowed}".encode() in unnamed.body  # type: ignore[operator]
    assert b"mini" not in unnamed.body  # type: ignore[operator]
    assert ask("DELETE", "/models/thinker").status == 404


# Threads ------------------------------------------------------------------------------------------


def test_a_thread_lives_as_in_jan(client: Client, workspace: Workspace) -> None:
    made = client.post(
        "threads",
        {
            "title": "Physics",
            "assistants": [
                {
                    "assistant_id": "jan",
                    "assistant_name": "Jan",
                    "instructions": "Be brief.",
                    "model": {"id": "short", "engine": "openai", "parameters": {"top_k": 3}},
                }
            ],
        },
    )
    assert (made["object"], made["title"]) == ("thread", "Physics")
    path = f"threads/{made['id']}"
    said = client.post(f"{path}/messages", {"role": "user", "content": "How?"})
    assert said["content"] == [{"type": "text", "text": {"value": "How?", "annotations": []}}]
    thread = workspace.threads.get("Physics")
    assert (thread.model, thread.instructions) == ("short", "Be brief.")
    assert thread.parameters == {"top_k": 3}
    assert [m.text for m in thread.messages] == ["How?"]
    assert [row["title"] for row in client.get("threads")["data"]] == ["Physics"]
    (listed,) = client.get(f"{path}/messages")["data"]
    assert listed == client.get(f"{path}/messages/{said['id']}") == said
    edited = client.ask("PATCH", f"{path}/messages/{said['id']}", {"content": "Why?"})
    assert edited.json["content"][0]["text"]["value"] == "Why?"
    changed = client.ask("PATCH", path, {"title": "More", "model": "thinker"})
    assert (changed.json["title"], thread.model) == ("More", "thinker")
    gone = client.ask("DELETE", f"{path}/messages/{said['id']}").json
    assert gone == {"id": said["id"], "object": "thread.message.deleted", "deleted": True}
    assert client.ask("DELETE", path).json["deleted"] is True
    assert not workspace.threads.list()


@pytest.mark.parametrize(
    "id",
    ["..", "%2e%2e", "..%2F..%2Fetc", "%2Fetc%2Fpasswd", "a%00b", "%ff", "Physics", "x" * 5000],
)
def test_a_name_in_a_path_leads_nowhere(client: Client, isolated: Path, id: str) -> None:
    client.post("threads", {"title": "Physics"})
    before = sorted(path for path in isolated.rglob("*") if path.is_file())
    for kind in ("threads", "models", "assistants", "runs", "responses"):
        for method, body in (("GET", None), ("DELETE", None), ("PATCH", {"title": "x"})):
            answer = client.ask(method, f"{kind}/{id}", body)
            assert 400 <= answer.status < 500, (method, kind, answer.body)
            assert b"Traceback" not in answer.body
    assert sorted(path for path in isolated.rglob("*") if path.is_file()) == before


def test_an_assistant_is_made_changed_and_removed(client: Client) -> None:
    made = client.post("assistants", {"name": "Tutor", "instructions": "Teach."})
    path = f"assistants/{made['id']}"
    assert made["object"] == "assistant"
    assert client.ask("PATCH", path, {"instructions": "Ask."}).json["instructions"] == "Ask."
    assert [row["name"] for row in client.get("assistants")["data"]] == ["Tutor"]
    thread = client.post("threads", {"assistant": made["id"]})
    assert thread["assistants"][0]["instructions"] == "Ask."
    assert client.ask("DELETE", path).json["deleted"] is True
    assert client.get("assistants")["data"][0]["id"] == "jan"


# Engines, runs, events ----------------------------------------------------------------------------


def test_engines_tell_their_state_and_no_key(client: Client) -> None:
    engines = client.get("engines")
    states = {row["id"]: row["state"] for row in engines["data"]}
    assert (states["openai"], states["claude"]) == ("ready", "needs key")
    one = client.ask("GET", "engines/openai")
    assert one.json["models"].split(", ") == sorted(MODELS)
    assert KEY.encode() not in one.body + json.dumps(engines).encode()
    assert client.ask("GET", "engines/nobody").status == 404


def test_a_comparison_is_read_and_removed(client: Client, workspace: Workspace) -> None:
    bridge.wait(acompare("hi", ["short"], name="a/b", workspace=workspace))
    (run,) = client.get("runs")["data"]
    assert (run["id"], run["models"], run["calls"], run["done"]) == ("a/b", ["short"], 1, 1)
    rows = client.get("runs/a%2Fb")["rows"]
    assert [(row["prompt"], row["model"], row["error"]) for row in rows] == [("hi", "short", "")]
    assert client.ask("DELETE", "runs/a/b").json["deleted"] is True
    assert client.get("runs")["data"] == []
    assert client.ask("GET", "runs/a/b").status == 404


Told = tuple[str, str]


async def told(
    workspace: Workspace,
    work: Callable[[], Awaitable[object]],
    until: Told,
    models: Collection[str] | None = None,
) -> list[Told]:
    """The events, as (model, state), from before that work until one of them."""
    response = await api.respond(workspace, api.Request("GET", "/events", models=models))
    assert isinstance(response.body, AsyncGenerator)
    found: list[Told] = []
    async with aclosing(response.body) as pieces:
        assert (await anext(pieces)).startswith(b":")
        working = asyncio.ensure_future(work())
        async for piece in pieces:
            data = json.loads(piece.decode().split("data: ", 1)[1])
            found.append((data["model"], data["state"]))
            if found[-1] == until:
                break
        await working
    return found


async def asked(workspace: Workspace, path: str, body: Any = None) -> None:
    data = b"" if body is None else json.dumps(body).encode()
    response = await api.respond(workspace, api.Request("POST", path, body=data))
    assert response.status in (200, 201), response.body


def test_events_tell_what_happens(workspace: Workspace) -> None:
    said = {"model": "short", "messages": [{"role": "user", "content": "hi"}]}

    async def look() -> list[Told]:
        asking = lambda: asked(workspace, "/chat/completions", said)  # noqa: E731
        return await told(workspace, asking, ("short", "ready"))

    found = bridge.wait(asyncio.wait_for(look(), 60))
    assert found == [("short", "answering"), ("short", "ready")]


@pytest.mark.parametrize("allowed", ["short", "openai:short"])
def test_events_are_of_the_models_that_one_may_use(workspace: Workspace, allowed: str) -> None:
    hi = [{"role": "user", "content": "hi"}]

    async def work() -> None:
        for model in ("thinker", "short"):
            await asked(workspace, "/chat/completions", {"model": model, "messages": hi})

    found = bridge.wait(
        asyncio.wait_for(told(workspace, work, ("short", "ready"), models={allowed}), 60)
    )
    assert found == [("short", "answering"), ("short", "ready")]


def test_a_local_model_is_loaded_counts_and_is_unloaded(workspace: Workspace) -> None:
    async def work() -> None:
        file = str(next(DATA.rglob("*.gguf")))
        await asked(workspace, "/models/import", {"source": file, "id": "mini"})
        await asked(workspace, "/models/mini/load")
        said = [{"role": "user", "content": "What is 12 + 7?"}]
        await asked(workspace, "/messages/count_tokens", {"model": "mini", "messages": said})
        gap = {"model": "mini", "prompt": "1 + 1 =", "max_tokens": 4, "temperature": 0}
        await asked(workspace, "/completions", gap)
        await asked(workspace, "/models/mini/unload")

    async def look() -> list[Told]:
        return await told(workspace, work, ("mini", "unloaded"))

    found = [*dict.fromkeys(bridge.wait(asyncio.wait_for(look(), 110)))]
    assert found[0] == ("mini", "loading")
    assert found[-1] == ("mini", "unloaded")
    assert ("mini", "ready") in found


def test_what_another_process_fetches_is_seen(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookout, "LOOK", 0.02)
    folder = folder_of(workspace.models.writable, "big")

    async def look() -> None:
        response = await api.respond(workspace, api.Request("GET", "/events"))
        assert isinstance(response.body, AsyncGenerator)
        async with aclosing(response.body) as pieces:
            await anext(pieces)
            await asyncio.to_thread(begin, folder, "big", "hf:org/big")
            assert (await anext(pieces)).startswith(b"event: downloading")
            await asyncio.to_thread(discard, workspace.models.writable, "big")
            assert (await anext(pieces)).startswith(b"event: unloaded")

    bridge.wait(asyncio.wait_for(look(), 60))


def test_a_look_that_fails_ends_neither_an_answer_nor_the_looks_after_it(
    workspace: Workspace, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookout, "LOOK", 0.02)
    monkeypatch.setattr(lookout, "SOON", 0.01)
    memory: Any = None  # as an engine of another package may tell

    async def running() -> list[Running]:
        return [Running("mine", "theirs", "", "ready", 0, memory, 0.0, 0.0)]

    monkeypatch.setattr(workspace.router, "running", running)

    async def look() -> None:
        nonlocal memory
        told = asyncio.Event()
        leave = lookout.of(workspace.router).listen(lambda news: told.set() if news.state else None)
        try:
            await asyncio.sleep(0.1)
            body = {"model": "short", "messages": [{"role": "user", "content": "Hi"}]}
            answer = await asyncio.to_thread(client.ask, "POST", "chat/completions", body)
            assert answer.status == 200
            assert not told.is_set()
            memory = 0
            await told.wait()
        finally:
            leave()

    bridge.wait(asyncio.wait_for(look(), 60))


def test_what_is_not_there_is_told(client: Client) -> None:
    nothing = client.ask("GET", "nothing")
    assert (nothing.status, nothing.json["error"]["type"]) == (404, "route_not_found")
    wrong = client.ask("DELETE", "chat/completions")
    assert (wrong.status, wrong.headers["allow"]) == (405, "POST")
