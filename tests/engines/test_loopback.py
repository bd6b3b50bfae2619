"""The lean transport for servers on this machine."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jan_jupyter.engines.http import loopback
from jan_jupyter.engines.http.loopback import Dechunker, Loopback, Silence


def chunked(pieces: list[bytes]) -> bytes:
    return b"".join(b"%x;note=1\r\n%s\r\n" % (len(p), p) for p in pieces if p) + b"0\r\n\r\n"


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(1, 9))
def test_chunks_in_pieces_of_any_size(pieces: list[bytes], size: int) -> None:
    wire = chunked(pieces)
    decoder = Dechunker()
    got = b"".join(decoder.feed(wire[i : i + size]) for i in range(0, len(wire), size))
    assert got == b"".join(pieces)
    assert decoder.ended


@pytest.mark.parametrize("wire", [b"nonsense\r\n", b"-5\r\nabc", b"f" * 100_000])
def test_what_is_not_chunked_is_refused(wire: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Dechunker().feed(wire)


@asynccontextmanager
async def answering(answer: bytes, stay: bool = False) -> AsyncIterator[str]:
    """A server that says exactly this to every request."""

    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
            if stay:
                await reader.read()
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()
            asyncio.get_running_loop().call_soon(ended.set)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x?y=1"
        await ended.wait()


def get(answer: bytes, *, stay: bool = False, seconds: float = 5.0) -> httpx2.Response:
    async def go() -> httpx2.Response:
        async with (
            answering(answer, stay) as url,
            httpx2.AsyncClient(transport=Loopback(), timeout=seconds, trust_env=False) as client,
        ):
            return await client.get(url)

    return asyncio.run(go())


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked([b"he", b"llo"]),
        b"HTTP/1.0 200 OK\r\n\r\nhello",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length:5\r\n\r\nhello",
    ],
)
def test_every_way_to_end_a_body(answer: bytes) -> None:
    response = get(answer)
    assert response.status_code == 200
    assert response.content == b"hello"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200",
        b"SSH-2.0-server\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nwhat?\r\n",
    ],
)
def test_what_is_cut_or_no_http_is_a_protocol_error(answer: bytes) -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        get(answer)


def test_silence_ends_in_a_timeout() -> None:
    with pytest.raises(httpx2.ReadTimeout):
        get(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", stay=True, seconds=0.1)
    with pytest.raises(httpx2.ReadTimeout):
        get(b"HTTP/1.1", stay=True, seconds=0.1)


class Clock:
    """A loop that is told how late it is, and the reader of which it tells."""

    def __init__(self) -> None:
        self.now = 0.0
        self.due: list[tuple[float, Callable[[], None]]] = []
        self.ended: float | None = None

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None]) -> object:
        self.due.append((when, callback))
        return self

    def set_exception(self, error: BaseException) -> None:
        assert isinstance(error, TimeoutError)
        self.ended = self.now

    def wait_until(self, when: float) -> None:
        while self.due and self.due[0][0] <= when:
            self.now, callback = self.due.pop(0)
            callback()
        self.now = when


def test_only_a_wait_ends_for_silence_however_long_the_answer_is() -> None:
    clock: Any = Clock()
    silence = Silence(clock, clock, 60)
    for _ in range(5):
        silence.begins(clock.now)
        clock.wait_until(clock.now + 50)  # a byte comes
        silence.ends()
        clock.wait_until(clock.now + 300)  # whoever reads takes their time
    assert clock.ended is None
    assert len(clock.due) == 1
    silence.begins(clock.now)
    waited = clock.now
    clock.wait_until(waited + 1000)
    assert clock.ended == waited + 60


def test_an_answer_that_is_slow_and_quick_in_turn_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loopback, "MOMENT", 0.004)
    expected = b""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal expected
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for number in range(60):
            piece = b"%d " % number
            writer.write(piece)
            expected += piece
            await asyncio.sleep(0.02 if number // 10 % 2 else 0.001)
        writer.close()

    async def exchange() -> bytes:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with httpx2.AsyncClient(transport=Loopback()) as client:
                return (await client.get(f"http://127.0.0.1:{port}")).content

    assert asyncio.run(asyncio.wait_for(exchange(), 30)) == expected


@pytest.mark.skipif(sys.platform == "win32", reason="its sockets do not wait for many bytes")
def test_small_pieces_come_together_but_the_first_and_the_last_at_once() -> None:
    """Whoever reads is woken for a handful of tokens, not for each."""

    async def exchange() -> list[bytes]:
        go_on = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\n\r\nfirst ")
            await go_on.wait()
            for _ in range(100):
                writer.write(b"x")
                await asyncio.sleep(0.001)
            writer.write(b" last")
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with (
                httpx2.AsyncClient(transport=Loopback()) as client,
                client.stream("GET", f"http://127.0.0.1:{port}") as response,
            ):
                pieces = []
                async for piece in response.aiter_bytes():
                    pieces.append(piece)
                    go_on.set()  # the first one is not kept back
                return pieces

    pieces = asyncio.run(asyncio.wait_for(exchange(), 30))
    assert pieces[0] == b"first "
    assert b"".join(pieces) == b"first " + b"x" * 100 + b" last"
    assert len(pieces) < 50


class Counting:
    """A server that answers each request of a connection in the way that `answers` says."""

    def __init__(self, answer: bytes, closes_after: int | None = None, end: bytes = b"") -> None:
        self.answer, self.closes_after, self.end = answer, closes_after, end
        self.requests: list[int] = []
        """Per connection, in their order, how many it brought."""
        self.closed = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(self.requests)
        self.requests.append(0)
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                if self.requests[number] == self.closes_after:
                    break  # as one whose patience ends just when a request is on its way
                self.requests[number] += 1
                writer.write(self.answer)
                if self.end:
                    await asyncio.sleep(0.01)
                    writer.write(self.end)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.closed += 1
            writer.close()

    def asked(self, *ways: str) -> list[int]:
        """Per connection, how many requests it brought, of some that were made in turn."""

        async def go() -> None:
            async with await asyncio.start_server(self.serve, "127.0.0.1", 0) as server:
                url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
                async with httpx2.AsyncClient(transport=Loopback(), timeout=5) as client:
                    for way in ways:
                        async with client.stream("GET", url) as response:
                            if way == "whole":
                                assert await response.aread() == b"hello"
                            if way == "as events":
                                async for piece in response.aiter_raw():
                                    if b"hello" in piece and response.extensions["rest"]():
                                        continue
                        await asyncio.sleep(0)
                for _ in range(100):
                    if self.closed == len(self.requests):
                        break
                    await asyncio.sleep(0.01)
                assert self.closed == len(self.requests)

        asyncio.run(go())
        return self.requests


HELLO = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"


@pytest.mark.parametrize(
    "answer",
    [HELLO + b"0\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"],
    ids=["chunks", "length"],
)
def test_a_connection_whose_answer_came_whole_serves_again(answer: bytes) -> None:
    assert Counting(answer).asked("whole", "whole", "whole") == [3]


def test_the_end_of_a_stream_is_not_waited_for_like_a_token() -> None:
    """The last chunk, of no bytes, often comes after what it ends."""
    assert Counting(HELLO, end=b"0\r\n\r\n").asked("as events", "as events") == [2]


def test_a_connection_that_was_left_is_closed() -> None:
    assert Counting(HELLO + b"0\r\n\r\n").asked("left", "whole", "whole") == [1, 2]


@pytest.mark.parametrize(
    "field",
    [b"Connection: close\r\n", b"Server: llama.cpp\r\n"],
)
def test_who_does_not_want_it_is_not_asked_again_over_the_same_connection(field: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\n" + field + b"Content-Length: 5\r\n\r\nhello"
    assert Counting(answer).asked("whole", "whole") == [1, 1]


def test_bytes_that_no_length_announced_never_begin_the_next_answer() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n"
    assert Counting(answer).asked("whole", "whole") == [1, 1]


def test_a_kept_connection_that_was_closed_meanwhile_is_no_error() -> None:
    server = Counting(HELLO + b"0\r\n\r\n", closes_after=1)
    assert server.asked("whole", "whole", "whole") == [1, 1, 1]


def test_a_new_connection_that_is_closed_without_an_answer_is_one() -> None:
    server = Counting(HELLO, closes_after=0)
    with pytest.raises(httpx2.RemoteProtocolError):
        server.asked("whole")
    assert server.requests == [0]


def test_kept_connections_are_closed_after_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loopback, "KEEP_SECONDS", 0.05)
    server = Counting(HELLO + b"0\r\n\r\n")

    async def go() -> None:
        async with (
            await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening,
            httpx2.AsyncClient(transport=Loopback()) as client,
        ):
            url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
            await asyncio.gather(*(client.get(url) for _ in range(3)))
            assert server.closed == 0
            while server.closed < 3:  # noqa: ASYNC110  the server is in this loop, too
                await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(go(), 30))
