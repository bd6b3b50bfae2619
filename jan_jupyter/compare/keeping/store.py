"""The store of runs: every call of a comparison that has ended, in one file of the data folder.

What is written is on the disk when the call that writes returns, and stays whatever happens then:
a kill, a full disk, another kernel at the same run. Only whole answers are given out again.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from ...errors import RunError, RunsUnreadable, expect
from ...types import EMPTY
from ..values import Call, Grid, Result, Row, Score
from . import early, stored_keystrokes, stored_rows, stored_runs, written
from .stored_runs import Listed, Run
from .writer import Job, reading, writer

T = TypeVar("T")


PRICES = "prices"
"""The note of the prices that a result has."""


class Store:
    """The runs of one data folder. What reads or waits here is not for the background loop.

    Errors of the disk are `RunNotKept`, those of the file `RunsUnreadable`: one line each.
    """

    def __init__(self, data_folder: Path | str) -> None:
        expect(data_folder, Path | str, "A data folder is a path")
        self.path = Path(data_folder).expanduser().absolute() / "runs" / "runs.sqlite"
        self._writer = writer(self.path)

    def close(self) -> None:
        """Return when all is written and the file is closed; it opens again by itself."""
        self._writer.close()

    # Writing

    def begin(self, name: str, grid: Grid, *, fresh: bool = False) -> Run:
        """The run in which a grid is asked: an earlier one that it goes on with, or a new one.

        It goes on with the run of that name if that asked the same, or the beginning of it (more
        prompts, models or repeats came behind). A run of that name that asked something else keeps
        its answers under another name. Without a name it goes on with the newest run that asked
        exactly the same. `fresh`: always a new one.
        """
        expect(name, str, "A run's name is text")
        name = " ".join(name.split())
        return self._wait(lambda connection: stored_runs.begin(connection, name, grid, fresh))

    async def append(self, run: Run, row: Row) -> bool:
        """Keep a call that has ended; whether it counts: not if a better answer is there already.

        An answer takes the place of an error, a whole one that of a cut one; a whole one stays.
        Cancelled or not, it will be kept. Awaitable in any loop, which never waits for the disk.
        """
        return await _done(
            self._writer.submit(lambda connection: stored_rows.append(connection, run, row))
        )

    async def score(self, run: Run, call: Call, scorer: str, score: Score) -> None:
        """Keep what a scorer says of a row that is there; the last word counts."""
        scores = {call: {scorer: score}}
        await _done(
            self._writer.submit(lambda connection: stored_rows.score(connection, run, scores))
        )

    async def reprice(self, run: Run, call: Call, cost: float | None) -> None:
        """What a row that is there has cost, as it is known now."""
        await _done(
            self._writer.submit(lambda connection: stored_rows.reprice(connection, run, call, cost))
        )

    def score_all(self, run: Run, scores: Mapping[Call, Mapping[str, Score]]) -> None:
        """The same for many at once, waited for."""
        self._wait(lambda connection: stored_rows.score(connection, run, scores))

    async def note(self, run: Run, name: str, value: Any) -> None:
        """Keep anything that JSON can say beside a run (a vote, a price); `None` removes it."""
        await _done(
            self._writer.submit(lambda connection: stored_runs.note(connection, run, name, value))
        )

    async def count(self, hour: str, counts: Mapping[str, Any]) -> None:
        """Add to what was counted at the cursor in an hour: see `stored_keystrokes`."""
        await _done(
            self._writer.submit(lambda connection: stored_keystrokes.add(connection, hour, counts))
        )

    def note_all(self, run: Run, notes: Mapping[str, Any]) -> None:
        """The same for many at once, waited for."""

        def note(connection: sqlite3.Connection) -> None:
            for name, value in notes.items():
                stored_runs.note(connection, run, name, value)

        self._wait(note)

    def rename(self, run: Run, name: str) -> Run:
        """Raises `RunError` if the name is taken."""
        expect(name, str, "A run's name is text")
        if not (name := " ".join(name.split())):
            raise RunError("The new name of a run cannot be empty.")
        return self._wait(lambda connection: stored_runs.rename(connection, run, name))

    def delete(self, run: Run) -> None:
        """Remove a run with its answers: they are not given out again, and not in the file."""

        def delete(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM runs WHERE id = ?", (run.id,))
            connection.execute(
                "DELETE FROM requests WHERE NOT EXISTS"
                " (SELECT 1 FROM rows WHERE rows.request = requests.hash)"
            )
            connection.execute("PRAGMA incremental_vacuum").fetchall()

        self._wait(delete)

    def put(
        self,
        result: Result,
        name: str = "",
        created: float = 0.0,
        notes: Mapping[str, Any] = EMPTY,
    ) -> Run:
        """A new run with all its rows, their scores and notes, whole or not at all.

        `name`: default the result's; one that is taken gets a number.
        """

        def put(connection: sqlite3.Connection) -> Run:
            free = stored_runs.free(connection, name or result.name)
            run = stored_runs.new(connection, free, result.grid, created or time.time())
            for row in result.rows:
                stored_rows.append(connection, run, row)
            scores = {row.call: row.scores for row in result.rows if row.scores}
            stored_rows.score(connection, run, scores)
            for note, value in notes.items():
                stored_runs.note(connection, run, note, value)
            return run

        return self._wait(put)

    def _wait(self, job: Job[T]) -> T:
        return self._writer.submit(job).result()

    # Reading

    def listed(self) -> list[Listed]:
        """All runs, the newest first."""
        return self._read(stored_runs.listed, [])

    def goes_on(self, name: str, grid: Grid) -> Run | None:
        """The run that `begin` would go on with; `None` if it would make a new one."""
        name = " ".join(name.split())
        return self._read(lambda connection: stored_runs.goes_on(connection, name, grid), None)

    def run(self, name: str) -> Run | None:
        """The run of that name; `None` if there is none."""
        return self._read(lambda connection: stored_runs.named(connection, name), None)

    def grid(self, run: Run) -> Grid:
        """What was asked. Raises `RunNotFound` if the run is gone."""

        def grid(connection: sqlite3.Connection) -> Grid:
            return self._grid(run, stored_runs.described(connection, run))

        found = self._read(grid, None)
        if found is None:
            raise stored_runs.gone(run)
        return found

    def _grid(self, run: Run, text: str) -> Grid:
        try:
            return written.grid_of(json.loads(text))
        except (LookupError, TypeError, ValueError) as error:
            raise RunsUnreadable(f"Run {run.name} in {self.path} is damaged: {error}") from error

    def rows(self, run: Run) -> list[Row]:
        """What has ended, by prompt, contestant and repeat, each with its scores."""
        return self._read(lambda connection: [*stored_rows.rows(connection, run)], [])

    def result(self, run: Run) -> Result:
        """The grid of a run and its rows, of one moment. Raises `RunNotFound` if it is gone."""

        def result(connection: sqlite3.Connection) -> Result:
            grid = self._grid(run, stored_runs.described(connection, run))
            notes = stored_runs.notes(connection, run)
            by, _ = early.told(notes)
            rows = [*stored_rows.rows(connection, run)]
            return Result(grid, rows, run.name, notes.get(PRICES) or {}, by or "")

        found = self._read(result, None)
        if found is None:
            raise stored_runs.gone(run)
        return found

    def calls(self, run: Run) -> Mapping[Call, str]:
        """The calls that have an answer, of whichever kernel, each with its key; a quick look."""

        def calls(connection: sqlite3.Connection) -> dict[Call, str]:
            query = (
                "SELECT prompt, contestant, repeat, key FROM rows WHERE run = ? AND worth > 0"
                " ORDER BY prompt, contestant, repeat"
            )
            return {Call(*call): key for *call, key in connection.execute(query, (run.id,))}

        return self._read(calls, {})

    def find(self, keys: Iterable[str]) -> dict[str, Row]:
        """The newest whole answer for each key that has one, in whichever run; marked `reused`.

        Cut, filtered, stopped and failed ones are never given out. Scores are not: they belong to
        a run.
        """
        wanted = [*dict.fromkeys(keys)]
        return self._read(lambda connection: stored_rows.find(connection, wanted), {})

    def noted(self, run: Run, name: str) -> Any:
        """What `note` has kept; `None` if nothing was."""
        return self.notes(run).get(name)

    def notes(self, run: Run) -> Mapping[str, Any]:
        """All that `note` has kept, the last behind."""
        nothing: dict[str, Any] = {}
        return self._read(lambda connection: stored_runs.notes(connection, run), nothing)

    def _read(self, read: Job[T], nothing: T) -> T:
        """What a look at the store gives, all of one moment; `nothing` if there is no store."""
        with reading(self.path) as connection:
            return nothing if connection is None else read(connection)


async def _done(future: Future[T]) -> T:
    """Its result; who stops to wait does not stop it."""
    return await asyncio.shield(asyncio.wrap_future(future))
