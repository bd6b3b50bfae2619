"""A lean transport for servers on this machine: HTTP/1.1 over asyncio's own streams.

A local model shares its cores with whoever reads its answer. The pooled transport that httpx2 uses
by default costs three times as much per token; here is no TLS, no proxy and no name to resolve.
Closing a connection stops its request at once. One whose answer came whole is kept for a moment,
for the next request; but none to llama.cpp, in whose server each holds one of few threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from socket import SO_RCVLOWAT, SOL_SOCKET
from typing import TYPE_CHECKING, Any, TypeVar

import httpx2

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")

LARGEST_HEAD = 2**16
PIECE = 2**18
MANY = 2**12
"""Bytes that are worth waking for at once; fewer wait for a moment until more have come."""
MOMENT = 0.04
"""Seconds: nobody sees text grow oftener than 25 times a second."""
SHARE = 0.1
"""Of an answer's time until now: so long a moment is at most, as its end may wait for it, too."""
IN_VAIN = 0.005
"""Seconds: who waits longer after a moment has waited for nothing."""
KEPT = 100
"""Connections that are free, at most, to one server."""
KEEP_SECONDS = 2.0
"""So long one is kept: less than any server does."""


@dataclass(eq=False, slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    kept: float | None = None
    """Since when it is free, by the loop's clock, if it has served before."""

    def close(self) -> None:
        self.writer.transport.abort()

    @property
    def open(self) -> bool:
        return not (self.reader.at_eof() or self.writer.transport.is_closing())


class _GoneError(Exception):
    """The server has closed a kept connection in the moment in which it was to serve again."""


class Loopback(httpx2.AsyncBaseTransport):
    """Sends each request over a connection that is free, else over a new one."""

    def __init__(self) -> None:
        self._free: dict[tuple[str, int], list[_Connection]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sweeping: asyncio.TimerHandle | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        content = await request.aread()
        if (connection := self._taken(_place(request))) is not None:
            with suppress(_GoneError):
                return await self._sent(request, content, connection)
        return await self._sent(request, content, await _opened(request))

    async def _sent(
        self, request: httpx2.Request, content: bytes, connection: _Connection
    ) -> httpx2.Response:
        read = _seconds(request, "read")
        try:
            with _translated(httpx2.ReadError, request):
                try:
                    connection.writer.write(_head(request) + content)
                    await connection.writer.drain()
                    reading = _read_head(connection.reader)
                    head = await _within(reading, read, httpx2.ReadTimeout, request)
                except (EOFError, ConnectionError) as error:
                    if connection.kept is None or getattr(error, "partial", None):
                        raise
                    raise _GoneError from error
            answer = _Body(self, connection, request, _parsed(head), read)
        except BaseException:
            connection.close()
            raise
        extensions = {"gathers": answer.gathers, "rest": answer.rest, "pieces": answer}
        return httpx2.Response(
            answer.status, headers=answer.headers, stream=answer, extensions=extensions
        )

    def _taken(self, place: tuple[str, int]) -> _Connection | None:
        """A free connection, the last one first."""
        if self._loop is not asyncio.get_running_loop():  # after a fork
            self._free.clear()
        free = self._free.get(place, [])
        while free:
            if (connection := free.pop()).open:
                return connection
            connection.close()
        return None

    def keep(self, connection: _Connection, request: httpx2.Request) -> None:
        """It is free again."""
        self._loop = loop = asyncio.get_running_loop()
        free = self._free.setdefault(_place(request), [])
        if len(free) >= KEPT:
            connection.close()
            return
        connection.kept = loop.time()
        free.append(connection)
        if self._sweeping is None:
            self._sweeping = loop.call_later(KEEP_SECONDS, self._sweep)

    def _sweep(self) -> None:
        assert self._loop is not None
        old = self._loop.time() - KEEP_SECONDS
        for place, free in list(self._free.items()):
            while free and (free[0].kept or 0) <= old:
                free.pop(0).close()
            if not free:
                del self._free[place]
        again = self._loop.call_later(KEEP_SECONDS, self._sweep) if self._free else None
        self._sweeping = again

    async def aclose(self) -> None:
        for free in self._free.values():
            for connection in free:
                connection.close()
        self._free.clear()
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None


class _Body(httpx2.AsyncByteStream):
    """The body, in the pieces that the socket gives.

    Each token that wakes this process takes a core from the model that makes it. So the system is
    told (`SO_RCVLOWAT`) to wake us for many bytes or the end only, except after a moment; but not
    while pieces are farther apart than that.
    """

    def __init__(
        self,
        loopback: Loopback,
        connection: _Connection,
        request: httpx2.Request,
        head: _Head,
        seconds: float | None,
    ) -> None:
        self.status, self.headers = head.status, head.fields
        self._loopback, self._connection, self._request = loopback, connection, request
        self._loop = asyncio.get_running_loop()
        self._silence = Silence(self._loop, connection.reader, seconds)
        fields = dict(head.fields)
        self._chunks = Dechunker() if "chunked" in fields.get("transfer-encoding", "") else None
        length = fields.get("content-length")
        self._left = int(length) if length and length.isdecimal() and not self._chunks else None
        self._can_serve_again = head.lasts
        self._began: float | None = None
        self._came = self._given_up = 0.0
        """When the last piece came, and when the system was last told not to wait for many."""
        self._slow = False
        """Whether pieces are farther apart than a moment."""
        self._wanted = 0
        self.gathers = self._wakes_for(1)
        """Whether small pieces come together; the first comes at once."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _translated(httpx2.ReadError, self._request):
            while self._left != 0 and not (self._chunks and self._chunks.ended):
                piece = await self._piece()
                if not piece:
                    if self._chunks or self._left:
                        raise httpx2.RemoteProtocolError(
                            "the connection was closed before the end", request=self._request
                        )
                    return
                if self._chunks:
                    try:
                        piece = self._chunks.feed(piece)
                    except ValueError as error:
                        raise httpx2.RemoteProtocolError(
                            str(error), request=self._request
                        ) from error
                elif self._left is not None:
                    self._can_serve_again &= len(piece) <= self._left
                    piece = piece[: self._left]
                    self._left -= len(piece)
                if piece:
                    yield piece

    async def _piece(self) -> bytes:
        began, moment = self._loop.time(), None
        if self._began is None:
            self._began = began
        elif self.gathers and not self._slow:
            self._wakes_for(MANY)
            longest = min(MOMENT, SHARE * (began - self._began))
            moment = self._loop.call_later(longest, self._give_up)
        self._silence.begins(began)
        try:
            piece = await self._connection.reader.read(PIECE)
        except TimeoutError as error:
            raise _too_slow(httpx2.ReadTimeout, self._request) from error
        finally:
            self._silence.ends()
            if moment is not None:
                moment.cancel()
        now = self._loop.time()
        if moment is None:
            self._slow = now - self._came > MOMENT
        else:  # it had to be waited for also after the moment
            self._slow = self._given_up > began and now - self._given_up > IN_VAIN
        self._came = now
        return piece

    def _give_up(self) -> None:
        self._given_up = self._loop.time()
        self._wakes_for(1)

    def _wakes_for(self, count: int) -> bool:
        """Ask the system to wake us for so many bytes; whether it does."""
        if self._wanted != count:
            try:
                socket = self._connection.writer.get_extra_info("socket")
                socket.setsockopt(SOL_SOCKET, SO_RCVLOWAT, count)
            except OSError:  # it cannot, or the connection is closed
                return False
            self._wanted = count
        return True

    def rest(self) -> bool:
        """Only the end is still to come: do not wait for more; whether it is worth reading."""
        self.gathers = not self._wakes_for(1) and self.gathers
        return self._can_serve_again

    async def aclose(self) -> None:
        self._silence.close()
        ended = self._chunks.whole if self._chunks else self._left == 0
        if ended and self._can_serve_again and self._connection.open:
            self._wakes_for(1)
            self._loopback.keep(self._connection, self._request)
        else:
            self._connection.close()


class Silence:
    """Ends a wait for bytes that takes too long, as a `TimeoutError` of the reader.

    One timer for an answer, not one for each of its pieces.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, reader: asyncio.StreamReader, seconds: float | None
    ) -> None:
        self._loop, self._reader, self._seconds = loop, reader, seconds
        self._since: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begins(self, now: float) -> None:
        self._since = now
        if self._timer is None and self._seconds is not None:
            self._timer = self._loop.call_at(now + self._seconds, self._look)

    def ends(self) -> None:
        self._since = None

    def _look(self) -> None:
        assert self._seconds is not None
        now = self._loop.time()
        end = (now if self._since is None else self._since) + self._seconds
        if end > now:
            self._timer = self._loop.call_at(end, self._look)
        else:
            self._reader.set_exception(TimeoutError())

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


class Dechunker:
    """Takes off the frames of the chunked transfer coding (RFC 9112 §7.1), whatever the pieces."""

    def __init__(self) -> None:
        self.ended = False
        self.whole = False
        """Whether nothing came but the end after the last chunk."""
        self._rest = b""
        self._left = 0
        """Bytes of the chunk that are still to come, its line break included."""

    def feed(self, piece: bytes) -> bytes:
        """What the piece holds; raises `ValueError` if it is not chunked."""
        data = self._rest + piece
        parts: list[bytes] = []
        at = 0
        while not self.ended:
            if self._left:
                end = at + self._left
                parts.append(data[at : max(at, min(end - 2, len(data)))])
                if end > len(data):
                    # Of a cut line break only what is missing is awaited.
                    self._left = end - len(data)
                    self._rest = b""
                    return b"".join(parts)
                at, self._left = end, 0
            line_end = data.find(b"\n", at)
            if line_end < 0:
                break
            size = int(data[at:line_end].split(b";")[0].strip(), 16)
            if size < 0:
                raise ValueError("a chunk of negative size")
            at = line_end + 1
            if size == 0:
                self.ended = True
            self._left = size + 2
        self.whole = self.ended and data[at:] == b"\r\n"
        self._rest = b"" if self.ended else data[at:]
        if len(self._rest) > LARGEST_HEAD:
            raise ValueError("a chunk's size has no end")
        return b"".join(parts)


def _place(request: httpx2.Request) -> tuple[str, int]:
    return request.url.host, request.url.port or 80


def _seconds(request: httpx2.Request, what: str) -> float | None:
    seconds: dict[str, float | None] = request.extensions.get("timeout", {})
    return seconds.get(what)


async def _opened(request: httpx2.Request) -> _Connection:
    opening = asyncio.open_connection(*_place(request), limit=LARGEST_HEAD)
    seconds = _seconds(request, "connect")
    with _translated(httpx2.ConnectError, request):
        return _Connection(*await _within(opening, seconds, httpx2.ConnectTimeout, request))


def _head(request: httpx2.Request) -> bytes:
    lines = [b"%s: %s\r\n" % field for field in request.headers.raw]
    target = request.url.raw_path
    return b"%s %s HTTP/1.1\r\n%s\r\n" % (request.method.encode(), target, b"".join(lines))


async def _read_head(reader: asyncio.StreamReader) -> bytes:
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.split(b" ", 2)[1:2] != [b"100"]:  # an interim answer announces the real one
            return head


@dataclass(frozen=True, slots=True)
class _Head:
    """Status line and header fields of an answer."""

    status: int
    fields: list[tuple[str, str]]
    lasts: bool
    """Whether its connection may serve again."""


def _parsed(head: bytes) -> _Head:
    first, *lines = head.decode("latin-1").split("\r\n")
    try:
        status = int(first.split(" ", 2)[1])
    except (IndexError, ValueError):
        raise httpx2.RemoteProtocolError(f"not an HTTP answer: {first!r}") from None
    pairs = (line.partition(":") for line in lines if line)
    fields = [(name.strip().lower(), value.strip()) for name, _, value in pairs]
    closes = ("connection", "close"), ("server", "llama.cpp")
    lasts = first.startswith("HTTP/1.1") and not any((n, v.lower()) in closes for n, v in fields)
    return _Head(status, fields, lasts)


async def _within(
    work: Awaitable[T], seconds: float | None, kind: type[Any], request: httpx2.Request
) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError as error:
        raise _too_slow(kind, request) from error


def _too_slow(kind: type[Any], request: httpx2.Request) -> Exception:
    error: Exception = kind("nothing came for too long", request=request)
    return error


@contextmanager
def _translated(kind: type[Any], request: httpx2.Request) -> Iterator[None]:
    try:
        yield
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise httpx2.RemoteProtocolError("it closed without an answer", request=request) from error
    except OSError as error:
        raise kind(error.strerror or str(error), request=request) from error
