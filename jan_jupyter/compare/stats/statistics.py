"""What numbers say of contestants: pure functions; the unit is the prompt.

Every interval here is one that covers what it says at that n and kind of data: `docs/statistics.md`
has the simulations. scipy is imported at the first use; `available` tells whether it is there.
"""

from __future__ import annotations

import importlib.util
import math
import statistics as plain
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ...errors import UsageError
from .resampling import DRAWN, studentised, turned_round

Kind = Literal["yes/no", "score", "number", "time"]
"""What is compared: yes or no; a score from 0 to 1; any other number; a time or a speed."""

ADVICE = "To tell better from worse: `pip install 'jan-jupyter[compare]'`."
LEVEL = 0.95
FEWEST = 6
"""So many prompts must differ: of five, even all to one side may be chance (p = 0.06)."""
MANY = 1000
"""From so many prompts on a correction of t does what the bootstrap does."""
FEW, LONG_TAILS_BELOW, WIDER = 15, 50, 0.98
"""Below so many prompts the level is wider: of scores, and of numbers without bounds."""
POWER = 0.8
UNITS = 40
"""Of fewer units the interval of alpha covers less than 93 %, so that there is none."""
SAME = 1e-12
"""What differs by a smaller share is the same, but for rounding."""
NIL = 0.1
"""A mean difference below this share of the spread is practically nil."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with what is known of it. `low` and `high` are `None` where no interval would hold.

    `p` is the chance of a difference as large between equals. `differing` prompts, of `n`, are
    those where the two are not equal; for one contestant's own value all `n`.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    method: str
    spread: float | None = None
    p: float | None = None
    differing: int = 0

    @property
    def holds_zero(self) -> bool:
        """Whether the interval holds zero; so it does where there is none."""
        return self.low is None or self.high is None or self.low <= 0 <= self.high


def available() -> bool:
    """Whether the packages of the extra `compare` are there; imports none of them."""
    return all(importlib.util.find_spec(name) for name in ("scipy", "evalica"))


def needed(name: str) -> Any:
    """A module of the extra `compare`; `UsageError` without it."""
    try:
        return importlib.import_module(name)
    except ImportError:
        package = name.partition(".")[0]
        raise UsageError(
            f"These statistics need {package}: `pip install 'jan-jupyter[compare]'`."
        ) from None


def mean(values: Sequence[float]) -> float:
    return plain.fmean(values)


def median(values: Sequence[float]) -> float:
    return plain.median(values)


def spread(values: Sequence[float]) -> float | None:
    """The standard deviation, of n - 1; `None` of fewer than two."""
    if len(values) < 2:
        return None
    center, largest = plain.fmean(values), max(map(abs, values))
    found = math.sqrt(math.fsum((one - center) ** 2 for one in values) / (len(values) - 1))
    return found if found > SAME * largest else 0.0


def difference(one: float, other: float) -> float:
    """one - other; 0 where it is only the rounding of a mean."""
    return 0.0 if math.isclose(one, other, rel_tol=SAME, abs_tol=SAME) else one - other


def kind_of(values: Sequence[float]) -> Kind:
    """What kind of data a scorer's values are."""
    if all(value in (0, 1) for value in values):
        return "yes/no"
    return "score" if all(0 <= value <= 1 for value in values) else "number"


def student(values: Sequence[float], level: float = LEVEL) -> tuple[float, float]:
    """Student's interval of a mean, of two values or more."""
    deviation = spread(values)
    if deviation is None:
        raise UsageError("An interval of a mean needs two values or more.")
    reach = needed("scipy.stats").t.ppf((1 + level) / 2, len(values) - 1)
    half = float(reach) * deviation / math.sqrt(len(values))
    return mean(values) - half, mean(values) + half


def straightened(values: Sequence[float], level: float = LEVEL) -> tuple[float, float, float]:
    """Low and high end of a mean of many values, and p of a mean of zero: t, its skewness taken out
    by Hall's cubic (1992, Journal of the Royal Statistical Society B 54, 221-228)."""
    normal = needed("scipy.stats").norm
    import numpy as np

    data, n = np.asarray(values, float), len(values)
    center, deviation = data.mean(), data.std()
    error, skew = data.std(ddof=1) / math.sqrt(n), ((data - center) ** 3).mean() / deviation**3
    lean = skew / math.sqrt(n)

    def straight(t: float) -> float:
        return float(t + lean * t * t / 3 + lean * lean * t**3 / 27 + lean / 6)

    def back(y: float) -> float:
        if abs(lean) < 1e-6:
            return y
        return float(3 / lean * (np.cbrt(1 + lean * (y - lean / 6)) - 1))

    reach = float(normal.ppf((1 + level) / 2))
    p = 2 * float(normal.sf(abs(straight(center / error))))
    return float(center - back(reach) * error), float(center - back(-reach) * error), p


