"""Actions that are done one after the other, in the order in which they were asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Work = Coroutine[Any, Any, None]


class ActionQueue:
    """Used on one loop alone; `run` does them, for ever."""

    def __init__(self, failed: Callable[[Exception], None]) -> None:
        self._failed = failed
        """Called with what an action raises."""
        self._queue: asyncio.Queue[tuple[int, Work]] = asyncio.Queue()
        self._count = 0
        """How many actions have been put; each has its number."""
        self._current = 0
        self._stopped = 0

    def put(self, work: Work) -> None:
        self._count += 1
        self._queue.put_nowait((self._count, work))

    def stop(self) -> None:
        """The answers to what has been asked for so far are not wanted any more."""
        self._stopped = self._count

    @property
    def stopped(self) -> bool:
        """Whether that holds for the action that is being done."""
        return self._current <= self._stopped

    async def run(self) -> None:
        while True:
            self._current, work = await self._queue.get()
            try:
                await work
            except Exception as error:
                self._failed(error)
            self._queue.task_done()

    async def wait(self) -> None:
        """Return when all that was put is done."""
        await self._queue.join()
