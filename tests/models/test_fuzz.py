"""Damaged files end in one line each: no crash, no hang, no more memory than 64 MB."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.marks import LONG

TESTS = Path(__file__).parents[1]


def run(count: int, seed: int, timeout: float) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "models.fuzz", str(count), str(seed)],
        cwd=TESTS,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    told = json.loads(done.stdout)
    assert told["cases"] == count
    assert told["kilobytes"] < 64 * 1024


@pytest.mark.skipif(os.name != "posix", reason="memory and time are bounded with POSIX calls")
@pytest.mark.parametrize("count", [2000, pytest.param(100_000, marks=LONG)])
def test_damaged_files(count: int) -> None:
    run(count, seed=1, timeout=count / 20)
