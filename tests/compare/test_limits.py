"""How many requests are under way at once, by a clock that the test turns."""

from __future__ import annotations

from pathlib import Path

import pytest

from compare.test_run import grid, most_at_once, planned
from jan_jupyter import bridge
from jan_jupyter.compare.running.limits import LONGEST_PAUSE, MOST, Limit
from jan_jupyter.compare.running.run import run
from jan_jupyter.workspace import Workspace
from support.jan import add_remote
from support.server import StreamingServer


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def test_it_grows_by_one_for_each_round() -> None:
    limit = Limit(4)
    for _ in range(4):
        limit.answered()
    assert limit.width == pytest.approx(5, abs=0.2)
    for _ in range(100_000):
        limit.answered()
    assert limit.most == MOST
    assert Limit(MOST + 10).most == MOST + 10  # so many contestants


def test_it_halves_once_for_a_crowd() -> None:
    clock = Clock()
    limit = Limit(16, now=clock)
    sent = clock.time
    clock.time += 1
    for _ in range(5):
        limit.refused(sent, 0.0)
    assert limit.most == 8
    clock.time += 1
    limit.refused(clock.time, 0.0)  # sent since then, and refused again
    assert limit.most == 4
    for _ in range(10):
        clock.time += 1
        limit.refused(clock.time, 0.0)
    assert limit.most == 1


def test_a_server_is_waited_for_as_long_as_it_asks() -> None:
    clock = Clock()
    limit = Limit(8, now=clock)
    limit.refused(clock.time, 20.0)
    limit.refused(clock.time, 5.0)
    assert limit.pause == 20.0
    clock.time += 19
    assert limit.pause == pytest.approx(1.0)
    clock.time += 2
    assert limit.pause == 0
    limit.refused(clock.time, 1e9)
    assert limit.pause == LONGEST_PAUSE
    clock.time += LONGEST_PAUSE
    limit.refused(clock.time, None)  # it does not say
    assert 0 <= limit.pause <= 30


def test_the_slots_of_a_worker_stay() -> None:
    limit = Limit(2, fixed=True)
    for _ in range(50):
        limit.answered()
    limit.refused(1e9, 0.0)
    assert limit.most == 2


TAKES = 6
"""So many requests at once a server answers; to others it says 429."""


@pytest.mark.parametrize("asks", ["", ",retry_after=0.02"])
def test_a_server_is_asked_for_about_as_much_as_it_takes(
    isolated: Path, server: StreamingServer, asks: str
) -> None:
    add_remote(isolated / "jan", server, busy=f"n=1,first=0.02,most={TAKES}{asks}")
    workspace = Workspace()
    made = planned(grid(200, "busy"), workspace)
    rows = [*bridge.iterate(run(made, workspace))]
    bridge.wait(workspace.close())
    assert len(rows) == 200
    assert [row.error for row in rows if not row.ok] == []
    entries = server.journal()
    refused = [entry for entry in entries if entry.status == 429]
    assert len(entries) - len(refused) == 200  # each is answered once
    assert 1 <= len(refused) <= 40  # it tries more now and then, and does not storm
    assert TAKES // 2 <= most_at_once(entries) <= 2 * TAKES


def test_two_models_of_a_server_share_what_it_takes(
    isolated: Path, server: StreamingServer
) -> None:
    """One that is refused slows the other one down, and none of both is left out."""
    add_remote(isolated / "jan", server, a=f"n=1,first=0.02,most={TAKES}", b="n=1,first=0.02")
    workspace = Workspace()
    rows = [*bridge.iterate(run(planned(grid(60, "a", "b"), workspace), workspace))]
    bridge.wait(workspace.close())
    assert all(row.ok for row in rows)
    assert [row.call.contestant for row in rows].count(1) == 60
