"""A comparison of a server's models, against its slowest alone and the times of its script."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter, process_time

from compare.made import answer, small_grid
from jan_jupyter import bridge
from jan_jupyter.compare.keeping.store import Store
from jan_jupyter.compare.running.facts import look
from jan_jupyter.compare.running.plan import plan
from jan_jupyter.compare.running.run import run
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
    rows = [*bridge.iterate(run(made, workspace))]
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
    """Milliseconds of CPU to keep a call, and seconds until a run of so many is open again."""
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
    began = perf_counter()
    result = Store(folder).result(run)
    opened = perf_counter() - began
    assert len(result.rows) == CALLS
    store.close()
    return kept, opened


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
        kept, opened = stored(data)
    print(
        f"{len(names)} models, {PROMPTS} prompts: {together / alone:.2f} × of the slowest alone"
        f" ({alone:.2f} s); bound 1.05"
    )
    print(f"times that are told: at most {worst:.1%} off the server's script; bound 5 %")
    print(f"to keep a call: {kept:.2f} ms of CPU; bound 1 ms, with all else that a run does")
    print(f"to open a run of {CALLS:,}: {opened:.2f} s; bound 0.5 s")
