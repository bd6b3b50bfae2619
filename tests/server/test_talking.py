"""A page's conversation with each server, over a WebSocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from support.hosts import Alone, Host
from support.jan import add_remote
from support.server import StreamingServer, tokens


class Page:
    """What a page knows: the state, and the turns as they came last."""

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self.socket = socket
        self.state: dict[str, Any] = {}
        self.turns: dict[str, dict[str, Any]] = {}
        self.come = ""
        """What came of answers since they were last whole."""

    async def do(self, **message: Any) -> None:
        await self.socket.write_message(json.dumps(message))

    async def until(self, found: Callable[[], object]) -> None:
        """Read events until `found` finds something."""
        async with asyncio.timeout(60):
            while not found():
                event = json.loads(str(await self.socket.read_message()))
                match event["type"]:
                    case "snapshot":
                        self.state = event["state"]
                        self.turns = {turn["id"]: turn for turn in event["turns"]}
                    case "state":
                        self.state |= event["state"]
                    case "delta":
                        self.come += event.get("text", "")
                    case "message":
                        self.turns[event["turn"]["id"]] = event["turn"]

    def answered(self, text: str) -> bool:
        turns = [turn for turn in self.turns.values() if turn["role"] == "assistant"]
        return any(turn["text"] == text and turn["status"] == "done" for turn in turns)

    def writing(self) -> bool:
        return any(turn["status"] == "writing" for turn in self.turns.values())


@asynccontextmanager
async def page(host: Host, query: str = "") -> AsyncIterator[Page]:
    url = f"ws://127.0.0.1:{host.port}{host.prefix}/panel{query}"
    origin = f"http://127.0.0.1:{host.port}"
    socket = await websocket_connect(HTTPRequest(url, headers={**host.headers, "Origin": origin}))
    try:
        shown = Page(socket)
        await shown.do(type="hello")
        await shown.until(lambda: shown.state)
        yield shown
    finally:
        await closed(socket)


async def closed(socket: WebSocketClientConnection) -> None:
    socket.close()
    await _ended(socket)


async def _ended(socket: WebSocketClientConnection) -> None:
    async with asyncio.timeout(60):
        while socket.close_code is None and await socket.read_message() is not None:
            pass


def test_a_question_and_its_answer(host: Host, server: StreamingServer) -> None:
    add_remote(host.data_folder, server, talk="n=5")

    async def go() -> None:
        async with page(host, "?model=talk") as one:
            await one.do(type="send", text="Why?", key="k1")
            await one.until(lambda: one.answered("".join(tokens(5))))
            thread = one.state["thread"]["id"]
        async with page(host, f"?thread={thread}") as again:
            assert again.answered("".join(tokens(5)))

    asyncio.run(go())


def test_who_leaves_stops_it_and_who_has_a_name_may_come_back(
    host: Host, server: StreamingServer
) -> None:
    add_remote(host.data_folder, server, long="n=100000,delay=0.01")

    async def go() -> None:
        async with page(host, "?model=long") as one:
            await one.do(type="send", text="Why?")
            await one.until(one.writing)
        await asyncio.to_thread(server.wait, "closed")
        server.clear()
        server.behave("long", "n=100000,delay=0.01")
        async with page(host, "?model=long&panel=mine") as one:
            await one.do(type="send", text="Why?")
            await one.until(one.writing)
        async with page(host, "?panel=mine") as two, page(host, "?panel=mine") as three:
            assert two.writing()
            await two.do(type="stop")
            await three.until(lambda: not three.writing())
        await asyncio.to_thread(server.wait, "closed")

    asyncio.run(go())


def test_what_is_wrong_ends_nothing_or_says_why(host: Host) -> None:
    async def go() -> None:
        async with page(host, "?model=quick") as one:
            await one.do(type="no such thing")
            await one.until(lambda: one.state["notice"])
            await one.socket.write_message("[1, 2")
            await _ended(one.socket)
            assert one.socket.close_code == 1007
        for query in ("thread=../../secret", "thread=none", "model=none", "thread=a%00b"):
            url = f"ws://127.0.0.1:{host.port}{host.prefix}/panel?{query}"
            other = await websocket_connect(HTTPRequest(url, headers=host.headers))
            await _ended(other)
            assert other.close_code == 4404, query
            other.close()
        assert host.ask("GET", "/models").status == 200

    asyncio.run(go())


def test_with_a_list_of_models_a_page_sees_no_others(
    tmp_path: Path, server: StreamingServer
) -> None:
    add_remote(tmp_path / "jan", server, listed="n=3", hidden="n=3")

    async def go(host: Host) -> None:
        async with page(host) as one:  # the only one is the default
            await one.do(type="send", text="Why?")
            await one.until(lambda: one.answered("".join(tokens(3))))
            await one.until(lambda: one.state["models"])
            assert [row["id"] for row in one.state["models"]] == ["listed"]
            await one.do(type="model", model="hidden")
            await one.until(lambda: one.state["notice"])
            assert "hidden" in one.state["notice"]
        url = f"ws://127.0.0.1:{host.port}{host.prefix}/panel?model=hidden"
        other = await websocket_connect(HTTPRequest(url, headers=host.headers))
        await _ended(other)
        assert other.close_code == 4404
        other.close()

    with Alone(tmp_path, "--models", "listed") as host:
        asyncio.run(go(host))
