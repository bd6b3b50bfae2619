"""Looking after each prompt: errs rarely, where looking at a fixed interval does not."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from jan_jupyter.compare.deciding import Deciding
from jan_jupyter.compare.stats import sequential, statistics
from jan_jupyter.compare.stats.sequential import look
from jan_jupyter.compare.values import Case, Contestant, Grid, Result, Row, Score
from jan_jupyter.types import Message
from support.marks import LONG


def yes_no(rng: random.Random, one: float, other: float) -> float:
    return float((rng.random() < one) - (rng.random() < other))


def test_a_clear_difference_is_seen_early() -> None:
    rng = random.Random(1)
    given = [rng.gauss(1.0, 1.0) for _ in range(100)]
    stopped = next(n for n in range(101) if look(given[:n]).decided)
    assert stopped < 30
    assert look(given[:stopped]).word == "higher"
    assert look([-one for one in given[:stopped]]).word == "lower"


def test_eight_of_eight_are_enough_and_seven_are_not() -> None:
    assert look([1.0] * 7).word == "go on"
    assert look([1.0] * 8).word == "higher"
    assert look([1.0] * 8, pairs=5).word == "go on"


def test_what_was_decided_stays_so() -> None:
    given = [1.0] * 8 + [-1.0] * 8
    assert look(given).word == "higher"


def test_the_sizes_units_do_not_matter() -> None:
    rng = random.Random(2)
    given = [rng.gauss(0.4, 1.0) for _ in range(30)]
    assert look([one * 1e-6 for one in given]).evidence == pytest.approx(look(given).evidence)
    assert look([one * 1e6 for one in given]).evidence == pytest.approx(look(given).evidence)


def test_ties_tell_nothing() -> None:
    assert look([0.0] * 1000).evidence == 1
    with_ties = [one for pair in zip([0.5, -0.2, 0.3], [0.0] * 3, strict=True) for one in pair]
    assert look(with_ties).evidence == look([0.5, -0.2, 0.3]).evidence
    assert look([]).word == "go on"


def test_each_bet_is_fair() -> None:
    """Over all signs of given sizes the money is 1 on the average, after each prompt."""
    sizes = [0.3, 1.0, 0.1, 5.0, 0.7]
    paths = [
        sequential._path([a * b for a, b in zip(sizes, signs, strict=True)])
        for signs in itertools.product((-1, 1), repeat=len(sizes))
    ]
    for step in zip(*paths, strict=True):
        assert sum(step) / len(step) == pytest.approx(1.0)


def test_scores_are_tested_by_their_mean_and_not_by_how_many_gain() -> None:
    """Nine prompts of ten gain a tenth and one loses all of it: many gain, and nothing is gained.
    Signs alone, as where there is no bound, would soon say higher."""
    given = ([0.1] * 9 + [-0.9]) * 20
    assert look(given, bound=1.0).word == "go on"
    assert look(given).word == "higher"


def test_the_word_and_the_interval_of_scores_are_one() -> None:
    rng = random.Random(3)
    for _ in range(20):
        given = [rng.betavariate(2, 1) - rng.betavariate(1, 1) for _ in range(25)]
        seen = look(given, bound=1.0)
        assert (seen.word == "higher") == (seen.low > 0)
        assert (seen.word == "lower") == (seen.high < 0)
        assert look(given, bound=1.0, ends=False) == replace(
            seen, low=-float("inf"), high=float("inf")
        )


def test_a_margin_ends_it_when_no_larger_difference_is_left() -> None:
    given = [0.0, 0.1, -0.1] * 40
    assert look(given, margin=0.25, bound=1.0).word == "no difference"
    assert look(given, margin=0.25).word == "go on"  # a time has no bound
    assert look([0.0] * 6, margin=0.2, bound=1.0).word == "go on"  # so few say little
    seen = look(given, bound=1.0)
    assert -0.25 < seen.low < 0 < seen.high < 0.25
    low, high = statistics.student(given)
    assert seen.low < low
    assert seen.high > high


def test_huge_sizes_break_nothing() -> None:
    assert look([1e-300, 1e150, -1e150, 5.0] * 50).evidence >= 1


BOUNDS = {"yes/no": 1.0, "ties": 1.0, "gain and loss": 1.0}


def errors(kind: str, runs: int, prompts: int, seed: int) -> tuple[float, float]:
    """How often equals are told apart: by the sequential test, by peeking at Student's interval."""
    rng = random.Random(seed)
    kinds: dict[str, Callable[[], float]] = {
        "normal": lambda: rng.gauss(0, 1),
        "skewed": lambda: rng.expovariate(1) - rng.expovariate(1),
        "heavy": lambda: rng.gauss(0, 1) / (abs(rng.gauss(0, 1)) + 1e-9),
        "yes/no": lambda: yes_no(rng, 0.6, 0.6),
        "gain and loss": lambda: 0.1 if rng.random() < 0.9 else -0.9,
        "ties": lambda: rng.choice([0, 0, 0, 0, 1, -1, 0.5, -0.5]),
    }
    draw = kinds[kind]
    reach = {n: float(statistics.needed("scipy.stats").t.ppf(0.975, n - 1)) for n in range(6, 201)}
    wrong = peeked = 0
    for _ in range(runs):
        given = [draw() for _ in range(prompts)]
        wrong += look(given, bound=BOUNDS.get(kind)).decided
        total, squares, found = sum(given[:5]), sum(x * x for x in given[:5]), False
        for n in range(6, prompts + 1):
            total, squares = total + given[n - 1], squares + given[n - 1] ** 2
            variance = (squares - total * total / n) / (n - 1)
            found = found or (variance > 0 and abs(total / n) > reach[n] * (variance / n) ** 0.5)
        peeked += found
    return wrong / runs, peeked / runs


