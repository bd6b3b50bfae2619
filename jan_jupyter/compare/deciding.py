"""When enough is known: a test that may be looked at again and again ends a comparison early."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..errors import UsageError
from .scoring.scorers import Scorer
from .stats.sequential import Look
from .stats.verdicts import looks
from .values import Call, Grid, Result, Row


class Deciding:
    """Looks at a scorer's word on each contestant against the first, whenever prompts are complete.

    Of many prompts not each is looked at: that errs no more often, and costs less.
    """

    def __init__(self, grid: Grid, scorer: str, wanted: Iterable[Call] = ()) -> None:
        """It looks at nothing before it has these calls."""
        self.scorer = scorer
        self._wanted = {*wanted}
        self._grid = grid
        self._calls: Counter[int] = Counter()
        self._complete = 0
        self._next = 1
        self._due = False

    @property
    def at_once(self) -> int:
        """The rows of one prompt: so many may wait for a look while more is asked."""
        return len(self._grid.contestants) * self._grid.repeats

    def add(self, row: Row) -> bool:
        """A row that has ended; whether it is time to look."""
        self._wanted.discard(row.call)
        self._calls[row.call.case] += 1
        if self._calls[row.call.case] == self.at_once:
            self._complete += 1
            self._due = self._due or self._complete >= self._next
        if self._wanted or not self._due:
            return False
        self._due = False
        self._next = max(self._complete + 1, int(self._complete * 1.02))
        return True

    def looks(self, result: Result) -> list[Look]:
        """What is known of each contestant but the first; none where nothing is scored yet."""
        if not any(self.scorer in row.scores for row in result.rows):
            return []
        return looks(result, self.scorer)

    def decided(self, result: Result) -> str:
        """What is clear, in words; empty as long as anything is open."""
        found = self.looks(result)
        if not found or not all(one.decided for one in found):
            return ""
        return f"the answer is clear after {_counted(found)} by {self.scorer}"


def in_drawn_order(grid: Grid, known: Sequence[int] = ()) -> Grid:
    """The grid with its prompts in an order that its seed draws, so that what ends it early is no
    matter of which came first, such as the easy ones. `known` is the order of those that were there
    before: they come first."""
    first = [at for at in dict.fromkeys(known) if 0 <= at < len(grid.cases)]
    others = sorted({*range(len(grid.cases))} - {*first})
    random.Random(f"{grid.seed}:prompts:{len(first)}").shuffle(others)  # noqa: S311
    return replace(grid, order=(*first, *others))


def _counted(looks: Sequence[Look]) -> str:
    n = max(one.n for one in looks)
    return f"{n:,} prompt{'' if n == 1 else 's'}"


def check_decides(by: str | None, scorers: Sequence[Scorer]) -> None:
    """Raises `UsageError` if none of them is called so."""
    names = [one.name for one in scorers]
    if by is not None and by not in names:
        known = ", ".join(map(repr, names)) or "none: give some in `scorers`"
        raise UsageError(f"`decide` names a scorer, which {by!r:.80} is not: {known}.")
