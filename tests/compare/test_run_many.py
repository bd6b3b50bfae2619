"""Ten thousand calls: what the scheduler and the store take beside the answers themselves."""

from __future__ import annotations

import asyncio
import gc
import time
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest

from compare.test_run_kill import Kept
from jan_jupyter import bridge
from jan_jupyter.ask import Stream
from jan_jupyter.compare.keeping.store import Store
from jan_jupyter.compare.running.facts import look
from jan_jupyter.compare.running.plan import plan
from jan_jupyter.compare.running.run import run
from jan_jupyter.compare.values import Case, Contestant, Grid
from jan_jupyter.types import ChatRequest, Message
from jan_jupyter.workspace import Workspace
from support.jan import add_remote
from support.server import StreamingServer

CALLS = 10_000
MB = 10**6


async def answers(workspace: Workspace, count: int) -> None:
    """So many answers without any of it, of a request that is composed once."""
    request, target = workspace.router.prepare(ChatRequest([Message("user", "hi")]), "a")
    places = asyncio.Semaphore(16)

    async def one() -> None:
        async with places, aclosing(Stream(workspace.router, request, target).deltas()) as deltas:
            async for _ in deltas:
                pass

    await asyncio.gather(*(one() for _ in range(count)))


@pytest.mark.slow
def test_ten_thousand_calls_take_little_beside_their_answers(
    isolated: Path, server: StreamingServer
) -> None:
    add_remote(isolated / "jan", server, a="n=1", b="n=1")
    cases = (Case(f"{n}", ((Message("user", f"question {n}"),),)) for n in range(CALLS // 2))
    asked = Grid(tuple(cases), (Contestant("a", "a"), Contestant("b", "b")), seed=1)
    workspace, store = Workspace(), Store(isolated)
    bridge.wait(answers(workspace, 500))
    began = time.process_time()
    bridge.wait(answers(workspace, 1000))
    bare = (time.process_time() - began) / 1000
    kept = Kept(store, store.begin("many", asked))
    began = time.process_time()
    made = plan(asked, bridge.wait(look(asked, workspace, kept)))
    memory = []
    for number, _ in enumerate(bridge.iterate(run(made, workspace, kept=kept)), 1):
        if number % (CALLS // 10) == 0:
            gc.collect()
            memory.append(psutil.Process().memory_info().rss)
    took = (time.process_time() - began) / CALLS
    store.close()
    bridge.wait(workspace.close())
    assert len(memory) == 10
    assert memory[-1] - memory[1] < 10 * MB
    assert took - bare < 0.001  # seconds of CPU a call
