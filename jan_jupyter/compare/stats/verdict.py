"""What is said of two contestants: a verdict as a value, and as one line for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .statistics import ADVICE, Estimate

Word = Literal["better", "worse", "can't tell", ""]
SEQUENTIAL = "sequential test"


@dataclass(frozen=True, slots=True)
class Standing:
    """One contestant by itself: the mean, share or median of its prompts."""

    contestant: str
    what: str
    estimate: Estimate
    left_out: int
    """Prompts without a value."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One contestant against the baseline; `str` is one line.

    The word is empty without the extra `compare`: then nothing is known but means and spreads.
    """

    contestant: str
    baseline: str
    scorer: str
    """The scorer's or the measure's name."""
    word: Word
    estimate: Estimate | None
    """Of the difference, contestant - baseline; `None` if no prompt has both."""
    own: Estimate | None = None
    other: Estimate | None = None
    """The contestant's and the baseline's own, of the same prompts; `standings` has intervals."""
    left_out: int = 0
    """Prompts that do not count, as one of the two has no value there."""
    p: float | None = None
    """Adjusted for the pairs that were asked about."""
    pairs: int = 1
    more: tuple[int, int] | None = None
    """About how many more prompts would decide, from few to many."""
    at_worst: Estimate | None = None
    """Of the difference with each failed call of the contestant as the worst there is; `None` if
    none has failed. `at_best`: with those of the baseline."""
    at_best: Estimate | None = None
    failed: int = 0
    """Calls without a value of the one that is ahead: where they are why nothing can be told."""
    at_most: float | None = None
    """Where the difference is practically nil: no larger one is likely."""
    lower: bool = False
    """Whether less is better."""
    unit: str = ""

    @property
    def is_ahead(self) -> bool:
        """Whether the contestant is on the better side, be it by noise."""
        return ((self.difference or 0) < 0) == self.lower

    @property
    def difference(self) -> float | None:
        return self.estimate.value if self.estimate else None

    @property
    def interval(self) -> tuple[float, float] | None:
        if self.estimate is None or self.estimate.low is None or self.estimate.high is None:
            return None
        return self.estimate.low, self.estimate.high

    @property
    def n(self) -> int:
        """Prompts that count."""
        return self.estimate.n if self.estimate else 0

    @property
    def method(self) -> str:
        return self.estimate.method if self.estimate else ""

    def not_worse_by(self, margin: float) -> bool:
        """Whether the interval leaves no room for being worse by more than `margin`, not even with
        each failed call of the contestant as the worst there is."""
        for one in (self.estimate, self.at_worst or self.estimate):
            if one is None or one.low is None or one.high is None:
                return False
            if one.high > margin if self.lower else one.low < -margin:
                return False
        return True

    def __repr__(self) -> str:
        return f"<Verdict: {self}>"

    def __str__(self) -> str:
        return _line(self)


def _line(verdict: Verdict) -> str:
    estimate, who = verdict.estimate, f"{verdict.contestant} and {verdict.baseline}"
    left_out = f"; {verdict.left_out} left out" if verdict.left_out else ""
    if estimate is None:
        return f"Nothing to compare: no prompt has {verdict.scorer} of both {who}{left_out}."
    prompts = f"{verdict.n} prompt{'s' if verdict.n > 1 else ''}"
    if not verdict.word:
        return f"{_means(verdict)} ({prompts}{left_out}). {ADVICE}"
    names = f"{verdict.contestant} − {verdict.baseline}"
    what = f"{verdict.scorer}: {names} = {_signed(estimate.value)}{verdict.unit}"
    if verdict.interval:
        low, high = map(_signed, verdict.interval)
        what += f" (95 %: {low} to {high})"
    if verdict.word != "can't tell":
        start = f"{verdict.contestant} is {verdict.word} than {verdict.baseline}"
        return f"{start} by {what}; {prompts}{left_out}; {_chance(verdict)}{estimate.method}."
    return f"Can't tell by {what}; {prompts}{left_out}; {_chance(verdict)}{_outlook(verdict)}."


def _means(verdict: Verdict) -> str:
    """Both contestants' own, with their spreads."""
    told = []
    for name, one in ((verdict.contestant, verdict.own), (verdict.baseline, verdict.other)):
        if one is not None:
            spread = f" ± {_number(one.spread)}" if one.spread is not None else ""
            told.append(f"{name} {_number(one.value)}{spread}{verdict.unit}")
    return f"{verdict.scorer}: {', '.join(told)}"


def _chance(verdict: Verdict) -> str:
    if verdict.p is None:
        return ""
    p = "p < 0.001" if verdict.p < 0.001 else f"p = {verdict.p:.2g}"
    how = "shared by" if verdict.method == SEQUENTIAL else "Holm,"
    return f"{p} ({how} {verdict.pairs} pairs); " if verdict.pairs > 1 else f"{p}; "


def _outlook(verdict: Verdict) -> str:
    """What would help."""
    estimate = verdict.estimate
    if verdict.failed:
        who = verdict.contestant if verdict.is_ahead else verdict.baseline
        calls = "call" if verdict.failed == 1 else "calls"
        return (
            f"{verdict.failed:,} {calls} of {who} failed or could not be scored, and with them as"
            " the worst it is not ahead: `.retry()` asks for failed ones again"
        )
    if verdict.more:
        few, many = verdict.more
        about = f"about {few:,} to {many:,}" if many > few else f"about {few:,}"
        return f"{about} more prompts would decide"
    if verdict.at_most is not None:
        return f"no difference larger than {_number(verdict.at_most)}{verdict.unit} is likely"
    return estimate.method if estimate else ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _signed(value: float) -> str:
    """With its sign, a true minus."""
    return ("+" if value > 0 else "−" if value < 0 else "") + _number(abs(value))
