"""Better, worse, can't tell: said of results as a comparison gives them."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from scipy import stats

from jan_jupyter.compare.stats.measured import measured
from jan_jupyter.compare.stats.verdicts import decided, looks, standings, verdicts
from jan_jupyter.compare.values import Call, Case, Contestant, Grid, Result, Row, Score
from jan_jupyter.compare.views import table
from jan_jupyter.compare.views.board import board
from jan_jupyter.errors import UsageError
from jan_jupyter.types import Message, Reply, Timings

Scorer = Callable[[Call], float | bool | None]


def result(
    cases: int,
    score: Scorer,
    *,
    names: Sequence[str] = ("A", "B"),
    repeats: int = 1,
    seconds: Callable[[Call], float] = lambda call: 1.0,
    cold: Callable[[Call], bool] = lambda call: False,
    failed: Callable[[Call], bool] = lambda call: False,
) -> Result:
    grid = Grid(
        tuple(Case(f"p{i}", ((Message("user", f"p{i}"),),)) for i in range(cases)),
        tuple(Contestant(name, name.lower()) for name in names),
        repeats,
    )
    rows = [
        Row(
            call,
            str(call),
            None
            if failed(call)
            else Reply("x", "m", "e", timings=Timings(total=seconds(call), queue=0.25, load=0.25)),
            "Timeout: it took too long." if failed(call) else "",
            cold=cold(call),
            at=float(at),
            scores={} if failed(call) else {"exact": Score(score(call))},
        )
        for at, call in enumerate(grid.calls())
    ]
    return Result(grid, rows)


def right(shares: Sequence[float], seed: int = 1) -> Scorer:
    rng = random.Random(seed)
    return lambda call: rng.random() < shares[call.contestant]


def test_better_and_worse_are_said_with_interval_and_method() -> None:
    (told,) = verdicts(result(60, right([0.3, 0.8])), "exact")
    assert told.word == "better"
    assert told.interval is not None
    assert 0 < told.interval[0] < (told.difference or 0) < told.interval[1]
    assert (told.n, told.left_out, told.pairs) == (60, 0, 1)
    line = str(told)
    assert line.startswith("B is better than A by exact: B − A = +0.")
    assert "60 prompts" in line
    assert "McNemar" in line
    assert "\n" not in line
    (other,) = verdicts(result(60, right([0.3, 0.8])), "exact", baseline="B")
    assert (other.contestant, other.word, other.difference) == ("A", "worse", -told.difference)  # type: ignore[operator]


def test_inside_the_noise_nothing_is_ranked() -> None:
    (told,) = verdicts(result(40, nine_to_five), "exact")
    assert told.word == "can't tell"
    assert told.interval is not None
    assert told.interval[0] <= 0 <= told.interval[1]
    assert told.more is not None
    assert told.more[0] < told.more[1]
    assert str(told).startswith("Can't tell by exact: B − A = ")
    assert f"about {told.more[0]} to {told.more[1]} more prompts would decide." in str(told)


def nine_to_five(call: Call) -> bool:
    """Of forty prompts B alone has nine right, A alone five."""
    return call.case > 20 or (call.case < 9 if call.contestant else 9 <= call.case < 14)


def test_equals_are_told_how_equal_they_are() -> None:
    (told,) = verdicts(result(50, lambda call: call.case % 2 == 0), "exact")
    assert (told.word, told.more) == ("can't tell", None)
    assert told.at_most is not None
    assert 0 < told.at_most < 0.15
    assert f"no difference larger than {told.at_most:.3g} is likely." in str(told)


def test_below_the_margin_no_more_prompts_are_asked_for() -> None:
    given = result(40, nine_to_five)
    (told,) = verdicts(given, "exact", margin=0.5)
    assert (told.word, told.more) == ("can't tell", None)
    assert told.not_worse_by(0.5)
    assert not told.not_worse_by(0.0)


def test_less_is_better_for_seconds_and_waiting_is_not_counted() -> None:
    given = result(20, right([0.5, 0.5]), seconds=lambda c: 2.5 + c.case / 10 - c.contestant)
    (told,) = verdicts(given, "seconds")
    assert told.word == "better"
    assert told.difference == pytest.approx(-1.0)
    assert "−1 s" in str(told)
    assert told.not_worse_by(0.0)
    own = standings(given, "seconds")[0].estimate
    assert own.value == pytest.approx(2.0 + 0.95)  # the median, without queue and load
    assert own.low is not None


def test_times_are_compared_warm_with_warm() -> None:
    given = result(
        20,
        right([0.5, 0.5]),
        repeats=2,
        seconds=lambda c: 60.0 if c.repeat == 0 and c.case < 3 else 1.0 + 0.01 * c.case,
        cold=lambda c: c.case < 3 and (c.repeat == 0 or c.case == 0),
    )
    (told,) = verdicts(given, "seconds")
    assert (told.n, told.left_out) == (19, 1)  # both repeats of the first prompt were cold
    assert standings(given, "seconds")[0].estimate.value < 2


def test_only_pairs_that_both_have_count() -> None:
    def some(call: Call) -> bool | None:
        return None if call.case < 4 and call.contestant == 1 else call.case % 3 == 0

    (told,) = verdicts(result(30, some), "exact")
    assert (told.n, told.left_out) == (26, 4)
    assert "26 prompts; 4 left out" in str(told)
    assert [one.left_out for one in standings(result(30, some), "exact")] == [0, 4]


def hard(call: Call) -> bool:
    """Ten prompts of forty are too hard for A, twenty for B."""
    return call.case >= (20 if call.contestant else 10)


@pytest.mark.parametrize("looked", [False, True])
def test_who_fails_where_it_is_hard_is_not_ahead_by_that(looked: bool) -> None:
    plain = verdicts(result(40, hard), "exact", looked=looked)[0]
    assert (plain.word, plain.at_worst) == ("worse", None)
    # Of the prompts that are too hard for it, all but what A has right as well, B answers none.
    given = result(40, lambda c: hard(c) and not (c.contestant == 0 and c.case >= 28),
                   failed=lambda c: c.contestant == 1 and c.case < 20)  # fmt: skip
    (told,) = verdicts(given, "exact", looked=looked)
    assert (told.n, told.left_out, told.difference) == (20, 20, 0.6)
    assert told.word == "can't tell"
    assert not decided(given, "exact")
    assert told.failed == 20
    assert str(told).endswith(
        "20 calls of B failed or could not be scored, and with them as the worst it is not"
        " ahead: `.retry()` asks for failed ones again."
    )
    (other,) = verdicts(given, "exact", baseline="B", looked=looked)
    assert other.word == "can't tell"


@pytest.mark.parametrize("looked", [False, True])
def test_who_is_ahead_in_spite_of_its_failures_is_called_so(looked: bool) -> None:
    given = result(60, right([0.2, 0.95]), failed=lambda c: c.contestant == 1 and c.case % 20 == 0)
    (told,) = verdicts(given, "exact", looked=looked)
    assert (told.word, told.failed, told.left_out) == ("better", 0, 3)
    assert told.at_worst is not None
    assert told.estimate is not None
    assert told.at_worst.value < told.estimate.value
    # Failures of the one that is behind change nothing.
    given = result(60, right([0.2, 0.95]), failed=lambda c: c.contestant == 0 and c.case % 3 == 0)
    assert verdicts(given, "exact", looked=looked)[0].word == "better"


def test_a_call_that_failed_is_not_fast() -> None:
    """What took longest was given up: of what is left B is faster."""
    given = result(
        30,
        right([0.5, 0.5]),
        seconds=lambda c: 2.0 + c.case / 10 - 0.1 * c.contestant,
        failed=lambda c: c.contestant == 1 and c.case % 3 > 0,
    )
    (told,) = verdicts(given, "seconds")
    assert (told.word, told.failed) == ("can't tell", 20)


def test_repeats_that_failed_count_as_the_worst_of_their_prompt() -> None:
    """Only one of four repeats of B comes through, and that is right."""
    given = result(
        20, lambda c: c.contestant == 1 or c.repeat < 2, repeats=4,
        failed=lambda c: c.contestant == 1 and c.repeat > 0,
    )  # fmt: skip
    (told,) = verdicts(given, "exact")
    assert (told.difference, told.word, told.failed) == (0.5, "can't tell", 60)
    assert told.at_worst is not None
    assert told.at_worst.value == -0.25


def test_what_could_not_be_scored_is_no_reason_to_pass() -> None:
    def some(call: Call) -> bool | None:
        return None if call.contestant and call.case < 20 else True

    (told,) = verdicts(result(60, some), "exact")
    assert told.interval is not None
    assert told.interval[0] > -0.2
    assert not told.not_worse_by(0.2)
    (fine,) = verdicts(result(60, lambda call: True), "exact")
    assert fine.not_worse_by(0.2)


def test_what_is_not_scored_yet_has_not_failed() -> None:
    given = result(20, lambda c: c.contestant == 1)
    rows = [row if row.call.case else Row(row.call, row.key, row.reply) for row in given.rows]
    (told,) = verdicts(Result(given.grid, rows), "exact")
    assert (told.word, told.left_out, told.at_worst, told.at_best) == ("better", 1, None, None)


def test_several_scorers_are_one_question() -> None:
    """Alone p is 2 / 2**6; with a second scorer it is shared by two."""

    def with_noise(given: Result) -> Result:
        more = [
            replace(row, scores={**row.scores, "noise": Score(row.call.case % 2 == 0)})
            for row in given.rows
        ]
        return Result(given.grid, more)

    given = with_noise(result(30, lambda c: c.case > 20 or (c.contestant == 1 and c.case < 6)))
    (alone,) = verdicts(given, "exact")
    assert (alone.word, alone.pairs) == ("better", 1)
    assert alone.p == pytest.approx(2 / 2**6)
    both = verdicts(given, ["exact", "noise"])
    assert [one.scorer for one in both] == ["exact", "noise"]
    assert (both[0].word, both[0].pairs) == ("can't tell", 2)
    assert both[0].p == pytest.approx(4 / 2**6)


def test_roundings_of_means_are_no_differences() -> None:
    """The same three scores in another order are the same."""
    scores = [0.1, 0.2, 0.3]
    given = result(20, lambda c: scores[c.repeat if c.contestant else 2 - c.repeat], repeats=3)
    (told,) = verdicts(given, "exact")
    assert told.estimate is not None
    assert told.estimate.differing == 0
    assert told.difference == 0


def test_what_is_no_number_does_not_count() -> None:
    def some(call: Call) -> float:
        return math.nan if call.case == 0 else math.inf if call.case == 1 else call.case / 10

    (told,) = verdicts(result(10, some), "exact")
    assert (told.n, told.left_out, told.difference) == (8, 2, 0)


def test_nothing_in_common_is_said() -> None:
    (told,) = verdicts(result(5, lambda c: True if c.contestant == c.case % 2 else None), "exact")
    assert (told.word, told.estimate, told.n) == ("can't tell", None, 0)
    assert str(told) == "Nothing to compare: no prompt has exact of both B and A; 5 left out."


def test_one_prompt_can_be_shown() -> None:
    (told,) = verdicts(result(1, lambda c: 0.25 * c.contestant + 0.5), "exact")
    assert told.word == "can't tell"
    assert "1 prompt;" in str(told)


def test_repeats_are_one_unit_however_many() -> None:
    """Four copies of the same answers tell no more than one."""
    rng = random.Random(4)
    known = {(case, at): rng.random() for case in range(12) for at in range(2)}
    one, four = (
        verdicts(result(12, lambda c: known[c.case, c.contestant], repeats=n), "exact")[0]
        for n in (1, 4)
    )
    assert four.n == one.n == 12
    assert four.interval == one.interval


def test_over_many_pairs_chance_is_not_called_better() -> None:
    names = [f"M{i}" for i in range(9)]
    flips = {1: range(6)}  # alone p = 0.03, of eight 0.25

    def score(call: Call) -> bool:
        return call.case in flips.get(call.contestant, ()) or call.case > 20

    first, *_ = verdicts(result(30, score, names=names), "exact")
    assert first.estimate is not None
    assert first.estimate.p == pytest.approx(2 / 2**6)
    assert not first.estimate.holds_zero
    assert first.p == pytest.approx(8 * 2 / 2**6)
    assert first.word == "can't tell"
    assert "(Holm, 8 pairs)" in str(first)
    (alone,) = verdicts(result(30, score, names=names[:2]), "exact")
    assert alone.word == "better"


def test_without_the_extra_there_is_no_word_of_ranking(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("scipy", "scipy.stats", "evalica"):
        monkeypatch.setitem(sys.modules, name, None)
    given = result(60, right([0.3, 0.8]))
    (told,) = verdicts(given, "exact")
    assert (told.word, told.interval, told.p, told.more) == ("", None, None, None)
    line = str(told)
    assert line.startswith("exact: B 0.")
    assert "±" in line
    assert line.endswith("`pip install 'jan-jupyter[compare]'`.")
    assert not {"better", "worse", "can't tell"} & set(line.partition("To tell")[0].split())
    assert standings(given, "exact")[0].estimate.low is None
    three = result(9, right([0.3, 0.8, 0.5]), names="ABC")
    said = table.verdicts(board(three, verdicts(three, "exact")))
    assert [line.count("pip install") for line in said] == [0, 1]


def test_what_is_not_there_is_told_with_what_is() -> None:
    given = result(3, right([0.5, 0.5]))
    with pytest.raises(UsageError, match="'bleu'; there are: exact, seconds"):
        verdicts(given, "bleu")
    with pytest.raises(UsageError, match="No contestant 'Z' is in this comparison: A, B"):
        verdicts(given, "exact", baseline="Z")
    with pytest.raises(UsageError, match="No contestant 7"):
        verdicts(given, "exact", baseline=7)


def test_what_counts_comes_in_the_order_in_which_it_is_asked() -> None:
    """Up to the first prompt of which something is to come: who is fast has no more of them."""
    given = result(6, lambda c: c.case * c.contestant, repeats=2)
    rows = [row for row in given.rows if row.call != Call(3, 0, 1) and row.call.case != 5]
    seen = measured(Result(given.grid, [*reversed(rows)]), "exact")
    assert [*seen.settled(1, 0)] == [0, 1, 2]
    (told,) = looks(Result(given.grid, rows), "exact")
    assert told.n == 3


def test_a_summary_of_many_rows_is_one_pass() -> None:
    """Ten thousand rows: each is looked at a few times, not once for each cell."""
    looked = 0

    class Counting(Sequence[Row]):
        def __init__(self, rows: Sequence[Row]) -> None:
            self.rows = rows

        def __len__(self) -> int:
            return len(self.rows)

        def __getitem__(self, at: int) -> Row:  # type: ignore[override]
            nonlocal looked
            looked += 1
            return self.rows[at]

    given = result(200, right([0.5] * 10), names=[f"M{i}" for i in range(10)])
    assert len(verdicts(Result(given.grid, Counting(given.rows)), "exact")) == 9
    assert looked <= 3 * len(given.rows) + 3


def test_a_test_that_may_be_looked_at_ends_early_and_says_so() -> None:
    given = result(40, right([0.2, 0.9]))
    assert decided(given, "exact")
    (told,) = verdicts(given, "exact", looked=True)
    assert (told.word, told.method) == ("better", "sequential test")
    (plain,) = verdicts(given, "exact")
    assert told.interval is not None
    assert plain.interval is not None
    assert told.interval[0] < plain.interval[0]
    assert told.interval[1] > plain.interval[1]
    assert told.p is not None
    assert plain.p is not None
    assert plain.p < told.p < 0.05
    early = result(3, right([0.2, 0.9]))
    assert not decided(early, "exact")
    assert not decided(result(9, right([1.0]), names="A"), "exact")
    assert verdicts(early, "exact", looked=True)[0].word == "can't tell"


def test_looking_again_and_again_shares_its_errors_over_the_pairs() -> None:
    """Eight of eight are enough for one pair, and not for each of four."""

    def score(call: Call) -> bool:
        return call.contestant == 1

    assert verdicts(result(8, score), "exact", looked=True)[0].word == "better"
    first, *others = verdicts(result(8, score, names="ABCDE"), "exact", looked=True)
    assert [one.word for one in (first, *others)] == ["can't tell"] * 4
    assert "(shared by 4 pairs)" in str(first)
    assert not decided(result(8, score, names="ABCDE"), "exact")


def test_with_a_margin_it_is_decided_that_there_is_no_such_difference() -> None:
    given = result(150, lambda call: call.case % 2 == 0)
    assert not decided(given, "exact")
    assert decided(given, "exact", margin=0.3)
    (told,) = verdicts(given, "exact", margin=0.3, looked=True)
    assert told.word == "can't tell"
    assert told.at_most is not None
    assert told.at_most <= 0.3
    assert "no difference larger than" in str(told)


def test_seconds_are_decided_without_bounds() -> None:
    given = result(20, right([0.5, 0.5]), seconds=lambda c: 3.0 - c.contestant + c.case / 100)
    assert decided(given, "seconds")
    (told,) = verdicts(given, "seconds", looked=True)
    assert (told.word, told.interval) == ("better", None)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["yes/no", "score", "number", "repeats"])
@pytest.mark.parametrize("cases", [10, 40])
def test_equals_are_seldom_ranked(kind: str, cases: int) -> None:
    """Of three equal models, two pairs: at most one comparison in twenty ranks any of them."""
    rng, wrong, runs = random.Random(f"{kind}{cases}"), 0, 200
    draw: Scorer = {
        "yes/no": lambda call: rng.random() < 0.7,
        "score": lambda call: rng.betavariate(0.5, 0.5),
        "number": lambda call: rng.lognormvariate(0, 1),
        "repeats": lambda call: rng.random() < 0.4 + 0.05 * (call.case % 10),
    }[kind]
    for _ in range(runs):
        given = result(cases, draw, names="ABC", repeats=3 if kind == "repeats" else 1)
        wrong += any(one.word != "can't tell" for one in verdicts(given, "exact"))
    assert wrong / runs <= float(stats.binom.ppf(0.999, runs, 0.05)) / runs
