"""Better, worse, or can't tell: each contestant against a baseline, by a scorer or a measure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ...errors import UsageError
from ..values import Result
from . import statistics
from .measured import MEASURES, Measured, Values, measured
from .sequential import Look, look
from .statistics import Estimate, Kind
from .verdict import SEQUENTIAL, Standing, Verdict, Word

__all__ = [
    "MEASURES",
    "Standing",
    "Verdict",
    "by_scorers",
    "decided",
    "looks",
    "standings",
    "verdicts",
]

ALPHA = 0.05


def verdicts(
    result: Result,
    what: str | Iterable[str],
    baseline: str | int = 0,
    *,
    margin: float = 0.0,
    looked: bool | None = None,
) -> tuple[Verdict, ...]:
    """Each other contestant against the baseline, in their order.

    `what` is the name of a scorer or of one of `MEASURES`, or several: then all are one question,
    and the pairs of all share its errors. A difference up to `margin` is practically none. If it
    may have been `looked` at before, and more is asked or not as it was then (default: if it was to
    end early), words, intervals and p are those of the sequential test. Raises `UsageError` for a
    scorer or a baseline that is not there.
    """
    names = [one.name for one in result.grid.contestants]
    base = _place(names, baseline)
    asked = [measured(result, one) for one in ([what] if isinstance(what, str) else what)]
    places = [(one, at) for one in asked for at in range(len(names)) if at != base]
    found = [
        replace(
            _compared(one, at, base),
            contestant=names[at], baseline=names[base], pairs=len(places),
        )
        for one, at in places
    ]  # fmt: skip
    if bool(result.decide) if looked is None else looked:
        return tuple(
            _looked(told, _look(one, at, base, len(places), margin), margin)
            for told, (one, at) in zip(found, places, strict=True)
        )
    return _judged(found, margin)


def by_scorers(result: Result, baseline: str | int = 0) -> list[Verdict]:
    """By every scorer, all as one question; none where there is nobody to compare with.

    The one by whose word it was to end early was named in advance: it is a question of its own.
    """
    names = dict.fromkeys(name for row in result.rows for name in row.scores)
    if len(result.grid.contestants) < 2:
        return []
    first = [result.decide] if result.decide in names else []
    parts = [part for part in (first, [name for name in names if name not in first]) if part]
    return [one for part in parts for one in verdicts(result, part, baseline)]


def decided(result: Result, what: str, baseline: str | int = 0, *, margin: float = 0.0) -> bool:
    """Whether every other contestant is known to be better or worse than the baseline.

    May be asked after each prompt: it is wrong of equals once in twenty comparisons at most. With a
    `margin` it is decided, too, where no larger difference is left. It needs no extra.
    """
    found = looks(result, what, baseline, margin=margin)
    return bool(found) and all(one.decided for one in found)


def looks(result: Result, what: str, baseline: str | int = 0, *, margin: float = 0.0) -> list[Look]:
    """The sequential test of each other contestant against the baseline; they share its errors."""
    base = _place([one.name for one in result.grid.contestants], baseline)
    asked = measured(result, what)
    others = [at for at in range(len(result.grid.contestants)) if at != base]
    return [_look(asked, at, base, len(others), margin, ends=margin > 0) for at in others]


def standings(result: Result, what: str) -> tuple[Standing, ...]:
    """Each contestant by itself, over all prompts where it has a value, in their order."""
    asked, cases = measured(result, what), len(result.grid.cases)
    return tuple(
        Standing(contestant.name, what, _alone([*own.values()], asked.kind), cases - len(own))
        for contestant, own in zip(result.grid.contestants, asked.values, strict=True)
    )


def _look(
    asked: Measured, who: int, base: int, pairs: int, margin: float, *, ends: bool = True
) -> Look:
    """The sequential test of a contestant against the baseline. Who is ahead stays so with each of
    its failed calls as the worst, or nothing is clear. Intervals take time: whether `ends` are
    wanted."""
    cases = [*asked.settled(who, base)]
    bound = 1.0 if asked.kind in ("yes/no", "score") else None

    def seen(one: Values, other: Values) -> Look:
        told = [
            statistics.difference(one[case], other[case])
            for case in cases
            if case in one and case in other
        ]
        return look(told, pairs=pairs, margin=margin, bound=bound, ends=ends)

    own, theirs = asked.values[who], asked.values[base]
    found = seen(own, theirs)
    if found.word in ("higher", "lower"):
        ahead = who if (found.word == "lower") == asked.lower else base
        if asked.failures(ahead, base if ahead == who else who):
            pair = (asked.at_worst(who), theirs) if ahead == who else (own, asked.at_worst(base))
            if seen(*pair).word != found.word:
                return replace(found, word="go on")
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
    p = min(1.0, verdict.pairs / seen.evidence)
    is_doubted = seen.word == "go on" and p <= ALPHA  # by its failures
    failed = verdict.failed if is_doubted else 0
    told = replace(verdict, estimate=estimate, p=p, failed=failed)
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


def _compared(asked: Measured, who: int, base: int) -> Verdict:
    """Without words yet, and without names."""
    own, theirs = asked.values[who], asked.values[base]
    both = [case for case in own if case in theirs]
    told = Verdict(
        "", "", asked.what, "", None, left_out=len(asked.result.grid.cases) - len(both),
        lower=asked.lower, unit=asked.unit,
    )  # fmt: skip
    if not both:
        return told
    one, other = [own[case] for case in both], [theirs[case] for case in both]
    kind = asked.kind_of(one + other)
    told = replace(
        told,
        estimate=_estimated(asked, own, theirs),
        own=_plain(one, kind),
        other=_plain(other, kind),
    )
    if asked.failures(who, base):
        told = replace(told, at_worst=_estimated(asked, asked.at_worst(who), theirs))
    if asked.failures(base, who):
        told = replace(told, at_best=_estimated(asked, own, asked.at_worst(base)))
    if told.estimate and told.estimate.value:
        ahead, behind = (who, base) if told.is_ahead else (base, who)
        told = replace(told, failed=asked.failures(ahead, behind))
    return told


def _estimated(asked: Measured, own: Values, theirs: Values) -> Estimate:
    both = [case for case in own if case in theirs]
    one, other = [own[case] for case in both], [theirs[case] for case in both]
    kind = asked.kind_of(one + other)
    if statistics.available():
        return statistics.paired(other, one, kind)
    return _plain([statistics.difference(*pair) for pair in zip(one, other, strict=True)], kind)


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
    found = replace(statistics.mean_interval(values, kind=kind), p=None)
    return statistics.within(found, 0.0, 1.0) if kind == "score" else found


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
    told = [_chance(one) for one in found]
    known = [p for p in told if p is not None]
    adjusted = iter(statistics.holm([*known, *[1.0] * (len(told) - len(known))]))
    by_place = [None if p is None else next(adjusted) for p in told]
    return tuple(_worded(one, p, margin) for one, p in zip(found, by_place, strict=True))


def _readings(verdict: Verdict) -> list[Estimate]:
    """All that must say the same for a word: the difference, and where the one that is ahead has
    failed, that with its failures as the worst."""
    doubt = verdict.at_worst if verdict.is_ahead else verdict.at_best
    return [one for one in (verdict.estimate, doubt) if one is not None]


def _chance(verdict: Verdict) -> float | None:
    ps = [one.p for one in _readings(verdict) if one.p is not None]
    return max(ps, default=None)


def _worded(verdict: Verdict, p: float | None, margin: float) -> Verdict:
    readings = _readings(verdict)
    signs = {one.value > 0 for one in readings}
    clear = [not one.holds_zero for one in readings]
    if readings and all(clear) and len(signs) == 1 and p is not None and p < ALPHA:
        word: Word = "better" if verdict.is_ahead else "worse"
        return replace(verdict, p=p, word=word, failed=0)
    if not (readings and clear[0] and len(readings) > 1):
        verdict = replace(verdict, failed=0)  # nothing is told anyway
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
