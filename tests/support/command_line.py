"""`jan-jupyter` as a process of its own, without a terminal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .environment import isolated_environment

JAN_JUPYTER = (sys.executable, "-m", "jan_jupyter.cli")


def run(
    folder: Path, *words: str, given: str | bytes | None = None, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; `given` stands on standard input. Outputs are read as UTF-8."""
    ended = subprocess.run(
        [*JAN_JUPYTER, *words],
        input=given.encode() if isinstance(given, str) else given,
        stdin=subprocess.DEVNULL if given is None else None,
        capture_output=True,
        env=isolated_environment(folder),
        timeout=timeout,
    )
    out, err = (text.decode("utf-8", "strict") for text in (ended.stdout, ended.stderr))
    return subprocess.CompletedProcess(ended.args, ended.returncode, out, err)


def begin(folder: Path, *words: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    """Begin a command, and do not wait for its end; what it says is read from its pipes."""
    return subprocess.Popen(
        [*JAN_JUPYTER, *words],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=isolated_environment(folder),
    )
