"""A lean transport for servers on this machine: HTTP/1.1 over asyncio's own streams.

A local model shares its cores with whoever reads its answer. The pooled transport that httpx2 uses
by default costs three times as much per token; here is no TLS, no proxy and no name to resolve,
and a connection serves one request, so that closing it stops the server at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import contextmanager, suppress
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


class Loopback(httpx2.AsyncBaseTransport):
    """Sends each request over a connection of its own."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        seconds: dict[str, float | None] = request.extensions.get("timeout", {})
        body = await request.aread()
        host, port = request.url.host, request.url.port or 80
        with _translated(httpx2.ConnectError, request):
            reader, writer = await _within(
                asyncio.open_connection(host, port, limit=LARGEST_HEAD),
                seconds.get("connect"),
                httpx2.ConnectTimeout,
                request,
            )
        try:
            with _translated(httpx2.ReadError, request):
                writer.write(_head(request) + body)
                await writer.drain()
                read = seconds.get("read")
                head = await _within(_read_head(reader), read, httpx2.ReadTimeout, request)
            status, headers = _parsed(head)
            answer = _Body(reader, writer, request, headers, read)
            extensions = {"gathers": answer.gathers}
            return httpx2.Response(status, headers=headers, stream=answer, extensions=extensions)
        except BaseException:
            writer.transport.abort()
            raise


class _Body(httpx2.AsyncByteStream):
    """The body, in the pieces that the socket gives.

    Each token that wakes this process takes a core from the model that makes it. So the system is
    told (`SO_RCVLOWAT`) to wake us for many bytes or the end only, except after a moment.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        request: httpx2.Request,
        headers: list[tuple[str, str]],
        seconds: float | None,
    ) -> None:
        self._reader, self._writer, self._request = reader, writer, request
        self._seconds = seconds
        fields = dict(headers)
        self._chunks = Dechunker() if "chunked" in fields.get("transfer-encoding", "") else None
        length = fields.get("content-length")
        self._left = int(length) if length and length.isdecimal() and not self._chunks else None
        self._begun = False
        self.gathers = self._wakes_for(1)
        """Whether small pieces come together; the first comes at once."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self._left != 0 and not (self._chunks and self._chunks.ended):
            with _translated(httpx2.ReadError, self._request):
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
                    raise httpx2.RemoteProtocolError(str(error), request=self._request) from error
            elif self._left is not None:
                piece = piece[: self._left]
                self._left -= len(piece)
            if piece:
                yield piece

    async def _piece(self) -> bytes:
        if self._begun and self.gathers:
            self._wakes_for(MANY)
            with suppress(TimeoutError):
                async with asyncio.timeout(MOMENT):
                    return await self._reader.read(PIECE)
            self._wakes_for(1)
        self._begun = True
        return await _within(
            self._reader.read(PIECE), self._seconds, httpx2.ReadTimeout, self._request
        )

    def _wakes_for(self, count: int) -> bool:
        """Ask the system to wake us for so many bytes; whether it does."""
        try:
            socket = self._writer.get_extra_info("socket")
            socket.setsockopt(SOL_SOCKET, SO_RCVLOWAT, count)
        except OSError:  # it cannot, or the connection is closed
            return False
        return True

    async def aclose(self) -> None:
        self._writer.transport.abort()


class Dechunker:
    """Takes off the frames of the chunked transfer coding (RFC 9112 §7.1), whatever the pieces."""

    def __init__(self) -> None:
        self.ended = False
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
        self._rest = b"" if self.ended else data[at:]
        if len(self._rest) > LARGEST_HEAD:
            raise ValueError("a chunk's size has no end")
        return b"".join(parts)


def _head(request: httpx2.Request) -> bytes:
    fields = [(k, v) for k, v in request.headers.raw if k.lower() != b"connection"]
    lines = [b"%s: %s\r\n" % field for field in [*fields, (b"Connection", b"close")]]
    target = request.url.raw_path
    return b"%s %s HTTP/1.1\r\n%s\r\n" % (request.method.encode(), target, b"".join(lines))


async def _read_head(reader: asyncio.StreamReader) -> bytes:
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.split(b" ", 2)[1:2] != [b"100"]:  # an interim answer announces the real one
            return head


def _parsed(head: bytes) -> tuple[int, list[tuple[str, str]]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    try:
        status = int(first.split(" ", 2)[1])
    except (IndexError, ValueError):
        raise httpx2.RemoteProtocolError(f"not an HTTP answer: {first!r}") from None
    fields = (line.partition(":") for line in lines if line)
    return status, [(name.strip().lower(), value.strip()) for name, _, value in fields]


async def _within(
    work: Awaitable[T], seconds: float | None, kind: type[Any], request: httpx2.Request
) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError as error:
        raise kind("nothing came for too long", request=request) from error


@contextmanager
def _translated(kind: type[Any], request: httpx2.Request) -> Iterator[None]:
    try:
        yield
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise httpx2.RemoteProtocolError("it closed without an answer", request=request) from error
    except OSError as error:
        raise kind(error.strerror or str(error), request=request) from error
