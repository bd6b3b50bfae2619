"""A comparison under way: what is asked and scored, and what is done when people want more."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, closing, suppress
from dataclasses import replace
from typing import Any

from .. import bridge
from ..errors import UsageError
from ..types import EMPTY
from ..workspace import Workspace
from .deciding import Deciding, check_decides
from .judging import judging
from .keeping.store import PRICES, Store
from .keeping.stored_runs import Run
from .marking import SCORERS, Marking
from .record import Kept
from .running.budget import Budget
from .running.facts import look
from .running.plan import Plan, plan
from .running.prices import Price
from .running.progress import Progress, Tell
from .running.run import run
from .running.watching import Brake
from .scoring.judge import Judge
from .scoring.votes import Judged
from .showing import Showing
from .steps import Looked, Steps, agreeing, beating, take, ticking
from .values import STOPPED, Grid, Row

QUICK = 1000
"""Rows that are read in no time."""
SOON = 1.0
"""Seconds before it is told that something takes time."""


class Session(Marking, Showing):
    """What a `Comparison` stands on. Only `planned` and steps are for the background loop."""

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
        super().__init__(grid, workspace, store, name=name, fresh=fresh, prices=prices)
        self.score_by(scorers)
        check_decides(decide, self.scorers)
        self.decide = self.looked = decide
        self.budget = budget
        self.client = client
        """A `dask.distributed.Client` whose workers ask; `None`: this process does."""
        self.yes = yes
        """Whether many calls that cost money are asked for without asking the user."""
        self.retry = False
        """Whether what has failed is asked again."""
        self.ended = ""
        """Why not all was asked; empty if all was."""
        self.brake = Brake()
        self.engines: Sequence[str] = ()
        """Of the contestants, as far as it is planned."""
        self._plan: Plan | None = None

    @classmethod
    def of(cls, stored: Run, workspace: Workspace, store: Store) -> Session:
        """That of a run that is kept. Raises `RunNotFound`, `RunsUnreadable`."""
        result = store.result(stored)
        session = cls(result.grid, workspace, store, name=stored.name)
        with suppress(UsageError):  # of what another version has noted
            session.score_by(store.noted(stored, SCORERS) or ())
        session.adopt(stored, result.rows)
        session.pricing.told = result.prices
        if session.looked in [one.name for one in session.scorers]:
            session.decide = session.looked
        return session

    # Before it begins -----------------------------------------------------------------------------

    async def planned(self, told: Callable[[int], object] | None = None) -> Plan:
        """What will be asked, of whom, and what it takes. Nothing is loaded or sent for it.

        `told` is called with the number of calls that were looked for, on the loop.
        """
        earlier = await asyncio.to_thread(self._newest)
        facts = await look(
            self.grid,
            self.workspace,
            Kept(self),
            earlier=earlier,
            prices=self.pricing.table,
            retry=self.retry,
            told=told,
        )
        self.engines = [one.engine for one in facts.contestants]
        stored = len(facts.stored)
        most = self.budget.calls if self.budget else None
        missing = len(self.grid) - stored
        answers = stored + (missing if most is None else min(most, missing))
        facts = replace(facts, scoring=await self.to_ask(answers, earlier))
        self._plan = await asyncio.to_thread(plan, self.grid, facts)
        return self._plan

    def plan(self) -> Plan:
        """`planned`, waited for."""
        return bridge.wait(self.planned())

    def _newest(self) -> list[Row]:
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
        async with aclosing(beating(planned, lambda: told[-1], after=SOON)) as looking:
            async for step in looking:
                yield step
        assert self._plan is not None
        paid, cost, instead = self._plan.paid, self._plan.cost, "`budget`"
        if self.budget is not None:  # which is of what is asked; money for scores it does not count
            scores = self._plan.paid_scores
            paid = scores if scores > (self.budget.calls or 0) else 0
            cost, instead = None, "`budget` of so many calls"
        asking = agreeing(0 if self.yes else paid, cost, f"give it a {instead} (in a line: --yes)")
        async with aclosing(asking):
            async for question in asking:
                yield question

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
        await asyncio.to_thread(self._begin)
        async with aclosing(self._ask()) as asking:
            async for progress in asking:
                yield progress
        self.fresh = False  # what is asked once more later is only what is missing
        if self.brake.all:
            return
        async with aclosing(self.marking()) as marking:
            async for step in marking:
                yield step

    def _begin(self) -> None:
        self.begin()
        self.note_scorers()

    async def _ask(self) -> Steps:
        """Ask as it was planned, in the order that the run has."""
        assert self._plan is not None
        prepared, self._plan = replace(self._plan, grid=self.grid), None
        if self.pricing.learn(prepared) and self.run is not None:
            await self.store.note(self.run, PRICES, self.pricing.told)
        deciding = self._deciding(prepared)
        told = deque[Progress](maxlen=1)  # the last word counts
        rows = self.asking(prepared, told.append)
        decided = ""
        async with aclosing(ticking(rows)) as coming:
            async for row in coming:
                if row is not None:
                    self.take(row)
                    decided = await self._decided(deciding, row) if deciding else ""
                if told:
                    now = told[-1] if row is not None else told[-1].later()
                    yield replace(now, ended=decided or now.ended)
                if decided:
                    break
        if decided:  # what had been under way, and is kept
            await asyncio.to_thread(self.catch_up)
        if told:
            self.ended = decided or told[-1].ended
            yield replace(told[-1], ended=self.ended)

    def asking(self, prepared: Plan, tell: Tell) -> AsyncGenerator[Row, None]:
        """Ask what is planned; each row is kept before it comes."""
        deciding = self._deciding(prepared)
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
            ahead=deciding.at_once if deciding else None,
        )

    def _deciding(self, prepared: Plan) -> Deciding | None:
        """What looks whether all is clear; nothing does where each look would load models anew."""
        if self.decide is None or not prepared.keeps_loaded(self.decide):
            return None
        failed = [row.call for row in self.rows.values() if not row.ok] if self.retry else ()
        return Deciding(self.grid, self.decide, failed)

    async def _decided(self, deciding: Deciding, row: Row) -> str:
        """After a row that came, if it is time: score, and look whether all is clear; why it ends,
        else nothing."""
        if not deciding.add(row):
            return ""
        await self.mark([one for one in self.scorers if one.name == deciding.scorer])
        return deciding.decided(self.result)

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
            cut = sum(row.stopped for row in self.rows.values())
            kept = f"{len(self.rows) - cut:,} of {len(self.grid):,} calls are kept"
            ended = f"Stopped: {kept}{f', {cut:,} in part' if cut else ''}."
        finally:
            if shown:
                shown.end(ended)
        return not ended

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

    def judge(self, judge: Any, *, yes: bool = False) -> Judged:
        """What a judge says of all pairs of answers; each word is kept when it comes. Many calls
        that cost money want a `yes`. Raises `UsageError`."""
        if judge is None:  # by its name, as another may be the default tomorrow
            judge = self.workspace.router.model(None)[0].reference
        asked = judge if isinstance(judge, Judge) else Judge(judge, workspace=self.workspace)
        made: list[Judged] = []
        steps = judging(
            self.result, asked, self.heard, self.judged, made, place=self.workspace, yes=yes
        )
        self.wait(steps)
        own = tuple(one for one in self.heard.judgements if one.by == asked.name)
        return made[0] if made else Judged(own)  # stopped: what it has said so far

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
            decide=self.decide,
            prices=self.pricing.table,
        )
        made.known = self.answers()
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
        self.retry, self.known = True, self.answers()
        return self.steps()
