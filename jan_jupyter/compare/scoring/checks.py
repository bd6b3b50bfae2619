"""Scorers that look at the text of an answer, most of them beside what is expected."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ...errors import UsageError
from ...structured import shape_of
from ...types import sendable
from ..values import Case, Row, Score
from .callables import NO_EXPECTED, is_missing
from .numerals import numbers_in


@dataclass(frozen=True)
class Check:
    """A scorer that needs nothing but what it is given."""

    name: str
    look: Callable[[Case, Row], Score] = field(repr=False)

    async def __call__(self, case: Case, row: Row) -> Score:
        return self.look(case, row)


def _against(name: str, look: Callable[[Row, Any], Score]) -> Check:
    """A check against what is expected; `look` gets the row and that."""

    def check(case: Case, row: Row) -> Score:
        if is_missing(case.expected):
            return Score(None, NO_EXPECTED)
        return look(row, case.expected)

    return Check(name, check)


def exact(*, case: bool = True, name: str = "") -> Check:
    """Whether the answer is the expected text, or one of several; `case=False`: in any case.

    White space does not count.
    """

    def look(row: Row, expected: Any) -> Score:
        answer = _normal(row.text, case)
        wanted = [_normal(text, case) for one in _each(expected) for text in _written(one)]
        return Score(True) if answer in wanted else Score(False, f"expected {_short(expected)}")

    return _against(name or _named("exact", case), look)


def contains(
    *texts: str, need: Literal["all", "one"] = "all", case: bool = True, name: str = ""
) -> Check:
    """Whether these texts, else what is expected (a text or several), stand in the answer.

    `need="one"`: any of them is enough. White space does not count, nor does case if not `case`.
    """
    if need not in ("all", "one"):
        raise UsageError(f'contains(need=…) is "all" or "one", not {need!r}.')
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            raise UsageError(f"contains(…) looks for texts, not for {text!r:.80}.")

    def look(row: Row, expected: Any) -> Score:
        answer = _normal(row.text, case)
        found = {
            str(one): any(_normal(text, case) in answer for text in _written(one))
            for one in _each(expected)
        }
        lost = [text for text, there in found.items() if not there]
        if not lost or (need == "one" and len(lost) < len(found)):
            return Score(True)
        return Score(False, "lacks " + ", ".join(map(_short, lost)))

    if not texts:
        return _against(name or _named("contains", case), look)
    title = _named("contains " + (", " if need == "all" else " or ").join(map(_short, texts)), case)
    return Check(name or title, lambda _, row: look(row, texts))


def regex(pattern: str | re.Pattern[str] | None = None, flags: int = 0, *, name: str = "") -> Check:
    """Whether a regular expression (else what is expected, as one) is found in the answer."""
    if pattern is None:

        def look(row: Row, expected: Any) -> Score:
            try:
                return _searched(re.compile(expected, flags), row)
            except (re.error, TypeError, ValueError, RecursionError) as error:
                return Score(None, f"{_short(expected)} is no regular expression: {error}")

        return _against(name or "regex", look)
    try:
        compiled = re.compile(pattern, flags)
        compiled.search("")
    except (re.error, TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"{pattern!r:.80} is no regular expression for texts: {error}.") from None
    return Check(name or f"regex /{compiled.pattern}/", lambda _, row: _searched(compiled, row))


def _searched(pattern: re.Pattern[str], row: Row) -> Score:
    found = pattern.search(row.text)
    return Score(found is not None, f"found {_short(found[0])}" if found else "not found")


def schema(shape: Any = None, *, name: str = "") -> Check:
    """Whether the answer is JSON of a shape: a pydantic class, a type, a JSON schema.

    Without one what is expected is the schema. A fence around the JSON does not count. Raises
    `UsageError` for what is no schema.
    """
    if shape is None:

        def look(row: Row, expected: Any) -> Score:
            try:
                return _fits(shape_of(expected), row)
            except UsageError as error:
                return Score(None, str(error))

        return _against(name or "schema", look)
    wanted = shape_of(shape)
    title = shape.get("title") if isinstance(shape, Mapping) else getattr(shape, "__name__", shape)
    return Check(name or f"schema {title or ''}".strip(), lambda _, row: _fits(wanted, row))


def _fits(shape: Any, row: Row) -> Score:
    try:
        shape.read(row.text)
    except (ValueError, RecursionError) as error:
        return Score(False, " ".join(str(error).split())[:300])
    return Score(True)


def json(*, name: str = "") -> Check:
    """Whether the answer, read as JSON, is the expected value (or its JSON text)."""

    def look(row: Row, expected: Any) -> Score:
        import json

        assert row.reply is not None
        try:
            wanted = json.loads(expected) if isinstance(expected, str) else expected
            wanted = sendable(wanted, "What is expected")
        except (ValueError, UsageError) as error:
            return Score(None, f"what is expected is no JSON: {error}")
        try:
            return Score(_same(row.reply.json(), wanted))
        except (ValueError, RecursionError) as error:
            return Score(False, f"the answer is no JSON: {error}")

    return _against(name or "json", look)


def numeric(
    tolerance: float = 0.0,
    relative: float = 0.0,
    *,
    which: Literal["last", "first", "any"] = "last",
    decimal: str = ".",
    name: str = "",
) -> Check:
    """Whether the number in the answer is the expected one (or one of several).

    It may be off by `tolerance`, or by the share `relative` of what is expected. `which` of several
    numbers counts: the last as a rule, where models write their result. `decimal=","` reads 3,14.
    """
    for given in (tolerance, relative):
        if isinstance(given, bool) or not isinstance(given, int | float) or not given >= 0:
            raise UsageError(f"A tolerance is a number from 0 on, not {given!r:.80}.")
    if which not in ("last", "first", "any") or decimal not in (".", ","):
        raise UsageError('numeric(which=…) is "last", "first" or "any", decimal="." or ",".')

    def look(row: Row, expected: Any) -> Score:
        wanted = [n for one in _each(expected) if (n := _number(one, decimal)) is not None]
        if not wanted:
            return Score(None, f"what is expected ({_short(expected)}) is no number")
        found = [*numbers_in(row.text, decimal=decimal)]
        if not found:
            return Score(False, "there is no number in the answer")
        found = found if which == "any" else found[-1:] if which == "last" else found[:1]
        near = any(
            math.isclose(one, want, rel_tol=1e-9, abs_tol=max(tolerance, relative * abs(want)))
            for one in found
            for want in wanted
        )
        return Score(near, "" if near else f"{found[-1]:.10g} instead of {_short(expected)}")

    margin = [f"±{tolerance:g}"] * bool(tolerance) + [f"±{relative * 100:g} %"] * bool(relative)
    return _against(name or " ".join(["numeric", *margin]), look)


def _number(value: Any, decimal: str) -> float | None:
    if isinstance(value, str):
        return next(numbers_in(value, decimal=decimal), None)
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _same(one: Any, other: Any) -> bool:
    """Whether two values of JSON are one: 1 is 1.0, but never true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _each(expected: Any) -> list[Any]:
    """What is expected: one thing, or each of several that are as good."""
    several = isinstance(expected, list | tuple | set | frozenset)
    return [one for one in expected if not is_missing(one)] if several else [expected]


def _written(value: Any) -> tuple[str, ...]:
    """The ways to write a value; a whole number that a frame holds as 42.0 is 42, too."""
    if isinstance(value, float) and value.is_integer():
        return str(value), str(int(value))
    return (str(value),)


def _normal(text: str, case: bool) -> str:
    text = " ".join(unicodedata.normalize("NFC", text).split())
    return text if case else text.casefold()


def _named(name: str, case: bool) -> str:
    return name if case else f"{name} (any case)"


def _short(value: Any) -> str:
    written = repr(value)
    return written if len(written) <= 60 else written[:59] + "…"
