"""Better, worse, or can't tell: each contestant against a baseline, by a scorer or a measure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ...errors import UsageError
from ...types import Timings
from ..values import Result, Row
from . import statistics
from .sequential import Look, look
from .statistics import ADVICE, Estimate, Kind

Word = Literal["better", "worse", "can't tell", ""]
ALPHA = 0.05
SEQUENTIAL = "sequential test"


@dataclass(frozen=True, slots=True)
class Measure:
    """What a call tells without a scorer. `None` of a row: it does not know."""

    of: Callable[[Row], float | None]
    lower: bool
    """Whether less is better."""
    kind: Kind = "time"
    unit: str = ""


def _own(name: Literal["total", "first_token"]) -> Callable[[Row], float | None]:
    """Seconds of the model alone: waiting for a slot and loading are not its answer."""

    def of(row: Row) -> float | None:
        timings = row.reply.timings if row.reply else Timings()
        seconds = getattr(timings, name)
        if seconds is None:
            return None
        return max(float(seconds) - (timings.queue or 0.0) - (timings.load or 0.0), 0.0)

    return of


def _timing(name: str) -> Callable[[Row], float | None]:
    return lambda row: getattr(row.reply.timings, name) if row.reply else None


MEASURES: Mapping[str, Measure] = {
    "seconds": Measure(_own("total"), lower=True, unit=" s"),
    "first token": Measure(_own("first_token"), lower=True, unit=" s"),
    "tokens/s": Measure(_timing("tokens_per_second"), lower=False, unit=" tok/s"),
    "prompt tokens/s": Measure(_timing("prompt_tokens_per_second"), lower=False, unit=" tok/s"),
    "cost": Measure(lambda row: row.cost, lower=True, kind="number"),
}
"""Times and speeds are compared warm with warm, by their medians."""


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
    at_most: float | None = None
    """Where the difference is practically nil: no larger one is likely."""
    lower: bool = False
    """Whether less is better."""
    unit: str = ""

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
        """Whether the interval leaves no room for being worse by more than `margin`."""
        if self.interval is None:
            return False
        low, high = self.interval
        return high <= margin if self.lower else low >= -margin

    def __str__(self) -> str:
        return _line(self)

    def __repr__(self) -> str:
        return f"<Verdict: {self}>"


def verdicts(
    result: Result,
    what: str,
    baseline: str | int = 0,
    *,
    margin: float = 0.0,
    looked: bool = False,
) -> tuple[Verdict, ...]:
    """Each other contestant against the baseline, in their order.

    `what` is the name of a scorer or of one of `MEASURES`; a difference up to `margin` is
    practically none. If it may have been `looked` at before, and more is asked or not as it was
    then, words, intervals and p are those of the sequential test. Raises `UsageError` for a scorer
    or a baseline that is not there.
    """
    names = [one.name for one in result.grid.contestants]
    base = _place(names, baseline)
    measure = _measure(result, what)
    values = _values(result, what, measure)
    others = [at for at in range(len(names)) if at != base]
    found = [
        replace(
            _compared(values[at], values[base], len(result.grid.cases), measure),
            contestant=names[at], baseline=names[base], scorer=what, pairs=len(others),
        )
        for at in others
    ]  # fmt: skip
    if looked:
        seen = _looks(result, what, base, margin)
        pairs = zip(found, others, strict=True)
        return tuple(_looked(one, seen[at], margin) for one, at in pairs)
    return _judged(found, margin)


def decided(result: Result, what: str, baseline: str | int = 0, *, margin: float = 0.0) -> bool:
    """Whether every other contestant is known to be better or worse than the baseline.

    May be asked after each prompt: it is wrong of equals once in twenty comparisons at most. With a
    `margin` it is decided, too, where no larger difference is left. It needs no extra.
    """
    base = _place([one.name for one in result.grid.contestants], baseline)
    looks = _looks(result, what, base, margin, ends=margin > 0)
    return bool(looks) and all(one.decided for one in looks.values())


def standings(result: Result, what: str) -> tuple[Standing, ...]:
    """Each contestant by itself, over all prompts where it has a value, in their order."""
    measure = _measure(result, what)
    values = _values(result, what, measure)
    kind = _kind(measure, [x for one in values for x in one.values()])
    return tuple(
        Standing(
            contestant.name, what, _alone([*own.values()], kind), len(result.grid.cases) - len(own)
        )
        for contestant, own in zip(result.grid.contestants, values, strict=True)
    )


def differences(
    result: Result, what: str, contestant: str | int, baseline: str | int = 0
) -> dict[int, float]:
    """By case, contestant - baseline, where both have a value; in the order in which they came."""
    names = [one.name for one in result.grid.contestants]
    values = _values(result, what, _measure(result, what))
    one, other = values[_place(names, contestant)], values[_place(names, baseline)]
    both = one.keys() & other.keys()
    return {case: one[case] - other[case] for case in _order(result) if case in both}


def _order(result: Result) -> list[int]:
    """The cases as their last rows have come: the order does not depend on what was answered."""
    ended: dict[int, float] = {}
    for row in result.rows:
        ended[row.call.case] = max(row.at, ended.get(row.call.case, 0.0))
    return sorted(ended, key=lambda case: (ended[case], case))


def _looks(
    result: Result, what: str, base: int, margin: float, *, ends: bool = True
) -> dict[int, Look]:
    """By contestant, the sequential test against the baseline; the pairs share its errors.

    Intervals take longer than words: `ends` says whether they are wanted.
    """
    measure = _measure(result, what)
    values = _values(result, what, measure)
    kind = _kind(measure, [x for one in values for x in one.values()])
    bound = 1.0 if ends and kind in ("yes/no", "score") else None
    order, found = _order(result), {}
    for at, own in enumerate(values):
        if at != base:
            both = [case for case in order if case in own and case in values[base]]
            told = [own[case] - values[base][case] for case in both]
            found[at] = look(told, pairs=len(values) - 1, margin=margin, bound=bound)
    return found


def _looked(verdict: Verdict, seen: Look, margin: float) -> Verdict:
    """A verdict in the words of a sequential test."""
    if verdict.estimate is None or not statistics.available():
        return verdict
    known = math.isfinite(seen.low)
    estimate = replace(
        verdict.estimate,
        low=seen.low if known else None,
        high=seen.high if known else None,
        method=SEQUENTIAL,
        p=min(1.0, 1 / seen.evidence),
    )
    told = replace(verdict, estimate=estimate, p=min(1.0, verdict.pairs / seen.evidence))
    if seen.word in ("higher", "lower"):
        return replace(told, word="better" if (seen.word == "lower") == told.lower else "worse")
    if seen.word == "no difference":
        return replace(told, word="can't tell", at_most=max(abs(seen.low), abs(seen.high)))
    return _outlooked(told, margin)


def _place(names: Sequence[str], given: str | int) -> int:
    if isinstance(given, int) and -len(names) <= given < len(names):
        return given % len(names)
    if given in names:
        return names.index(str(given))
    raise UsageError(f"No contestant {given!r} is in this comparison: {', '.join(names)}.")


def _measure(result: Result, what: str) -> Measure | None:
    """`None` for a scorer."""
    scorers = dict.fromkeys(name for row in result.rows for name in row.scores)
    if what in scorers:
        return None
    if what in MEASURES:
        return MEASURES[what]
    known = ", ".join([*scorers, *MEASURES])
    raise UsageError(f"Nothing here was scored by {what!r}; there are: {known}.")


def _values(result: Result, what: str, measure: Measure | None) -> list[dict[int, float]]:
    """For each contestant, by case, the mean of the repeats that have a value."""
    repeats: list[dict[int, list[float]]] = [{} for _ in result.grid.contestants]
    for row in result.rows:
        value = _value(row, what, measure)
        if value is not None:
            repeats[row.call.contestant].setdefault(row.call.case, []).append(value)
    return [{case: statistics.per_prompt(one[case]) for case in sorted(one)} for one in repeats]


def _value(row: Row, what: str, measure: Measure | None) -> float | None:
    if measure is None:
        score = row.scores.get(what)
        value = score.value if score else None
    elif not row.ok or (row.cold and measure.kind == "time"):
        return None
    else:
        value = measure.of(row)
    return None if value is None or not math.isfinite(value) else float(value)


def _kind(measure: Measure | None, values: Sequence[float]) -> Kind:
    return measure.kind if measure else statistics.kind_of(values)


def _compared(
    one: Mapping[int, float], other: Mapping[int, float], cases: int, measure: Measure | None
) -> Verdict:
    """Without words yet, and without names."""
    both = sorted(one.keys() & other.keys())
    told = Verdict(
        "", "", "", "", None, left_out=cases - len(both),
        lower=measure.lower if measure else False, unit=measure.unit if measure else "",
    )  # fmt: skip
    if not both:
        return told
    own, base = [one[case] for case in both], [other[case] for case in both]
    kind = _kind(measure, own + base)
    if statistics.available():
        estimate = statistics.paired(base, own, kind)
    else:
        estimate = _plain([a - b for a, b in zip(own, base, strict=True)], kind)
    return replace(told, estimate=estimate, own=_plain(own, kind), other=_plain(base, kind))


def _alone(values: Sequence[float], kind: Kind) -> Estimate:
    """A contestant's own value, without an interval where none would hold."""
    plain = _plain(values, kind)
    if not statistics.available() or not values:
        return plain
    if kind == "yes/no":
        low, high = statistics.wilson(round(sum(values)), len(values))
        return replace(plain, low=low, high=high, method="Wilson")
    if kind == "time":
        return replace(statistics.median_interval(values), p=None)
    if not plain.spread:
        return plain
    return statistics.mean_interval(values, kind=kind)


