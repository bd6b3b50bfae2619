"""HTTP as the server writes and reads it, and what is remembered of each request."""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from dataclasses import dataclass
from typing import Any


@dataclass
class Entry:
    """What the server saw of one request. Times are `time.monotonic()` of this machine."""

    id: int
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    received: float
    status: int | None = None
    first: float | None = None
    """When the first chunk was written."""
    last: float | None = None
    """When the last chunk was written."""
    chunks: int = 0
    """How many chunks were written."""
    closed: float | None = None
    """When the client was seen to have gone, if it went before the answer was written."""
    complete: bool = False
    """Whether the answer was written whole, as its behaviour wants it."""


class HangUpError(Exception):
    """The server ends the connection now."""


class Reader(asyncio.StreamReader):
    """Knows when the client went, without anyone reading."""

    def __init__(self) -> None:
        super().__init__()
        self.gone = asyncio.Event()
        self.gone_at = 0.0

    def feed_eof(self) -> None:
        self._note()
        super().feed_eof()

    def set_exception(self, exc: Exception) -> None:
        self._note()
        super().set_exception(exc)

    def _note(self) -> None:
        if not self.gone.is_set():
            self.gone_at = time.monotonic()
            self.gone.set()


class Response:
    """Writes one HTTP/1.1 answer in chunked encoding, in pieces of `split` bytes if given."""

    def __init__(self, writer: asyncio.StreamWriter, entry: Entry, split: int = 0) -> None:
        self.writer, self.entry, self.split = writer, entry, split

    async def start(self, status: int, kind: str, headers: dict[str, str] | None = None) -> None:
        self.entry.status = status
        lines = [
            f"HTTP/1.1 {status} {http.client.responses.get(status, 'Unknown')}",
            f"content-type: {kind}",
            "transfer-encoding: chunked",
            f"x-request-id: req-{self.entry.id}",
            *(f"{name}: {value}" for name, value in (headers or {}).items()),
        ]
        self.writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        await self.writer.drain()

    async def send(self, data: bytes) -> None:
        for at in range(0, len(data), self.split or len(data) or 1):
            piece = data[at : at + self.split] if self.split else data
            self.writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await self.writer.drain()
            if self.split:
                await asyncio.sleep(0)

    async def end(self) -> None:
        self.writer.write(b"0\r\n\r\n")
        self.entry.complete = True
        await self.writer.drain()

    async def whole(
        self, status: int, kind: str, data: bytes, headers: dict[str, str] | None = None
    ) -> None:
        await self.start(status, kind, headers)
        await self.send(data)
        await self.end()

    async def json(self, value: Any, status: int = 200) -> None:
        await self.whole(status, "application/json", dump(value).encode())


def dump(value: Any, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=False, **options)


async def read_request(reader: asyncio.StreamReader) -> Entry | None:
    """The next request of a connection; `None` if the client has ended it."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, path, _ = first.split(" ")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    data = await reader.readexactly(int(headers.get("content-length", 0)))
    try:
        body = json.loads(data) if data else None
    except ValueError:
        body = data.decode("utf-8", "replace")
    return Entry(0, method, path, headers, body, time.monotonic())
