"""Pulls under way in this process: which there are, also in the background, and their end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .endable import Endable
from .errors import JanError, Replaced
from .telling import fault

if TYPE_CHECKING:
    from .models.hub.pull import Progress


@dataclass(eq=False, slots=True)
class Pulling:
    """One model that is being fetched; `now` is how far it has come, once that is known."""

    source: str
    stream: Endable[Progress] = field(repr=False)
    now: Progress | None = None

    @property
    def id(self) -> str:
        """That of the model; before it is known, the source."""
        return self.now.id if self.now is not None else self.source

    def is_meant(self, name: str) -> bool:
        return name in (self.id, self.source)


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a pull in the background has ended; `source` begins it again."""

    source: str
    why: str


class Pulls:
    """On the background loop alone."""

    def __init__(self) -> None:
        self._pulls: list[Pulling] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._watchers: list[Callable[[], None]] = []
        self._failed: dict[str, Failed] = {}

    def __iter__(self) -> Iterator[Pulling]:
        yield from [*self._pulls]

    @property
    def failed(self) -> Mapping[str, Failed]:
        """By model: pulls in the background, until they are begun again, or forgotten."""
        return self._failed

    def watch(self, watcher: Callable[[], None]) -> Callable[[], None]:
        """Call `watcher` whenever one begins or ends; returns how to stop it."""
        self._watchers.append(watcher)

        def unwatch() -> None:
            with suppress(ValueError):
                self._watchers.remove(watcher)

        return unwatch

    async def follow(
        self, source: str, steps: AsyncGenerator[Progress, None]
    ) -> AsyncGenerator[Progress, None]:
        """The same steps, of a pull that can be listed and stopped: then `Replaced` is raised."""
        pulling = Pulling(source, Endable(steps))
        self._pulls.append(pulling)
        self._tell()
        try:
            async with aclosing(pulling.stream.read()) as found:
                async for now in found:
                    pulling.now = now
                    self._failed.pop(now.id, None)
                    yield now
        finally:
            self._pulls.remove(pulling)
            self._tell()

    async def begin(self, source: str, steps: AsyncGenerator[Progress, None]) -> Progress:
        """Fetch in the background, with the steps of a pull; gives its first step.

        Raises what is in the way before that; what goes wrong later is among the `failed`.
        """
        first: asyncio.Future[Progress] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._run(source, steps, first))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await first

    async def _run(
        self,
        source: str,
        steps: AsyncGenerator[Progress, None],
        first: asyncio.Future[Progress],
    ) -> None:
        name = source
        try:
            async with aclosing(steps):
                async for now in steps:
                    name = now.id
                    if not first.done():
                        first.set_result(now)
        except Exception as error:
            if not isinstance(error, JanError):
                error = fault(error)
            if not first.done():
                first.set_exception(error)
            elif not isinstance(error, Replaced):  # else it was stopped
                self._failed[name] = Failed(source, str(error))
        finally:
            if not first.done():
                first.cancel()
            self._tell()

    async def stop(self, name: str) -> bool:
        """End what fetches a model (its id or its source); what has come is kept. Whether
        anything did."""
        found = [one for one in self if one.is_meant(name)]
        for one in found:
            one.stream.end(Replaced(f"The pull of {one.id} was stopped; what has come is kept."))
        for one in found:
            await one.stream.over()
        return bool(found)

    def forget(self, name: str) -> bool:
        """Why the pull of a model has failed is of no interest any more; whether one had."""
        found = self._failed.pop(name, None)
        self._tell()
        return found is not None

    async def close(self) -> None:
        """End those in the background; what has come is kept."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _tell(self) -> None:
        for watcher in [*self._watchers]:
            watcher()
