"""Scorers of texts and functions, and how they score the rows of a result."""

from __future__ import annotations

import asyncio
import functools
import re
import sys
import threading
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy
import pytest
from pydantic import BaseModel

from jan_jupyter.compare.scoring.callables import NO_EXPECTED
from jan_jupyter.compare.scoring.numerals import numbers_in
from jan_jupyter.compare.scoring.scorers import (
    Scorer,
    changed,
    contains,
    exact,
    json,
    named_scorers,
    numeric,
    regex,
    schema,
    score,
    scorer,
)
from jan_jupyter.compare.values import Case, Contestant, Grid, Result, Row, Score
from jan_jupyter.errors import UsageError

from .oracle import case, row


def said(one: Scorer, text: str, expected: Any = None) -> Score:
    return asyncio.run(one(case(expected=expected), row(text)))


def value(one: Scorer, text: str, expected: Any = None) -> Any:
    return said(one, text, expected).value


# Texts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "text", "expected", "good"),
    [
        (exact(), " Paris\n", "Paris", True),
        (exact(), "the  big\tcity", "the big city", True),
        (exact(), "paris", "Paris", False),
        (exact(case=False), "STRASSE", "straße", True),
        (exact(), "Zu\u0308rich", "Z\u00fcrich", True),
        (exact(), "42", 42.0, True),
        (exact(), "42", numpy.int64(42), True),
        (exact(), "Lyon", ["Paris", "Lyon"], True),
        (exact(), "", "Paris", False),
        (contains(), "It is Paris, of course.", "Paris", True),
        (contains(), "It is Paris.", ["Paris", "France"], False),
        (contains(need="one"), "It is Paris.", ["Paris", "France"], True),
        (contains("PARIS", case=False), "It is Paris.", None, True),
        (contains("Paris", "Lyon"), "Paris or Lyon", None, True),
        (contains("Paris", "Lyon"), "Paris", None, False),
        (regex(r"^\d+$"), "42", None, True),
        (regex(r"^\d+$"), "42 a", None, False),
        (regex("paris", re.IGNORECASE), "PARIS", None, True),
        (regex(), "it is 42", r"\d\d", True),
        (json(), '```json\n{"a": [1, 2]}\n```', {"a": (1, 2.0)}, True),
        (json(), '{"a": true}', {"a": 1}, False),
        (json(), '{"a": 1}', '{"a": 1}', True),
        (json(), "nothing", {"a": 1}, False),
    ],
)
def test_texts_against_what_is_expected(one: Scorer, text: str, expected: Any, good: bool) -> None:
    assert value(one, text, expected) is good


def test_a_wrong_answer_says_what_was_wanted() -> None:
    assert said(exact(), "Lyon", "Paris").note == "expected 'Paris'"
    assert said(contains(), "Lyon", ["Lyon", "Paris"]).note == "lacks 'Paris'"
    assert said(regex("a+"), "baab").note == "found 'aa'"
    assert said(numeric(), "It is 41.", 42).note == "41 instead of 42"
    assert said(numeric(), "I cannot say.", 42).note == "there is no number in the answer"


@pytest.mark.parametrize("name", ["exact", "contains", "regex", "schema", "json", "numeric"])
@pytest.mark.parametrize("missing", [None, float("nan"), [], numpy.float64("nan")])
def test_nothing_expected_is_one_clear_line(name: str, missing: Any) -> None:
    assert said(scorer(name), "Paris", missing) == Score(None, NO_EXPECTED)


def test_what_is_expected_may_be_of_no_use() -> None:
    assert said(regex(), "a", "(").value is None
    assert "no regular expression" in said(regex(), "a", "(").note
    assert said(numeric(), "1", "many") == Score(None, "what is expected ('many') is no number")
    assert said(schema(), "{}", "text").value is None
    assert said(json(), "{}", "{").value is None


class City(BaseModel):
    name: str
    people: int


@dataclass
class Point:
    x: int