def mean_interval(
    values: Sequence[float], *, kind: Kind = "score", level: float = LEVEL
) -> Estimate:
    """The mean with the interval that holds at this n, and p of a mean of zero that goes with it.

    Below `MANY` Student's t and the studentised bootstrap together, to where either reaches: t
    alone covers too little on skewed data, the bootstrap alone on data with ties. Of few the level
    is higher; of numbers without bounds up to more of them, as their tails may be long.
    """
    n, differing = len(values), sum(value != 0 for value in values)
    center, deviation = mean(values), spread(values)
    if n < FEWEST:
        return Estimate(
            center, None, None, n, "too few for an interval", deviation, None, differing
        )
    if not deviation:
        return _all_alike(center, n, differing, level)
    if n >= MANY:
        low, high, p = straightened(values, level)
        method = "t corrected for skewness"
        return Estimate(center, low, high, n, method, deviation, p, differing)
    method = "t and studentised bootstrap"
    if n < (LONG_TAILS_BELOW if kind == "number" else FEW):
        level = max(level, WIDER)
        method += f", {level:.0%}"
    low, high = student(values, level)
    t, units = needed("scipy.stats").t(n - 1), abs(center) / deviation * math.sqrt(n)
    if found := studentised(values):
        ends = found.ends(level)
        low, high = min(low, ends[0]), max(high, ends[1])
        units = found.stretched(lambda level: float(t.ppf((1 + level) / 2)))
    p = min(1.0, 2 * float(t.sf(units)))
    return Estimate(center, low, high, n, method, deviation, p, differing)


def within(estimate: Estimate, lowest: float, highest: float) -> Estimate:
    """The same where it is known that the true value is between two bounds: what of the interval
    is outside of them can be left out, and it holds as often."""
    if estimate.low is None or estimate.high is None:
        return estimate
    low, high = max(estimate.low, lowest), min(estimate.high, highest)
    return replace(estimate, low=low, high=high)


def _all_alike(center: float, n: int, differing: int, level: float) -> Estimate:
    """Of values without a spread: so many as Wilson's interval allows may be the other way."""
    reach = 2 * abs(center) * (1 - wilson(n, n, level)[0])
    p = 2.0 ** (1 - n) if center else 1.0
    method = "all alike, Wilson"
    return Estimate(center, center - reach, center + reach, n, method, 0.0, p, differing)


def median_interval(values: Sequence[float], level: float = LEVEL) -> Estimate:
    """The median with an exact interval, between two of the values, for data of any shape.

    The bootstrap of a median covers 87 to 95 % at these n, so it is not used. `p` is that of a
    median of zero.
    """
    n, differing = len(values), sum(value != 0 for value in values)
    center, deviation = plain.median(values), spread(values)
    if n < FEWEST:
        return Estimate(
            center, None, None, n, "too few for an interval", deviation, None, differing
        )
    test = needed("scipy.stats").quantile_test(values, q=0, p=0.5)
    found = test.confidence_interval(level)
    p = float(test.pvalue)
    ends = float(found.low), float(found.high)
    return Estimate(center, *ends, n, "exact interval of the median", deviation, p, differing)


