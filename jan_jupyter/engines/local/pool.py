"""Shared worker processes, for every local engine: what each process has to do with them."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ...errors import JanError
from ...settings import runtime_folder
from ...types import Running
from . import supervisor
from .registry import Registry, answers, working
from .worker import FOR_EVER, Unloaded, Worker, WorkerFailed, WorkerSpec

T = TypeVar("T")

Progress = Callable[[float | None, str], None]
"""Takes 0 … 1 where it is known, and a line for people where there is something to say."""


@dataclass(slots=True)
class _Flight:
    """A load under way in this process, for all who wait for it."""

    spec: WorkerSpec
    task: asyncio.Task[Worker] = field(init=False)
    waiters: int = 0
    unwanted: bool = False
    """Whether it was unloaded before it was there."""


async def in_order(look: Callable[[], T]) -> T:
    """Take a short look at files, without the loop waiting for it: who asks first knows first."""
    return await asyncio.get_running_loop().run_in_executor(_LOOKS, look)


_LOOKS = ThreadPoolExecutor(1, "jan-looks")


class Workers:
    """The registry for code on an event loop, where nothing here blocks; and what a process has to
    do with the workers in it: which it has started, and which it uses.
    """

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._folder = folder
        self._flights: dict[str, _Flight] = {}
        self._tasks: set[asyncio.Task[Worker]] = set()
        self._ours: set[tuple[str, int]] = set()
        """Key and process of the workers that this process has started."""
        self._latest: dict[tuple[Any, ...], Worker] = {}
        """The worker that this process used last, by engine, model and what it is for."""
        self._in_use: Counter[str] = Counter()
        """How many requests of this process are at a worker, or on their way to it, by its key."""

    @property
    def registry(self) -> Registry:
        """That of the folder that holds now: in a thread, for it is looked at, or made."""
        return Registry(self._folder() / "workers")

    def brings_up(self, key: str) -> bool:
        """Whether somebody in this process waits for the worker of that key."""
        return key in self._flights

    async def _ask(self, work: Callable[[Registry], T]) -> T:
        """What the registry says, without the loop waiting for its files."""
        return await asyncio.to_thread(lambda: work(self.registry))

    async def ensure(self, spec: WorkerSpec, on_progress: Progress) -> Worker:
        """The worker for `spec`, ready; asking again is cheap.

        Cancelling stops a load that this process has started and nobody else here waits for.
        Raises `WorkerFailed` (`NoMemory`, `Unloaded`) and what `spec.launch` raises.
        """
        key = spec.key

        def warm(registry: Registry) -> Worker | None:
            worker = registry.look(key)
            if worker is None or worker.state != "ready" or not worker.alive:
                return None
            registry.extend(worker, spec.keep_alive)
            return worker

        if (worker := await in_order(lambda: warm(self.registry))) is not None:
            await self._follow(spec, worker)
            return worker
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(spec)
            flight.task = asyncio.create_task(self._bring_up(flight, on_progress))
            self._tasks.add(flight.task)
            flight.task.add_done_callback(lambda task: self._landed(key, flight, task))
        flight.waiters += 1
        try:
            worker = await asyncio.shield(flight.task)
            await self._follow(spec, worker)
            return worker
        finally:
            flight.waiters -= 1
            if not flight.waiters and not flight.task.done():
                self._flights.pop(key, None)
                flight.task.cancel()

    async def ready(self, key: str) -> Worker | None:
        """The worker of that key if it can answer now; it is neither started nor kept longer."""
        worker = await self._ask(lambda registry: registry.look(key))
        return worker if worker and worker.state == "ready" and worker.alive else None

    @contextmanager
    def using(self, key: str) -> Iterator[None]:
        """While this lasts, a change of settings does not end the worker of that key."""
        self._in_use[key] += 1
        try:
            yield
        finally:
            self._in_use[key] -= 1

    async def _follow(self, spec: WorkerSpec, worker: Worker) -> None:
        """Let the worker go that the same model had before its settings changed, if it is ours."""
        # One that chats and one that embeds are both wanted.
        purpose = (
            spec.engine,
            spec.model,
            *(spec.options.get(n) for n in ("embedding", "only_embeds")),
        )
        before = self._latest.get(purpose)
        if before is not None and (before.key, before.pid) == (worker.key, worker.pid):
            return
        self._latest[purpose] = worker
        if (worker.key, worker.pid) not in self._ours:
            await self._ask(lambda known: known.share(worker))
        if before is None or before.key == worker.key or self._in_use[before.key]:
            return
        if (before.key, before.pid) in self._ours:
            await self._ask(lambda known: known.leave(before))

    def _landed(self, key: str, flight: _Flight, task: asyncio.Task[Worker]) -> None:
        self._tasks.discard(task)
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not task.cancelled():
            task.exception()  # its waiters have it; if all have left, nobody needs it

    async def _bring_up(self, flight: _Flight, on_progress: Progress) -> Worker:
        loop = asyncio.get_running_loop()

        def say(message: str) -> None:
            loop.call_soon_threadsafe(on_progress, None, message)

        while True:
            claim = asyncio.create_task(self._ask(lambda known: known.claim(flight.spec, say)))
            try:
                worker, ours = await asyncio.shield(claim)
                if ours:
                    self._ours.add((worker.key, worker.pid))
                ready = None if flight.unwanted else await self._watch(worker, on_progress)
            except WorkerFailed:
                if flight.unwanted:  # it was ended before we saw it
                    raise Unloaded(_UNLOADED) from None
                raise
            except asyncio.CancelledError:
                with suppress(WorkerFailed, JanError, OSError):
                    worker, ours = await claim  # a thread cannot be stopped, its worker can
                    if ours:
                        await self._stop(worker)
                raise
            if ready is not None:
                return ready
            if ours or flight.unwanted:
                await self._stop(worker)
                raise Unloaded(_UNLOADED)
            # Somebody else had started it and gave up: our wish still stands.

    async def _watch(self, worker: Worker, on_progress: Progress) -> Worker | None:
        """Wait until it is ready; `None` if it went away without having failed."""
        told = -1.0
        if worker.state == "loading":  # a small model may be there before we look how far it is
            on_progress(told := worker.progress, "")
        while True:
            now, runs = await self._look(worker)
            if now is None or (now.pid, now.born) != (worker.pid, worker.born):
                return None
            if now.state == "failed" or not runs:
                raise await self.why(now)
            if now.state == "ready":
                return now
            if now.progress != told:
                on_progress(told := now.progress, "")
            await asyncio.sleep(0.01)

    async def why(self, worker: Worker) -> WorkerFailed:
        """Why a worker is gone. Gives it a moment to write down what its server ended with."""
        deadline = time.monotonic() + 1.0
        now, runs = await self._look(worker)
        while now is not None and now.pid == worker.pid and now.state != "failed":
            if not runs or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.01)
            now, runs = await self._look(worker)
        log = await self._ask(lambda known: known.log(worker.key))
        if now is not None and now.pid == worker.pid and now.state == "failed":
            return WorkerFailed("its server ended", exit=now.exit, log=log)
        return WorkerFailed("its worker process is gone", log=log)

    async def gone(self, worker: Worker) -> bool:
        """Whether a worker has ended, or its server no longer takes connections."""

        def look(registry: Registry) -> bool:
            now = registry.look(worker.key)
            if now is None or (now.pid, now.born) != (worker.pid, worker.born) or not now.alive:
                return True
            return not answers(worker)

        return await self._ask(look)

    async def left(self, worker: Worker) -> bool:
        """Whether a worker has left in order, rather than died."""
        now = await self._ask(lambda known: known.look(worker.key))
        return now is None or (now.pid, now.born) != (worker.pid, worker.born)

    async def unload(self, model: str, engine: str, file: Path | None = None) -> int:
        """End every worker of a model, also one that loads; how many there were."""

        def meant(model_of: str, engine_of: str, file_of: str) -> bool:
            return engine_of == engine and (model_of == model or file_of == str(file))

        for flight in self._flights.values():
            spec = flight.spec
            flight.unwanted |= meant(spec.model, spec.engine, str(spec.files[0].path))
        found = await self._ask(Registry.all)
        victims = [w for w in found if meant(w.model, w.engine, w.file)]
        for worker in victims:
            await self._stop(worker)
        return len(victims)

    async def running(self, engine: str = "") -> list[Running]:
        """The models that an engine (default: any) holds for this user, whoever started them."""

        def look(registry: Registry) -> list[Running]:
            return [_running(w) for w in registry.all() if engine in ("", w.engine)]

        return await self._ask(look)

    async def _look(self, worker: Worker) -> tuple[Worker | None, bool]:
        """What the entry says now, and whether the process that it names runs."""

        def look(registry: Registry) -> tuple[Worker | None, bool]:
            now = registry.look(worker.key)
            return now, now is not None and supervisor.birth(now.pid) == now.born

        return await self._ask(look)

    async def _stop(self, worker: Worker) -> None:
        await self._ask(lambda known: known.stop(worker))


_UNLOADED = "it was unloaded while it was loading"

SHARED = Workers(runtime_folder)
"""The one that all engines of this process use: an edited engine file makes another engine."""


def _running(worker: Worker) -> Running:
    busy = working(worker) if worker.state == "ready" else 0
    return Running(
        model=worker.model,
        engine=worker.engine,
        runtime=worker.runtime,
        state="answering" if busy else worker.state,
        pid=worker.server_pid or worker.pid,
        memory=supervisor.resident(worker.server_pid)[0],
        since=worker.since,
        idle=None if busy else max(0.0, time.time() - worker.used),
        busy=busy,
        slots=worker.slots,
        progress=worker.progress if worker.state == "loading" else None,
        keep_alive=worker.keep_alive if worker.keep_alive < FOR_EVER else math.inf,
    )