def test_schemas() -> None:
    good, bad = '```\n{"name": "Paris", "people": 2}\n```', '{"name": "Paris"}'
    described = City.model_json_schema()
    for one in (schema(City), scorer(City), schema(described), scorer(described)):
        assert one.name == "schema City"
        assert value(one, good) is True
        assert "people" in said(one, bad).note
        assert value(one, bad) is False
        assert value(one, "It is Paris.") is False
    assert value(scorer(Point), '{"x": 1}') is True
    assert value(scorer(list[int]), "[1, 2]") is True
    assert value(schema(), '{"name": "Paris", "people": 2}', described) is True


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The answer is 42.", [42]),
        ("**42**", [42]),
        ("**42** 7", [42, 7]),
        ("$1,234.50 and 1\u202f000 and 1'000", [1234.5, 1000, 1000]),
        ("\u22123.5 or -.5", [-3.5, -0.5]),
        ("10-5, 10 - 5, 3\u20134", [10, 5, 10, 5, 3, 4]),
        ("1,2,3 and 1,2345", [1, 2, 3, 1, 2345]),
        ("GPT-4 and x2 and a_3 are no numbers, 5km and 3 % are", [5, 3]),
        ("6.02 × 10^23, 1.5e-3, 2^10, 10⁶, 3 \\times 10^{-2}", [6.02e23, 1.5e-3, 1024, 1e6, 0.03]),
        ("5 * 10 = 50", [5, 10, 50]),
        ("9^99999 and 1e999999999", [float("inf")]),
        ("none", []),
    ],
)
def test_numbers_in_texts(text: str, found: list[float]) -> None:
    assert [*numbers_in(text)] == pytest.approx(found)


def test_numbers_with_a_decimal_comma() -> None:
    assert [*numbers_in("1.234,5 und 3,14", decimal=",")] == [1234.5, 3.14]


@pytest.mark.parametrize(
    ("one", "text", "expected", "good"),
    [
        (numeric(), "1, then 2, so 3", 3, True),
        (numeric(which="first"), "1, then 2", 1, True),
        (numeric(which="any"), "1, then 2, so 3", 2, True),
        (numeric(), "0.1 + 0.2 = 0.30000000000000004", 0.3, True),
        (numeric(), "2.95", 3, False),
        (numeric(0.1), "2.95", 3, True),
        (numeric(relative=0.01), "99.5", 100, True),
        (numeric(relative=0.01), "98", 100, False),
        (scorer(0.1), "2.95", "3", True),
        (scorer("numeric:2%"), "98", 100, True),
        (numeric(), "1,000", "1000 km", True),
        (numeric(), "3", [2, 3], True),
        (numeric(decimal=","), "3,14", 3.14, True),
    ],
)
def test_numbers_against_what_is_expected(
    one: Scorer, text: str, expected: Any, good: bool
) -> None:
    assert value(one, text, expected) is good


# Names --------------------------------------------------------------------------------------------


def test_a_name_tells_what_is_looked_for() -> None:
    names = [
        one.name
        for one in named_scorers(
            [
                "exact",
                exact(case=False),
                "contains:Paris",
                re.compile("a+"),
                numeric(0.5),
                "numeric:1%",
            ]
        )
    ]
    assert names[:3] == ["exact", "exact (any case)", "contains 'Paris'"]
    assert names[3:] == ["regex /a+/", "numeric ±0.5", "numeric ±1 %"]


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        ("exakt", "Did you mean exact"),
        ("exact:Paris", "takes nothing behind a colon"),
        ("numeric:much", "needs a number"),
        (None, "is no scorer"),
        (True, "is no scorer"),
        ({"type": "nothing"}, "no JSON schema"),
        (lambda a, b, c: 1, "wants 'c'"),
    ],
)
def test_what_is_no_scorer(thing: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        scorer(thing)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: contains(""),
        lambda: contains(need="some"),  # type: ignore[arg-type]
        lambda: regex("("),
        lambda: regex(b"a"),  # type: ignore[arg-type]
        lambda: numeric(-1),
        lambda: numeric(which="middle"),  # type: ignore[arg-type]
        lambda: schema(3),
    ],
)
def test_options_that_make_no_sense(wrong: Any) -> None:
    with pytest.raises(UsageError):
        wrong()


def test_several_scorers_need_several_names() -> None:
    with pytest.raises(UsageError, match="'lambda'"):
        named_scorers([lambda text: 1, lambda text: 2])
    made = named_scorers({"one": lambda text: 1, "two": "exact", "three": exact()})
    assert [one.name for one in made] == ["one", "two", "three"]
    assert value(made[1], "a", "a") is True
    assert [one.name for one in named_scorers("exact")] == ["exact"]
    assert [one.name for one in named_scorers(City.model_json_schema())] == ["schema City"]


# Functions ----------------------------------------------------------------------------------------


def of_answer(text: str) -> bool:
    return text == "Paris"


def of_both(a: str, b: str) -> bool:
    return a == b


