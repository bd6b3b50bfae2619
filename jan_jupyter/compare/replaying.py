"""A thread once more, with other models: each question is asked after the model's own answers, and
what it says stands beside what was said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any

from .. import bridge
from ..errors import JanError, ThreadNotFound
from ..threads.thread import Thread
from ..types import Delta, Message
from ..workspace import Workspace, shared
from . import told
from .comparison import Comparison, runs
from .keeping.store import Store
from .record import Kept
from .running.compose import Composer
from .running.facts import look
from .running.plan import Plan, plan
from .running.progress import Counting, State, Tell
from .running.run import run
from .running.watching import Brake
from .running.watching import Watcher as Near
from .session import Session
from .values import Call, Case, Grid, Row
from .widening import extended


class Replay(Session):
    """Turn by turn, so that each answer is a row, and a replay that was killed goes on in the
    middle. The first contestant is the thread: its rows are there.
    """

    def __init__(
        self, grid: Grid, workspace: Workspace, store: Store, own: Sequence[Row], **options: Any
    ) -> None:
        super().__init__(grid, workspace, store, **options)
        self._own = own
        self._brakes: dict[int, Brake] = {}

    async def planned(self, looked: Any = None) -> Plan:
        before = self.known
        self.known = {**before, **await asyncio.to_thread(self._own_by_key)}
        try:
            return await super().planned(looked)
        finally:  # with which values they were asked nobody knows: others are not given them
            self.known = before

    def _own_by_key(self) -> dict[str, Row]:
        """Its own answers, which nobody is asked for, as if they were stored."""
        composer, found = Composer(self.grid, self.workspace.router), dict[str, Row]()
        for row in self._own:
            with suppress(JanError):
                known = composer.keyed(row.call.case, row.call.contestant, (row.call.repeat,))[2]
                found |= dict.fromkeys(known.values(), row)
        return found

    async def asking(self, prepared: Plan, tell: Tell) -> AsyncGenerator[Row, None]:
        counting = Counting(prepared, tell)
        kept = Kept(self)
        for row in self._own:
            await kept.append(row)
            counting.add(row)
            yield row
        places: dict[str, list[int]] = {}
        for contestant, fact in enumerate(prepared.facts.contestants):
            if contestant:  # who is in one place is asked one after the other
                places.setdefault(fact.place, []).append(contestant)
        out: asyncio.Queue[Row | None] = asyncio.Queue()
        tasks = [asyncio.create_task(self._several(each, out)) for each in places.values()]
        under_way = len(tasks)
        try:
            while under_way:
                if (one := await out.get()) is None:
                    under_way -= 1
                    continue
                counting.add(one)
                counting.report(lambda: [State("answering")] * len(self.grid.contestants))
                yield one
            await asyncio.gather(*tasks)  # raises what has ended one
        finally:
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)

    async def _several(self, contestants: Sequence[int], out: asyncio.Queue[Row | None]) -> None:
        try:
            for contestant in contestants:
                async with aclosing(self._turns(contestant)) as coming:
                    async for row in coming:
                        out.put_nowait(row)
        finally:
            out.put_nowait(None)

    async def _turns(self, contestant: int) -> AsyncGenerator[Row, None]:
        """The questions, each after the answers to those before; it ends where one has failed."""
        one, brake, said = self.grid.contestants[contestant], Brake(), list[Message]()
        self._brakes[contestant] = brake
        self.brake.listen(self._stop)
        for place, turn in enumerate(self.grid.cases[-1].turns):
            call = Call(place, contestant)
            case = Case(self.grid.cases[place].name, ((*said, *turn),))
            single = Grid((case,), (one,), parameters=self.grid.parameters)
            kept = _OfTurn(Kept(self), call)
            facts = await look(
                single, self.workspace, kept, prices=self.pricing.table, retry=self.retry
            )
            rows = run(
                plan(single, facts),
                self.workspace,
                kept=kept,
                retry=self.retry,
                watcher=_AtTurn(self.watcher, call),
                brake=brake,
            )
            last = None
            async with aclosing(rows) as coming:
                async for row in coming:
                    last = replace(row, call=call)
                    yield last
            if last is None or not last.ok:
                return
            said += [*turn, Message("assistant", last.text)]

    def _stop(self, contestant: int | None) -> None:
        for each, brake in self._brakes.items():
            if contestant in (None, each):
                brake.pull()


class _OfTurn:
    """The run of a replay, as the asking of a single turn sees it."""

    def __init__(self, kept: Kept, call: Call) -> None:
        self._kept = kept
        self._call = call

    def find(self, keys: Iterable[str], /) -> Mapping[str, Row]:
        return self._kept.find(keys)

    async def append(self, row: Row, /) -> None:
        await self._kept.append(replace(row, call=self._call))


class _AtTurn:
    """Whoever watches a replay, as the asking of a single turn sees them."""

    def __init__(self, watcher: Near, call: Call) -> None:
        self._watcher = watcher
        self._call = call

    def begins(self, calls: Sequence[Call]) -> None:
        self._watcher.begins([self._call])

    def came(self, call: Call, delta: Delta) -> None:
        self._watcher.came(self._call, delta)


def session(
    thread: str | Thread,
    models: Any,
    *,
    parameters: Mapping[str, Any] | None = None,
    scorers: Any = (),
    name: str | None = None,
    fresh: bool = False,
    yes: bool = False,
    workspace: Workspace | None = None,
) -> Session:
    """What `replay` asks, before it does. Raises `UsageError`, `ThreadNotFound`."""
    workspace = workspace or shared()
    if isinstance(thread, str):
        if not thread.strip():
            raise ThreadNotFound("A thread is named by its title or id.")
        thread = workspace.threads.get(thread)
    grid, own = told.conversation(thread)
    grid = extended(replace(grid, parameters=parameters or {}), (), models, 0)
    return Replay(
        grid,
        workspace,
        runs(workspace).store,
        own,
        name=name or "",
        scorers=scorers,
        fresh=fresh,
        yes=yes,
    )


def replay(thread: str | Thread, models: Any, **options: Any) -> Comparison:
    """Ask other models every question of a thread again, each after its own answers.

    The first contestant is the thread as it was, whose answers are taken from it; so each question
    is a pair. `models` as for `compare`; options: `parameters` for all of them, `scorers`, `name`,
    `fresh`. Raises `JanError`.
    """
    asked = session(thread, models, **options)
    asked.wait(asked.steps())
    return Comparison(asked)


def columns(thread: Thread, name: str = "", workspace: Workspace | None = None) -> Comparison:
    """The columns of a thread as a comparison, to be judged and kept; nobody is asked."""
    workspace = workspace or shared()
    grid, rows = told.columns(thread)
    store = runs(workspace).store
    run = store.begin(name, grid)
    for row in rows:
        bridge.wait(store.append(run, row))
    return Comparison(Session.of(run, workspace, store))
