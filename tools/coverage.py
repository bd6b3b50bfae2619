"""How often intervals hold what they should: the tables of `docs/statistics.md`.

`python tools/coverage.py [RUNS] [TABLE …]` simulates (default 1000 runs a cell, some ten
minutes) and writes them there. A cell is a percentage; half of its own 95 % interval stands in the
text.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from jan_jupyter.compare.stats import sequential, statistics, strengths
from jan_jupyter.compare.stats.resampling import studentised
from jan_jupyter.compare.stats.statistics import Estimate, Kind

PAGE = Path(__file__).parent.parent / "docs" / "statistics.md"
SIZES = (5, 8, 10, 20, 40, 100, 300)
MANY = (1000,)
"""Means have a method of their own from here on."""
BCA = 299
"""Resamples of what is only looked at."""

Ends = tuple[float, float]
Draw = Callable[[Any, int], Any]
STEPS = [-1.0, -0.5, 0.0, 0.5, 1.0]
HOW_OFTEN = [0.05, 0.15, 0.5, 0.2, 0.1]
MEANS: dict[str, tuple[Kind, float, Draw]] = {
    "normal": ("number", 0.0, lambda rng, n: rng.normal(size=n)),
    "skewed (exponential)": ("number", 1.0, lambda rng, n: rng.exponential(size=n)),
    "heavily skewed (lognormal)": ("number", np.exp(0.5), lambda rng, n: rng.lognormal(size=n)),
    "heavy tails (t of 3)": ("number", 0.0, lambda rng, n: rng.standard_t(3, size=n)),
    "scores, even": ("score", 0.5, lambda rng, n: rng.uniform(size=n)),
    "scores, skewed (beta)": ("score", 0.2, lambda rng, n: rng.beta(0.5, 2.0, size=n)),
    "scores at the ceiling": (
        "score",
        -0.1,
        lambda rng, n: at_ceiling(rng, 0.6, n) - at_ceiling(rng, 0.8, n),
    ),
    "scores, half of them ties": (
        "score",
        float(np.dot(STEPS, HOW_OFTEN)),
        lambda rng, n: rng.choice(STEPS, p=HOW_OFTEN, size=n),
    ),
}
"""Differences of a kind, their true mean, and how they are drawn."""

UNSEEN: dict[str, tuple[Kind, float, Draw]] = {
    f"+0.1, and −0.9 once in {often}": (
        "score",
        0.1 - 1 / often,
        lambda rng, n, often=often: np.where(rng.random(n) < 1 / often, -0.9, 0.1),  # type: ignore[misc]
    )
    for often in (5, 10, 20)
}
"""What most prompts say is not what all of them say."""


def at_ceiling(rng: Any, share: float, n: int) -> Any:
    """Scores of which so many are full."""
    return np.where(rng.random(n) < share, 1.0, rng.beta(2, 2, size=n))


MEDIANS: dict[str, tuple[float, Draw]] = {
    "normal": (0.0, lambda rng, n: rng.normal(size=n)),
    "skewed (exponential)": (np.log(2), lambda rng, n: rng.exponential(size=n)),
    "heavily skewed (lognormal)": (1.0, lambda rng, n: rng.lognormal(size=n)),
}
SHARES = ((0.5, 0.5), (0.8, 0.6), (0.95, 0.9), (0.99, 0.96))
EQUALS = ("yes/no", "score", "number", "time")


def ends_of(estimate: Estimate) -> Ends | None:
    if estimate.low is None or estimate.high is None:
        return None
    return estimate.low, estimate.high


def holds(ends: Ends | None, true: float) -> bool:
    return ends is not None and ends[0] <= true <= ends[1]


def of_means(name: str, n: int, runs: int) -> list[float | None]:
    """Coverage of t, studentised bootstrap, BCa, and what is used; how often that is given."""
    kind, true, draw = (MEANS | UNSEEN)[name]
    rng = np.random.default_rng([n, *name.encode()])
    held, given = [0, 0, 0, 0], [0, 0, 0, 0]
    for _ in range(runs):
        values = draw(rng, n).tolist()
        used = statistics.mean_interval(values, kind=kind)
        some = used.differing >= statistics.FEWEST
        boot = studentised(values)
        found: Sequence[Ends | None] = (
            statistics.student(values),
            boot.ends(statistics.LEVEL) if boot else None,
            bca(values, rng),
            ends_of(used) if some else None,
        )
        for at, ends in enumerate(found):
            if ends is not None and not np.isnan(ends[0]):
                given[at] += 1
                held[at] += holds(ends, true)
    return [*(h / g if g else None for h, g in zip(held, given, strict=True)), given[3] / runs]


def bca(values: Sequence[float], rng: Any) -> Ends | None:
    """The bias-corrected and accelerated bootstrap of a mean, which is not in use."""
    if len({*values}) == 1:
        return None
    found = statistics.needed("scipy.stats").bootstrap(
        (values,), np.mean, n_resamples=BCA, method="BCa", rng=rng
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def of_medians(name: str, n: int, runs: int) -> list[float | None]:
    """Coverage of the bootstrap's percentiles, and of what is used."""
    true, draw = MEDIANS[name]
    rng = np.random.default_rng([n, *name.encode()])
    boot = exact = 0
    for _ in range(runs):
        values = draw(rng, n)
        found = np.median(values[rng.integers(0, n, (999, n))], axis=1)
        low, high = np.quantile(found, [0.025, 0.975])
        boot += low <= true <= high
        exact += holds(ends_of(statistics.median_interval(values.tolist())), true)
    return [boot / runs, exact / runs]