def of_case_and_row(row: Row, case: Case) -> Any:
    return row.text == case.expected


def of_types(x: Case, y: Row) -> Any:
    return y.text == x.expected


def of_expected_first(expected: str, answer: str) -> bool:
    return (answer, expected) == ("Paris", "Paris")


def with_defaults(answer: str, weight: int = 1, *, expected: str = "") -> bool:
    return (answer, weight, expected) == ("Paris", 1, "Paris")


def of_all(*given: str) -> bool:
    return given == ("Paris", "Paris")


def of_gold(answer: str, gold: str, question: str) -> bool:
    return answer == gold == "Paris" and "France" in question


def of_other_names(row: Row, wanted: str) -> Any:
    return row.text == wanted


def of_row_and_answer(case: Case, words: str) -> Any:
    return case.expected == words


async def awaited(answer: str, *, prompt: str) -> bool:
    await asyncio.sleep(0)
    return answer == "Paris" and "France" in prompt


class Called:
    async def __call__(self, answer: str) -> bool:
        await asyncio.sleep(0)
        return answer == "Paris"


@pytest.mark.parametrize(
    "function",
    [
        of_answer,
        of_both,
        of_case_and_row,
        of_types,
        of_expected_first,
        with_defaults,
        of_all,
        of_gold,
        of_other_names,
        of_row_and_answer,
        awaited,
        Called(),
        functools.partial(of_both, "Paris"),
        lambda answer: awaited(answer, prompt="France"),
        "Paris".__eq__,
    ],
)
def test_functions_of_any_shape(function: Any) -> None:
    assert value(scorer(function), "Paris", "Paris") is True


def test_a_function_that_compares_needs_what_is_expected() -> None:
    assert said(scorer(of_both), "Paris") == Score(None, NO_EXPECTED)
    assert value(scorer(with_defaults), "Paris") is False
    assert said(scorer(lambda answer, expected="nobody": expected == "nobody"), "a").value is True


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        (True, Score(True)),
        (numpy.bool_(False), Score(False)),
        (3, Score(3.0)),
        (numpy.float32(0.5), Score(0.5)),
        (numpy.array(0.5), Score(0.5)),
        (Fraction(1, 4), Score(0.25)),
        (Score(0.5, "half"), Score(0.5, "half")),
        (Score(numpy.bool_(True), "all"), Score(True, "all")),  # type: ignore[arg-type]
        (
            Score(float("nan")),
            Score(None, "given returned nan, neither a number nor yes or no"),
        ),
        ({"score": 0.5, "reason": "half"}, Score(0.5, "half")),
        ({"passed": True}, Score(True)),
        ({"note": "who knows"}, Score(None, "who knows")),
        ({}, Score(None, "given returned a mapping without `score`")),
        (None, Score(None, "given returned nothing")),
        ("good", Score(None, "given returned 'good', neither a number nor yes or no")),
        (float("nan"), Score(None, "given returned nan, neither a number nor yes or no")),
        (numpy.array([1, 2]), None),
        (10**400, None),
    ],
)
def test_what_functions_return(returned: Any, expected: Score | None) -> None:
    found = said(scorer(lambda text: returned, name="given"), "a")
    assert type(found.value) in (bool, float, type(None))
    if expected is None:
        assert found.value is None
        assert "neither" in found.note
    else:
        assert found == expected


def _raise(error: BaseException) -> Any:
    raise error


async def _araise(error: BaseException) -> Any:
    raise error


@pytest.mark.parametrize(
    "error",
    [
        KeyError("x"),
        StopIteration(),
        SystemExit(3),
        asyncio.CancelledError(),
        ValueError("two\nlines"),
        UsageError("One line."),
        ValueError("long " * 1000),
    ],
)
@pytest.mark.parametrize("raising", [_raise, _araise])
def test_what_a_function_raises_is_its_note(error: BaseException, raising: Any) -> None:
    found = said(scorer(lambda text: raising(error), name="mine"), "a")
    assert found.value is None
    assert found.note.startswith("mine failed: ")
    assert "\n" not in found.note
    assert len(found.note) < 400


def test_sync_functions_run_in_a_thread() -> None:
    here = threading.get_ident()
    assert value(scorer(lambda text: threading.get_ident() != here), "a") is True

    async def same(text: str) -> bool:
        return threading.get_ident() == here

    assert value(scorer(same), "a") is True


# Results ------------------------------------------------------------------------------------------