def wilson(yes: int, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's score interval of a share."""
    test = needed("scipy.stats").binomtest(yes, n)
    found = test.proportion_ci(level, method="wilson")
    return float(found.low), float(found.high)


def newcombe(
    both: int, first: int, second: int, neither: int, level: float = LEVEL
) -> tuple[float, float]:
    """The interval of the difference of two shares, first - second, of the same prompts.

    How many prompts both had right, only the first, only the second, and neither (Newcombe 1998,
    Statistics in Medicine 17, 2635-2650, method 10).
    """
    n = both + first + second + neither
    one, two = (both + first) / n, (both + second) / n
    (low1, high1), (low2, high2) = (wilson(both + x, n, level) for x in (first, second))
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    product = float(both * neither - first * second)
    if product > 0:
        product = max(product - n / 2, 0)
    phi = product / math.sqrt(margins) if margins else 0.0

    def reach(a: float, b: float) -> float:
        return math.sqrt(max(a * a - 2 * phi * a * b + b * b, 0.0))

    difference = one - two
    return (
        difference - reach(one - low1, high2 - two),
        difference + reach(high1 - one, two - low2),
    )


def mcnemar(first: int, second: int) -> float:
    """p of the exact test: how many prompts only the first had right, and only the second."""
    if not first + second:
        return 1.0
    return float(needed("scipy.stats").binomtest(first, first + second).pvalue)


def permutation(differences: Sequence[float]) -> float:
    """p of a mean difference as large when each pair could as well be the other way round.

    Exact up to thirteen prompts that differ, else of ten thousand drawings; of more than a hundred,
    and further out than any drawing, they would give what Student's test does, which is used.
    """
    stats = needed("scipy.stats")
    differing = [value for value in differences if value]
    if len(differing) < 2:
        return 1.0
    if len(differing) <= DRAWN:
        as_large, ways = turned_round(differing)
        if as_large > 1 or len(set(differing)) == 1:
            return as_large / ways
    return float(stats.ttest_1samp(differences, 0).pvalue)


def paired(first: Sequence[float], second: Sequence[float], kind: Kind | None = None) -> Estimate:
    """The difference second - first over the same prompts, one value of each per prompt."""
    if len(first) != len(second) or not first:
        raise UsageError("A paired difference needs one value of each for every prompt.")
    kind = kind or kind_of([*first, *second])
    differences = [difference(b, a) for a, b in zip(first, second, strict=True)]
    if kind == "yes/no":
        return _yes_no(first, second, spread(differences))
    if kind == "time":
        return median_interval(differences)
    found, p = mean_interval(differences, kind=kind), permutation(differences)
    if kind == "score":
        found = within(found, -1.0, 1.0)
    if found.differing < FEWEST:  # what an interval says of so few is not so
        return _few_differ(found, kind, p)
    p = max(p, found.p or 0.0)
    return replace(found, p=p, method=f"{found.method}, permutation test")


def _few_differ(found: Estimate, kind: Kind, p: float) -> Estimate:
    """Scores differ by 1 at most, so that the share of prompts that differ is a bound."""
    few = "differs" if found.differing == 1 else "differ"
    told = replace(found, low=None, high=None, p=p, method=f"only {found.differing} {few}")
    if kind != "score" or found.n < FEWEST:
        return told
    most = wilson(found.differing, found.n)[1]
    return replace(told, low=min(-most, found.value), high=max(most, found.value))


def _yes_no(first: Sequence[float], second: Sequence[float], deviation: float | None) -> Estimate:
    pairs = list(zip(map(bool, second), map(bool, first), strict=True))
    both, only, other = (pairs.count(x) for x in ((True, True), (True, False), (False, True)))
    n = len(pairs)
    low, high = newcombe(both, only, other, n - both - only - other)
    method, p = "Newcombe's interval, exact McNemar", mcnemar(only, other)
    return Estimate((only - other) / n, low, high, n, method, deviation, p, only + other)


def holm(ps: Sequence[float]) -> list[float]:
    """The p values, in their order, adjusted by Holm for that so many were asked about."""
    adjusted, highest = [1.0] * len(ps), 0.0
    for rank, at in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        highest = max(highest, min(1.0, (len(ps) - rank) * ps[at]))
        adjusted[at] = highest
    return adjusted


def more_needed(
    estimate: Estimate, *, pairs: int = 1, margin: float = 0.0
) -> tuple[int, int] | None:
    """About how many more prompts would decide, from few to many, at the difference that was seen.

    For 80 % power of a test at 5 %, shared by `pairs`; from few to many as the spread may be
    smaller or larger than it was here. `None` if the difference is practically nil: below `margin`
    or a tenth of the spread.
    """
    size, deviation, n = abs(estimate.value), estimate.spread, estimate.n
    if not deviation or size <= max(margin, NIL * deviation):
        return None
    stats = needed("scipy.stats")
    reach = stats.norm.ppf(1 - 0.05 / pairs / 2) + stats.norm.ppf(POWER)
    less, more = (
        math.ceil((reach * deviation / size) ** 2 * (n - 1) / stats.chi2.ppf(q, n - 1) + 2)
        for q in (0.8, 0.2)
    )
    return max(_rounded(less - n), 1), max(_rounded(more - n), FEWEST)


def _rounded(count: int) -> int:
    """Up, to two digits."""
    step = int(10 ** max(len(str(abs(count))) - 2, 0))
    return math.ceil(count / step) * step


def alpha(
    ratings: Sequence[Sequence[float | str | None]],
    level: Literal["nominal", "ordinal", "interval"] = "nominal",
) -> Estimate:
    """Krippendorff's alpha: 1 is full agreement, 0 what chance gives. One row for each rater.

    A row has a value for each unit, `None` where there is none; only units with two values or more
    count. Nominal values may be words. The interval resamples units; there is none of few units or
    of few that are not agreed on. Raises `UsageError` if no unit has two values.
    """
    columns = [[one for one in unit if one is not None] for unit in zip(*ratings, strict=True)]
    units = [_coded(unit, columns, level) for unit in columns if len(unit) > 1]
    if not units:
        raise UsageError("Agreement needs something that two raters or more have rated.")
    value, n = _alpha(units, level), len(units)
    differing = sum(len(set(unit)) > 1 for unit in units)
    method = f"Krippendorff's alpha, {level}"
    if n < UNITS or differing < FEWEST:
        return Estimate(value, None, None, n, method, differing=differing)
    import numpy as np

    drawn = np.random.default_rng(0).integers(0, n, (1000, n))
    found = [_alpha([units[at] for at in chosen], level) for chosen in drawn]
    ends: Any = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(ends[0]), float(ends[1]), n, method, differing=differing)


def _coded(
    unit: Sequence[float | str], columns: Sequence[Sequence[float | str]], level: str
) -> list[float]:
    if level != "nominal":
        return [float(one) for one in unit]
    known = list(dict.fromkeys(one for other in columns for one in other))
    return [float(known.index(one)) for one in unit]


def _alpha(units: Sequence[Sequence[float]], level: str) -> float:
    width = max(map(len, units))
    rows = [[*unit, *[math.nan] * (width - len(unit))] for unit in units]
    frame = needed("pandas").DataFrame(rows).T
    return float(needed("evalica").alpha(frame, distance=level).alpha)
