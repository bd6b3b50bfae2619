"""The rows in a store, each with its answer and its scores; each function works on a connection."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ...errors import RunNotFound
from ...types import EMPTY, ChatRequest
from ..values import Call, Row, Score
from . import written
from .stored_runs import Run, gone

_WHOLE, _CUT, _FAILED = 2, 1, 0


def worth(row: Row) -> int:
    """Whether a row has a whole answer (2), one that was cut or filtered (1), or none (0)."""
    if not row.ok or row.reply is None or row.reply.error:
        return _FAILED
    ends = [choice.finish for choice in row.reply.choices]
    return _WHOLE if all(end in ("stop", "tool_calls") for end in ends) else _CUT


def append(connection: sqlite3.Connection, run: Run, row: Row) -> bool:
    request = row.reply.request if row.reply else None
    hash_ = _keep_request(connection, request) if request else None
    reply = written.text_of(written.reply_json(row.reply)) if row.reply else None
    error = row.error.encode("utf-8", "replace").decode()
    values = (
        *(run.id, *row.call, row.key, worth(row), error, row.cold, row.reused),
        *(row.at, row.cost, hash_, reply),
    )
    try:
        # Scores are of the answer that goes, and go with it.
        changed = connection.execute(
            "DELETE FROM rows WHERE run = ? AND prompt = ? AND contestant = ? AND repeat = ?"
            " AND worth <= ? AND worth < ?",
            (*values[:4], worth(row), _WHOLE),
        )
        changed = connection.execute(
            "INSERT INTO rows (run, prompt, contestant, repeat, key, worth, error, cold, reused,"
            " at, cost, request, reply) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            values,
        )
    except sqlite3.IntegrityError as broken:
        raise gone(run) from broken
    return changed.rowcount > 0


def _keep_request(connection: sqlite3.Connection, request: ChatRequest) -> str:
    text = written.text_of(written.request_json(request))
    hash_ = written.fingerprint(text)
    connection.execute("INSERT INTO requests VALUES (?, ?) ON CONFLICT DO NOTHING", (hash_, text))
    return hash_


_COLUMNS = "rows.prompt, contestant, repeat, key, error, cold, reused, at, cost, request, reply"


def rows(connection: sqlite3.Connection, run: Run) -> Iterator[Row]:
    requests = _requests(
        connection,
        "SELECT hash, requests.request FROM requests WHERE hash IN"
        " (SELECT request FROM rows WHERE run = ?)",
        (run.id,),
    )
    scores: dict[Call, dict[str, Score]] = {}
    for *call, scorer, score in connection.execute(
        "SELECT prompt, contestant, repeat, scorer, score FROM scores WHERE run = ?", (run.id,)
    ):
        scores.setdefault(Call(*call), {})[scorer] = written.score_of(json.loads(score))
    query = f"SELECT {_COLUMNS} FROM rows WHERE run = ? ORDER BY prompt, contestant, repeat"  # noqa: S608
    for found in connection.execute(query, (run.id,)):
        yield _row(found, requests, scores)


def _requests(
    connection: sqlite3.Connection, query: str, values: Sequence[Any]
) -> dict[str, ChatRequest]:
    requests = {}
    for hash_, text in connection.execute(query, values):
        with suppress(LookupError, TypeError, ValueError):  # what it asked is lost with it
            requests[hash_] = written.request_of(json.loads(text))
    return requests


def _row(
    found: Sequence[Any],
    requests: Mapping[str, ChatRequest],
    scores: Mapping[Call, Mapping[str, Score]],
) -> Row:
    prompt, contestant, repeat, key, error, cold, reused, at, cost, request, reply = found
    call = Call(prompt, contestant, repeat)
    try:
        answer = written.reply_of(json.loads(reply), requests.get(request)) if reply else None
    except (LookupError, TypeError, ValueError) as damage:
        answer, error = None, f"Its answer is damaged in the store ({damage})."
    known = scores.get(call, EMPTY)
    return Row(call, key, answer, error, bool(cold), bool(reused), at, cost, known)


def find(connection: sqlite3.Connection, keys: Sequence[str]) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for start in range(0, len(keys), 500):
        some = keys[start : start + 500]
        marks = ",".join("?" * len(some))
        query = f"SELECT {_COLUMNS} FROM rows WHERE worth = {_WHOLE} AND key IN ({marks})"  # noqa: S608
        found = connection.execute(f"{query} ORDER BY at, rowid", some).fetchall()
        newest = {row[3]: row for row in found}
        hashes = [*{row[9] for row in newest.values() if row[9]}]
        marks = ",".join("?" * len(hashes))
        query = f"SELECT hash, request FROM requests WHERE hash IN ({marks})"  # noqa: S608
        requests = _requests(connection, query, hashes)
        for key, row in newest.items():
            if (whole := _row(row, requests, {})).ok:
                rows[key] = replace(whole, reused=True)
    return rows


def reprice(connection: sqlite3.Connection, run: Run, call: Call, cost: float | None) -> None:
    connection.execute(
        "UPDATE rows SET cost = ? WHERE run = ? AND prompt = ? AND contestant = ? AND repeat = ?",
        (cost, run.id, *call),
    )


def score(
    connection: sqlite3.Connection, run: Run, scores: Mapping[Call, Mapping[str, Score]]
) -> None:
    rows = [
        (run.id, *call, scorer, written.text_of(written.score_json(score)))
        for call, by_scorer in scores.items()
        for scorer, score in by_scorer.items()
    ]
    try:
        connection.executemany("INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?, ?)", rows)
    except sqlite3.IntegrityError as error:
        raise RunNotFound(f"Run {run.name} has no such row to be scored: it is gone.") from error
