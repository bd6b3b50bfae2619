"""Strengths from votes, position bias, and the agreement of who votes."""

from __future__ import annotations

import math
import random
import sys

import pytest
from scipy import stats

from jan_jupyter.compare.scoring.votes import Side, Vote
from jan_jupyter.compare.stats.statistics import alpha
from jan_jupyter.compare.stats.strengths import GROUPS, Choice, bradley_terry, left_wins
from jan_jupyter.errors import UsageError


def votes(wins: int, losses: int, ties: int) -> list[Choice]:
    """Of contestant 1 against 0, a prompt each."""
    winners = [1] * wins + [0] * losses + [None] * ties
    return [Choice(case, case % 2, 1 - case % 2, who) for case, who in enumerate(winners)]


@pytest.mark.parametrize(("wins", "losses", "ties"), [(7, 3, 0), (30, 10, 0), (5, 2, 3), (8, 8, 9)])
def test_of_two_the_strength_is_the_odds_to_win(wins: int, losses: int, ties: int) -> None:
    """Of two contestants the fit has a closed form; ties say nothing of who is stronger."""
    found = {one.contestant: one for one in bradley_terry(votes(wins, losses, ties))}
    expected = math.log((wins + 0.25) / (losses + 0.25))
    assert found[1].estimate.value == pytest.approx(expected, abs=1e-4)
    assert found[0].estimate.value == 0
    assert found[0].estimate.low is None


def test_ties_are_ties_not_half_wins() -> None:
    """As half wins ten ties would pull the odds from 6 : 2 to 11 : 7."""
    with_ties, without = (bradley_terry(votes(6, 2, ties))[0].estimate.value for ties in (10, 0))
    assert with_ties == pytest.approx(without, abs=1e-3)


def test_three_are_as_strong_as_they_were_made() -> None:
    rng, true = random.Random(2), {0: 0.0, 1: 0.8, 2: -0.6}
    given = []
    for case in range(400):
        for left, right in ((0, 1), (1, 2), (2, 0)):
            one, other = math.exp(true[left]), math.exp(true[right])
            tie = 0.6 * math.sqrt(one * other)
            drawn = rng.random() * (one + other + tie)
            given.append(
                Choice(
                    case,
                    left,
                    right,
                    left if drawn < one else right if drawn < one + other else None,
                )
            )
    found = bradley_terry(given)
    assert [one.contestant for one in found] == [1, 0, 2]
    for told in found:
        assert told.estimate.value == pytest.approx(true[told.contestant], abs=0.25)
        assert told.ahead == (told.estimate.value > 0) - (told.estimate.value < 0)
        if told.contestant:
            assert told.estimate.low is not None
            assert told.estimate.high is not None
            assert told.estimate.low < true[told.contestant] < told.estimate.high


def test_inside_the_noise_nobody_is_ahead() -> None:
    (first, *_) = bradley_terry(votes(9, 6, 5))
    assert first.contestant == 1
    assert first.estimate.holds_zero
    assert first.ahead == 0


def test_who_wins_all_is_ahead_without_end() -> None:
    first, _ = bradley_terry(votes(20, 0, 0))
    assert (first.contestant, first.ahead) == (1, 1)
    assert math.isfinite(first.estimate.value)
    assert first.estimate.high == math.inf
    assert 0 < (first.estimate.low or 0) < first.estimate.value
    few, _ = bradley_terry(votes(5, 0, 0))
    assert (few.ahead, few.estimate.low) == (0, None)


def test_who_never_lost_may_be_far_stronger_and_who_never_won_far_weaker() -> None:
    """Also where others are voted on: 2 has beaten all, 0 has beaten 1 only."""
    given = []
    for case in range(12):
        mixed = 0 if case % 3 else 1
        given += [Choice(case, 0, 1, mixed), Choice(case, 0, 2, 2), Choice(case, 2, 1, 2)]
    found = {one.contestant: one for one in bradley_terry(given)}
    assert found[2].estimate.high == math.inf
    assert found[2].ahead == 1
    assert math.isfinite(found[1].estimate.high or 0)
    for told in bradley_terry(given, baseline=2):
        if told.contestant != 2:
            assert told.estimate.low == -math.inf
            assert told.ahead == -1


def test_of_many_contestants_chance_puts_nobody_ahead() -> None:
    """Fourteen of seventeen won is enough against one, and not against one of six."""
    alone = votes(14, 3, 0)
    (first, _) = bradley_terry(alone)
    assert (first.contestant, first.ahead) == (1, 1)
    others = [
        Choice(case, 0, other, 0 if case % 2 else other)
        for case in range(17)
        for other in range(2, 7)
    ]
    first = next(one for one in bradley_terry([*alone, *others]) if one.contestant == 1)
    assert not first.estimate.holds_zero
    assert first.ahead == 0


