"""The places of a worker, for so many requests at once: who is next."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

from ...types import PRIORITIES, Priority


class Places:
    """By priority, then in the order of asking. All on one event loop.

    A completion is of use only until something else is typed: a newer one ends those before it,
    waiting or answered.
    """

    def __init__(self, number: int) -> None:
        self._free = number
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self._completions: set[asyncio.Task[object]] = set()

    @property
    def waiting(self) -> int:
        return sum(not future.done() for *_, future in self._waiting)

    @property
    def full(self) -> bool:
        """Whether the next one waits."""
        return self._free < 1

    @asynccontextmanager
    async def taken(self, priority: Priority) -> AsyncIterator[None]:
        """A place, as soon as one is free and nobody goes before."""
        task = asyncio.current_task()
        assert task is not None
        if priority == "completion":
            for older in self._completions:
                older.cancel("a newer completion has taken its place")
            self._completions.add(task)
        try:
            await self._take(PRIORITIES.index(priority))
            try:
                yield
            finally:
                self._give_on()
        finally:
            self._completions.discard(task)

    async def _take(self, rank: int) -> None:
        if self._free:
            self._free -= 1
            return
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (rank, next(self._numbers), future))
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():  # it was given the place at this moment
                self._give_on()
            raise

    def _give_on(self) -> None:
        """The place that is left goes to the next one who still waits for it."""
        while self._waiting:
            *_, future = heapq.heappop(self._waiting)
            if not future.done():
                future.set_result(None)
                return
        self._free += 1
