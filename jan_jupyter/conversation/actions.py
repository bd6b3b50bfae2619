"""Actions that are done one after the other, in the order in which they were asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Work = Coroutine[Any, Any, None]


class Order:
    """A queue of actions with their kinds. Used on one loop alone; `run` does them, for ever."""

    def __init__(self, failed: Callable[[str, Exception], None]) -> None:
        self._failed = failed
        """Told of the kind of an action that raised, and of what."""
        self._queue: asyncio.Queue[tuple[int, str, Work]] = asyncio.Queue()
        self._taken = 0
        """How many actions have been taken; each has its number."""
        self._doing = 0
        self._halted = 0

    def take(self, kind: str, work: Work) -> None:
        self._taken += 1
        self._queue.put_nowait((self._taken, kind, work))

    def halt(self) -> None:
        """The answers to what has been asked for so far are not wanted any more."""
        self._halted = self._taken

    @property
    def halted(self) -> bool:
        """Whether that holds for the action that is being done."""
        return self._doing <= self._halted

    async def run(self) -> None:
        while True:
            self._doing, kind, work = await self._queue.get()
            try:
                await work
            except Exception as error:
                self._failed(kind, error)
            self._queue.task_done()

    async def wait(self) -> None:
        """Return when all that was taken is done."""
        await self._queue.join()
