"""`jan-jupyter COMMAND …`: what people do in a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from .codes import PIPE_CLOSED, STOPPED


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit code. What is wrong is one line on stderr, and never a traceback."""
    try:
        from .running import run

        code = run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        if sys.stderr.isatty():
            print(file=sys.stderr)  # the terminal has written ^C
        return STOPPED
    except BrokenPipeError:
        # Who read has read enough. What is still in a buffer must not be a second error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
