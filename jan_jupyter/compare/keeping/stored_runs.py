"""The runs in a store: what was asked, under which name; each function works on a connection."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass, replace
from typing import Any

from ...errors import RunError, RunNotFound
from ..values import STOPPED, Grid
from . import written


@dataclass(frozen=True, slots=True)
class Run:
    """A run in the store. Its name may change, its number never does."""

    id: int
    name: str
    created: float = 0.0
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A run in a listing; its rows are not read for it."""

    run: Run
    prompts: int
    models: tuple[str, ...]
    """The names of the contestants."""
    repeats: int
    done: int
    """Calls with an answer."""
    failed: int
    updated: float
    """When its last call ended, in seconds since 1970."""

    @property
    def name(self) -> str:
        return self.run.name

    @property
    def calls(self) -> int:
        """How many there are in all."""
        return self.prompts * len(self.models) * self.repeats


def gone(run: Run) -> RunNotFound:
    return RunNotFound(f"Run {run.name} is not there any more: it was deleted.")


def _found(connection: sqlite3.Connection, name: str, grid: Grid) -> Any:
    """The run of that name, or the newest that asked the same; with what it asked."""
    query = "SELECT id, name, created, grid FROM runs WHERE"
    if name:
        return connection.execute(f"{query} name = ?", (name,)).fetchone()
    return connection.execute(
        f"{query} sameness = ? ORDER BY created DESC, id DESC", (_sameness(grid),)
    ).fetchone()


def goes_on(connection: sqlite3.Connection, name: str, grid: Grid) -> Run | None:
    found = _found(connection, name, grid)
    return Run(*found[:3]) if found is not None and _goes_on(found[3], grid) else None


def begin(connection: sqlite3.Connection, name: str, grid: Grid, fresh: bool) -> Run:
    found = _found(connection, name, grid)
    if found is not None:
        run = Run(*found[:3])
        if not fresh and _goes_on(found[3], grid):
            _describe(connection, run, grid)
            return run
        if name:
            rename(connection, run, free(connection, name))
    now = time.time()
    day = time.strftime("%Y-%m-%d %H:%M", time.localtime(now))
    return new(connection, name or free(connection, day), grid, now)


def _goes_on(before: str, grid: Grid) -> bool:
    """Whether every call of an earlier grid is the same one in this."""
    try:
        old = json.loads(before)
        sizes = len(old["cases"]), len(old["contestants"]), old["repeats"]
    except (LookupError, TypeError, ValueError):
        return False
    prompts, contestants, repeats = sizes
    if repeats > grid.repeats:
        return False
    start = replace(
        grid,
        cases=grid.cases[:prompts],
        contestants=grid.contestants[:contestants],
        repeats=repeats,
    )
    return written.text_of({**old, "seed": 0}, sort=True) == _canonical(start)


def _canonical(grid: Grid) -> str:
    """The same for grids that ask the same, in whichever order."""
    return written.text_of(written.grid_json(replace(grid, seed=0)), sort=True)


def _sameness(grid: Grid) -> str:
    return written.fingerprint(written.grid_json(replace(grid, seed=0)))


def _description(grid: Grid) -> tuple[Any, ...]:
    names = written.text_of([contestant.name for contestant in grid.contestants])
    text = written.text_of(written.grid_json(grid))
    return text, _sameness(grid), len(grid.cases), names, grid.repeats


def _describe(connection: sqlite3.Connection, run: Run, grid: Grid) -> None:
    connection.execute(
        "UPDATE runs SET grid = ?, sameness = ?, prompts = ?, models = ?, repeats = ? WHERE id = ?",
        (*_description(grid), run.id),
    )


def new(connection: sqlite3.Connection, name: str, grid: Grid, created: float) -> Run:
    cursor = connection.execute(
        "INSERT INTO runs (grid, sameness, prompts, models, repeats, name, created)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*_description(grid), name, created),
    )
    return Run(cursor.lastrowid or 0, name, created)


def free(connection: sqlite3.Connection, name: str) -> str:
    """That name, or with a number behind it if it is taken."""
    taken = {row[0] for row in connection.execute("SELECT name FROM runs")}
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free


def rename(connection: sqlite3.Connection, run: Run, name: str) -> Run:
    try:
        changed = connection.execute("UPDATE runs SET name = ? WHERE id = ?", (name, run.id))
    except sqlite3.IntegrityError as error:
        raise RunError(f"There is a run {name} already: choose another name.") from error
    if not changed.rowcount:
        raise gone(run)
    return replace(run, name=name)


def named(connection: sqlite3.Connection, name: str) -> Run | None:
    query = "SELECT id, name, created FROM runs WHERE name = ?"
    found = connection.execute(query, (name,)).fetchone()
    return Run(*found) if found else None


def described(connection: sqlite3.Connection, run: Run) -> str:
    found = connection.execute("SELECT grid FROM runs WHERE id = ?", (run.id,)).fetchone()
    if found is None:
        raise gone(run)
    return str(found[0])


def listed(connection: sqlite3.Connection) -> list[Listed]:
    query = """
        SELECT runs.id, name, created, prompts, models, repeats,
        count(CASE WHEN worth > 0 THEN 1 END), count(CASE WHEN worth = 0 AND error <> ? THEN 1 END),
        max(created, coalesce(max(at), 0))
        FROM runs LEFT JOIN rows ON rows.run = runs.id GROUP BY runs.id
        ORDER BY created DESC, runs.id DESC"""
    return [
        Listed(Run(*row[:3]), row[3], tuple(json.loads(row[4])), *row[5:])
        for row in connection.execute(query, (STOPPED,))
    ]


def note(connection: sqlite3.Connection, run: Run, name: str, value: Any) -> None:
    connection.execute("DELETE FROM notes WHERE run = ? AND name = ?", (run.id, name))
    if value is None:
        return
    try:
        text = written.text_of(value)
        connection.execute("INSERT INTO notes VALUES (?, ?, ?)", (run.id, name, text))
    except sqlite3.IntegrityError as error:
        raise gone(run) from error


def notes(connection: sqlite3.Connection, run: Run) -> dict[str, Any]:
    """All that was kept beside a run, what was kept last behind."""
    query = "SELECT name, value FROM notes WHERE run = ? ORDER BY rowid"
    return {name: json.loads(value) for name, value in connection.execute(query, (run.id,))}
