"""Votes on a comparison: whose word on which answers, and what all of them say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import overload

from ..errors import UsageError
from .lookup import Lookup
from .scoring.votes import Agreement, Judged, Judgement, Side, Vote, agreement
from .stats.strengths import Strength, bradley_terry
from .values import Grid, Result


@dataclass(frozen=True, repr=False)
class Votes(Sequence[Vote]):
    """Every vote on two answers, of people and of judges: a sequence, and what it says."""

    grid: Grid
    votes: tuple[Vote, ...]
    judgements: tuple[Judgement, ...] = ()
    """What judges have said in either order, and why."""

    def __len__(self) -> int:
        return len(self.votes)

    @overload
    def __getitem__(self, index: int) -> Vote: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Vote]: ...
    def __getitem__(self, index: int | slice) -> Vote | Sequence[Vote]:
        return self.votes[index]

    def __repr__(self) -> str:
        if not self:
            return "<no votes>"
        votes = f"{len(self):,} vote{'' if len(self) == 1 else 's'}"
        who = self.raters
        if len(who) == 1:
            return f"<{votes} by {next(iter(who))}>"
        return f"<{votes}: {', '.join(f'{n:,} by {by}' for by, n in who.items())}>"

    @property
    def raters(self) -> Mapping[str, int]:
        """Who has voted, people and judges, and how often."""
        names = [vote.by for vote in self.votes]
        return {name: names.count(name) for name in dict.fromkeys(names)}

    @property
    def judges(self) -> Mapping[str, Judged]:
        """What each judge has said, and how far it can be trusted; nothing is asked for it."""
        given = sorted(self.judgements, key=lambda one: (one.case, one.left, one.right, one.repeat))
        names = dict.fromkeys(one.by for one in self.judgements)
        return {name: Judged(tuple(one for one in given if one.by == name)) for name in names}

    def ranking(self, baseline: str | int = 0) -> dict[str, Strength]:
        """How strong each contestant is by all votes, the strongest first: Bradley–Terry with ties.

        The prompt is the unit. Raises `UsageError` without votes, or the extra `compare`.
        """
        self._check()
        base = Lookup(Result(self.grid, ())).contestant(baseline)
        names = [one.name for one in self.grid.contestants]
        return {names[one.contestant]: one for one in bradley_terry(self.votes, baseline=base)}

    def agreement(self, *raters: str) -> Agreement:
        """How far people and judges agree (default: all of them), beyond chance: Krippendorff's
        alpha with its interval, over the pairs of answers that two or more of them have seen.

        Raises `UsageError` if one of them has not voted, and without the extra `compare`.
        """
        self._check()
        known = self.raters
        if unknown := next((name for name in raters if name not in known), None):
            raise UsageError(f"{unknown!r:.80} has not voted; these have: {', '.join(known)}.")
        return agreement(vote for vote in self.votes if not raters or vote.by in raters)

    def _check(self) -> None:
        if not self.votes:
            raise UsageError("Nobody has voted yet: `.vote(prompt, winner)`, or `.judge(model)`.")


def ballots(
    case: int,
    repeat: int,
    winner: str | int,
    over: Sequence[str | int],
    answered: Sequence[int],
    find: Lookup,
    by: str,
) -> list[Vote]:
    """One word on several answers, as a vote on each pair of them. Raises `UsageError`."""
    answered = sorted(answered)
    if winner in ("tie", "both_bad"):
        seen = [find.contestant(one) for one in over] or answered
        pairs = [*combinations(seen, 2)]
        verdict: Side = "tie" if winner == "tie" else "both_bad"
    else:
        best = find.contestant(winner)
        others = [find.contestant(one) for one in over] or [n for n in answered if n != best]
        pairs = [(best, other) for other in others]
        verdict = "left"
    if missing := {n for pair in pairs for n in pair} - {*answered}:
        raise UsageError(f"{find.name(min(missing))} has given no answer there to vote on.")
    if not pairs:
        raise UsageError("There are no two answers there to choose from.")
    return [Vote(case, left, right, verdict, by, repeat) for left, right in pairs]
