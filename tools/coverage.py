"""How often intervals hold what they should: the tables of `docs/statistics.md`.

`python tools/coverage.py [RUNS]` simulates (default 1000 runs a cell, some minutes) and writes
them there. A cell is a percentage; half of its own 95 % interval stands in the text.
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
from jan_jupyter.compare.stats.statistics import Estimate, Kind

PAGE = Path(__file__).parent.parent / "docs" / "statistics.md"
SIZES = (10, 20, 40, 100)
RESAMPLES = 999
"""Of each bootstrap here; fewer than in use, which moves nothing by more than 0.3."""

Ends = tuple[float, float]
Draw = Callable[[Any, int], Any]
STEPS = [-1.0, -0.5, 0.0, 0.5, 1.0]
HOW_OFTEN = [0.05, 0.15, 0.5, 0.2, 0.1]
MEANS: dict[str, tuple[Kind, float, Draw]] = {
    "normal": ("number", 0.0, lambda rng, n: rng.normal(size=n)),
    "skewed (exponential)": ("number", 1.0, lambda rng, n: rng.exponential(size=n)),
    "heavily skewed (lognormal)": ("number", np.exp(0.5), lambda rng, n: rng.lognormal(size=n)),
    "scores, even": ("score", 0.5, lambda rng, n: rng.uniform(size=n)),
    "scores, skewed (beta)": ("score", 0.2, lambda rng, n: rng.beta(0.5, 2.0, size=n)),
    "scores, half of them ties": (
        "score",
        float(np.dot(STEPS, HOW_OFTEN)),
        lambda rng, n: rng.choice(STEPS, p=HOW_OFTEN, size=n),
    ),
}
"""Differences of a kind, their true mean, and how they are drawn."""

MEDIANS: dict[str, tuple[float, Draw]] = {
    "normal": (0.0, lambda rng, n: rng.normal(size=n)),
    "skewed (exponential)": (np.log(2), lambda rng, n: rng.exponential(size=n)),
    "heavily skewed (lognormal)": (1.0, lambda rng, n: rng.lognormal(size=n)),
}
SHARES = ((0.5, 0.5), (0.8, 0.6), (0.95, 0.9))
EQUALS = ("yes/no", "score", "number", "time")


def ends_of(estimate: Estimate) -> Ends | None:
    if estimate.low is None or estimate.high is None:
        return None
    return estimate.low, estimate.high


def holds(ends: Ends | None, true: float) -> bool:
    return ends is not None and ends[0] <= true <= ends[1]


def of_means(name: str, n: int, runs: int) -> list[float | None]:
    """Coverage of t, studentised bootstrap, BCa, and what is used; how often that is given."""
    statistics.RESAMPLES = RESAMPLES
    kind, true, draw = MEANS[name]
    rng = np.random.default_rng([n, *name.encode()])
    held, given = [0, 0, 0, 0], [0, 0, 0, 0]
    for _ in range(runs):
        values = draw(rng, n).tolist()
        used = statistics.mean_interval(values, kind=kind)
        some = used.differing >= statistics.FEWEST
        all_equal = len({*values}) == 1
        found: Sequence[Ends | None] = (
            statistics.student(values),
            None if all_equal else statistics.studentised(values),
            None if all_equal else statistics.bca(values),
            ends_of(used) if some else None,
        )
        for at, ends in enumerate(found):
            if ends is not None and not np.isnan(ends[0]):
                given[at] += 1
                held[at] += holds(ends, true)
    return [*(h / g if g else None for h, g in zip(held, given, strict=True)), given[3] / runs]


def of_medians(name: str, n: int, runs: int) -> list[float | None]:
    """Coverage of the bootstrap's percentiles, and of what is used."""
    true, draw = MEDIANS[name]
    rng = np.random.default_rng([n, *name.encode()])
    boot = exact = 0
    for _ in range(runs):
        values = draw(rng, n)
        found = np.median(values[rng.integers(0, n, (RESAMPLES, n))], axis=1)
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
    """How often one of two equal models is called better; with naive rules, too."""
    statistics.RESAMPLES = RESAMPLES
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


def of_looks(kind: str, n: int, runs: int) -> list[float | None]:
    """How often equals are told apart by n prompts: looking after each, and by Student's t."""
    rng = random.Random(f"{kind} {n}")
    draw: dict[str, Callable[[], float]] = {
        "yes/no": lambda: float((rng.random() < 0.7) - (rng.random() < 0.7)),
        "score": lambda: rng.betavariate(0.5, 0.5) - rng.betavariate(0.5, 0.5),
        "number": lambda: rng.lognormvariate(0, 1) - rng.lognormvariate(0, 1),
        "time": lambda: rng.expovariate(1) - rng.expovariate(1),
    }
    reach = [0.0] * 6 + [
        float(statistics.needed("scipy.stats").t.ppf(0.975, k - 1)) for k in range(6, n + 1)
    ]
    wrong = peeked = 0
    for _ in range(runs):
        values = np.array([draw[kind]() for _ in range(n)])
        wrong += sequential.look(values.tolist()).decided
        counts = np.arange(1, n + 1)
        means = values.cumsum() / counts
        with np.errstate(all="ignore"):
            deviations = np.sqrt((np.square(values).cumsum() / counts - means**2) / (counts - 1))
            peeked += bool((np.abs(means) > np.array(reach[1:]) * deviations)[5:].any())
    return [wrong / runs, peeked / runs]


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


def tables(runs: int, sizes: Sequence[int] = SIZES) -> dict[str, str]:
    """Each table by its name."""
    plans: dict[str, tuple[Sequence[str], Callable[..., list[float | None]], Sequence[Any]]] = {
        "means": (
            ("differences", "n", "t", "studentised", "BCa", "**used**", "given"),
            of_means,
            [*MEANS],
        ),
        "medians": (("differences", "n", "bootstrap", "**used**"), of_medians, [*MEDIANS]),
        "shares": (("shares", "n", "**Newcombe**", "Wilson"), of_shares, SHARES),
        "votes": (("strength", "n", "**used**"), of_votes, (0.0, 1.0, 2.0)),
        "equals": (("kind", "n", "ranked"), of_equals, EQUALS),
        "looks": (("kind", "n", "sequential test", "peeking"), of_looks, EQUALS),
    }
    found = {}
    with ProcessPoolExecutor() as pool:
        for name, (heads, simulate, kinds) in plans.items():
            jobs = [(kind, n) for kind in kinds for n in sizes]
            cells = pool.map(partial(_one, simulate, runs), jobs)
            found[name] = table(
                heads,
                [
                    [_named(kind), str(n), *map(percent, values)]
                    for (kind, n), values in zip(jobs, cells, strict=True)
                ],
            )
    return found


def _one(simulate: Callable[..., list[float | None]], runs: int, job: Any) -> list[float | None]:
    return simulate(*job, runs)


def _named(kind: Any) -> str:
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
    PAGE.write_text(written(PAGE.read_text("utf-8"), tables(runs), runs), "utf-8")
    print(f"{PAGE.name}: {runs} runs a cell")


if __name__ == "__main__":
    main()
