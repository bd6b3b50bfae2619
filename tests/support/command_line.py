"""`jan-jupyter` as a process of its own, without a terminal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .environment import isolated_environment

JAN_JUPYTER = (sys.executable, "-m", "jan_jupyter.cli")


def begin(folder: Path, *words: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    """Begin a command, and do not wait for its end; what it says is read from its pipes."""
    return subprocess.Popen(
        [*JAN_JUPYTER, *words],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=isolated_environment(folder),
    )
