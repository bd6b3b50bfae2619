"""Which of two answers is better: votes of people and judges, and what they say of the judges."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from ...errors import UsageError
from ..stats.statistics import Estimate, alpha

Side = Literal["left", "right", "tie", "both_bad"]
SIDES: Sequence[Side] = get_args(Side)
_TURNED: Mapping[Side, Side] = {
    "left": "right",
    "right": "left",
    "tie": "tie",
    "both_bad": "both_bad",
}


def turned(side: Side) -> Side:
    """The same verdict with the two answers in each other's places."""
    return _TURNED[side]


@dataclass(frozen=True, slots=True)
class Vote:
    """Somebody's word on two answers to one prompt. Numbers are those of a `Call`.

    Raises `UsageError` for a verdict that is none.
    """

    case: int
    left: int
    """A contestant."""
    right: int
    verdict: Side
    by: str
    """Who: a person, or the name of a judge."""
    repeat: int = 0
    note: str = ""
    """Why, as whoever votes has written it."""

    def __post_init__(self) -> None:
        if self.verdict not in SIDES:
            raise UsageError(f"A verdict is one of {', '.join(SIDES)}, not {self.verdict!r:.80}.")
        if self.left == self.right:
            raise UsageError("A vote is on the answers of two models, not on one twice.")

    @property
    def winner(self) -> int | None:
        """The better contestant; `None` of a tie."""
        return {"left": self.left, "right": self.right}.get(self.verdict)

    @property
    def ordered(self) -> Vote:
        """The same vote with the contestant of the lower number on the left."""
        if self.left < self.right:
            return self
        return replace(self, left=self.right, right=self.left, verdict=turned(self.verdict))


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge says of two answers, which it has seen in both orders.

    `shown` and `swapped` are its words with the left answer in the first and in the second place;
    `verdict` is what both say, a tie if they contradict each other (`flipped`). `None`: it could
    not be asked, or gave no verdict; `note` says why.
    """

    case: int
    left: int
    right: int
    repeat: int
    by: str
    shown: Side | None
    swapped: Side | None
    rationales: tuple[str, str] = ("", "")
    lengths: tuple[int, int] = (0, 0)
    """Characters of the two answers."""
    kin: tuple[bool | None, bool | None] = (None, None)
    """Whether each was made by the judge's own family of models, where that is known."""
    note: str = ""

    @property
    def winners(self) -> tuple[Side | None, Side | None]:
        """Who is preferred in either order; what prefers nobody is a tie."""
        return _winner(self.shown), _winner(self.swapped)

    @property
    def flipped(self) -> bool:
        """Whether the preference depends on the order."""
        return self.verdict is not None and self.winners[0] != self.winners[1]

    @property
    def verdict(self) -> Side | None:
        if self.shown is None or self.swapped is None:
            return None
        return self.shown if self.shown == self.swapped else "tie"

    @property
    def vote(self) -> Vote | None:
        if (verdict := self.verdict) is None:
            return None
        return Vote(self.case, self.left, self.right, verdict, self.by, self.repeat)


def _winner(side: Side | None) -> Side | None:
    return "tie" if side == "both_bad" else side


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        return self.count / self.of if self.of else None

    def __str__(self) -> str:
        return f"{self.count} of {self.of} ({self.count / self.of:.0%})" if self.of else "unknown"


@dataclass(frozen=True, slots=True, repr=False)
class Judged:
    """Judgements of one judge, and how far it can be trusted; `str` is what to know of it."""

    judgements: tuple[Judgement, ...]

    @property
    def votes(self) -> list[Vote]:
        return [vote for one in self.judgements if (vote := one.vote) is not None]

    @property
    def failed(self) -> list[Judgement]:
        """Those without a verdict."""
        return [one for one in self.judgements if one.verdict is None]

    @property
    def flips(self) -> Share:
        """How often the order alone changed the preference."""
        valid = [one for one in self.judgements if one.verdict is not None]
        return Share(sum(one.flipped for one in valid), len(valid))

    @property
    def first_place(self) -> Share:
        """How often, of all single verdicts that prefer an answer, it was that shown first.

        A half is fair: each answer has stood in both places.
        """
        first = last = 0
        for one in self.judgements:
            if one.verdict is not None:
                first += (one.shown == "left") + (one.swapped == "right")
                last += (one.shown == "right") + (one.swapped == "left")
        return Share(first, first + last)

    @property
    def longer(self) -> Share:
        """How often, of the pairs of answers that differ in length, the longer one won."""
        return self._preferred(lambda one: _which(one.lengths[0], one.lengths[1]))

    @property
    def own_kin(self) -> Share:
        """How often the judge's own family won against others; of 0 where there were no such."""
        return self._preferred(lambda one: _kin(*one.kin))

    def _preferred(self, side: Callable[[Judgement], Side | None]) -> Share:
        """How often the side that has some trait won, of the pairs with a winner and a trait."""
        decided = [one for one in self.judgements if one.verdict in ("left", "right")]
        traits = [(one.verdict, which) for one in decided if (which := side(one)) is not None]
        return Share(sum(won == which for won, which in traits), len(traits))

    def lines(self) -> list[str]:
        """What to know of the judge, a line each."""
        found = [
            f"flipped when the order changed: {self.flips}",
            f"preferred the answer shown first: {self.first_place}",
            f"preferred the longer answer: {self.longer}",
            f"preferred its own family of models: {self.own_kin}",
        ]
        if self.failed:
            found.append(f"without a verdict: {len(self.failed)}, the first: {self.failed[0].note}")
        return found

    def __str__(self) -> str:
        return "\n".join([f"{len(self.judgements):,} pairs judged", *self.lines()])

    __repr__ = __str__


