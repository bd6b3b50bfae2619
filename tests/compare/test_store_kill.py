"""What was kept stays: writers that are killed, and two that write the same run."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from compare.made import answer, small_grid
from compare.storing import PROMPTS
from jan_jupyter.compare.keeping.store import Store
from jan_jupyter.compare.keeping.stored_runs import Run
from jan_jupyter.compare.values import Call
from support.marks import LONG

SCRIPT = Path(__file__).with_name("storing.py")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}


def writer(folder: Path, first: int, last: int, together: int = 8) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(SCRIPT), str(folder), str(first), str(last), str(together)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env=ENVIRONMENT)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on this system")
@pytest.mark.parametrize("times", [3, pytest.param(50, marks=LONG)])
def test_a_writer_that_is_killed_loses_nothing_it_has_told(tmp_path: Path, times: int) -> None:
    chance = random.Random(4711)
    told: set[int] = set()
    first = 0
    for _ in range(times):
        process = writer(tmp_path, first, 2 * PROMPTS, chance.randint(1, 16))
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        for _ in range(chance.randint(0, 30)):  # at any point after some rows …
            told.add(int(process.stdout.readline()))
        time.sleep(chance.uniform(0, 0.01))  # … of whatever is done for the next
        process.send_signal(signal.SIGKILL)
        rest = process.communicate()[0]
        kept = Store(tmp_path).calls(_run(tmp_path))
        told |= {int(line) for line in rest.split(b"\n")[:-1]}
        assert told <= {int(key) for key in kept.values()}
        first = max(map(int, kept.values()), default=-1) + 1
    rows = Store(tmp_path).rows(_run(tmp_path))
    assert {int(row.key) for row in rows} >= set(range(first))
    assert all(row.text == f"{row.key} " * 200 for row in rows)
    assert first > times


def _run(folder: Path) -> Run:
    run = Store(folder).run("study")
    assert run is not None
    return run


def test_two_processes_write_one_run(tmp_path: Path) -> None:
    """Each its half, and both what lies between."""
    writers = [writer(tmp_path, 0, 300), writer(tmp_path, 200, 500)]
    for one in writers:
        told = one.communicate()[0].split()
        assert one.returncode == 0
        assert len(told) == 301
    store = Store(tmp_path)
    assert [listed.name for listed in store.listed()] == ["study"]
    rows = store.rows(_run(tmp_path))
    assert [int(row.key) for row in rows] == [*range(500)]
    assert {row.text for row in rows} == {f"{number} " * 200 for number in range(500)}


def test_a_forked_process_writes_with_a_thread_of_its_own(tmp_path: Path) -> None:
    code = (
        "import os, sys, asyncio\nfrom compare.made import *\n"
        "from jan_jupyter.compare.keeping.store import Store\n"
        "store = Store(sys.argv[1])\nrun = store.begin('study', small_grid())\n"
        "child = os.fork()\n"
        "call = Call(0, 0) if child else Call(1, 1)\n"
        "asyncio.run(store.append(run, answer(call)))\n"
        "store.close()\n"
        "if child: assert os.waitpid(child, 0)[1] == 0\n"
    )
    if sys.platform != "linux":
        pytest.skip("fork is safe on Linux alone")
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        check=True,
        timeout=60,
        env={**ENVIRONMENT, "PYTHONWARNINGS": "ignore"},  # of a fork with threads
    )
    assert [*Store(tmp_path).calls(_run(tmp_path))] == [Call(0, 0), Call(1, 1)]


def test_made_rows_are_what_they_say() -> None:
    assert len(small_grid(PROMPTS)) == 2 * PROMPTS
    assert answer(Call(1, 0)).ok
