"""What the repeats of a comparison say, prompt by prompt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

from ...errors import UsageError
from ..values import Result
from .repeats import Stability, pass_all, pass_at, stability


class Passes(NamedTuple):
    """Means over prompts: the chance that one of k answers is right, and that all are."""

    any: float
    all: float
    prompts: int
    """Those with as many scored answers."""


@dataclass(frozen=True)
class Repeats:
    """The repeats of a result."""

    result: Result

    def stability(self) -> Mapping[tuple[str, str], Stability]:
        """By prompt and contestant: identical answers collapsed, near ones in clusters."""
        grid = self.result.grid
        texts: dict[tuple[str, str], list[str]] = {}
        for row in sorted(self.result.rows, key=lambda row: row.call):
            if row.ok:
                place = grid.cases[row.call.case].name, grid.contestants[row.call.contestant].name
                texts.setdefault(place, []).append(row.text)
        return {place: stability(several) for place, several in texts.items()}

    def passes(self, k: int, scorer: str) -> Mapping[str, Passes]:
        """pass@k and pass^k of each contestant; a score counts as right from ½ on.

        Raises `UsageError` where no prompt has k scored answers.
        """
        counts: dict[tuple[int, int], list[bool]] = {}
        for row in self.result.rows:
            score = row.scores.get(scorer)
            if score is not None and score.value is not None:
                place = row.call.contestant, row.call.case
                counts.setdefault(place, []).append(float(score.value) >= 0.5)
        found = {}
        for who, contestant in enumerate(self.result.grid.contestants):
            own = [c for (one, _), c in counts.items() if one == who and len(c) >= max(k, 1)]
            if not own:
                raise UsageError(
                    f"No prompt has {k} answers of {contestant.name} scored by {scorer!r}: ask for"
                    f" more repeats, `.more(repeats={max(1, k - self.result.grid.repeats)})`, or"
                    " score them."
                )
            one = fmean(pass_at(len(c), sum(c), k) for c in own)
            every = fmean(pass_all(len(c), sum(c), k) for c in own)
            found[contestant.name] = Passes(one, every, len(own))
        return found
