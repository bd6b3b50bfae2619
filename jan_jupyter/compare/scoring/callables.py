"""Functions of the user as scorers: whatever they take and give, and however they fail."""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from numbers import Real
from typing import Any

from ...errors import JanError, UsageError
from ...types import Reply
from ..values import Case, Row, Score

NO_EXPECTED = "there is no expected answer to compare with: give `expected=…`"

Take = Callable[[Case, Row], Any]
_ANSWER = "answer output text response completion prediction generated candidate actual y_pred"
_EXPECTED = "expected reference target gold label truth ground_truth solution y_true"
_BY_NAME: Mapping[str, Take] = {
    **dict.fromkeys(_ANSWER.split(), lambda case, row: row.text),
    **dict.fromkeys(_EXPECTED.split(), lambda case, row: case.expected),
    **dict.fromkeys(("prompt", "question", "input"), lambda case, row: case.text),
    "variables": lambda case, row: case.variables,
    "case": lambda case, row: case,
    "row": lambda case, row: row,
    "reply": lambda case, row: row.reply,
}
"""What a parameter of a function is given, by its name; others are answer, then expected."""
_BY_TYPE: Mapping[str, Take] = {
    kind.__name__: _BY_NAME[name] for kind, name in ((Case, "case"), (Row, "row"), (Reply, "reply"))
}
_UNNAMED: Mapping[Take, Sequence[Take]] = {
    _BY_NAME["answer"]: [_BY_NAME[name] for name in ("answer", "row", "reply")],
    _BY_NAME["expected"]: [_BY_NAME[name] for name in ("expected", "case")],
}
"""What other parameters are given, each unless one that has a name has it already."""
_VALUES = ("score", "value", "passed", "pass", "correct", "result")
_NOTES = ("note", "reason", "rationale", "explanation", "comment")


class Custom:
    """A function as a scorer: of an answer; answer and expected; case and row; sync or async.

    It is given what the names (or types) of its parameters say, else the answer's text, then what
    is expected. Sync ones run in a thread, async ones on the loop that scores. It returns yes or
    no, a number, a `Score`, a mapping with `score` (and `note`), or nothing. Raises `UsageError`
    for a function that wants more than there is.
    """

    def __init__(self, function: Callable[..., Any], name: str = "") -> None:
        self.name = name or _name(function)
        self._function = function
        self._positional, self._named = _parameters(function, self.name)
        call = getattr(type(function), "__call__", None)  # noqa: B004
        self._awaits = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)
        takes = (*self._positional, *self._named.values())
        self._compares = _BY_NAME["expected"] in takes

    def __repr__(self) -> str:
        return f"<scorer {self.name}>"

    async def __call__(self, case: Case, row: Row) -> Score:
        if self._compares and is_missing(case.expected):
            return Score(None, NO_EXPECTED)
        given = [take(case, row) for take in self._positional]
        named = {name: take(case, row) for name, take in self._named.items()}
        return await guarded(self.name, self._said(given, named))

    def same_as(self, other: object) -> bool:
        """Whether another does the same, as a function does whose cell was run again unchanged."""
        return isinstance(other, Custom) and _code(self._function) == _code(other._function)

    async def _said(self, given: list[Any], named: dict[str, Any]) -> Any:
        if self._awaits:
            return await self._function(*given, **named)

        def call() -> tuple[Any, BaseException | None]:
            try:
                return self._function(*given, **named), None
            except BaseException as error:  # one that no future may hold, too
                return None, error

        said, error = await asyncio.to_thread(call)
        if error is not None:
            raise _Failed(error)
        return await said if inspect.isawaitable(said) else said


class _Failed(Exception):
    """Carries out of a thread what was raised there."""


async def guarded(name: str, saying: Awaitable[Any]) -> Score:
    """What a scorer says, as a `Score`; what it raises is its note, and never ends the others."""
    try:
        return as_score(await saying, name)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        return Score(None, failure(name, error))  # something of its own was cancelled
    except _Failed as error:
        return Score(None, failure(name, error.args[0]))
    except (Exception, SystemExit) as error:
        return Score(None, failure(name, error))