def of_shares(shares: tuple[float, float], n: int, runs: int) -> list[float | None]:
    """Coverage of Newcombe's and Wilson's intervals; prompts are hard or easy for both alike."""
    rng = np.random.default_rng([n, *(round(100 * one) for one in shares)])
    both = single = 0
    for _ in range(runs):
        mixed = rng.random(n) < 0.5  # of half of the prompts the answers are linked
        hard = rng.random(n)
        first, second = (np.where(mixed, hard, rng.random(n)) < share for share in shares)
        told = statistics.paired(second.astype(float).tolist(), first.astype(float).tolist())
        both += holds(ends_of(told), shares[0] - shares[1])
        low, high = statistics.wilson(int(first.sum()), n)
        single += low <= shares[0] <= high
    return [both / runs, single / runs]


def of_equals(kind: str, n: int, runs: int) -> list[float | None]:
    """How often one of two equal models is called better."""
    rng = random.Random(f"{kind} {n}")
    draw: dict[str, Callable[[], float]] = {
        "yes/no": lambda: float(rng.random() < 0.7),
        "score": lambda: rng.betavariate(0.5, 0.5),
        "number": lambda: rng.lognormvariate(0, 1),
        "time": lambda: rng.expovariate(1),
    }
    ranked = 0
    for _ in range(runs):
        first, second = ([draw[kind]() for _ in range(n)] for _ in range(2))
        told = statistics.paired(first, second, kind if kind == "time" else None)  # type: ignore[arg-type]
        ranked += not told.holds_zero and told.p is not None and told.p < 0.05
    return [ranked / runs]


FAMILIES: dict[str, Callable[[Any, int], list[Any]]] = {
    "yes/no": lambda rng, n: [(rng.random(n) < 0.7).astype(float) for _ in range(5)],
    "score": lambda rng, n: [rng.beta(0.5, 0.5, size=n) for _ in range(5)],
    "score, equal in the mean only": lambda rng, n: [
        np.full(n, 0.2),
        *(rng.beta(0.5, 2.0, size=n) for _ in range(4)),
    ],
}
"""Five equal models, by one scorer."""


def of_families(kind: str, n: int, runs: int) -> list[float | None]:
    """How often any of five equal models is called better or worse: than the first, without and
    with Holm; by three scorers together; than any, each of the five having been the baseline."""
    rng = np.random.default_rng([n, *kind.encode()])
    wrong, runs = [0, 0, 0, 0], min(runs, 100)  # slow
    for _ in range(runs):
        scorers = [[one.tolist() for one in FAMILIES[kind](rng, n)] for _ in range(3)]
        first, *more = ([statistics.paired(m[0], one) for one in m[1:]] for m in scorers)
        wrong[0] += any(told.p < 0.05 and not told.holds_zero for told in first)  # type: ignore[operator]
        wrong[1] += any_ranked(first)
        wrong[2] += any_ranked([*first, *more[0], *more[1]])
        models = scorers[0]
        wrong[3] += any(
            any_ranked([statistics.paired(base, one) for one in models if one is not base])
            for base in models
        )
    return [one / runs for one in wrong]


def any_ranked(found: Sequence[Estimate]) -> bool:
    adjusted = statistics.holm([one.p or 0.0 for one in found])
    return any(p < 0.05 and not one.holds_zero for one, p in zip(found, adjusted, strict=True))


LOOKS: dict[str, tuple[float | None, Callable[[Any, int], Any]]] = {
    "yes/no": (1.0, lambda rng, n: (rng.random(n) < 0.7) * 1.0 - (rng.random(n) < 0.7)),
    "score": (1.0, lambda rng, n: rng.beta(0.5, 0.5, size=n) - rng.beta(0.5, 0.5, size=n)),
    "score, equal in the mean only": (1.0, UNSEEN["+0.1, and −0.9 once in 10"][2]),
    "number": (None, lambda rng, n: rng.lognormal(size=n) - rng.lognormal(size=n)),
    "time": (None, lambda rng, n: rng.exponential(size=n) - rng.exponential(size=n)),
}
"""Differences of equals, and what bounds them."""


