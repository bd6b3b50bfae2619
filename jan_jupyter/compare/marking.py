"""The scores of a comparison: by what, of which answers, and whether that may cost money."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any

from ..errors import UsageError
from .record import Record
from .running.facts import look_at
from .running.plan import Scoring
from .running.watching import Brake
from .scoring.scorers import Scorer, asking, changed, named_scorers, score, things
from .steps import Steps, Tally, agreeing, beating
from .values import Row

SCORERS = "scorers"
"""The note of a run with those that can be told."""


class Marking(Record):
    """Part of a session: its scorers."""

    scorers: Sequence[Scorer] = ()
    given: Mapping[str, Any] = {}
    """The scorers as the user gave them, by name."""
    decide: str | None = None
    """A scorer by whose word it ends as soon as that is clear."""
    brake: Brake
    """Stops what is under way, or one of the contestants."""
    _rewritten: Collection[str] = frozenset()  # scorers by whose older code there are scores

    def score_by(self, given: Any) -> None:
        """More scorers; one of a name that is there takes its place, and scores anew if it is a
        function with other code."""
        made = named_scorers(given, workspace=self.workspace)
        self._rewritten = {*self._rewritten, *changed(self.scorers, made)}
        names = {one.name for one in made}
        self.scorers = [*(one for one in self.scorers if one.name not in names), *made]
        new = dict(zip([one.name for one in made], things(given), strict=True))
        self.given = {name: one for name, one in self.given.items() if name not in names} | new

    def as_given(self) -> Sequence[Any] | Mapping[str, Any]:
        """The scorers as `compare` takes them: with names only where those are the user's own."""
        plain = [*self.given.values()]
        with suppress(UsageError):
            if [one.name for one in named_scorers(plain)] == [*self.given]:
                return plain
        return self.given

    def note_scorers(self) -> None:
        """Keep those that text can tell, so that the run is scored by them when it is opened."""
        told = {name: one for name, one in self.given.items() if isinstance(one, str | int | float)}
        if self.run is not None and told:
            before = self.store.noted(self.run, SCORERS) or {}
            if told.items() - before.items():
                self.store.note_all(self.run, {SCORERS: {**before, **told}})

    async def to_ask(self, answers: int, earlier: Iterable[Row] = ()) -> list[Scoring]:
        """What scorers that ask models will ask, if there are so many answers."""
        models = asking(self.scorers)
        if not models:
            return []
        facts = await look_at(models, self.workspace, earlier=earlier, prices=self.pricing.table)
        rows = [*await asyncio.to_thread(self.earlier)]

        def there(name: str) -> int:
            fresh = name in self._rewritten
            return sum(_has_value(row, name) for row in rows) if not fresh else 0

        return [
            Scoring(name, fact, max(0, answers - there(name)), name == self.decide)
            for name, fact in facts.items()
        ]

    async def scoring(self, given: Sequence[Any] = (), *, yes: bool = False) -> Steps:
        """Score what has no score yet, by these, too; each is kept when it comes. Many calls that
        cost money want a `yes`. Raises `UsageError`."""
        self.brake = Brake()
        before = self.scorers, self.given
        self.score_by(given)
        try:
            async with aclosing(self._agreeing(yes)) as agreeing:
                async for step in agreeing:
                    yield step
        except UsageError:
            self.scorers, self.given = before
            raise
        await asyncio.to_thread(self.note_scorers)
        async with aclosing(self.marking()) as marking:
            async for step in marking:
                yield step

    async def _agreeing(self, yes: bool) -> Steps:
        rows = [row for row in self.rows.values() if row.ok]
        wanted = [] if yes else await self.to_ask(len(rows), rows)
        paid = [one for one in wanted if one.fact.paid and one.calls]
        costs = [one.calls * one.fact.cost for one in paid if one.fact.cost is not None]
        cost = sum(costs) if len(costs) == len(paid) else None
        steps = agreeing(sum(one.calls for one in paid), cost, "say yes=True")
        async with aclosing(steps):
            async for step in steps:
                yield step

    async def marking(self) -> Steps:
        """Score what has no score yet, without a question."""
        if not self.scorers or not self.rows:
            return
        names = {one.name for one in self.scorers}

        def counted() -> Tally:
            good = [row for row in self.rows.values() if row.ok]
            scored = sum(names <= row.scores.keys() for row in good)
            return Tally("Scored {} answers", scored, len(good))

        scoring = asyncio.ensure_future(self.mark(self.scorers))
        self.brake.listen(lambda contestant: contestant is None and scoring.cancel())
        try:
            async with aclosing(beating(scoring, counted)) as coming:
                async for step in coming:
                    yield step
        except asyncio.CancelledError:
            here = asyncio.current_task()
            if not self.brake.all or (here is not None and here.cancelling()):
                raise
        self._rewritten = frozenset()

    async def mark(self, scorers: Sequence[Scorer]) -> None:
        """One scorer after the other: of several that ask a model each is loaded once."""
        for one in scorers:
            await score(
                self.result,
                [one],
                on_row=self._scored,
                fresh=self._rewritten,
                workspace=self.workspace,
            )

    async def _scored(self, row: Row) -> None:
        before = self.rows[row.call].scores
        self.put(row)
        for name, one in row.scores.items():
            if before.get(name) != one and self.run is not None:
                await self.store.score(self.run, row.call, name, one)


def _has_value(row: Row, scorer: str) -> bool:
    found = row.scores.get(scorer)
    return row.ok and found is not None and found.value is not None
