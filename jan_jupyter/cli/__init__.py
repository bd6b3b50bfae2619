"""`jan-jupyter COMMAND …`: what people do in a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from .codes import FAILED, PIPE_CLOSED, STOPPED


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit code. What is wrong is one line on stderr, and never a traceback."""
    _prepare()
    try:
        from .running import run

        code = run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        if sys.stderr.isatty():
            print(file=sys.stderr)  # the terminal has written ^C
        return STOPPED
    except BrokenPipeError:  # who read has read enough
        _say_no_more()
        return PIPE_CLOSED
    except OSError as error:
        print(f"jan-jupyter: what was found cannot be written: {error.strerror}.", file=sys.stderr)
        _say_no_more()
        return FAILED


def _prepare() -> None:
    """Streams that are closed give and take nothing; where a letter is lacking, another stands."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
        elif mode == "w" and isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _say_no_more() -> None:
    """What is in a buffer still must not be a second error when the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
