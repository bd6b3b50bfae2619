"""A run as a file of JSON lines, to be passed on: what was asked and answered, and no key.

The first line has the grid; then one line for each request, before the first row that answers it,
and one for each row.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import RunNotKept, UsageError, expect
from ...models.disk import write_text
from ...types import ChatRequest
from ..values import Call, Result, Row
from . import written

KIND = "jan_jupyter run"
VERSION = 1


class Told(NamedTuple):
    """All that a file says of a run."""

    result: Result
    created: float
    """Seconds since 1970."""
    notes: Mapping[str, Any]
    """What was kept beside it (votes, judgements)."""


def write(told: Told, path: Path | str, overwrite: bool = False) -> Path:
    """Raises `UsageError` if there is such a file, `RunNotKept` if it cannot be written."""
    expect(path, Path | str, "A run is exported to the path of a file")
    path = Path(path).expanduser()
    if path.exists() and not overwrite:
        raise UsageError(f"{path} is there already: name another file, or give overwrite=True.")
    try:
        write_text(path, "".join(f"{written.text_of(line)}\n" for line in _lines(told)))
    except OSError as error:
        raise RunNotKept(f"{path} cannot be written: {error.strerror or error}.") from error
    return path


def _lines(told: Told) -> Iterator[dict[str, Any]]:
    result = told.result
    yield {
        "kind": KIND,
        "version": VERSION,
        "name": result.name,
        "created": told.created,
        "grid": written.grid_json(result.grid),
        "notes": dict(told.notes),
    }
    known: set[str] = set()
    for row in result.rows:
        line: dict[str, Any] = {**row.call._asdict(), "key": row.key, "at": row.at}
        if row.reply is not None:
            if row.reply.request is not None:
                request = written.request_json(row.reply.request)
                line["request"] = written.fingerprint(request)
                if line["request"] not in known:
                    known.add(line["request"])
                    yield {"request": line["request"], "asks": request}
            line["reply"] = written.reply_json(row.reply)
        for name in ("error", "cold", "reused", "cost"):
            if (value := getattr(row, name)) not in ("", False, None):
                line[name] = value
        if row.scores:
            line["scores"] = {name: written.score_json(one) for name, one in row.scores.items()}
        yield line


def read(path: Path | str) -> Told:
    """The run in such a file. Raises `UsageError`, which names the line."""
    expect(path, Path | str, "A run is imported from the path of a file")
    path = Path(path).expanduser()
    found: _Reading | None = None
    number = 0
    try:
        with path.open(encoding="utf-8") as file:
            for text in file:
                number += 1
                line = json.loads(text)
                if found is None:
                    found = _begun(line, path)
                else:
                    found.add(line)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        said = " ".join(str(error).split())[:200]
        raise UsageError(f"{path}, line {number}: no part of an exported run ({said}).") from error
    if found is None:
        raise UsageError(f"{path} is empty: there is no run in it.")
    return Told(Result(found.grid, [*found.rows.values()], found.name), found.created, found.notes)


class _Reading:
    """What has been read of a file."""

    def __init__(self, head: Mapping[str, Any]) -> None:
        self.name, self.created = str(head["name"]), float(head["created"])
        self.grid, self.notes = written.grid_of(head["grid"]), {**head["notes"]}
        self.rows: dict[Call, Row] = {}
        self._requests: dict[str, ChatRequest] = {}

    def add(self, line: Mapping[str, Any]) -> None:
        if "asks" in line:
            self._requests[line["request"]] = written.request_of(line["asks"])
            return
        row = _row(line, self._requests)
        sizes = len(self.grid.cases), len(self.grid.contestants), self.grid.repeats
        places = zip(row.call, sizes, strict=True)
        if not all(type(place) is int and 0 <= place < size for place, size in places):
            raise ValueError(f"the grid has no {tuple(row.call)}")
        self.rows[row.call] = row


def _begun(line: Mapping[str, Any], path: Path) -> _Reading:
    _check(line, path)
    return _Reading(line)


def _check(line: Mapping[str, Any], path: Path) -> None:
    if line["kind"] != KIND:
        raise ValueError("it does not begin as one")
    if line["version"] > VERSION:
        raise UsageError(
            f"{path} was exported by a newer version of jan_jupyter: upgrade with `pip install"
            " --upgrade jan-jupyter`."
        )


def _row(line: Mapping[str, Any], requests: Mapping[str, ChatRequest]) -> Row:
    reply = line.get("reply")
    asked = requests[line["request"]] if "request" in line else None
    return Row(
        Call(line["case"], line["contestant"], line["repeat"]),
        str(line["key"]),
        written.reply_of(reply, asked) if reply is not None else None,
        str(line.get("error", "")),
        bool(line.get("cold", False)),
        bool(line.get("reused", False)),
        float(line["at"]),
        line.get("cost"),
        {name: written.score_of(one) for name, one in line.get("scores", {}).items()},
    )
