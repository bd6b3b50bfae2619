"""Answers as server-sent events: what goes wrong early is a status, later an event."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import Any

from .. import errors
from ..telling import fault
from .exchange import Made, Response

PATIENCE = 10.0
"""Seconds that the first piece is awaited for before the status: most errors come by then, and a
proxy that hears nothing for longer may hang up."""
HEADERS = {
    "content-type": "text/event-stream",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",
}


async def streamed(
    pieces: AsyncGenerator[bytes, None],
    failed: Callable[[errors.JanError], bytes],
    made: Callable[[], Made | None] = lambda: None,
) -> Response:
    """A response of the pieces. Raises what goes wrong before the first; `failed` writes what
    goes wrong later."""
    body = _followed(pieces, failed)
    try:
        await anext(body)  # it runs from here on, so that closing it closes what it reads
    except BaseException:
        await body.aclose()
        raise
    return Response(200, HEADERS, body, made)


async def _followed(
    pieces: AsyncGenerator[bytes, None], failed: Callable[[errors.JanError], bytes]
) -> AsyncGenerator[bytes, None]:
    async with aclosing(pieces):
        first: asyncio.Task[Any] = asyncio.ensure_future(_next(pieces))
        try:
            await asyncio.wait([first], timeout=PATIENCE)
            if first.done() and not first.cancelled() and (error := first.exception()):
                raise error
            yield b""
            try:
                yield await first
                async for piece in pieces:
                    yield piece
            except Exception as error:
                yield failed(error if isinstance(error, errors.JanError) else fault(error))
        finally:
            if not first.done():
                first.cancel()
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([first])


async def _next(pieces: AsyncGenerator[bytes, None]) -> bytes:
    return await anext(pieces, b"")
