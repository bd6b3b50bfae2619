"""A comparison of a server's models, against its slowest alone and the times of its script."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

from psutil import Process

from compare.made import answer, small_grid
from jan_jupyter import ask, bridge
from jan_jupyter.chat import Chat
from jan_jupyter.compare.comparison import Comparison, session
from jan_jupyter.compare.keeping.store import Store
from jan_jupyter.compare.running import run as running
from jan_jupyter.compare.running.facts import look
from jan_jupyter.compare.running.plan import plan
from jan_jupyter.compare.values import Case, Contestant, Grid, Row
from jan_jupyter.types import Message
from jan_jupyter.workspace import Workspace
from support.jan import add_remote
from support.server import StreamingServer

PROMPTS = 4
TOKENS = 40
FIRST = 0.3
"""Seconds to the first token."""
DELAYS: Mapping[str, float] = {"quick": 0.02, "middle": 0.03, "slower": 0.04, "slow": 0.05}
"""Seconds from token to token, by model."""


def asked(workspace: Workspace, names: Sequence[str]) -> tuple[list[Row], float]:
    """The rows of a grid, and the seconds that it took."""
    cases = tuple(Case(f"{n}", ((Message("user", f"{n}"),),)) for n in range(PROMPTS))
    grid = Grid(cases, tuple(Contestant(name, name) for name in names))
    made = plan(grid, bridge.wait(look(grid, workspace)))
    began = perf_counter()
    rows = [*bridge.iterate(running.run(made, workspace))]
    return rows, perf_counter() - began


def error(row: Row, names: Sequence[str]) -> float:
    """By which part of it the worst of a row's times is off."""
    assert row.reply is not None
    delay, times = DELAYS[names[row.call.contestant]], row.reply.timings
    scripted = {
        times.first_token: FIRST,
        times.total: FIRST + (TOKENS - 1) * delay,
        times.tokens_per_second: 1 / delay,
    }
    return max(abs((told or 0) / true - 1) for told, true in scripted.items())


CALLS = 10_000
IN_FLIGHT = 16


def stored(folder: Path) -> tuple[float, float]:
    """CPU: milliseconds to keep a call, and seconds until a run of so many is open again."""
    grid = small_grid(CALLS // 2)
    store = Store(folder)
    run = store.begin("many", grid)
    rows = [answer(call, "An answer of some words. " * 10) for call in grid.calls()]

    async def keep() -> None:
        for start in range(0, CALLS, IN_FLIGHT):
            some = rows[start : start + IN_FLIGHT]
            await asyncio.gather(*(store.append(run, row) for row in some))

    began = process_time()
    asyncio.run(keep())
    kept = (process_time() - began) / CALLS * 1000
    began = process_time()
    result = Store(folder).result(run)
    opened = process_time() - began
    assert len(result.rows) == CALLS
    store.close()
    return kept, opened


@dataclass
class Whole:
    """What a comparison of so many calls costs, with all that belongs to one."""

    planned: float
    """Milliseconds of CPU a call, as the rest of them."""
    asked: float
    alone: float
    """The same requests by `Chat` alone."""
    memory: float
    """kB that this process has grown by for each row, which it holds."""
    summary: float
    """Seconds of CPU."""

    @property
    def overhead(self) -> float:
        return self.planned + self.asked - self.alone


def milliseconds(calls: int, work: Callable[[], object]) -> float:
    began = process_time()
    work()
    return (process_time() - began) / calls * 1000


def whole(data: Path, server: StreamingServer) -> Whole:
    """Ten thousand calls to a fast server: planned, asked, kept; then shown, with two scores."""
    add_remote(data, server, a="n=1", b="n=1")
    workspace = Workspace(data)
    frame = [{"n": n} for n in range(CALLS // 2)]

    async def alone() -> None:
        places = asyncio.Semaphore(IN_FLIGHT)

        async def one(n: int) -> None:
            async with places:
                await ask.whole(Chat("ab"[n % 2], workspace=workspace).stream(f"alone {n}"))

        await asyncio.gather(*map(one, range(CALLS // 5)))

    asyncio.run(alone())  # warm
    server.clear()
    by_itself = milliseconds(CALLS // 5, lambda: asyncio.run(alone()))
    server.clear()
    asked = session("question {n}", ["a", "b"], variables=frame, workspace=workspace, name="whole")
    planned = milliseconds(CALLS, asked.plan)
    before = Process().memory_info().rss
    made = milliseconds(CALLS, lambda: asked.wait(asked.steps())) - planned  # it plans again
    grown = (Process().memory_info().rss - before) / CALLS / 1000
    comparison = Comparison(asked)
    assert len(comparison) == CALLS
    assert all(row.ok for row in comparison)
    comparison.score({"short": lambda text: len(text) < 7, "length": lambda text: len(text)})
    comparison.summary()  # imports SciPy
    began = process_time()
    comparison.summary()
    summary = process_time() - began
    bridge.wait(workspace.close())
    return Whole(planned, made, by_itself, grown, summary)


def main() -> None:
    names = [*DELAYS]
    with StreamingServer() as server, tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        behaviours = {n: f"n={TOKENS},first={FIRST},delay={d}" for n, d in DELAYS.items()}
        add_remote(data, server, **behaviours)
        workspace = Workspace(data)
        asked(workspace, names)  # warm
        _, alone = asked(workspace, ["slow"])
        rows, together = asked(workspace, names)
        worst = max(error(row, names) for row in rows)
        bridge.wait(workspace.close())
        run = whole(data / "whole", server)
        kept, opened = stored(data)
    print(
        f"{len(names)} models, {PROMPTS} prompts: {together / alone:.2f} × of the slowest alone"
        f" ({alone:.2f} s); bound 1.05"
    )
    print(f"times that are told: at most {worst:.1%} off the server's script; bound 5 %")
    print(f"to keep a call: {kept:.2f} ms of CPU; bound 1 ms, with all else that a run does")
    print(f"to open a run of {CALLS:,}: {opened:.2f} s of CPU; bound 0.5 s")
    print(
        f"{CALLS:,} calls: {run.overhead:.2f} ms of CPU a call beyond the {run.alone:.2f} of the"
        f" same requests alone (planned {run.planned:.2f}, asked and kept {run.asked:.2f});"
        " bound 1 ms"
    )
    print(f"memory: {run.memory:.1f} kB for each row that it holds; bound 10 kB")
    print(f"the summary of {CALLS:,}, with two scores: {run.summary:.2f} s of CPU; bound 1 s")
