"""Ten thousand calls: what they leave in memory. Their time is for `benchmarks/compare.py`."""

from __future__ import annotations

import gc
from pathlib import Path

import psutil
import pytest

from compare.test_run_kill import Kept
from jan_jupyter import bridge
from jan_jupyter.compare.keeping.store import Store
from jan_jupyter.compare.running.facts import look
from jan_jupyter.compare.running.plan import plan
from jan_jupyter.compare.running.run import run
from jan_jupyter.compare.values import Case, Contestant, Grid
from jan_jupyter.types import Message
from jan_jupyter.workspace import Workspace
from support.jan import add_remote
from support.marks import LONG
from support.server import StreamingServer

KB = 10**3


@pytest.mark.parametrize(
    "calls", [pytest.param(5000, marks=pytest.mark.slow), pytest.param(10_000, marks=LONG)]
)
def test_many_calls_leave_nothing_in_memory(
    isolated: Path, server: StreamingServer, calls: int
) -> None:
    add_remote(isolated / "jan", server, a="n=1", b="n=1")
    cases = (Case(f"{n}", ((Message("user", f"question {n}"),),)) for n in range(calls // 2))
    asked = Grid(tuple(cases), (Contestant("a", "a"), Contestant("b", "b")), seed=1)
    workspace, store = Workspace(), Store(isolated)
    kept = Kept(store, store.begin("many", asked))
    made = plan(asked, bridge.wait(look(asked, workspace, kept)))
    memory = []
    for number, _ in enumerate(bridge.iterate(run(made, workspace, kept=kept)), 1):
        if number % (calls // 10) == 0:
            gc.collect()
            memory.append(psutil.Process().memory_info().rss)
    store.close()
    bridge.wait(workspace.close())
    assert len(memory) == 10
    assert memory[-1] - memory[1] < calls * KB