def _plain(values: Sequence[float], kind: Kind) -> Estimate:
    if not values:
        return Estimate(float("nan"), None, None, 0, "nothing came")
    center = statistics.median(values) if kind == "time" else statistics.mean(values)
    method = "median" if kind == "time" else "mean"
    return Estimate(center, None, None, len(values), method, statistics.spread(values))


def _judged(found: Sequence[Verdict], margin: float) -> tuple[Verdict, ...]:
    """With words: none inside the noise, and none by chance over so many pairs."""
    if not statistics.available():
        return tuple(found)
    told = [one.estimate.p if one.estimate else None for one in found]
    known = [p for p in told if p is not None]
    adjusted = iter(statistics.holm([*known, *[1.0] * (len(told) - len(known))]))
    by_place = [None if p is None else next(adjusted) for p in told]
    return tuple(_worded(one, p, margin) for one, p in zip(found, by_place, strict=True))


def _worded(verdict: Verdict, p: float | None, margin: float) -> Verdict:
    estimate = verdict.estimate
    if estimate and not estimate.holds_zero and p is not None and p < ALPHA:
        better = (estimate.value < 0) == verdict.lower
        return replace(verdict, p=p, word="better" if better else "worse")
    return _outlooked(replace(verdict, p=p), margin)


def _outlooked(verdict: Verdict, margin: float) -> Verdict:
    """Can't tell, and what would help."""
    estimate, at_most = verdict.estimate, None
    if estimate is None:
        return replace(verdict, word="can't tell")
    more = statistics.more_needed(estimate, pairs=verdict.pairs, margin=margin)
    if more is None and estimate.low is not None and estimate.high is not None:
        at_most = max(abs(estimate.low), abs(estimate.high))
    return replace(verdict, word="can't tell", more=more, at_most=at_most)


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
