"""A comparison under way: what is asked, what has come of it, and the run that keeps it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, closing, suppress
from dataclasses import replace
from typing import Any

from .. import bridge
from ..errors import UsageError
from ..types import EMPTY
from ..workspace import Workspace
from .deciding import Deciding, check_decides
from .keeping.store import PRICES, Store
from .keeping.stored_runs import Run
from .keeping.stored_votes import Heard, said
from .pricing import Pricing
from .running.budget import Budget
from .running.facts import look
from .running.plan import Plan, plan
from .running.prices import Price
from .running.progress import Progress, Tell
from .running.run import run
from .running.watching import STOPPED, Brake
from .saying import Said
from .scoring.scorers import Scorer, changed, named_scorers, score, things
from .showing import Showing
from .steps import Consent, Looked, Scored, Steps, beating, take, ticking
from .values import Call, Grid, Result, Row
from .watching import NOBODY, Watcher

PAID_UNASKED = 100
"""So many calls that cost money are asked for without asking the user first."""


_SCORERS = "scorers"
"""The note of a run with those that can be told."""


QUICK = 1000
"""Rows that are read in no time."""


class Session(Showing, Said):
    """What a `Comparison` stands on. Only `planned` and steps are for the background loop."""

    watcher: Watcher = NOBODY
    engines: Sequence[str] = ()
    """Of the contestants, as far as it is planned."""
    retry = False
    """Whether what has failed is asked again."""
    changes = 0
    """Goes up with every row that comes or gets a score."""
    ended = ""
    """Why not all was asked; empty if all was."""

    def __init__(
        self,
        grid: Grid,
        workspace: Workspace,
        store: Store,
        *,
        name: str = "",
        scorers: Any = (),
        fresh: bool = False,
        budget: Budget | None = None,
        client: Any = None,
        decide: str | None = None,
        yes: bool = False,
        prices: Mapping[str, Price] = EMPTY,
    ) -> None:
        self.grid = grid
        self.workspace = workspace
        self.store = store
        self.scorers: list[Scorer] = named_scorers(scorers, workspace=workspace)
        self.given = dict(zip([one.name for one in self.scorers], things(scorers), strict=True))
        """The scorers as the user gave them, by name."""
        check_decides(decide, self.scorers)
        self.fresh = fresh
        self.budget = budget
        self.decide = decide
        """A scorer by whose word it ends as soon as that is clear."""
        self.client = client
        """A `dask.distributed.Client` whose workers ask; `None`: this process does."""
        self.yes = yes
        """Whether many calls that cost money are asked for without asking the user."""
        self.pricing = Pricing(prices)
        self.rows: dict[Call, Row] = {}
        self.known: dict[str, Row] = {}
        """Answers of this comparison, by key: made larger it takes them again, cut ones, too."""
        self.heard = Heard()
        self._rewritten: set[str] = set()  # scorers by whose older code there are scores
        self._name = name
        self.run: Run | None = None
        self._plan: Plan | None = None
        self.brake = Brake()
        """Stops what is under way, or one of the contestants."""

    @classmethod
    def of(cls, stored: Run, workspace: Workspace, store: Store) -> Session:
        """That of a run that is kept. Raises `RunNotFound`, `RunsUnreadable`."""
        result = store.result(stored)
        session = cls(result.grid, workspace, store, name=stored.name)
        with suppress(UsageError):  # of what another version has noted
            session._score_by(store.noted(stored, _SCORERS) or ())
        session._adopt(stored, result.rows)
        session.pricing.told = result.prices
        return session

    def _adopt(self, stored: Run, rows: Iterable[Row]) -> None:
        self.run = stored
        self.rows = {row.call: row for row in rows}
        self.heard.add(said(self.store.notes(stored), self.grid))

    @property
    def name(self) -> str:
        return self.run.name if self.run else self._name

    @property
    def result(self) -> Result:
        rows = [self.rows[call] for call in sorted(self.rows)]
        return Result(self.grid, rows, self.name, self.pricing.told)

    # Before it begins -----------------------------------------------------------------------------

    async def planned(self, told: Callable[[int], object] | None = None) -> Plan:
        """What will be asked, of whom, and what it takes. Nothing is loaded or sent for it.

        `told` is called with the number of calls that were looked for, on the loop.
        """
        kept = Kept(self)
        earlier = await asyncio.to_thread(self._earlier)
        facts = await look(
            self.grid,
            self.workspace,
            kept,
            earlier=earlier,
            prices=self.pricing.table,
            retry=self.retry,
            told=told,
        )
        self.engines = [one.engine for one in facts.contestants]
        self._plan = await asyncio.to_thread(plan, self.grid, facts)
        return self._plan

    def plan(self) -> Plan:
        """`planned`, waited for."""
        return bridge.wait(self.planned())

    def _earlier(self) -> list[Row]:
        """Rows of the newest runs, which tell how long calls take; not of large ones."""
        newest = [one.run for one in self.store.listed() if one.done <= QUICK][:3]
        return [row for run in newest for row in self.store.rows(run)]

    async def _planning(self) -> Steps:
        """Steps on the way to the plan. Many calls that cost money want a yes, unless one was given
        or a budget: raises `UsageError` if the user does not want it, or nobody can be asked.
        """
        total = len(self.grid)
        told = deque([Looked(0, total)], maxlen=1)
        planned = self.planned(lambda done: told.append(Looked(done, total)))
        async with aclosing(beating(planned, lambda: told[-1])) as looking:
            async for step in looking:
                yield step
        assert self._plan is not None
        paid, cost = self._plan.paid, self._plan.cost
        if self.yes or self.budget is not None or paid <= PAID_UNASKED:
            return
        what = f"{paid:,} calls that cost money{f', about {cost:,.2f}' if cost else ''}"
        yield (consent := Consent(f"This asks for {what}. Go on?"))
        said = await consent.said()
        if said is None:
            raise UsageError(
                f"This asks for {what}, and nobody can be asked here: give it a `budget` (in a"
                " cell: --yes)."
            )
        if not said:
            raise UsageError("Nothing was asked.")

    # Under way ------------------------------------------------------------------------------------

    async def steps(self) -> Steps:
        """Plan, ask what is missing and score what came; each row is kept when it comes.

        What they yield tells how far it is, also while nothing ends, or wants a consent.
        """
        self.ended, self.brake = "", Brake()
        self.watcher.began()
        try:
            async with aclosing(self._steps()) as steps:
                async for step in steps:
                    self.watcher.step(step)
                    yield step
        except (asyncio.CancelledError, GeneratorExit):
            self.ended = STOPPED
            raise
        finally:
            self.watcher.ended()

    async def _steps(self) -> Steps:
        async with aclosing(self._planning()) as planning:
            async for before in planning:
                yield before
        assert self._plan is not None
        prepared, self._plan = self._plan, None
        await asyncio.to_thread(self._begin)
        if self.pricing.learn(prepared) and self.run is not None:
            await self.store.note(self.run, PRICES, self.pricing.told)
        told = deque[Progress](maxlen=1)  # the last word counts
        rows = self.asking(prepared, told.append)
        deciding = Deciding(self.grid, self.decide) if self.decide else None
        decided = ""
        async with aclosing(ticking(rows)) as coming:
            async for row in coming:
                if row is not None:
                    self._take(row)
                    decided = await self._decided(deciding, row) if deciding else ""
                if told:
                    now = told[-1] if row is not None else told[-1].later()
                    yield replace(now, ended=decided or now.ended)
                if decided:
                    break
        if told:
            self.ended = decided or told[-1].ended
            yield replace(told[-1], ended=self.ended)
        self.fresh = False  # what is asked once more later is only what is missing
        if self.brake.all:
            return
        async with aclosing(self._scoring()) as scoring:
            async for step in scoring:
                yield step

    def asking(self, prepared: Plan, tell: Tell) -> AsyncGenerator[Row, None]:
        """Ask what is planned; each row is kept before it comes."""
        return run(
            prepared,
            self.workspace,
            kept=Kept(self),
            budget=self.budget,
            retry=self.retry,
            tell=tell,
            client=self.client,
            watcher=self.watcher,
            brake=self.brake,
        )

    async def _decided(self, deciding: Deciding, row: Row) -> str:
        """After a row that came, if it is time: score, and look whether all is clear; why it ends,
        else nothing."""
        if not deciding.add(row):
            return ""
        await self._score_all()
        return deciding.decided(self.result)

    def scoring(self) -> Steps:
        """Score what has no score yet; each is kept when it comes."""
        self.brake = Brake()
        return self._scoring()

    async def _scoring(self) -> Steps:
        if not self.scorers or not self.rows:
            return
        names = {one.name for one in self.scorers}

        def counted() -> Scored:
            good = [row for row in self.rows.values() if row.ok]
            return Scored(sum(names <= row.scores.keys() for row in good), len(good))

        scoring = asyncio.ensure_future(self._score_all())
        self.brake.listen(lambda contestant: contestant is None and scoring.cancel())
        try:
            async with aclosing(beating(scoring, counted)) as coming:
                async for step in coming:
                    yield step
        except asyncio.CancelledError:
            here = asyncio.current_task()
            if not self.brake.all or (here is not None and here.cancelling()):
                raise
        self._rewritten = set()

    async def _score_all(self) -> None:
        """One scorer after the other: of several that ask a model each is loaded once."""
        for one in self.scorers:
            await score(
                self.result,
                [one],
                on_row=self._scored,
                fresh=self._rewritten,
                workspace=self.workspace,
            )

    def add_scorers(self, given: Sequence[Any]) -> None:
        """More scorers; one of a name that is there takes its place, and scores anew if it is a
        function with other code."""
        self._score_by(given)
        self._note_scorers()

    def as_given(self) -> Sequence[Any] | Mapping[str, Any]:
        """The scorers as `compare` takes them: with names only where those are the user's own."""
        plain = [*self.given.values()]
        with suppress(UsageError):
            if [one.name for one in named_scorers(plain)] == [*self.given]:
                return plain
        return self.given

    def _score_by(self, given: Any) -> None:
        made = named_scorers(given, workspace=self.workspace)
        self._rewritten |= changed(self.scorers, made)
        names = {one.name for one in made}
        self.scorers = [*(one for one in self.scorers if one.name not in names), *made]
        new = dict(zip([one.name for one in made], things(given), strict=True))
        self.given = {name: one for name, one in self.given.items() if name not in names} | new

    def _note_scorers(self) -> None:
        """Keep those that text can tell, so that the run is scored by them when it is opened."""
        told = {name: one for name, one in self.given.items() if isinstance(one, str | int | float)}
        if self.run is not None and told:
            before = self.store.noted(self.run, _SCORERS) or {}
            if told.items() - before.items():
                self.store.note_all(self.run, {_SCORERS: {**before, **told}})

    def _begin(self) -> None:
        if self.run is None:
            stored = self.store.begin(self._name, self.grid, fresh=self.fresh)
            self._adopt(stored, self.store.rows(stored))
            self.pricing.told = self.store.noted(stored, PRICES) or EMPTY
            self._note_scorers()

    def _take(self, row: Row) -> None:
        """A row that came; one of this run that was served again is that which is there."""
        if self.has(row):
            row = self.pricing.repriced(self.rows[row.call], row)
        if self.rows.get(row.call) != row:
            self.rows[row.call] = row
            self.changes += 1
            self.watcher.row(row)

    def has(self, row: Row) -> bool:
        """Whether a row that was served from the store is there, with its scores."""
        before = self.rows.get(row.call)
        return row.reused and before is not None and before.ok

    async def _scored(self, row: Row) -> None:
        before = self.rows[row.call].scores
        self.rows[row.call] = row
        self.changes += 1
        self.watcher.row(row)
        for name, one in row.scores.items():
            if before.get(name) != one and self.run is not None:
                await self.store.score(self.run, row.call, name, one)

    # Asked for by people --------------------------------------------------------------------------

    def wait(self, steps: Steps, *, asks: bool = False) -> bool:
        """Wait for all steps, and show how far they are; whether that was all.

        An interrupt ends it in order: what has come stays.
        """
        shown = self.shown(asks=asks)
        ended = ""
        try:
            with closing(bridge.iterate(steps)) as coming:
                for step in coming:
                    take(step, shown)
        except KeyboardInterrupt:
            self.catch_up()
            cut = sum(row.error == STOPPED for row in self.rows.values())
            kept = f"{len(self.rows) - cut:,} of {len(self.grid):,} calls are kept"
            ended = f"Stopped: {kept}{f', {cut:,} in part' if cut else ''}."
        finally:
            if shown:
                shown.end(ended)
        return not ended

    def catch_up(self) -> None:
        """After a stop: what had ended, and is kept, but had not come to us yet."""
        kept = self.store.rows(self.run) if self.run is not None else ()
        new = {row.call: row for row in kept if row.call not in self.rows}
        self.rows.update(new)
        self.changes += len(new)
        self.watcher.changed()

    async def await_(self, steps: Steps, *, asks: bool = False) -> None:
        """`wait`, awaited; a cancellation goes on to whoever awaits."""
        shown = self.shown(asks=asks)
        try:
            async with aclosing(bridge.aiterate(steps)) as coming:
                async for step in coming:
                    take(step, shown)
        finally:
            if shown:
                shown.end()

    def extended(self, grid: Grid) -> Session:
        """One for a larger grid, in the same run where it goes on from this."""
        made = Session(
            grid,
            self.workspace,
            self.store,
            name=self.name,
            scorers=self.given,
            budget=self.budget,
            client=self.client,
            prices=self.pricing.table,
        )
        made.known = self._answers()
        return made

    def anew(self, grid: Grid, name: str) -> Session:
        """One that asks another grid, whatever is stored, and is not scored."""
        return Session(
            grid,
            self.workspace,
            self.store,
            name=name,
            fresh=True,
            budget=self.budget,
            client=self.client,
            prices=self.pricing.table,
        )

    def again(self) -> Steps:
        """Steps that ask what failed, and what has not been asked."""
        self.retry, self.known = True, self._answers()
        return self.steps()

    def _answers(self) -> dict[str, Row]:
        return {row.key: row for row in self.rows.values() if row.ok}


class Kept:
    """The run of a session, as a run asks for it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, keys: Iterable[str], /) -> Mapping[str, Row]:
        wanted, session = [*keys], self._session
        found = {} if session.fresh else session.store.find(wanted)
        return found | {key: session.known[key] for key in wanted if key in session.known}

    async def append(self, row: Row, /) -> None:
        session = self._session
        if session.run is None:
            return
        if not session.has(row):
            await session.store.append(session.run, row)
            return
        before = session.rows[row.call]
        if (cost := session.pricing.repriced(before, row).cost) != before.cost:
            await session.store.reprice(session.run, row.call, cost)
