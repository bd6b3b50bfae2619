"""A streamed response: an early error is a status, a later one an event; closing it stops it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from jan_jupyter import api, bridge, errors
from jan_jupyter.api import streams
from jan_jupyter.api.streams import streamed
from jan_jupyter.workspace import Workspace
from support.jan import add_remote
from support.server import StreamingServer

from .conftest import Client


class Source:
    """Pieces that come when they are let; it knows whether it was closed."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self._pieces = pieces
        self.go = asyncio.Event()
        self.closed = False

    async def read(self) -> AsyncGenerator[bytes, None]:
        try:
            for piece in self._pieces:
                await self.go.wait()
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.closed = True


def failed(error: errors.JanError) -> bytes:
    return f"failed: {error}".encode()


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def go() -> None:
        await asyncio.wait_for(work(), 30)

    bridge.wait(go())


async def pieces_of(response: api.Response) -> list[bytes]:
    assert isinstance(response.body, AsyncGenerator)
    async with aclosing(response.body) as pieces:
        return [piece async for piece in pieces]


def test_an_error_before_the_first_piece_is_raised() -> None:
    async def work() -> None:
        source = Source(errors.UsageError("no"))
        source.go.set()
        with pytest.raises(errors.UsageError):
            await streamed(source.read(), failed)
        assert source.closed

    run(work)


def test_a_later_one_is_a_piece() -> None:
    async def work() -> None:
        source = Source(b"a", errors.UsageError("no"))
        source.go.set()
        assert await pieces_of(await streamed(source.read(), failed)) == [b"a", b"failed: no"]
        fault = Source(b"a", ZeroDivisionError("secret"))
        fault.go.set()
        *_, last = await pieces_of(await streamed(fault.read(), failed))
        assert b"fault in jan_jupyter" in last
        assert b"secret" not in last

    run(work)


def test_what_takes_long_to_begin_has_its_status_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PATIENCE", 0)

    async def work() -> None:
        source = Source(b"a", b"b")
        response = await streamed(source.read(), failed)
        assert response.status == 200
        source.go.set()
        assert await pieces_of(response) == [b"a", b"b"]
        late = Source(errors.UsageError("no"))
        response = await streamed(late.read(), failed)
        late.go.set()
        assert await pieces_of(response) == [b"failed: no"]

    run(work)


@pytest.mark.parametrize("patience", [0, 10])
def test_closed_unread_it_stops(monkeypatch: pytest.MonkeyPatch, patience: float) -> None:
    monkeypatch.setattr(streams, "PATIENCE", patience)

    async def work() -> None:
        source = Source(b"a", b"b")
        if patience:
            source.go.set()
        response = await streamed(source.read(), failed)
        assert isinstance(response.body, AsyncGenerator)
        assert not source.closed
        await response.body.aclose()
        assert source.closed

    run(work)


def test_cancelled_while_it_waits_it_stops() -> None:
    async def work() -> None:
        source = Source(b"a")
        asking = asyncio.ensure_future(streamed(source.read(), failed))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])
        assert asking.cancelled()
        assert source.closed

    run(work)


def test_a_client_that_leaves_stops_the_answer(workspace: Workspace) -> None:
    async def work() -> None:
        said = [{"role": "user", "content": "hi"}]
        for path, body in (
            ("/chat/completions", {"messages": said}),
            ("/messages", {"messages": said, "max_tokens": 5}),
            ("/responses", {"input": "hi", "store": False}),
            ("/completions", {"prompt": "a"}),
        ):
            data = json.dumps({"model": "slow", "stream": True, **body}).encode()
            response = await api.respond(workspace, api.Request("POST", path, body=data))
            assert isinstance(response.body, AsyncGenerator)
            async with aclosing(response.body) as pieces:
                await anext(pieces)
            made = response.made()
            assert made is not None
            assert made.finish == "cancelled"  # type: ignore[union-attr]

    run(work)


ASKED: dict[str, dict[str, Any]] = {
    "/chat/completions": {"messages": [{"role": "user", "content": "hi"}]},
    "/completions": {"prompt": "a"},
    "/messages": {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 5},
    "/responses": {"input": "hi", "store": False},
}


def _failure(path: str, text: bytes) -> tuple[str, str]:
    """Code and words of the last event, which tells an error as the API of the path does."""
    *_, block = text.decode().strip().split("\n\n")
    lines = dict(line.split(": ", 1) for line in block.splitlines())
    said = json.loads(lines["data"])
    if path == "/messages":
        assert (lines["event"], said["type"]) == ("error", "error")
        return said["error"]["type"], said["error"]["message"]
    if path == "/responses":
        assert lines["event"] == said["type"] == "response.failed"
        return said["response"]["error"]["code"], said["response"]["error"]["message"]
    assert said["error"]["http_status_code"] == 429
    return said["error"]["code"], said["error"]["message"]


@pytest.mark.parametrize("path", [*ASKED])
def test_a_limit_that_holds_longer_than_patience(
    path: str, address: str, server: StreamingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told with its status while that can be; afterwards as an event of the caller's API."""
    monkeypatch.setattr("jan_jupyter.wire.retry.backoff", lambda attempt, after: 0.0)
    body = {"model": "busy", "stream": True, **ASKED[path]}
    client = Client(address)
    add_remote(Path(os.environ["JAN_DATA_FOLDER"]).parent / "api", server, busy="status=429")
    early = client.ask("POST", path[1:], body)
    assert early.status == 429
    assert early.headers["content-type"] == "application/json"
    monkeypatch.setattr(streams, "PATIENCE", 0)
    late = client.ask("POST", path[1:], body)
    assert late.status == 200
    code, said = _failure(path, late.body)
    assert code in ("rate_limit_exceeded", "rate_limit_error")
    assert "asked 3 times" in said
    assert b"[DONE]" not in late.body
    assert b"stop" not in late.body.replace(b"stop_", b"")
