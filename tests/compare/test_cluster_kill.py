"""Kernels and workers that are killed while a cluster asks a grid: only that is asked again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from compare.clusters import cluster
from compare.test_run_kill import CALLS, ask_all, grid, questions
from jan_jupyter.compare.keeping.store import Store
from jan_jupyter.compare.running.limits import MOST
from support.jan import add_remote
from support.marks import LONG
from support.server import StreamingServer

pytestmark = [
    pytest.mark.filterwarnings("default"),
    pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on this system"),
    pytest.mark.slow,
    pytest.mark.timeout(600),
]
TIMES = pytest.mark.parametrize("times", [2, pytest.param(50, marks=LONG)])
QUICK = {"a": "n=2,first=0.01", "b": "n=2,first=0.01"}
THREADS = 4
"""Of a worker: so many calls may be under way there."""


@pytest.fixture
def client(isolated: Path) -> Iterator[Any]:
    with cluster(isolated) as client:
        yield client


def ask_all_there(folder: Path) -> None:
    """In a process that will be killed with its cluster."""
    with cluster(folder) as client:
        ask_all(folder, client)


def stored(folder: Path) -> set[tuple[int, int]]:
    """What is kept of the run."""
    store = Store(folder)
    rows = store.rows(store.begin("killed", grid()))
    store.close()
    return {(row.call.case, row.call.contestant) for row in rows}


def forget(folder: Path) -> None:
    store = Store(folder)
    store.delete(store.begin("killed", grid()))
    store.close()


@TIMES
def test_a_kernel_that_is_killed_loses_nothing(
    isolated: Path, server: StreamingServer, client: Any, times: int
) -> None:
    code = f"from compare.test_cluster_kill import *; ask_all_there(Path({str(isolated)!r}))"
    dice = random.Random(times)
    for _ in range(times):
        server.clear()
        add_remote(isolated / "jan", server, **QUICK)
        kernel = subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            start_new_session=True,
        )
        try:
            server.wait("received", count=dice.randrange(1, CALLS), timeout=60)
        finally:
            os.killpg(kernel.pid, signal.SIGKILL)
            kernel.wait()
        kept, asked = stored(isolated), questions(server)
        server.clear()
        add_remote(isolated / "jan", server, **QUICK)
        rows = ask_all(isolated, client)
        again = questions(server)
        assert not kept & again.keys()  # what was kept is not asked again
        assert len(kept) + len(again) == CALLS == len(rows)
        assert all(row.ok for row in rows)
        assert len(asked) - len(kept) <= MOST  # only what was under way is asked twice
        assert max([*asked.values(), *again.values()]) == 1
        forget(isolated)


@TIMES
def test_a_worker_that_is_killed_loses_nothing(
    isolated: Path, server: StreamingServer, times: int
) -> None:
    dice = random.Random(times)
    for _ in range(times):
        with cluster(isolated) as client:  # Dask does not always start another in its place
            kill_a_worker(isolated, server, client, dice)


def kill_a_worker(folder: Path, server: StreamingServer, client: Any, dice: random.Random) -> None:
    server.clear()
    add_remote(folder / "jan", server, **QUICK)
    pids: list[int] = [*client.run(os.getpid).values()]
    victim, at = dice.choice(pids), dice.randrange(1, CALLS - MOST)
    ended = 0

    def kill_one(_: object) -> None:
        nonlocal ended
        ended += 1
        if ended == at:
            os.kill(victim, signal.SIGKILL)

    rows = ask_all(folder, client, kill_one)
    assert len(rows) == CALLS
    assert all(row.ok for row in rows)
    asked = questions(server)
    assert len(asked) == CALLS
    assert max(asked.values()) <= 2
    assert sum(asked.values()) - CALLS <= 2 * THREADS  # only what was under way there
    forget(folder)
