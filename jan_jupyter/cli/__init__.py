"""`jan-jupyter COMMAND …`: what people do in a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from .codes import FAILED, OK, PIPE_CLOSED, STOPPED, silence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit code. What is wrong is one line on stderr, and never a traceback."""
    _prepare()
    try:
        from .running import run

        return _written(run(sys.argv[1:] if arguments is None else arguments))
    except KeyboardInterrupt:
        if sys.stderr.isatty():
            print(file=sys.stderr)  # the terminal has written ^C
        return STOPPED
    except BrokenPipeError:  # who read has read enough
        silence(sys.stdout)
        return PIPE_CLOSED


def _prepare() -> None:
    """Streams that are closed give and take nothing; where a letter is lacking, another stands."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
        elif mode == "w" and isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _written(code: int) -> int:
    """The exit code, once all that was printed is where it goes."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        silence(sys.stdout)
        if code == OK:  # else one line has told already what is wrong
            said = f"what was found cannot be written: {error.strerror}."
            print(f"jan-jupyter: {said}", file=sys.stderr)
        return code or FAILED
    return code
