"""The intervals that are used hold what they say; the tables of the page are theirs."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from scipy import stats

from jan_jupyter.compare.stats import statistics
from support.marks import LONG

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "statistics.md").read_text("utf-8")
LEAST = 0.93
"""What covers less is not used to rank."""


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("coverage_tables", ROOT / "tools/coverage.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tables = script()


def rows(name: str) -> list[dict[str, str]]:
    """A table of the page: each row by its heads."""
    text = PAGE.partition(f"<!-- {name} -->\n")[2].partition("<!-- end -->")[0]
    heads, _, *lines = (
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.strip().splitlines()
    )
    return [dict(zip(heads, line, strict=True)) for line in lines]


def runs() -> int:
    found = re.search(r"([\d,]+) runs a cell", PAGE)
    assert found
    return int(found[1].replace(",", ""))


def chance(share: float, n: int) -> float:
    """How far below a true share a simulation of n runs may be, once in a thousand."""
    return share - float(stats.binom.ppf(0.001, n, share)) / n


def used(name: str) -> list[tuple[dict[str, str], float, int]]:
    """The cells of the bold columns of a table: row, share, and of how many runs."""
    found = []
    for row in rows(name):
        of = runs() // (2 if name == "votes" else 1)
        given = float(row.get("given", "100")) / 100
        for head, value in row.items():
            if head.startswith("**") and value != "–":
                found.append((row, float(value) / 100, round(of * given)))
    return found


@pytest.mark.parametrize("name", ["means", "medians", "shares", "votes"])
def test_what_is_used_covers_what_it_must_at_every_n_and_kind_of_data(name: str) -> None:
    assert runs() >= 1000
    found = used(name)
    kinds, sizes = tables.PLANS[name][2:]
    assert len(rows(name)) == len(kinds) * len(sizes)
    assert {row["n"] for row, *_ in found} >= {str(n) for n in sizes if n >= statistics.FEWEST}
    low = [(row, share) for row, share, n in found if share < LEAST - chance(LEAST, n)]
    assert not low


def test_below_a_hundred_bca_is_not_used_for_it_covers_less() -> None:
    few = [row for row in rows("means") if row["n"] == "10"]
    assert sum(float(row["BCa"]) < 93 for row in few) >= 4


def test_equals_are_ranked_once_in_twenty_at_most() -> None:
    heads = {"equals": ["ranked"], "families": ["Holm", "three scorers"]}
    for name, columns in {**heads, "looks": ["sequential test"]}.items():
        kinds, sizes = tables.PLANS[name][2:]
        assert len(rows(name)) == len(kinds) * len(sizes)
        for row in rows(name):
            for column in columns:
                of = min(runs(), 100) if name == "families" else runs()
                assert float(row[column]) / 100 <= 0.05 + chance(0.95, of), row
    assert max(float(row["one by one"]) for row in rows("families")) > 10
    assert max(float(row["peeking"]) for row in rows("looks")) > 15


def test_what_has_not_happened_yet_is_in_no_interval() -> None:
    """The page says how far from what they say intervals are there, and that does not get lost."""
    few = [float(row["used"]) for row in rows("unseen") if row["n"] in ("8", "10", "20")]
    assert min(few) < 75


def test_the_page_is_what_the_script_makes() -> None:
    """Some cells, simulated anew with the page's seeds and runs: to the digit."""
    cells = [("shares", 1, 10), ("looks", 0, 10), ("looks", 2, 20), ("medians", 0, 8)]
    for name, kind, n in cells:
        heads, simulate, kinds, _ = tables.PLANS[name]
        made = [tables.percent(one) for one in simulate(kinds[kind], n, runs())]
        (row,) = (
            one
            for one in rows(name)
            if one[heads[0]] == tables.named(kinds[kind]) and one["n"] == str(n)
        )
        assert [row[head] for head in heads[2:]] == made


def test_the_script_makes_these_tables() -> None:
    """Of few runs, in this process: the same rows, and the page's frame is kept."""
    found = tables.of_means("normal", 10, 4)
    assert len(found) == 5
    assert all(share is None or 0 <= share <= 1 for share in found)
    page = tables.written(PAGE, {"votes": tables.table(("a", "n"), [("x", "1")])}, 400)
    assert "| a | n |\n| --- | ---: |\n| x | 1 |" in page
    assert "400 runs a cell, ±2.1" in page
    assert tables.written(PAGE, {}, runs()) == PAGE


@pytest.mark.parametrize(
    "n",
    [
        *(pytest.param(n, marks=pytest.mark.slow) for n in (10, 100)),
        *(pytest.param(n, marks=LONG) for n in (40, 300)),
    ],
)
@pytest.mark.parametrize(
    ("simulate", "kind", "at"),
    [
        *(("of_means", kind, 3) for kind in tables.MEANS),
        *(("of_medians", kind, 1) for kind in tables.MEDIANS),
        *(("of_shares", kind, 0) for kind in tables.SHARES),
        ("of_votes", 1.0, 0),
    ],
)
def test_simulated_anew_they_cover_as_much(simulate: str, kind: Any, at: int, n: int) -> None:
    count = 200
    found = getattr(tables, simulate)(kind, n, count)
    share = found[at]
    times = round(count * (found[4] or 0)) if simulate == "of_means" else count
    times = times // 2 if simulate == "of_votes" else times
    if share is not None:
        assert share >= LEAST - chance(LEAST, times)
