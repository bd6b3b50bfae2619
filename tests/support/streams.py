"""Many answers at once, for one light client: it keeps the bytes, and reads them afterwards."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic

import psutil

from jan_jupyter.engines.http.loopback import Dechunker

_TEXT = re.compile(rb'"content": ?"[^"]')
_END = b"0\r\n\r\n"
QUIET = 10.0
"""Seconds after which a server has got the memory that its streams need."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom to ask: `path` is whole."""

    port: int
    path: str
    model: str
    headers: Mapping[str, str] = field(default_factory=dict)
    host: str = "127.0.0.1"

    def request(self) -> bytes:
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": "Why?"}],
            "stream": True,
        }
        sent = json.dumps(body).encode()
        fields = {"Host": f"localhost:{self.port}", **self.headers, "Content-Length": len(sent)}
        lines = [f"POST {self.path} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items()), "", ""]
        return "\r\n".join(lines).encode() + sent


@dataclass(slots=True)
class Streamed:
    """What came, and after how many seconds the first text."""

    raw: bytes
    first: float

    @property
    def text(self) -> str:
        """The text of the answer; raises `ValueError` if it is not one that ended as it has to."""
        head, _, rest = self.raw.partition(b"\r\n\r\n")
        if head.split(b" ", 2)[1] != b"200":
            raise ValueError(self.raw[:2000])
        events = [e for e in Dechunker().feed(rest).decode().split("\n\n") if e and e[0] != ":"]
        if events.pop() != "data: [DONE]":
            raise ValueError(f"cut off: {rest[-200:]!r}")
        chunks = (json.loads(event.removeprefix("data: ")) for event in events)
        deltas = (choice["delta"] for chunk in chunks for choice in chunk["choices"])
        return "".join(delta.get("content") or "" for delta in deltas)


async def ask(whom: Asked) -> Streamed:
    """One answer, on a connection of its own."""
    reader, writer = await asyncio.open_connection(whom.host, whom.port)
    try:
        began, first = monotonic(), 0.0
        writer.write(whom.request())
        got = bytearray()
        while not got.endswith(_END) and (piece := await reader.read(2**16)):
            got += piece
            if not first and _TEXT.search(got):
                first = monotonic() - began
        return Streamed(bytes(got), first)
    finally:
        writer.close()


async def ask_all(whom: Asked, count: int) -> list[Streamed]:
    return await asyncio.gather(*(ask(whom) for _ in range(count)))


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes that a process holds: after the first seconds, and how far it went from that later."""

    early: int
    least: int
    most: int

    @property
    def strayed(self) -> float:
        """The share by which it differed at most."""
        return max(self.most - self.early, self.early - self.least) / self.early


async def watched(whom: Asked, count: int, pid: int) -> tuple[list[Streamed], Memory]:
    """So many answers at once, and what the memory of the server did meanwhile."""
    process = psutil.Process(pid)
    answers = asyncio.ensure_future(ask_all(whom, count))
    await asyncio.sleep(QUIET)
    early = process.memory_info().rss
    seen = [early]
    while not answers.done():
        await asyncio.wait([answers], timeout=0.5)
        seen.append(process.memory_info().rss)
    return await answers, Memory(early, min(seen), max(seen))


def cpu_seconds(pid: int) -> float:
    """Of a process, and of all that it has started."""
    process = psutil.Process(pid)
    times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return sum(t.user + t.system for t in times)
