"""The way of an answer onto the wire, and all that can happen to it there."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import time
from collections.abc import AsyncGenerator, Sequence

from .behaviour import NEVER, Behaviour
from .dialect import Dialect, Event, Part
from .wire import HangUpError, Response, dump


async def refuse(response: Response, dialect: Dialect) -> None:
    behaviour = dialect.behaviour
    status, error = dialect.failure()
    headers = {}
    if behaviour.retry_after >= 0:
        headers["retry-after"] = str(round(behaviour.retry_after))
        if behaviour.retry_after % 1:
            headers["retry-after-ms"] = str(round(behaviour.retry_after * 1000))
    kind, text = {
        "openai": ("application/json", dump(dialect.refusal())),
        "string": ("application/json", dump({"error": error["message"]})),
        "detail": ("application/json", dump({"detail": {"error": error}})),
        "html": ("text/html", f"<html><body><h1>{status}</h1></body></html>"),
        "empty": ("text/plain", ""),
    }[behaviour.form]
    await response.whole(status, kind, text.encode(), headers)


async def paced(parts: Sequence[Part], dialect: Dialect) -> AsyncGenerator[Part, None]:
    """Each part when its time has come, counted from the first one: late parts are caught up."""
    hold, delay = dialect.behaviour.hold, dialect.behaviour.delay
    start = time.monotonic()
    for i, part in enumerate(parts):
        if i == hold:
            await dialect.told.wait()
            start = time.monotonic() - i * delay
        # Sleeping, if only for no time, lets the loop see that a client went.
        await asyncio.sleep(max(0.0, start + i * delay - time.monotonic()))
        yield part


def written(event: Event, behaviour: Behaviour) -> bytes:
    name, value = event
    end = "\r\n" if behaviour.crlf else "\n"
    space = "" if behaviour.tight else " "
    text = value if isinstance(value, str) else dump(value)
    if behaviour.multiline and not isinstance(value, str):
        text = dump(value, indent=1)
    lines = [f"data:{space}{line}" for line in text.split("\n")]
    if name:
        lines.insert(0, f"event:{space}{name}")
    if behaviour.comments:
        lines = [": keep-alive", "", *lines]
    return end.join([*lines, "", ""]).encode()


async def stream(response: Response, dialect: Dialect) -> None:
    entry, behaviour = response.entry, dialect.behaviour
    parts = dialect.parts()

    async def send(events: Sequence[Event]) -> None:
        if events:
            await response.send(b"".join(written(event, behaviour) for event in events))

    async def mishaps() -> bool:
        """What goes wrong at this chunk; whether the stream is over by that."""
        if behaviour.rubbish == entry.chunks:
            await send([("", "{this is not JSON")])
        if behaviour.error_at == entry.chunks:
            await send([dialect.error_event()])
            await response.end()
            return True
        if behaviour.cut == entry.chunks:
            raise HangUpError
        if behaviour.reset == entry.chunks:
            # With no time to linger the system says "reset" instead of "end".
            linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
            connection = response.writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            response.writer.transport.abort()
            raise HangUpError
        if behaviour.stall == entry.chunks:
            await asyncio.Event().wait()
        return False

    await response.start(200, "text/event-stream", {"cache-control": "no-cache"})
    await send(dialect.opening())
    await asyncio.sleep(behaviour.first)
    if await mishaps():
        return
    async with contextlib.aclosing(paced(parts, dialect)) as due:
        async for part in due:
            await send(dialect.chunk(part))
            entry.last = time.monotonic()
            entry.first = entry.first or entry.last
            entry.chunks += 1
            if await mishaps():
                return
    await send(dialect.closing(parts))
    await response.end()


async def whole(response: Response, dialect: Dialect) -> None:
    """The answer in one piece, after the time that its chunks would take."""
    behaviour = dialect.behaviour
    parts = dialect.parts()
    await asyncio.sleep(behaviour.first + behaviour.delay * max(0, len(parts) - 1))
    if behaviour.stall != NEVER:
        await asyncio.Event().wait()
    if behaviour.rubbish != NEVER:
        await response.whole(200, "text/html", b"<html><body>It works!</body></html>")
        return
    if behaviour.error_at != NEVER:
        await response.json(dialect.refusal())
        return
    data = dump(dialect.whole(parts)).encode()
    response.entry.first = response.entry.last = time.monotonic()
    if behaviour.cut != NEVER or behaviour.reset != NEVER:
        await response.start(200, "application/json")
        await response.send(data[: len(data) // 2])
        raise HangUpError
    response.entry.chunks = len(parts)
    await response.whole(200, "application/json", data)
