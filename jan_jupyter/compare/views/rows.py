"""A comparison as flat rows, one for each call that ended, and as CSV and JSON Lines. Pure."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..values import Result, Row
from .figures import scorers as scorers_of
from .figures import timing

_SECONDS = ("queue", "load", "prompt", "first_token", "decode", "total")
_SPEEDS = ("tokens_per_second", "prompt_tokens_per_second")


def rows(result: Result) -> Iterator[dict[str, Any]]:
    """One flat mapping a row, by case, contestant and repeat; all have the same keys.

    `case`, `index`, `prompt`, `expected`, then a key `variable_NAME` for each variable,
    `contestant`, `model`, `engine`, `repeat` (from 1), `text`, `reasoning`, `error`, then
    `score_NAME` and `note_NAME` for each scorer, `queue_seconds` and the other times (`None`: not
    known), `tokens_per_second`, `prompt_tokens`, `cached_tokens`, `completion_tokens`, `cost`,
    `finish`, `cold`, `reused`, `at` (seconds since 1970), `key`.
    """
    cases = result.grid.cases
    variables = tuple(dict.fromkeys(name for case in cases for name in case.variables))
    scorers = scorers_of(result.rows)
    for row in sorted(result.rows, key=lambda row: row.call):
        yield _flat(result, row, variables, scorers)


def jsonl(result: Result) -> str:
    """A JSON object a line. What JSON has no value for is written as text."""
    return "".join(
        json.dumps(_plain(row), ensure_ascii=False).encode("utf-8", "replace").decode() + "\n"
        for row in rows(result)
    )


def as_csv(result: Result) -> str:
    """CSV with a heading; missing values are empty. A text that a spreadsheet would run as a
    formula has an apostrophe before it, as spreadsheets themselves write that it is text."""
    out = io.StringIO()
    writer: Any = None
    for row in rows(result):
        if writer is None:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(map(_no_formula, row))
        writer.writerow([_no_formula(value) for value in row.values()])
    return out.getvalue().encode("utf-8", "replace").decode()


def _flat(
    result: Result, row: Row, variables: tuple[str, ...], scorers: tuple[str, ...]
) -> dict[str, Any]:
    case = result.grid.cases[row.call.case]
    contestant = result.grid.contestants[row.call.contestant]
    reply = row.reply
    scores = {name: row.scores.get(name) for name in scorers}
    return {
        "case": case.name,
        "index": case.index,
        "prompt": case.text,
        "expected": case.expected,
        **{f"variable_{name}": case.variables.get(name) for name in variables},
        "contestant": contestant.name,
        "model": reply.model if reply else contestant.model,
        "engine": reply.engine if reply else None,
        "repeat": row.call.repeat + 1,
        "text": reply.text if reply else None,
        "reasoning": reply.reasoning or None if reply else None,
        "error": row.error or None,
        **{f"score_{name}": score.value if score else None for name, score in scores.items()},
        **{f"note_{name}": score.note or None if score else None for name, score in scores.items()},
        **{f"{name}_seconds": timing(row, name) for name in _SECONDS},
        **{name: timing(row, name) for name in _SPEEDS},
        "prompt_tokens": reply.usage.prompt if reply else None,
        "cached_tokens": _cached(row),
        "completion_tokens": reply.usage.completion if reply else None,
        "cost": row.cost,
        "finish": reply.finish if reply else None,
        "cold": row.cold,
        "reused": row.reused,
        "at": row.at,
        "key": row.key,
    }


def _cached(row: Row) -> int | None:
    """The server's own count, where it has one."""
    if row.reply is None:
        return None
    known = row.reply.timings.cached_tokens
    return row.reply.usage.cached if known is None else known


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _as_json(value) for name, value in row.items()}


def _as_json(value: Any) -> Any:
    if callable(getattr(value, "item", None)):  # a number of NumPy's
        value = value.item()
    if isinstance(value, float) and value - value != 0:  # JSON has no infinity, and no NaN
        return None
    if isinstance(value, Mapping):
        return {str(name): _as_json(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(one) for one in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)


# `=1+1`, `@SUM(A1)`, and what may call something behind a sign: a list's `- item` may not.
_FORMULA = re.compile(r"\s*(?:[=@]|[+-].*[(|!])|[\t\r]")


def _no_formula(value: Any) -> Any:
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return json.dumps(_as_json(value)) if isinstance(value, Mapping | list | tuple) else value
