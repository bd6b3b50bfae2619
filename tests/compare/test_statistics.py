"""Numbers against scipy, published tables and worked examples."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from scipy import stats

from jan_jupyter.compare.stats import resampling, statistics
from jan_jupyter.errors import UsageError

DIFFERENCES = [0.1, 0.1, 0.2, 0.0, 0.3, 0.2, 0.25, -0.05, 0.15, 0.4, -0.1, 0.3]
ZEROS = [0.0] * len(DIFFERENCES)


@pytest.mark.parametrize(
    ("yes", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_is_as_published(yes: int, n: int, low: float, high: float) -> None:
    """Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3."""
    assert statistics.wilson(yes, n) == pytest.approx((low, high), abs=6e-5)


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [
        ((36, 12, 2, 0), 0.0569, 0.3404),
        ((18, 12, 2, 18), 0.0562, 0.3290),
        ((53, 0, 0, 1), -0.0729, 0.0729),
    ],
)
def test_newcombes_paired_interval_is_as_published(
    table: tuple[int, int, int, int], low: float, high: float
) -> None:
    """Newcombe 1998, Statistics in Medicine 17, 2635-2650, method 10."""
    assert statistics.newcombe(*table) == pytest.approx((low, high), abs=6e-5)
    both, first, second, neither = table
    other = statistics.newcombe(both, second, first, neither)
    assert other == pytest.approx((-high, -low), abs=6e-5)


def test_mcnemar_is_that_of_agrestis_approval_ratings() -> None:
    """Agresti, Categorical Data Analysis: 86 and 150 of 1600 changed their minds; z² = 17.36."""
    p = statistics.mcnemar(86, 150)
    assert p == pytest.approx(3.716e-5, rel=1e-3)
    assert p == pytest.approx(stats.chi2.sf((150 - 86) ** 2 / (150 + 86), 1), rel=0.25)
    assert statistics.mcnemar(0, 0) == 1.0


def test_students_interval_is_scipys() -> None:
    found = stats.ttest_1samp(DIFFERENCES, 0).confidence_interval(0.95)
    assert statistics.student(DIFFERENCES) == pytest.approx((found.low, found.high))


def test_the_studentised_bootstrap_nears_students_interval_on_normal_data() -> None:
    values = [float(x) for x in stats.norm.ppf([(i + 0.5) / 60 for i in range(60)])]
    found = ends(values)
    assert found == pytest.approx(statistics.student(values), abs=0.02)


def test_the_studentised_bootstrap_reaches_further_to_where_the_tail_is() -> None:
    values = [float(x) for x in stats.expon.ppf([(i + 0.5) / 15 for i in range(15)])]
    found, plain = ends(values), statistics.student(values)
    assert found[1] > plain[1]
    assert found[0] > plain[0]
    told = statistics.mean_interval(values)
    assert (told.low, told.high) == (plain[0], found[1])


def ends(values: list[float]) -> tuple[float, float]:
    found = resampling.studentised(values)
    assert found is not None
    return found.ends(statistics.LEVEL)


def test_the_studentised_bootstrap_says_where_it_has_no_end() -> None:
    assert resampling.studentised([1.0, *[0.0] * 9]) is None
    assert resampling.studentised([0.5] * 9) is None


def test_from_a_thousand_prompts_on_the_skewness_is_taken_out() -> None:
    """As BCa does it: of skewed data both ends lie further to where the tail is."""
    values = [float(x) for x in stats.expon.ppf([(i + 0.5) / 1000 for i in range(1000)])]
    told = statistics.mean_interval(values)
    assert told.method == "t corrected for skewness"
    found = stats.bootstrap((values,), lambda x, axis: x.mean(axis=axis), rng=1, batch=500)
    low, high = statistics.student(values)
    assert low < (told.low or 0) == pytest.approx(found.confidence_interval.low, abs=0.003)
    assert high < (told.high or 0) == pytest.approx(found.confidence_interval.high, abs=0.003)
    assert "bootstrap" in statistics.mean_interval(values[:-1]).method


@pytest.mark.parametrize("n", [30, 200, 2000])
def test_p_goes_with_the_interval(n: int) -> None:
    """A mean whose interval just leaves out zero has a p of 0.05, or a little more: further out
    the bootstrap may be longer still."""
    rng = random.Random(4)
    values = [rng.expovariate(1) for _ in range(n)]
    told = statistics.mean_interval(values)
    assert told.low is not None
    assert told.high is not None
    for end in (told.low, told.high):
        p = statistics.mean_interval([one - end for one in values]).p
        assert 0.045 < (p or 0) < 0.08


def test_numbers_without_bounds_have_a_wider_interval_of_few() -> None:
    values = DIFFERENCES * 2
    score, number = (statistics.mean_interval(values, kind=k) for k in ("score", "number"))
    assert (number.high or 0) - (number.low or 0) > 1.1 * ((score.high or 0) - (score.low or 0))
    assert "98%" in number.method
    assert "98%" not in score.method
    assert "98%" in statistics.mean_interval(DIFFERENCES).method  # of few, scores have it as well


def test_the_median_has_an_exact_interval() -> None:
    """Of ten values the second and the ninth: 97.9 % (binomial)."""
    told = statistics.median_interval([3, 1, 9, 2, 10, 4, 6, 5, 8, 7])
    assert (told.value, told.low, told.high) == (5.5, 2, 9)
    assert told.p == pytest.approx(2 / 2**10)


def test_permutation_counts_all_signs_of_few() -> None:
    """Of the 2**6 signs only two give a mean as large as all to one side."""
    assert statistics.permutation([0.1, 0.2, 0.1, 0.4, 0.3, 0.2, 0.0]) == pytest.approx(2 / 64)
    assert statistics.permutation([0.0, 0.0]) == 1.0
    wilcoxon = stats.wilcoxon([1, 2, -3, 4, 5, 6, 7, -8, 9], method="exact").pvalue
    assert statistics.permutation([1, 2, -3, 4, 5, 6, 7, -8, 9]) == pytest.approx(wilcoxon)


def test_permutation_of_many_nears_students_test() -> None:
    rng = random.Random(3)
    values = [rng.gauss(0.25, 1) for _ in range(60)]
    p = stats.ttest_1samp(values, 0).pvalue
    assert statistics.permutation(values) == pytest.approx(p, abs=0.012)


def test_permutation_of_plenty_is_students_test() -> None:
    rng = random.Random(3)
    values = [rng.gauss(0.2, 1) for _ in range(resampling.DRAWN + 1)]
    p = statistics.permutation(values)
    assert p == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    assert statistics.permutation(values[1:]) == pytest.approx(p, rel=0.3)


def test_permutation_is_scipys() -> None:
    rng = random.Random(5)
    for n in (8, 13, 40):
        values = [rng.gauss(0.3, 1) for _ in range(n)]
        found = stats.permutation_test(
            (values, [0.0] * n), lambda a, b, axis: (a - b).mean(axis=axis),
            permutation_type="samples", vectorized=True, rng=0,
        )  # fmt: skip
        assert statistics.permutation(values) == pytest.approx(found.pvalue, abs=0.012)


def test_what_lies_further_out_than_any_drawing_has_a_p_of_its_own() -> None:
    """So that the pairs of a hundred models can share it."""
    rng = random.Random(6)
    values = [rng.gauss(2, 1) for _ in range(60)]
    assert statistics.permutation(values) < 1e-12
    assert (statistics.paired([0.0] * 60, values).p or 1) < 1e-6


@pytest.mark.parametrize(
    ("given", "adjusted"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.01, 0.02, 0.03], [0.03, 0.04, 0.04]),
        ([0.9, 0.6], [1.0, 1.0]),
        ([0.04], [0.04]),
        ([], []),
    ],
)
def test_holm_as_worked_by_hand(given: list[float], adjusted: list[float]) -> None:
    assert statistics.holm(given) == pytest.approx(adjusted)


def test_yes_and_no_are_compared_by_those_that_differ() -> None:
    first = [1.0] * 20 + [0.0] * 12 + [1.0] * 2 + [0.0] * 16
    second = [1.0] * 20 + [1.0] * 12 + [0.0] * 2 + [0.0] * 16
    told = statistics.paired(first, second)
    assert told.value == pytest.approx(0.2)
    assert (told.low, told.high) == statistics.newcombe(20, 12, 2, 16)
    assert told.p == pytest.approx(stats.binomtest(12, 14).pvalue)
    assert told.differing == 14


def test_intervals_end_where_scores_do() -> None:
    few = [1.0, 1.0, 0.9, 1.0, 0.2, 1.0]
    plain = statistics.mean_interval(few, kind="score")
    assert plain.low is not None
    assert plain.high is not None
    assert plain.high > 1
    told = statistics.within(plain, 0.0, 1.0)
    assert (told.low, told.high) == (max(plain.low, 0.0), 1.0)
    told = statistics.paired([0.0, 0.0, 0.1, 0.0, 0.9, 0.0], few, "score")
    assert told.low is not None
    assert told.high is not None
    assert -1 <= told.low < told.value < told.high <= 1
    empty = statistics.mean_interval([0.5], kind="score")
    assert statistics.within(empty, 0.0, 1.0) == empty
    wide = statistics.paired([0.0] * 6, [5.0, 6.0, 7.0, 2.0, 9.0, 1.0])
    assert wide.high is not None
    assert wide.high > 1  # other numbers have no bounds


def test_the_kind_of_data_is_seen() -> None:
    assert statistics.kind_of([0.75, 1, 0]) == "score"
    assert statistics.kind_of([True, 0, 1.0]) == "yes/no"
    assert statistics.kind_of([0.3, 7]) == "number"


def test_of_too_few_prompts_that_differ_nothing_is_told() -> None:
    told = statistics.paired([0.5] * 50, [*[0.5] * 45, *[0.9] * 5])
    assert told.holds_zero
    assert told.method == "only 5 differ"
    assert statistics.paired([0.5] * 5, [0.9, 0.8, 0.9, 0.8, 0.7]).low is None


def test_a_difference_that_is_always_the_same_has_no_spread() -> None:
    told = statistics.paired([0.5] * 10, [0.9] * 10)
    assert told.value == pytest.approx(0.4)
    assert not told.holds_zero
    assert told.p == pytest.approx(2 / 2**10)
    assert told.low is not None
    assert told.high is not None
    assert 0.1 < told.low < 0.3 < 0.5 < told.high < 0.7
    many = statistics.paired([0.5] * 100, [0.9] * 100)
    assert told.low < (many.low or 0) < 0.4


def test_of_many_that_are_equal_it_is_told_how_equal() -> None:
    """Scores differ by 1 at most: if none of fifty differs, seven in a hundred may."""
    told = statistics.paired([0.25, 0.5] * 25, [0.25, 0.5] * 25)
    assert (told.low, told.high) == pytest.approx((-0.0713, 0.0713), abs=1e-4)
    assert told.method == "only 0 differ"
    assert statistics.paired([2.5] * 50, [2.5] * 50).low is None  # of numbers nothing is known


def test_what_differs_by_rounding_is_the_same() -> None:
    assert statistics.difference(0.1 + 0.2, 0.3) == 0
    assert statistics.difference(0.3, 0.2) == pytest.approx(0.1)
    assert statistics.spread([0.3 - 0.2, 0.4 - 0.3, 0.1]) == 0
    assert statistics.spread([1.0, 3.0]) == pytest.approx(2**0.5)


def test_how_many_more_would_decide() -> None:
    """Differences of 0.1 with a spread of 0.4 need (1.96 + 0.84)² · 16 + 2 = 128 prompts."""
    estimate = statistics.Estimate(0.1, -0.03, 0.23, 40, "", spread=0.4)
    few, many = statistics.more_needed(estimate) or (0, 0)
    assert few < 128 - 40 < many < 2 * few
    assert few % 1 == many % 10 == 0
    shared = statistics.more_needed(estimate, pairs=3)
    assert shared is not None
    assert shared > (few, many)


def test_that_many_decide_as_often_as_promised() -> None:
    """With the true spread, and the power of scipy's noncentral t."""
    estimate = statistics.Estimate(0.1, -1, 1, 10_000, "", spread=0.4)
    few, many = statistics.more_needed(estimate) or (0, 0)
    n = 10_000 + (few + many) // 2
    assert n > 10_000  # asked of what is decided already: at least one more
    z = 1.959964 + 0.841621
    needed = round((z * 4) ** 2 + 2)
    reach = stats.t.ppf(0.975, needed - 1)
    assert stats.nct.sf(reach, needed - 1, needed**0.5 / 4) == pytest.approx(0.8, abs=0.005)


