"""The places of a worker, for so many requests at once: who is next."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from itertools import count

from ...endable import Endable
from ...errors import Replaced
from ...types import PRIORITIES, Delta, Priority


class Places:
    """By priority, then in the order of asking. All on one event loop.

    What an editor offers to write can be had again: where a person would wait, it is ended.
    """

    def __init__(self, number: int) -> None:
        self._free = number
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self._completions: list[Endable[Delta]] = []

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
        if priority == "person" and self.full and self._completions:
            self._completions.pop().end(Replaced("A question goes before it: ask again later."))
        await self._take(PRIORITIES.index(priority))
        try:
            yield
        finally:
            self._give_on()

    async def completion(self, deltas: AsyncGenerator[Delta, None]) -> AsyncGenerator[Delta, None]:
        """What has a place of that priority is answered, until a person wants it.

        Raises `Replaced` then.
        """
        answer = Endable(deltas)
        self._completions.append(answer)
        try:
            async with aclosing(answer.read()) as read:
                async for delta in read:
                    yield delta
        finally:
            if answer in self._completions:
                self._completions.remove(answer)

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