def most(share: float, runs: int) -> float:
    """The share that `runs` do not pass once in a thousand if the true one is `share`."""
    return float(statistics.needed("scipy.stats").binom.ppf(0.999, runs, share)) / runs


def test_equals_are_seldom_told_apart_and_peeking_does_so_often() -> None:
    wrong, peeked = errors("normal", 150, 100, seed=5)
    assert wrong <= most(0.05, 150)
    assert peeked > most(0.05, 150)


@pytest.mark.parametrize(
    "runs", [pytest.param(200, marks=pytest.mark.slow), pytest.param(1500, marks=LONG)]
)
@pytest.mark.parametrize("kind", ["normal", "skewed", "heavy", "yes/no", "ties", "gain and loss"])
def test_the_error_rate_is_kept_for_all_kinds_of_data(kind: str, runs: int) -> None:
    wrong, peeked = errors(kind, runs, 200, seed=7)
    assert wrong <= most(0.05, runs)
    if kind != "heavy":  # Student's t itself is shy there
        assert peeked > 2 * most(0.05, runs)


@pytest.mark.parametrize(
    "runs", [pytest.param(100, marks=pytest.mark.slow), pytest.param(400, marks=LONG)]
)
@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.8, 0.6), (0.95, 0.9)])
def test_the_intervals_hold_at_all_looks_at_once(shares: tuple[float, float], runs: int) -> None:
    rng, missed = random.Random(11), 0
    for _ in range(runs):
        given = [yes_no(rng, *shares) for _ in range(150)]
        seen = look(given, bound=1.0)
        missed += not seen.low <= shares[0] - shares[1] <= seen.high
    assert missed / runs <= most(0.05, runs)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("repeats", [1, 3])
def test_who_is_fast_or_asked_easy_ones_first_is_not_ahead_by_that(repeats: int) -> None:
    """Two equal models, asked of easy prompts first, four at once; A is slow where it is wrong, B
    is fast: looking after every row, as the rows of a run come."""
    rng, wrong, runs, cases = random.Random(9), 0, 150, 40
    grid = Grid(
        tuple(Case(f"p{n}", ((Message("user", "?"),),)) for n in range(cases)),
        (Contestant("A", "a"), Contestant("B", "b")),
        repeats,
    )
    for _ in range(runs):
        free, rows = {0: [0.0] * 4, 1: [0.0] * 4}, []
        for call in grid.calls():
            right = rng.random() < 0.9 - 0.8 * call.case / cases
            took = 0.1 if call.contestant else (1.0 if right else 20.0)
            slot = min(range(4), key=free[call.contestant].__getitem__)
            free[call.contestant][slot] += took
            at = free[call.contestant][slot]
            rows.append(Row(call, "", None, at=at, scores={"exact": Score(right)}))
        rows.sort(key=lambda row: row.at)
        deciding = Deciding(grid, "exact")
        wrong += any(
            deciding.add(row) and deciding.decided(Result(grid, rows[: at + 1]))
            for at, row in enumerate(rows)
        )
    assert wrong / runs <= most(0.05, runs)
