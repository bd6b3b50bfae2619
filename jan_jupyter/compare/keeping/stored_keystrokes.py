"""The run that counts what was taken at the cursor; works on a connection of a store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from .. import keystrokes
from ..values import Grid
from . import stored_runs, written
from .stored_runs import Run


def add(connection: sqlite3.Connection, hour: str, counts: Mapping[str, Any]) -> Run:
    """Add to what was counted in an hour (`2026-11-30T14`); a run of that name that is another one
    gets another name."""
    models = [one["model"] for one in counts["models"]]
    models += [name for pair in counts.get("pairs", ()) for name in pair["models"]]
    run = stored_runs.named(connection, keystrokes.RUN)
    grid: Grid | None = None
    if run is not None:
        with suppress(LookupError, TypeError, ValueError):
            grid = written.grid_of(json.loads(stored_runs.described(connection, run)))
    run = stored_runs.begin(connection, keystrokes.RUN, keystrokes.grid(grid, models), False)
    name = keystrokes.NOTE + hour
    before = stored_runs.notes(connection, run).get(name)
    stored_runs.note(connection, run, name, keystrokes.added(before, counts))
    return run