@pytest.mark.parametrize(("value", "margin"), [(0.0, 0), (0.03, 0), (0.1, 0.15)])
def test_never_where_the_difference_is_practically_nil(value: float, margin: float) -> None:
    estimate = statistics.Estimate(value, -0.1, 0.1, 40, "", spread=0.4)
    assert statistics.more_needed(estimate, margin=margin) is None


def test_pairs_that_are_none_are_refused() -> None:
    with pytest.raises(UsageError, match="one value of each"):
        statistics.paired([1.0], [1.0, 2.0])
    with pytest.raises(UsageError, match="two values"):
        statistics.student([1.0])


def test_without_the_extra_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("scipy", "scipy.stats", "evalica"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match=r"pip install 'jan-jupyter\[compare\]'") as raised:
        statistics.student([1.0, 2.0])
    assert "\n" not in str(raised.value)
    assert not statistics.available()
    assert statistics.mean([1, 2]) == 1.5
    assert statistics.spread([1, 3]) == pytest.approx(2**0.5)
    assert statistics.spread([1]) is None


def test_nothing_heavy_is_imported_before_it_is_asked_for() -> None:
    code = (
        "import sys\n"
        "from jan_jupyter.compare.stats import sequential, statistics as s, verdicts\n"
        "s.available(); s.mean([1, 2]); s.holm([0.1])\n"
        "heavy = {'scipy', 'numpy', 'evalica', 'pandas'}\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} & heavy))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
