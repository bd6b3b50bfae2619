"""A writer that is killed loses nothing that was finished, and leaves a thread that opens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.marks import LONG


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("rounds", [20, pytest.param(200, marks=LONG)])
def test_no_finished_turn_is_lost(tmp_path: Path, rounds: int) -> None:
    script = Path(__file__).with_name("killing.py")
    command = [sys.executable, str(script), str(tmp_path), str(rounds), "4711"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    print(figures)
    assert figures["finished"] >= rounds / 5  # else it would look at nothing
    assert {*figures["left"]} <= {
        *("thread.json", "messages.jsonl", "branches.jsonl"),
        *(".thread.json.tmp", ".messages.jsonl.tmp", ".branches.jsonl.tmp"),
    }