def result(*texts: str, expected: Any = "a") -> Result:
    cases = tuple(case(f"question {i}", expected) for i in range(len(texts)))
    rows = [row(text, at=i) for i, text in enumerate(texts)]
    return Result(Grid(cases, (Contestant("m", "m"),)), rows)


def test_rows_get_their_scores_and_those_without_an_answer_do_not() -> None:
    one = result("a", "b", "a")
    failed = replace(one.rows[1], error="It failed.", reply=None)
    one = replace(one, rows=[one.rows[2], failed, one.rows[0]])
    told: list[Row] = []
    rows = asyncio.run(score(one, ["exact", len], on_row=told.append))
    assert [r.call.case for r in rows] == [2, 1, 0]
    assert dict(rows[0].scores) == {"exact": Score(True), "len": Score(1.0)}
    assert rows[1] is failed
    assert sorted(r.call.case for r in told) == [0, 2]
    assert not one.rows[0].scores


def test_only_what_is_missing_is_asked_for() -> None:
    asked: list[str] = []

    def mine(text: str) -> bool | None:
        asked.append(text)
        return None if text == "?" else True

    one = result("a", "?")
    rows = asyncio.run(score(one, mine))
    assert asked == ["a", "?"]
    told: list[Row] = []
    again = asyncio.run(score(replace(one, rows=rows), [mine, "exact"], on_row=told.append))
    assert asked == ["a", "?", "?"]  # what it could not say is asked again
    assert again[0].scores == {"mine": Score(True), "exact": Score(True)}
    assert len(told) == 2
    asyncio.run(score(replace(one, rows=again), mine, fresh=True))
    assert asked[3:] == ["a", "?"]


def made(limit: int) -> Any:
    def short(text: str, factor: int = 1) -> bool:
        return len(text) * factor <= limit

    return short


def test_a_function_that_was_written_anew_scores_anew() -> None:
    one = result("a", "bbb")
    before = named_scorers([made(2), "exact"])
    rows = asyncio.run(score(one, before))
    assert [r.scores["short"].value for r in rows] == [True, False]
    assert changed(before, named_scorers([made(2), "exact", len])) == set()
    now = named_scorers([made(3), "exact"])
    assert changed(before, now) == {"short"}
    told: list[Row] = []
    again = asyncio.run(
        score(replace(one, rows=rows), now, fresh=changed(before, now), on_row=told.append)
    )
    assert [r.scores["short"].value for r in again] == [True, True]
    assert [r.text for r in told] == ["bbb"]


class Broken:
    name = "broken"

    async def __call__(self, case: Case, row: Row) -> Score:
        raise RuntimeError("no idea")


def test_one_scorer_that_fails_ends_no_other() -> None:
    rows = asyncio.run(score(result("a", "b"), [Broken(), "exact", sys.exit]))
    for one in rows:
        assert one.scores["broken"] == Score(None, "broken failed: RuntimeError: no idea")
        assert one.scores["exit"].value is None
    assert [one.scores["exact"].value for one in rows] == [True, False]


def test_so_many_at_a_time() -> None:
    now, most = 0, 0
    lock = threading.Lock()
    gate = threading.Barrier(3, timeout=10)

    def mine(text: str) -> bool:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        gate.wait()  # passes only if three are here
        with lock:
            now -= 1
        return True

    asyncio.run(score(result(*"abcdef"), mine, concurrency=3))
    assert most == 3
    with pytest.raises(UsageError, match="`concurrency`"):
        asyncio.run(score(result("a"), mine, concurrency=0))


def test_what_keeps_a_row_may_be_async_and_its_fault_ends_it() -> None:
    kept: list[str] = []

    async def keep(one: Row) -> None:
        await asyncio.sleep(0)
        if one.text == "c":
            raise OSError("the disk is full")
        kept.append(one.text)

    with pytest.raises(OSError, match="full"):
        asyncio.run(score(result(*"abcd"), "exact", concurrency=1, on_row=keep))
    assert kept == ["a", "b"]


def test_a_stop_keeps_what_a_row_has_got() -> None:
    told: list[Row] = []

    async def stopped() -> None:
        begun = asyncio.Event()

        async def endless(text: str) -> bool:
            begun.set()
            await asyncio.Event().wait()
            return True

        task = asyncio.create_task(score(result("a"), ["exact", endless], on_row=told.append))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(stopped())
    assert [dict(one.scores) for one in told] == [{"exact": Score(True)}]
