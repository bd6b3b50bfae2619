"""What happens to models, over a WebSocket of each server; and how answers are stopped there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from jan_jupyter.models.hub.unfinished import begin, discard, folder_of
from server.test_talking import closed, page
from support.hosts import Alone, Host, InJupyter
from support.jan import add_remote
from support.server import StreamingServer, tokens


class Ear:
    """What a page knows of all models: the overview, and the events that have come."""

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self.socket = socket
        self.state: dict[str, Any] = {}
        self.kinds: list[str] = []
        self.events: list[tuple[str, str]] = []

    async def until(self, found: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not found():
                told = json.loads(str(await self.socket.read_message()))
                self.kinds.append(told["type"])
                if told["type"] == "event":
                    self.events.append((told["event"]["model"], told["event"]["state"]))
                else:
                    self.state |= told["state"]

    async def answering(self, models: list[str]) -> None:
        await self.until(lambda: self.names("generating") == models)

    def names(self, field: str) -> list[str]:
        key = "model" if field == "generating" else "id"
        return [row[key] for row in self.state[field]]


def _request(host: Host, headers: dict[str, str] | None = None) -> HTTPRequest:
    given = host.headers if headers is None else headers
    origin = f"http://127.0.0.1:{host.port}"
    url = f"ws://127.0.0.1:{host.port}{host.prefix}/events/socket"
    return HTTPRequest(url, headers={"Origin": origin, **given})


@asynccontextmanager
async def listening(host: Host) -> AsyncIterator[Ear]:
    socket = await websocket_connect(_request(host))
    try:
        ear = Ear(socket)
        await ear.until(lambda: ear.state)
        yield ear
    finally:
        await closed(socket)


def asked(host: Host, method: str, path: str, body: Any = None) -> Any:
    """A coroutine of one request."""
    return asyncio.to_thread(host.ask, method, path, body)


def test_first_all_then_what_changes(host: Host, server: StreamingServer) -> None:
    add_remote(host.data_folder, server, held="n=3,hold=1")

    async def go() -> None:
        async with listening(host) as one, listening(host) as other:
            assert one.kinds == ["snapshot"]
            assert one.state["memory"]["total"] >= one.state["memory"]["free"] > 0
            assert one.names("generating") == []
            asking = asyncio.ensure_future(
                asked(host, "POST", "/chat/completions", host.chat("held"))
            )
            for ear in (one, other):
                await ear.answering(["held"])
            row = one.state["generating"][0]
            assert (row["engine"], row["kind"]) == ("openai", "chat")
            (listed,) = (await asked(host, "GET", "/generating")).json["data"]
            assert (listed["model"], listed["id"]) == ("held", str(row["id"]))
            server.behave("held", "n=3")
            answer = await asking
            assert answer.json["choices"][0]["message"]["content"] == "".join(tokens(3))
            for ear in (one, other):
                await ear.answering([])
            await one.until(lambda: ("held", "ready") in one.events)
            assert ("held", "answering") in one.events

    asyncio.run(go())


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_is_stopped_and_its_reader_gets_what_came(
    host: Host, server: StreamingServer, stream: bool
) -> None:
    add_remote(host.data_folder, server, long="n=100000,delay=0.01")

    async def go() -> None:
        async with listening(host) as ear:
            body = host.chat("long", stream=stream)
            asking = asyncio.ensure_future(asked(host, "POST", "/chat/completions", body))
            await ear.until(lambda: any(row["tokens"] for row in ear.state["generating"]))
            stopped = await asked(host, "POST", "/models/long/stop")
            assert stopped.json == {"id": "long", "object": "model.stop", "stopped": 1}
            answer = await asking
            if stream:
                *_, last, end = answer.body.decode().strip().split("\n\n")
                assert json.loads(last.removeprefix("data: "))["choices"][0]["finish_reason"] == (
                    "length"
                )
                assert end == "data: [DONE]"
            else:
                (choice,) = answer.json["choices"]
                assert choice["finish_reason"] == "length"
                assert choice["message"]["content"].startswith(tokens(1)[0])
            await ear.until(lambda: ear.names("generating") == [])
            assert (await asked(host, "POST", "/models/long/stop")).json["stopped"] == 0
        await asyncio.to_thread(server.wait, "closed")

    asyncio.run(go())


def test_what_the_panel_is_answered_is_stopped_too(host: Host, server: StreamingServer) -> None:
    add_remote(host.data_folder, server, long="n=100000,delay=0.01")

    async def go() -> None:
        async with page(host, "?model=long") as one:
            await one.do(type="send", text="Why?")
            await one.until(lambda: one.come)
            await asked(host, "POST", "/models/long/stop")
            await one.until(lambda: [t for t in one.turns.values() if t["status"] == "stopped"])
            (turn,) = [t for t in one.turns.values() if t["role"] == "assistant"]
            assert turn["text"]

    asyncio.run(go())


def test_one_that_waits_for_its_first_word_is_stopped(host: Host, server: StreamingServer) -> None:
    add_remote(host.data_folder, server, held="n=3,hold=0")

    async def go() -> None:
        async with listening(host) as ear:
            asking = asyncio.ensure_future(
                asked(host, "POST", "/chat/completions", host.chat("held"))
            )
            await ear.until(lambda: ear.names("generating") == ["held"])
            await asked(host, "POST", "/models/held/stop")
            (choice,) = (await asking).json["choices"]
            assert (choice["finish_reason"], choice["message"]["content"]) == ("length", "")

    asyncio.run(go())


def test_one_whose_server_still_starts_is_no_longer_loading_once_it_is_stopped(
    host: Host, server: StreamingServer
) -> None:
    add_remote(host.data_folder, server, far="error=loading")

    async def go() -> None:
        async with listening(host) as ear:
            asking = asyncio.ensure_future(
                asked(host, "POST", "/chat/completions", host.chat("far"))
            )
            await ear.until(lambda: ear.names("models") == ["far"])
            await asked(host, "POST", "/models/far/stop")
            await asking
            await ear.until(lambda: ear.names("models") == [])

    asyncio.run(go())


def test_what_another_process_fetches_is_seen(host: Host) -> None:
    folder = folder_of(host.data_folder, "big")

    async def go() -> None:
        async with listening(host) as ear:
            begin(folder, "big", "hf:org/big")
            await ear.until(lambda: ear.names("pulls") == ["big"])
            assert ear.state["pulls"][0]["source"] == "hf:org/big"
            assert not ear.state["pulls"][0]["active"]
            discard(host.data_folder, "big")
            await ear.until(lambda: ear.names("pulls") == [])
            assert ear.events[-1] == ("big", "unloaded")

    asyncio.run(go())


def test_a_model_that_is_loaded_shows_its_memory(host: Host) -> None:
    async def go() -> None:
        async with listening(host) as ear:
            loading = asyncio.ensure_future(asked(host, "POST", "/models/jan-mini/load"))
            await ear.until(lambda: ear.names("models") == ["jan-mini"])
            await loading
            await ear.until(lambda: [row["state"] for row in ear.state["models"]] == ["ready"])
            await ear.until(lambda: ear.state["models"][0]["memory"] > 0)
            assert ("jan-mini", "loading") in ear.events
            await asked(host, "POST", "/models/jan-mini/unload")
            await ear.until(lambda: ear.names("models") == [])
            assert ("jan-mini", "unloaded") in ear.events

    asyncio.run(go())


def test_strangers_hear_nothing(host: Host) -> None:
    async def go() -> None:
        for headers, status in (
            ({"Authorization": "Bearer nobody"}, {401}),
            ({}, {401, 403}),
            ({**host.headers, "Origin": "https://evil.example"}, {403}),
        ):
            with pytest.raises(HTTPClientError) as refused:
                await websocket_connect(_request(host, headers))
            assert refused.value.code in status

    asyncio.run(go())


LISTENED = """
import atexit, sys
atexit.register(lambda: print("made", *sorted({"jan_jupyter.api", "jan_jupyter.workspace",
    "jan_jupyter.router", "jan_jupyter.lookout"} & {*sys.modules}), file=sys.stderr))
"""


def test_whoever_listens_makes_no_workspace(tmp_path: Path) -> None:
    with InJupyter(tmp_path, change=LISTENED) as host:

        async def go() -> None:
            async with listening(host) as ear:
                assert ear.names("models") == []

        asyncio.run(go())
        host.end()
        assert "made jan_jupyter.lookout" in host.log


def test_whose_models_are_few_hears_of_those_alone(tmp_path: Path, server: StreamingServer) -> None:
    host = Alone(tmp_path, "--models", "quick")
    add_remote(host.data_folder, server, quick="n=3", other="n=3")
    with host:

        async def go() -> None:
            async with listening(host) as ear:
                begin(folder_of(host.data_folder, "other"), "other", "hf:org/other")
                begin(folder_of(host.data_folder, "quick"), "quick", "hf:org/quick")
                await ear.until(lambda: ear.names("pulls"))
                assert ear.names("pulls") == ["quick"]
                assert {name for name, _ in ear.events} <= {"quick"}

        asyncio.run(go())