def _which(left: int, right: int) -> Side | None:
    return None if left == right else "left" if left > right else "right"


def _kin(left: bool | None, right: bool | None) -> Side | None:
    if left is None or right is None or left == right:
        return None
    return "left" if left else "right"


# Agreement ----------------------------------------------------------------------------------------


RELIABLE, TENTATIVE = 0.8, 2 / 3
"""Alphas from which on, by Krippendorff, one rater may stand for another, or with caution."""


@dataclass(frozen=True, slots=True, repr=False)
class Agreement:
    """How far several agree on the same pairs of answers; `str` is a sentence."""

    estimate: Estimate | None
    """Krippendorff's alpha, nominal: 1 is full agreement, 0 what chance gives; with its interval
    where there is enough of it. `None` where fewer than two pairs were judged by two or more, or
    all have said one thing of all: nothing shows then that they look."""
    same: Share
    """The pairs on which all who voted say the same, of those that two or more have judged."""
    raters: tuple[str, ...]

    @property
    def alpha(self) -> float | None:
        return self.estimate.value if self.estimate else None

    @property
    def word(self) -> str:
        """What that means, by the lower end of the interval; "can't tell" where there is none."""
        low = self.estimate.low if self.estimate else None
        if low is None:
            return "can't tell: too few for an interval"
        if low <= 0:
            return "can't tell from chance"
        if low < TENTATIVE:
            return "more than chance, too little for one to stand for the other"
        return "one may stand for the other" + ("" if low >= RELIABLE else ", with caution")

    def __str__(self) -> str:
        who = f"{', '.join(self.raters[:-1])} and {self.raters[-1]}: " if self.raters else ""
        said = f"{who}the same verdict on {self.same}"
        if (found := self.estimate) is None:
            return f"{said}; too few, or too much alike, for a number"
        known = found.low is not None and found.high is not None
        ends = f" ({found.low:.2f} to {found.high:.2f})" if known else ""
        return f"{said}; Krippendorff's alpha {found.value:.2f}{ends}: {self.word}"

    __repr__ = __str__


def agreement(votes: Iterable[Vote]) -> Agreement:
    """How far all who have voted agree, as people and judges do: give the votes of both.

    Raises `UsageError` without the extra `compare`.
    """
    rated = ratings(votes)
    units = [{*unit} - {None} for unit in zip(*rated.values(), strict=True)]
    same = Share(sum(len(unit) == 1 for unit in units), len(units))
    is_told = len(units) > 1 and len({one for unit in units for one in unit}) > 1
    estimate = alpha([*rated.values()]) if is_told else None
    return Agreement(estimate, same, tuple(rated))


def ratings(votes: Iterable[Vote]) -> dict[str, list[Side | None]]:
    """By who has voted, a verdict (or `None`) for each pair of answers that two or more have seen.

    A pair is of one prompt, two contestants and a repeat; whoever votes twice on one counts with
    the later word.
    """
    said: dict[tuple[int, int, int, int], dict[str, Side]] = {}
    for vote in votes:
        vote = vote.ordered
        unit = (vote.case, vote.repeat, vote.left, vote.right)
        said.setdefault(unit, {})[vote.by] = vote.verdict
    several = [by for by in said.values() if len(by) > 1]
    raters = dict.fromkeys(rater for by in several for rater in by)
    return {rater: [by.get(rater) for by in several] for rater in raters}


# Families of models -------------------------------------------------------------------------------

_FAMILIES: Mapping[str, str] = {
    "openai": r"gpt|chatgpt|o[1-9](?=$|[-_:])|davinci",
    "anthropic": r"claude",
    "google": r"gemini|gemma",
    "meta": r"llama",
    "qwen": r"qwen|qwq|qvq",
    "mistral": r"(?:mi|mix|minis|pix|codes|magis|devs|vox)tral",
    "deepseek": r"deepseek",
    "microsoft": r"phi(?=$|[-_:\d])",
    "xai": r"grok",
    "cohere": r"command|aya(?=$|[-_:\d])",
    "hugging face": r"smollm|zephyr",
    "ibm": r"granite",
    "nvidia": r"nemotron",
    "zhipu": r"glm|chatglm",
    "moonshot": r"kimi|moonshot",
    "minimax": r"minimax",
    "lg": r"exaone",
    "tii": r"falcon",
    "ai2": r"olmo",
}
_FAMILY = re.compile(
    "|".join(f"(?P<f{i}>{words})" for i, words in enumerate(_FAMILIES.values())), re.IGNORECASE
)
_WORD = re.compile(r"(?:^|[^a-z0-9])(?=[a-z])", re.IGNORECASE)


def family(model: str) -> str:
    """Who made a model, by its name; empty where that is not known.

    What is derived from another (`deepseek-r1-distill-llama-8b`) counts as of the first name.
    """
    for start in _WORD.finditer(model):
        if found := _FAMILY.match(model, start.end()):
            return [*_FAMILIES][int((found.lastgroup or "f0")[1:])]
    return ""


def are_kin(one: str, other: str) -> bool | None:
    """Whether two models are of one family; `None` where that is not known."""
    if one == other:
        return True
    families = family(one), family(other)
    return families[0] == families[1] if all(families) else None
