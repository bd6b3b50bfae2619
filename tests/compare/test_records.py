"""Files of a comparison hold what came, and run nothing in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json

import pytest

from jan_jupyter.compare.records import as_csv, as_jsonl
from jan_jupyter.compare.values import Call, Case, Contestant, Grid, Result, Row, Score
from jan_jupyter.types import Message, Reply


def result(answer: str, score: float = 1.0) -> Result:
    grid = Grid((Case("q", ((Message("user", "how?"),),)),), (Contestant("a", "m"),))
    row = Row(Call(0, 0), "k", Reply(answer, "m", "nitro"), scores={"exact": Score(score)})
    return Result(grid, [row])


@pytest.mark.parametrize(
    ("answer", "written"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        (" =1+1", "' =1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-2+cmd|'/C calc'!A0", "'-2+cmd|'/C calc'!A0"),
        ("+SUM(A1)", "'+SUM(A1)"),
        ("- an item", "- an item"),
        ("-5", "-5"),
        ("3 = 3", "3 = 3"),
    ],
)
def test_a_spreadsheet_runs_nothing(answer: str, written: str) -> None:
    (read,) = csv.DictReader(io.StringIO(as_csv(result(answer))))
    assert read["text"] == written
    assert json.loads(as_jsonl(result(answer)))["text"] == answer


def test_a_negative_number_stays_one() -> None:
    (read,) = csv.DictReader(io.StringIO(as_csv(result("x", -0.5))))
    assert read["exact"] == "-0.5"


def test_what_neither_utf_8_nor_json_can_hold_is_left_out() -> None:
    broken = result("half \ud83d", float("nan"))
    for text in (as_csv(broken), as_jsonl(broken)):
        assert "half ?" in text.encode().decode()
    assert json.loads(as_jsonl(broken), parse_constant=pytest.fail)["exact"] is None
