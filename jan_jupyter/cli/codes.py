"""How a command line ends."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TextIO

OK, FAILED, WRONG_USE = 0, 1, 2
STOPPED, PIPE_CLOSED = 130, 141
"""As of a program that SIGINT or SIGPIPE ended."""


def silence(stream: TextIO) -> None:
    """What is left in its buffer must not fail once more when the process ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