def of_looks(kind: str, n: int, runs: int) -> list[float | None]:
    """How often equals are told apart by n prompts: looking after each, by the sequential test and
    by Student's t; and by Student's t looking twice, at half of them and at all."""
    bound, draw = LOOKS[kind]
    rng = np.random.default_rng([n, *kind.encode()])
    counts = np.arange(1, n + 1)
    reach = statistics.needed("scipy.stats").t.ppf(0.975, np.maximum(counts - 1, 1))
    wrong = peeked = twice = 0
    for _ in range(runs):
        values = draw(rng, n)
        wrong += sequential.look(values.tolist(), bound=bound, ends=False).decided
        means = values.cumsum() / counts
        with np.errstate(all="ignore"):
            deviations = np.sqrt((np.square(values).cumsum() / counts - means**2) / (counts - 1))
            told = np.abs(means) > reach * deviations
        peeked += bool(told[5:].any())
        twice += bool(told[n // 2 - 1] or told[n - 1])
    return [wrong / runs, peeked / runs, twice / runs]


def of_votes(strength: float, n: int, runs: int) -> list[float | None]:
    """Coverage of the strength of one of three over another, a third of the votes ties."""
    rng = np.random.default_rng([n, round(100 * strength)])
    true, held = [0.0, strength, 0.5], 0
    for _ in range(max(runs // 2, 5)):  # slow
        votes = []
        for case in range(n):
            own = np.exp(true)
            for left, right in ((0, 1), (1, 2), (2, 0)):
                tie = 0.7 * np.sqrt(own[left] * own[right])
                at = rng.random() * (own[left] + own[right] + tie)
                won = left if at < own[left] else right if at < own[left] + own[right] else None
                votes.append(strengths.Choice(case, left, right, won))
        one = next(x for x in strengths.bradley_terry(votes) if x.contestant == 1).estimate
        held += holds(ends_of(one), strength)
    return [held / max(runs // 2, 5)]


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] + ["---:"] * (len(heads) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


Plan = tuple[Sequence[str], Callable[..., list[float | None]], Sequence[Any], Sequence[int]]
FEW = (10, 20, 40, 100)
MEAN_HEADS = ("differences", "n", "t", "studentised", "BCa", "**used**", "given")
PLANS: dict[str, Plan] = {
    "means": (MEAN_HEADS, of_means, [*MEANS], SIZES + MANY),
    "unseen": ((*MEAN_HEADS[:5], "used", "given"), of_means, [*UNSEEN], SIZES),
    "medians": (("differences", "n", "bootstrap", "**used**"), of_medians, [*MEDIANS], SIZES[1:]),
    "shares": (("shares", "n", "**Newcombe**", "Wilson"), of_shares, SHARES, SIZES),
    "votes": (("strength", "n", "**used**"), of_votes, (0.0, 1.0, 2.0, 4.0), FEW),
    "equals": (("kind", "n", "ranked"), of_equals, EQUALS, SIZES),
    "families": (
        ("kind", "n", "one by one", "Holm", "three scorers", "any baseline"),
        of_families,
        [*FAMILIES],
        FEW,
    ),
    "looks": (
        ("kind", "n", "sequential test", "peeking", "peeking once"),
        of_looks,
        [*LOOKS],
        FEW,
    ),
}
"""Of each table its heads, what simulates a row, and the rows: kinds and sizes."""


def tables(runs: int, names: Sequence[str] = ()) -> dict[str, str]:
    """Each table by its name; without names all."""
    found = {}
    with ProcessPoolExecutor() as pool:
        for name in names or PLANS:
            heads, simulate, kinds, sizes = PLANS[name]
            jobs = [(kind, n) for kind in kinds for n in sizes]
            cells = pool.map(partial(_one, simulate, runs), jobs)
            found[name] = table(
                heads,
                [
                    [named(kind), str(n), *map(percent, values)]
                    for (kind, n), values in zip(jobs, cells, strict=True)
                ],
            )
    return found


def _one(simulate: Callable[..., list[float | None]], runs: int, job: Any) -> list[float | None]:
    return simulate(*job, runs)


def named(kind: Any) -> str:
    return " and ".join(f"{one:.0%}" for one in kind) if isinstance(kind, tuple) else str(kind)


def written(page: str, found: dict[str, str], runs: int) -> str:
    """The page with its tables, and how exact they are."""
    for name, text in found.items():
        start, mark, rest = page.partition(f"<!-- {name} -->\n")
        _, end, rest = rest.partition("<!-- end -->")
        assert mark, name
        page = f"{start}{mark}\n{text}\n\n{end}{rest}"
    half = 196 * (0.95 * 0.05 / runs) ** 0.5
    return re.sub(r"[\d,]+ runs a cell, ±[\d.]+", f"{runs:,} runs a cell, ±{half:.1f}", page)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    PAGE.write_text(written(PAGE.read_text("utf-8"), tables(runs, sys.argv[2:]), runs), "utf-8")
    print(f"{PAGE.name}: {runs} runs a cell")


if __name__ == "__main__":
    main()
