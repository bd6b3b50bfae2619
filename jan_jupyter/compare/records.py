"""A comparison as records, one for each call, and as the frames and files that are made of them."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from ..errors import UsageError
from .values import Case, Contestant, Result, Row, instructed

TIMES = (
    "queue",
    "load",
    "first_token",
    "total",
    "prompt_tokens_per_second",
    "tokens_per_second",
)

FIELDS = (
    "case",
    "contestant",
    "repeat",
    "model",
    "engine",
    "system",
    "prompt",
    "expected",
    "text",
    "error",
    "finish",
    "reused",
    "cold",
    "prompt_tokens",
    "cached_tokens",
    "tokens",
    *TIMES,
    "cost",
    "at",
)
"""What each record has, in this order; then come the variables, and the scores by their names.

Times are in seconds, `at` in seconds since 1970; `None`: nobody knows.
"""


def records(result: Result) -> list[dict[str, Any]]:
    """A plain mapping for each row, all with the same names, in the order of the grid."""
    grid = result.grid
    variables = _names(case.variables for case in grid.cases)
    scores = _names(row.scores for row in result.rows)
    made = []
    for row in sorted(result.rows, key=lambda row: row.call):
        case, contestant = grid.cases[row.call.case], grid.contestants[row.call.contestant]
        record = _record(row, case, contestant)
        for name in variables:
            record[_free(name, "variable")] = case.variables.get(name)
        for name in scores:
            score = row.scores.get(name)
            record[_free(name, "score", variables)] = score.value if score else None
        made.append(record)
    return made


def _names(of: Iterator[Mapping[str, Any]] | Any) -> list[str]:
    return [*dict.fromkeys(name for each in of for name in each)]


def _free(name: str, kind: str, taken: Sequence[str] = ()) -> str:
    """The name of a column; where another has it, with what it is."""
    return f"{kind}_{name}" if name in FIELDS or name in taken else name


def _record(row: Row, case: Case, contestant: Contestant) -> dict[str, Any]:
    reply = row.reply
    usage, timings = (reply.usage, reply.timings) if reply else (None, None)
    values = (
        case.name,
        contestant.name,
        row.call.repeat,
        contestant.model,
        reply.engine if reply else None,
        _system(case, contestant),
        case.text,
        case.expected,
        row.text,
        row.error,
        reply.finish if reply else None,
        row.reused,
        row.cold,
        usage.prompt if usage else None,
        usage.cached if usage else None,
        usage.completion if usage else None,
        *(getattr(timings, name, None) for name in TIMES),
        row.cost,
        row.at,
    )
    return dict(zip(FIELDS, values, strict=True))


def _system(case: Case, contestant: Contestant) -> str | None:
    """The instructions that were given, the contestant's own or the case's."""
    first, *_ = instructed(case.turns, contestant.system)
    return "\n\n".join(one.text for one in first if one.role == "system") or None


def pandas(result: Result) -> Any:
    """A `pandas.DataFrame`; its index is that of the frame that the prompts came from.

    Raises `UsageError`, as all here do, if the package is not there.
    """
    frame = _package("pandas").DataFrame(records(result))
    if places := _places(result):
        names = [*result.grid.cases[0].index_names]
        made = _package("pandas").Index(places)
        frame.index = made.set_names(names) if len(names) == made.nlevels else made
    return frame


def _places(result: Result) -> list[Any]:
    """For each record where its prompt stood in its frame; empty if they came from none."""
    cases = result.grid.cases
    if all(case.index is None for case in cases):
        return []
    return [cases[row.call.case].index for row in sorted(result.rows, key=lambda row: row.call)]


def _levels(result: Result) -> dict[str, list[Any]]:
    """The same as columns: one for each level of the index, by its name."""
    places = _places(result)
    count = len(places[0]) if places and isinstance(places[0], tuple) else 0
    if not count or not all(isinstance(one, tuple) and len(one) == count for one in places):
        return {_level(result, 0): places} if places else {}
    return {_level(result, n, count): [one[n] for one in places] for n in range(count)}


def _level(result: Result, number: int, count: int = 1) -> str:
    names = result.grid.cases[0].index_names
    name = names[number] if len(names) == count else None
    return str(name) if name is not None else f"index_{number}" if count > 1 else "index"


def polars(result: Result) -> Any:
    """A `polars.DataFrame`; the index of the cases is a column, if they have one."""
    # Each value is looked at: the first rows do not say what the others hold.
    return _package("polars").DataFrame(_plain(result), infer_schema_length=None)


def arrow(result: Result) -> Any:
    """A `pyarrow.Table`."""
    return _package("pyarrow").Table.from_pylist(_plain(result))


def _plain(result: Result) -> list[dict[str, Any]]:
    """Records of which each column is of one kind, as these frames want them; what is mixed, or is
    more than one value, becomes text."""
    found = records(result)
    for name, values in reversed(_levels(result).items()):
        free = f"index_{name}" if found and name in found[0] else name
        found = [{free: value, **record} for value, record in zip(values, found, strict=True)]
    for name in found[0] if found else ():
        kinds = {type(record[name]) for record in found} - {type(None)}
        if not (len(kinds) < 2 and kinds <= _SINGLE) and not kinds <= {bool, int, float}:
            for record in found:
                record[name] = written(record[name])
        elif len(kinds) > 1:
            for record in found:
                record[name] = None if record[name] is None else float(record[name])
    return found


_SINGLE: set[type] = {bool, int, float, str}


def written(value: Any) -> str | None:
    """A value as a cell of a table holds it: text as it is, else JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def as_csv(result: Result) -> str:
    """A line for each row, after one of names; as spreadsheets read it. A text that they would run
    as a formula has an apostrophe before it, as they themselves write that it is text."""
    text = io.StringIO()
    found = records(result)
    writer = csv.DictWriter(text, [*found[0]] if found else FIELDS, lineterminator="\n")
    writer.writeheader()
    for record in found:
        writer.writerow({name: _no_formula(value) for name, value in record.items()})
    return _storable(text.getvalue())


