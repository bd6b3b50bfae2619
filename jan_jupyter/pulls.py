"""Pulls under way in this process: which there are, also in the background, and their end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from .endable import Endable
from .errors import JanError, Replaced
from .models.hub.web import without_secrets
from .telling import Watchers, fault

if TYPE_CHECKING:
    from .models.hub.pull import Progress
    from .models.hub.unfinished import Unfinished


@dataclass(eq=False, slots=True)
class Pulling:
    """One model that is being fetched; `now` is how far it has come, once that is known.

    `source` is without secrets: pages are told."""

    source: str
    stream: Endable[Progress] = field(repr=False)
    now: Progress | None = None

    @property
    def id(self) -> str:
        """That of the model; before it is known, the source."""
        return self.now.id if self.now is not None else self.source

    def is_meant(self, name: str) -> bool:
        return without_secrets(name) in (self.id, self.source)


@dataclass(frozen=True, slots=True)
class Pull:
    """How far one has come, as it is listed: bytes, bytes per second, seconds that are left.

    `message`: how fast it comes, or why it does no longer; where that is known."""

    id: str
    source: str
    state: Literal["fetching", "stopped", "failed", "done"]
    done: int = 0
    total: int = 0
    speed: float | None = None
    left: float | None = None
    message: str = ""

    @classmethod
    def of(cls, source: str, now: Progress) -> Pull:
        """One of this process."""
        state: Literal["fetching", "done"] = "fetching" if now.model is None else "done"
        total = now.total or 0
        return cls(now.id, source, state, now.done, total, now.speed, now.left, str(now))


class Pulls:
    """On the background loop alone."""

    def __init__(self) -> None:
        self._pulls: list[Pulling] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._watchers = Watchers[[]]()
        self._failed: dict[str, Pull] = {}
        """By model: those in the background, until they are begun again, or forgotten."""

    def __iter__(self) -> Iterator[Pulling]:
        yield from [*self._pulls]

    def listed(self, parts: Iterable[tuple[Unfinished, bool]]) -> Iterable[Pull]:
        """Those of this process, then the other `parts` on the disk (and whether somebody fetches
        each), then those that failed in the background and left none. Each model once."""
        found = {one.now.id: Pull.of(one.source, one.now) for one in self if one.now is not None}
        for one, fetched in parts:
            state: Literal["fetching", "stopped"] = "fetching" if fetched else "stopped"
            found.setdefault(one.id, Pull(one.id, one.source, state, one.done, one.total))
        for name, failed in self._failed.items():
            row = found.setdefault(name, failed)
            if row.state == "stopped":
                found[name] = replace(row, state="failed", message=failed.message)
        return found.values()

    def watch(self, watcher: Callable[[], None]) -> Callable[[], None]:
        """Call `watcher` whenever one begins or ends; returns how to stop it."""
        return self._watchers.add(watcher)

    async def follow(
        self, source: str, steps: AsyncGenerator[Progress, None]
    ) -> AsyncGenerator[Progress, None]:
        """The same steps, of a pull that can be listed and stopped: then `Replaced` is raised."""
        pulling = Pulling(without_secrets(source), Endable(steps))
        self._pulls.append(pulling)
        self._watchers.tell()
        try:
            async with aclosing(pulling.stream.read()) as found:
                async for now in found:
                    pulling.now = now
                    self._failed.pop(now.id, None)
                    yield now
        finally:
            self._pulls.remove(pulling)
            self._watchers.tell()

    async def begin(self, source: str, steps: AsyncGenerator[Progress, None]) -> Pull:
        """Fetch in the background, with the steps of a pull; gives how far it is at first.

        Raises what is in the way before that; what goes wrong later is `listed`.
        """
        source = without_secrets(source)
        first: asyncio.Future[Progress] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._run(source, steps, first))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return Pull.of(source, await first)

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
                self._failed[name] = Pull(name, source, "failed", message=str(error))
        finally:
            if not first.done():
                first.cancel()
            self._watchers.tell()

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
        self._watchers.tell()
        return found is not None

    async def close(self) -> None:
        """End those in the background; what has come is kept."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
