"""Damaged files end in one line each: no crash, no hang, no more memory than 64 MB."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

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
def test_some_damaged_files() -> None:
    run(2000, seed=1, timeout=100)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.skipif(os.name != "posix", reason="memory and time are bounded with POSIX calls")
def test_a_hundred_thousand_damaged_files() -> None:
    run(100_000, seed=2, timeout=1100)
