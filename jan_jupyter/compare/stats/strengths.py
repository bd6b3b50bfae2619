"""How strong contestants are, from votes on pairs of their answers: Bradley–Terry with ties."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

from ...errors import UsageError
from .statistics import FEWEST, LEVEL, Estimate, needed, wilson

RANKED_FROM = 10
"""Of fewer prompts nothing is ranked: from here on simulations have covered 95 %."""
GROUPS = 50
"""Of more prompts groups are left out, so many: each takes a fit of all others."""


class Ballot(Protocol):
    """A vote, as `votes.Vote` is: a prompt, two contestants, and the better (`None`: a tie)."""

    @property
    def case(self) -> int: ...
    @property
    def left(self) -> int: ...
    @property
    def right(self) -> int: ...
    @property
    def winner(self) -> int | None: ...


class Choice(NamedTuple):
    """The plainest ballot."""

    case: int
    left: int
    right: int
    winner: int | None


@dataclass(frozen=True, slots=True)
class Strength:
    """One contestant's strength over the baseline's: the logarithm of the odds to win against it.

    The baseline's is 0, without an interval. `ahead` is 1 or -1 where an interval that shares its
    error with those of all others (Bonferroni) leaves out 0, and there are prompts enough, else 0:
    can't tell.
    """

    contestant: int
    estimate: Estimate
    ahead: int = 0


def bradley_terry(votes: Iterable[Ballot], *, baseline: int = 0) -> tuple[Strength, ...]:
    """The contestants that were voted on, the strongest first; intervals are by prompt.

    Whether a tie is likely is estimated, too. Each pair that was voted on has one vote more, half a
    tie and a quarter for either: so who won or lost all has a strength as well. Raises `UsageError`
    where nothing connects a contestant with the baseline, and without the extra `compare`.
    """
    given = list(votes)
    names = sorted({one for vote in given for one in (vote.left, vote.right)})
    pairs = sorted({(min(v.left, v.right), max(v.left, v.right)) for v in given})
    _check_connected(names, pairs, baseline)
    fit = _Fit(given, names, pairs)
    found = _jackknifed(fit, [vote.case for vote in given], baseline)
    beaten = _beaten(given)
    told = [
        Strength(baseline, found.estimate(names.index(baseline)))
        if name == baseline
        else _strength(name, found, at, (baseline in beaten[name], name in beaten[baseline]))
        for at, name in enumerate(names)
    ]
    return tuple(sorted(told, key=lambda one: -one.estimate.value))


def _strength(name: int, found: _Jackknife, at: int, ended: tuple[bool, bool]) -> Strength:
    """`ended`: whether votes end the interval below, and above."""
    estimate = found.estimate(at)
    if found.prompts < FEWEST:
        return Strength(name, estimate)
    low, high = found.ends(at, ended, LEVEL)
    shared = found.ends(at, ended, 1 - (1 - LEVEL) / (len(found.center) - 1))
    ahead = (shared[0] > 0) - (shared[1] < 0) if found.prompts >= RANKED_FROM else 0
    return Strength(name, replace(estimate, low=low, high=high), ahead)


def _beaten(votes: Iterable[Ballot]) -> dict[int, set[int]]:
    """Whom each has beaten, or has beaten somebody who has, and so on: only who is in there has a
    strength that is known not to be far higher."""
    beaten: dict[int, set[int]] = {}
    for vote in votes:
        for one in (vote.left, vote.right):
            beaten.setdefault(one, set())
        if vote.winner is not None:
            beaten[vote.winner].add(vote.right if vote.winner == vote.left else vote.left)
    for _ in beaten:
        for own in beaten.values():
            own.update(*(beaten[other] for other in [*own]))
    return beaten


def left_wins(votes: Iterable[Ballot]) -> Estimate:
    """The share of the left answers among the votes with a winner: far from ½, place counts.

    `p` is the exact binomial's; votes are taken as independent.
    """
    decided = [vote for vote in votes if vote.winner is not None]
    wins, n = sum(vote.winner == vote.left for vote in decided), len(decided)
    if not n:
        return Estimate(math.nan, None, None, 0, "no vote has a winner")
    low, high = wilson(wins, n)
    p = float(needed("scipy.stats").binomtest(wins, n).pvalue)
    return Estimate(wins / n, low, high, n, "Wilson, exact binomial test", p=p, differing=n)


def _check_connected(names: Sequence[int], pairs: Sequence[tuple[int, int]], baseline: int) -> None:
    reached = {baseline}
    for _ in names:
        reached |= {one for pair in pairs if reached & {*pair} for one in pair}
    if baseline not in names or not reached >= {*names}:
        raise UsageError("There are no votes that connect all contestants with the baseline.")


class _Fit:
    """evalica's fit of votes with weights, and a vote more for each pair (`bradley_terry`)."""

    def __init__(
        self, votes: Sequence[Ballot], names: Sequence[int], pairs: Sequence[tuple[int, int]]
    ) -> None:
        self._library = needed("evalica")
        winner = self._library.Winner
        extra = [winner.X, winner.Y, winner.Draw]
        self._left = [vote.left for vote in votes] + [a for a, _ in pairs for _ in extra]
        self._right = [vote.right for vote in votes] + [b for _, b in pairs for _ in extra]
        self._winners = [
            winner.Draw
            if vote.winner is None
            else winner.X
            if vote.winner == vote.left
            else winner.Y
            for vote in votes
        ] + extra * len(pairs)
        self._extra = [0.25, 0.25, 0.5] * len(pairs)
        self._names = names

    def strengths(self, weights: Sequence[float], baseline: int) -> Any:
        """An array: each name's logarithm of strength, that of the baseline taken off."""
        import numpy as np

        found = self._library.newman(
            self._left,
            self._right,
            self._winners,
            weights=[*weights, *self._extra],
            limit=10_000,
        )
        logs = np.log([found.scores[name] for name in self._names])
        return logs - logs[list(self._names).index(baseline)]


