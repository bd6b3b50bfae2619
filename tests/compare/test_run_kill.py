"""A kernel that is killed in the middle of a grid: the next one asks only for what is missing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jan_jupyter import bridge
from jan_jupyter.compare.keeping.store import Store
from jan_jupyter.compare.keeping.stored_runs import Run
from jan_jupyter.compare.running.facts import look
from jan_jupyter.compare.running.limits import MOST
from jan_jupyter.compare.running.plan import plan
from jan_jupyter.compare.running.run import run
from jan_jupyter.compare.values import Case, Contestant, Grid, Row
from jan_jupyter.types import Message
from jan_jupyter.workspace import Workspace
from support.jan import add_remote
from support.marks import LONG
from support.server import StreamingServer

CALLS = 200


class Kept:
    """A store, and the run in it."""

    def __init__(self, store: Store, run: Run) -> None:
        self.find = store.find
        self._store, self._run = store, run

    async def append(self, row: Row, /) -> None:
        await self._store.append(self._run, row)


def grid() -> Grid:
    cases = (Case(f"{n}", ((Message("user", f"question {n}"),),)) for n in range(CALLS // 2))
    return Grid(tuple(cases), (Contestant("a", "a"), Contestant("b", "b")))


def ask_all(
    folder: Path, client: Any = None, each: Callable[[Row], object] = lambda row: None
) -> list[Row]:
    """All rows of the grid; `each` sees them as they come."""
    workspace, store = Workspace(), Store(folder)
    try:
        kept = Kept(store, store.begin("killed", grid()))
        made = plan(grid(), bridge.wait(look(grid(), workspace, kept)))
        rows = []
        for row in bridge.iterate(run(made, workspace, kept=kept, client=client)):
            rows.append(row)
            each(row)
        return rows
    finally:
        store.close()
        bridge.wait(workspace.close())


@pytest.mark.parametrize("times", [2, pytest.param(50, marks=LONG)])
def test_a_kernel_that_is_killed_loses_nothing(
    isolated: Path, server: StreamingServer, times: int
) -> None:
    here = Path(__file__)
    code = f"from compare.test_run_kill import ask_all, Path; ask_all(Path({str(isolated)!r}))"
    dice = random.Random(times)
    for _ in range(times):
        server.clear()
        add_remote(isolated / "jan", server, a="n=2,first=0.01", b="n=2,first=0.01")
        kernel = subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": str(here.parents[1])},
            start_new_session=True,
        )
        try:
            server.wait("received", count=dice.randrange(1, CALLS), timeout=60)
        finally:
            os.killpg(kernel.pid, signal.SIGKILL)
            kernel.wait()
        store = Store(isolated)
        before = store.rows(store.begin("killed", grid()))
        store.close()
        asked = questions(server)
        server.clear()
        add_remote(isolated / "jan", server, a="n=2", b="n=2")
        rows = ask_all(isolated)
        kept = {(row.call.case, row.call.contestant) for row in before}
        again = questions(server)
        assert not kept & again.keys()  # what was kept is not asked again
        assert len(kept) + len(again) == CALLS == len(rows)
        assert all(row.ok for row in rows)
        assert sum(row.reused for row in rows) == len(kept)
        assert len(asked) - len(kept) <= MOST  # only what was under way is asked twice
        assert max([*asked.values(), *again.values()]) == 1
        store = Store(isolated)
        store.delete(store.begin("killed", grid()))
        store.close()


def questions(server: StreamingServer) -> Counter[tuple[int, int]]:
    """How often each cell was asked."""
    asked = [entry.body for entry in server.journal()]
    return Counter(
        (int(body["messages"][0]["content"].split()[1]), "ab".index(body["model"]))
        for body in asked
    )