def failure(name: str, error: BaseException) -> str:
    """One line on what a scorer has raised."""
    said = " ".join(str(error).split())
    kind = "" if isinstance(error, JanError) and said else type(error).__name__
    why = ": ".join(filter(None, (kind, said)))
    return f"{name} failed: {why if len(why) <= 300 else why[:299] + '…'}"


def as_score(said: Any, name: str) -> Score:
    """What a function has returned. Values are plain Python; what is no value is a note."""
    if isinstance(said, Score):
        return _score(said.value, said.note, name)
    if isinstance(said, Mapping):
        value = next((said[key] for key in _VALUES if key in said), None)
        note = next((said[key] for key in _NOTES if said.get(key) is not None), "")
        if value is None and not note:
            note = f"{name} returned a mapping without `score`"
        return _score(value, " ".join(str(note).split()), name)
    if said is None:
        return Score(None, f"{name} returned nothing")
    return _score(said, "", name)


def _score(value: Any, note: str, name: str) -> Score:
    if value is None or isinstance(value, bool):
        return Score(value, note)
    if callable(item := getattr(value, "item", None)):  # a number of NumPy's, of torch …
        try:
            value = item()
        except (TypeError, ValueError, RuntimeError):
            value = type(value)
    if isinstance(value, bool):
        return Score(value, note)
    try:
        number = float(value) if isinstance(value, Real | Decimal) else None
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or not math.isfinite(number):
        return Score(None, f"{name} returned {value!r:.60}, neither a number nor yes or no")
    return Score(number, note)


def is_missing(expected: Any) -> bool:
    """Whether nothing is expected: `None`, and what frames write in its place."""
    if type(expected).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(expected, list | tuple | set | frozenset):
        return not expected
    return expected is None or (isinstance(expected, float) and math.isnan(expected))


def _name(function: Callable[..., Any]) -> str:
    inner = getattr(function, "func", function)  # of a partial
    name = getattr(inner, "__name__", type(inner).__name__)
    return "lambda" if name == "<lambda>" else str(name)


def _code(function: Callable[..., Any]) -> Any:
    """What tells a function from one of the same name; others are only themselves."""
    if (code := getattr(function, "__code__", None)) is None:
        return function
    cells = [repr(cell.cell_contents) for cell in getattr(function, "__closure__", None) or ()]
    defaults = getattr(function, "__defaults__", None), getattr(function, "__kwdefaults__", None)
    return code, repr(defaults), cells


def _parameters(function: Callable[..., Any], name: str) -> tuple[list[Take], dict[str, Take]]:
    """What is given to a function: by position, and by name."""
    try:
        parameters = [*inspect.signature(function).parameters.values()]
    except (TypeError, ValueError):  # some that are written in C tell nothing
        return [_BY_NAME["answer"]], {}
    positional: list[Take] = []
    named: dict[str, Take] = {}
    known = {_take(one) for one in parameters}
    unnamed = (take for take, same in _UNNAMED.items() if known.isdisjoint(same))
    skipped = False
    for one in parameters:
        if one.kind is one.VAR_KEYWORD:
            continue
        if one.kind is one.VAR_POSITIONAL:
            positional += [] if positional else _UNNAMED
            continue
        take = _take(one)
        if one.default is not one.empty and (take is None or take is _BY_NAME["expected"]):
            if take is not None and one.kind is not one.POSITIONAL_ONLY:
                named[one.name] = _unless_missing(one.default)
            skipped = True
            continue
        take = take or next(unnamed, None)
        if take is None:
            raise UsageError(
                f"Scorer {name} wants {one.name!r}, which there is not: a scorer takes (answer),"
                " (answer, expected) or (case, row)."
            )
        if one.kind is one.KEYWORD_ONLY or (skipped and one.kind is one.POSITIONAL_OR_KEYWORD):
            named[one.name] = take
        else:
            positional.append(take)
    return positional, named


def _take(parameter: inspect.Parameter) -> Take | None:
    """What a parameter asks for by its type or its name; types may be written as text."""
    written = parameter.annotation
    kind = written if isinstance(written, str) else getattr(written, "__name__", "")
    return _BY_TYPE.get(str(kind).rpartition(".")[2]) or _BY_NAME.get(parameter.name)


def _unless_missing(default: Any) -> Take:
    """What is expected, or what a function has instead of it."""

    def take(case: Case, row: Row) -> Any:
        return default if is_missing(case.expected) else case.expected

    return take
