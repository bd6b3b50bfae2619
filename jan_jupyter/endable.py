"""Streams that somebody else can end than who reads them, and keys of which only the newest one
runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Hashable
from contextlib import aclosing
from typing import Generic, TypeVar

from .errors import JanError, Replaced

T = TypeVar("T")


class Endable(Generic[T]):
    """A stream that ends with an error, as soon as `end` is called: from any task, whatever task
    reads it just then, also where nobody does. All on one event loop."""

    def __init__(self, items: AsyncGenerator[T, None]) -> None:
        self._items = items
        self._error: JanError | None = None
        self._step: asyncio.Task[object] | None = None
        self._closing = False
        self._closer: asyncio.Task[None] | None = None
        self._over = asyncio.Event()

    async def read(self) -> AsyncGenerator[T, None]:
        """What it yields. Raises the error that it was ended with."""
        try:
            while self._error is None:
                try:
                    item = await self._next()
                except StopAsyncIteration:
                    return
                yield item
            raise self._error
        finally:
            await self._close()

    async def _next(self) -> T:
        self._step = step = asyncio.current_task()
        assert step is not None
        try:
            return await anext(self._items)
        except asyncio.CancelledError:
            # Who reads may have left in the same moment: then that counts.
            if self._error is None or step.uncancel():
                raise
            raise self._error from None
        finally:
            self._step = None

    def end(self, error: JanError) -> None:
        """Stop it; `over` tells when that is done."""
        if self._error is not None or self._closing:
            return
        self._error = error
        if self._step is not None:
            self._step.cancel()
        else:  # its reader has something else to do
            self._closer = asyncio.create_task(self._close())

    async def _close(self) -> None:
        """Close what it yields from, once; who comes second waits for that."""
        if self._closing:
            return await self.over()
        self._closing = True
        try:
            await self._items.aclose()
        finally:
            self._over.set()

    async def over(self) -> None:
        await self._over.wait()


class Newest:
    """Of the streams under one key the newest goes on: it ends the one before, and begins when
    that is over."""

    def __init__(self) -> None:
        self._now: dict[Hashable, Endable[object]] = {}

    async def read(self, key: Hashable, items: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """What `items` yields. Raises `Replaced` as soon as there is a newer one."""
        mine: Endable[T] = Endable(items)
        before, self._now[key] = self._now.get(key), mine  # type: ignore[assignment]
        try:
            if before is not None:
                before.end(Replaced("A newer request has taken its place."))
                await before.over()
            async with aclosing(mine.read()) as found:
                async for item in found:
                    yield item
        finally:
            if self._now.get(key) is mine:
                del self._now[key]
