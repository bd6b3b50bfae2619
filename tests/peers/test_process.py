"""Peers end with their tests, whatever becomes of those."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from peers.llama_cpp import LlamaCpp
from peers.process import Peer, Unready
from support.environment import processes_of

STARTS_ONE = """
import sys, time
from pathlib import Path
from peers.llama_cpp import LlamaCpp
with LlamaCpp(Path(sys.argv[1])):
    print("ready", flush=True)
    time.sleep(600)
"""


class Ends(Peer):
    """A program that says why it cannot go on, and ends."""

    name = "ends"

    def command(self) -> list[str]:
        return [sys.executable, "-c", "import sys; sys.exit('no such luck')"]


def test_it_answers_and_is_gone_afterwards(tmp_path: Path) -> None:
    with LlamaCpp(tmp_path) as peer:
        assert peer.call("GET", "/health")[0] == 200
        assert processes_of(tmp_path)
    assert not processes_of(tmp_path)


def test_it_does_not_outlive_the_tests(tmp_path: Path) -> None:
    path = os.pathsep.join(filter(None, sys.path))
    command = [sys.executable, "-c", STARTS_ONE, str(tmp_path)]
    tests = subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    )
    assert tests.stdout is not None
    with tests.stdout:
        assert tests.stdout.readline() == b"ready\n"
    peers = [p for p in processes_of(tmp_path) if p.pid != tests.pid]
    assert peers
    tests.send_signal(signal.SIGKILL)
    tests.wait()
    _, alive = psutil.wait_procs(peers, timeout=30)
    assert not alive


def test_one_that_does_not_come_up_says_why(tmp_path: Path) -> None:
    # Its end is seen, not waited out: that would be longer than a test may take.
    with pytest.raises(Unready, match="no such luck"), Ends(tmp_path):
        pass