# `=1+1`, `@SUM(A1)`, and what may call something behind a sign: a list's `- item` may not.
_FORMULA = re.compile(r"\s*(?:[=@]|[+-].*[(|!])|[\t\r]")


def _no_formula(value: Any) -> str | None:
    text = written(value)
    return f"'{text}" if isinstance(value, str) and _FORMULA.match(value) else text


def _storable(text: str) -> str:
    """The text as UTF-8 can hold it: half a character becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_objects(result: Result) -> list[dict[str, Any]]:
    """Each row as JSON has it, with the notes of its scores."""
    made = []
    for row, record in zip(
        sorted(result.rows, key=lambda row: row.call), records(result), strict=True
    ):
        notes = {name: score.note for name, score in row.scores.items() if score.note}
        more = {"notes": notes} if notes else {}
        made.append({name: _finite(value) for name, value in record.items()} | more)
    return made


def as_jsonl(result: Result) -> str:
    """A JSON object for each row, on a line."""
    return "".join(f"{_json(one)}\n" for one in as_objects(result))


def as_json(result: Result) -> str:
    """All rows as one JSON list, each on a line."""
    lines = ",\n ".join(map(_json, as_objects(result)))
    return f"[{lines}]\n"


def _json(value: Any) -> str:
    return _storable(json.dumps(value, ensure_ascii=False, default=str))


def chart(result: Result, y: str, x: str | None = None) -> Any:
    """An `altair.Chart`: each call as a dot; without `x`, of each contestant the mean as a line.

    Without intervals: repeats of one prompt are no samples of their own, and the chart knows of
    none. `Comparison.summary` has them.
    """
    altair = _package("altair")
    found = [r for r in _plain(result) if not r["error"]]
    known = {n for r in found for n, v in r.items() if isinstance(v, bool | int | float)}
    for name in (y, *([x] if x else [])):
        if name not in known:
            raise UsageError(
                f"There is no number {name!r} to plot. There are: {', '.join(sorted(known))}."
            )
    values = altair.Data(values=[{**r, y: float(r[y])} for r in found if r[y] is not None])
    base = altair.Chart(values)
    across = f"{x}:Q" if x else "contestant:N"
    dots = base.mark_circle(opacity=0.35).encode(
        x=across, y=f"{y}:Q", color="contestant:N", tooltip=["case:N", "contestant:N", "text:N"]
    )
    if x:
        return dots
    return dots + base.mark_tick(thickness=2).encode(x=across, y=f"mean({y}):Q")


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise UsageError(
            f"This needs {name}, which is not there: `%pip install {name}`. `.table()` gives the"
            " same as plain records."
        ) from None