@dataclass(frozen=True, slots=True)
class _Jackknife:
    """Strengths (an array, in the order of the names) and their standard errors over prompts."""

    center: Any
    error: Any
    prompts: int
    groups: int

    def estimate(self, at: int) -> Estimate:
        value = float(self.center[at])
        return Estimate(value, None, None, self.prompts, "Bradley–Terry with ties")

    def ends(self, at: int, ended: tuple[bool, bool], level: float) -> tuple[float, float]:
        """Student's t over prompts; the percentiles of a bootstrap cover less here, 89 to 94 %.

        Where no votes end it, one end is open, and the other at least as far as Wilson's interval
        of a share of which all prompts were.
        """
        value, n = float(self.center[at]), self.prompts
        reach = needed("scipy.stats").t.ppf((1 + level) / 2, self.groups - 1)
        low, high = value - reach * self.error[at], value + reach * self.error[at]
        least = wilson(n, n, level)[0]
        odds = math.log(least / (1 - least))
        if not ended[1]:
            low, high = min(low, odds), math.inf
        if not ended[0]:
            low, high = -math.inf, max(high, -odds)
        return float(low), float(high)


def _jackknifed(fit: _Fit, cases: Sequence[int], baseline: int) -> _Jackknife:
    """By leaving out one prompt at a time, or of many a group of them."""
    import numpy as np

    places = {case: at for at, case in enumerate(sorted(set(cases)))}
    n, groups = len(places), min(len(places), GROUPS)
    of = np.asarray([places[case] % groups for case in cases])
    center = fit.strengths([1.0] * len(cases), baseline)
    if groups < 2:
        return _Jackknife(center, np.full_like(center, math.inf), n, groups)
    found = np.array([fit.strengths((of != one) * 1.0, baseline) for one in range(groups)])
    error = (groups - 1) / math.sqrt(groups) * found.std(axis=0, ddof=1)
    return _Jackknife(center, error, n, groups)
