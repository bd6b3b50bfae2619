"""Repeats of one prompt."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jan_jupyter.compare.stats.repeats import (
    consistency,
    first_difference,
    pass_all,
    pass_at,
    stability,
)
from jan_jupyter.errors import UsageError


@pytest.mark.parametrize(("n", "right"), [(5, 0), (5, 2), (5, 5), (4, 1), (1, 1)])
def test_pass_counts_all_ways_to_take_k_of_n(n: int, right: int) -> None:
    answers = [True] * right + [False] * (n - right)
    for k in range(1, n + 1):
        taken = [*itertools.combinations(answers, k)]
        assert pass_at(n, right, k) == pytest.approx(sum(map(any, taken)) / len(taken))
        assert pass_all(n, right, k) == pytest.approx(sum(map(all, taken)) / len(taken))


def test_pass_of_what_cannot_be_taken_is_refused() -> None:
    for n, right, k in ((3, 4, 1), (3, 1, 4), (3, 1, 0), (0, 0, 1)):
        with pytest.raises(UsageError, match="can be taken"):
            pass_at(n, right, k)


def test_consistency_is_the_share_of_equal_pairs() -> None:
    assert consistency(["a", "a", "b", "a"]) == pytest.approx(3 / 6)
    assert consistency([1, 1]) == 1.0
    assert consistency([True, False]) == 0.0
    assert consistency(["a"]) is None


LONG = "The quick brown fox jumps over the lazy dog near the old river bank at dawn"


def test_identical_answers_are_collapsed_and_near_ones_clustered() -> None:
    near = LONG.replace("old", "wide")
    found = stability(["Something else entirely.", LONG, near, LONG, LONG])
    assert [str(one) for one in found.variants] == [f"{LONG} ×3", "Something else entirely.", near]
    assert [[one.text for one in cluster] for cluster in found.clusters] == [
        [LONG, near],
        ["Something else entirely."],
    ]
    assert found.variants[0].repeats == (1, 3, 4)
    assert found.n == 5
    assert found.identical == pytest.approx(3 / 10)
    assert found.alike == pytest.approx(6 / 10)


def test_one_answer_or_none_is_neither_stable_nor_not() -> None:
    assert stability([]).clusters == ()
    assert stability(["x"]).identical is None
    assert stability(["x", "x"]).identical == 1.0
    assert stability(["", ""]).variants[0].count == 2


@given(st.lists(st.text("ab ", max_size=6), max_size=8))
def test_every_repeat_is_in_one_variant(texts: list[str]) -> None:
    found = stability(texts)
    assert sorted(at for one in found.variants for at in one.repeats) == [*range(len(texts))]
    assert {one.text for one in found.variants} == {*texts}
    assert (found.alike or 0) >= (found.identical or 0)


@given(st.lists(st.text("ab", max_size=5), min_size=2, max_size=5))
def test_answers_are_the_same_up_to_where_they_part(texts: list[str]) -> None:
    at = first_difference(texts)
    if at is None:
        assert len({*texts}) == 1
    else:
        assert len({text[:at] for text in texts}) == 1
        assert len({text[at : at + 1] for text in texts}) > 1