def test_of_many_prompts_groups_are_left_out() -> None:
    rng = random.Random(7)
    given = [Choice(c, 0, 1, 1 if rng.random() < 0.6 else 0) for c in range(GROUPS * 8)]
    told = next(one for one in bradley_terry(given) if one.contestant == 1).estimate
    share = sum(vote.winner == 1 for vote in given) / len(given)
    half = 1.96 / math.sqrt(len(given) * share * (1 - share))  # of log odds, by the delta method
    assert told.low is not None
    assert told.high is not None
    assert (told.high - told.low) / 2 == pytest.approx(half, rel=0.25)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("cases", [10, 20])
def test_equals_are_seldom_put_ahead(cases: int) -> None:
    """Of five equals anybody, once in twenty times at most."""
    rng, wrong, runs = random.Random(cases), 0, 200
    for _ in range(runs):
        given = [
            Choice(case, left, right, rng.choice([left, right, None]))
            for case in range(cases)
            for left in range(5)
            for right in range(left)
        ]
        wrong += any(one.ahead for one in bradley_terry(given))
    assert wrong / runs <= float(stats.binom.ppf(0.999, runs, 0.05)) / runs


def test_many_votes_on_few_prompts_are_few() -> None:
    """The unit is the prompt: the same votes four times over tell nothing new."""
    once = votes(9, 4, 2)
    many = [vote for vote in once for _ in range(4)]
    one, four = (bradley_terry(given)[0].estimate for given in (once, many))
    assert four.n == one.n == 15
    assert (four.high or 0) - (four.low or 0) == pytest.approx(
        (one.high or 0) - (one.low or 0), rel=0.1
    )


def test_votes_of_a_comparison_are_ballots() -> None:
    sides: list[Side] = [
        "right",
        "right",
        "right",
        "right",
        "right",
        "right",
        "right",
        "left",
        "left",
        "tie",
        "both_bad",
    ]
    given = [Vote(case, 0, 1, side, "me") for case, side in enumerate(sides)]
    plain = [Choice(one.case, one.left, one.right, one.winner) for one in given]
    assert bradley_terry(given) == bradley_terry(plain)
    assert left_wins(given).value == pytest.approx(2 / 9)


def test_what_is_not_connected_cannot_be_ranked() -> None:
    given = [Choice(0, 0, 1, 0), Choice(1, 2, 3, 2)]
    with pytest.raises(UsageError, match="no votes that connect"):
        bradley_terry(given)
    with pytest.raises(UsageError, match="no votes that connect"):
        bradley_terry([])
    with pytest.raises(UsageError, match="no votes that connect"):
        bradley_terry([Choice(0, 1, 2, 1)], baseline=0)


def test_position_bias_is_the_share_of_left_wins() -> None:
    given = [Choice(i, 0, 1, 0 if i < 18 else 1) for i in range(20)] + [Choice(99, 0, 1, None)]
    told = left_wins(given)
    assert (told.value, told.n) == (0.9, 20)
    assert told.low is not None
    assert told.low > 0.5
    assert told.p == pytest.approx(4.025e-4, rel=1e-3)
    assert left_wins([Choice(0, 0, 1, None)]).n == 0


_: None = None
KRIPPENDORFF: list[list[float | None]] = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
    [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
]


@pytest.mark.parametrize(
    ("level", "value"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_alpha_is_as_published(level: str, value: float) -> None:
    """Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, its example of section D."""
    told = alpha(KRIPPENDORFF, level)  # type: ignore[arg-type]
    assert told.value == pytest.approx(value, abs=5e-4)
    assert told.n == 11  # the last unit has one value only
    assert told.low is None


def test_alpha_has_an_interval_where_there_are_units_enough() -> None:
    rng = random.Random(2)
    truth = [rng.choice(["left", "right", "tie"]) for _ in range(80)]
    others = [one if rng.random() < 0.8 else rng.choice(["left", "right", "tie"]) for one in truth]
    told = alpha([truth, others])
    assert told.low is not None
    assert told.high is not None
    assert 0.4 < told.low < told.value < told.high < 1
    assert alpha([truth, truth]).value == 1.0
    assert alpha([truth, truth]).low is None


def test_alpha_of_nothing_in_common_is_refused() -> None:
    with pytest.raises(UsageError, match="two raters"):
        alpha([["a", None], [None, "b"]])
    with pytest.raises(UsageError, match="two raters"):
        alpha([])


def test_without_the_extra_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "evalica", None)
    with pytest.raises(UsageError, match=r"evalica: `pip install 'jan-jupyter\[compare\]'`"):
        bradley_terry(votes(3, 2, 1))
