"""A command line, from its words to its exit code."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from .. import errors
from ..commands import screen
from ..commands.command import OTHER_NAMES, Steps, Told, Work
from ..commands.options import near, options_anywhere
from ..console import printable
from .codes import FAILED, OK, WRONG_USE
from .commands import COMMANDS, GROUPS, Entry
from .terminal import PROGRAM, Terminal, worded


def run(words: Sequence[str]) -> int:
    """Raises nothing but what ends a program: an interrupt, a closed pipe."""
    from concurrent.futures import CancelledError

    try:
        return _run(words)
    except CancelledError:
        raise KeyboardInterrupt from None
    except errors.JanError as error:
        _complain(str(error))
        return WRONG_USE if isinstance(error, errors.UsageError) else FAILED
    except BrokenPipeError:
        raise
    except Exception as error:
        if os.environ.get("JAN_DEBUG"):
            raise
        what = f"{type(error).__name__}: {error}".replace("\n", " ")
        if isinstance(error, OSError):
            _complain(str(error))
        else:
            _complain(f"{what}. This is a fault of ours; with JAN_DEBUG=1 it is told where.")
        return FAILED


def _complain(line: str) -> None:
    said = printable(worded(line).removeprefix(f"{PROGRAM} "))
    print(f"{PROGRAM}: {said}", file=sys.stderr)


def _run(words: Sequence[str]) -> int:
    name, *rest = words or [""]
    if name in ("-h", "--help", "help") and not (name == "help" and rest):
        from .help import page

        print(page(GROUPS), end="")
        return OK
    if name == "help":
        name, rest = rest[0], ["--help"]
    if name in ("--version", "version"):
        from .. import __version__

        print(f"{PROGRAM} {__version__}")
        return OK
    if name == "--complete":
        from .tab import complete

        return complete(rest)
    if not name:
        from .help import page

        print(page(GROUPS), end="", file=sys.stderr)
        return WRONG_USE
    entry = _entry(name)
    arguments = _read(entry, rest)
    if arguments.help:
        from .help import fitted

        print(fitted(worded(entry.command.page)), end="")
        return OK
    return _done(entry, arguments)


def _entry(name: str) -> Entry:
    entry = COMMANDS.get(OTHER_NAMES.get(name, name))
    if entry is None:
        meant = near(name.lower(), [*COMMANDS, *OTHER_NAMES])
        hint = f"; did you mean {meant}?" if meant else "."
        raise errors.UsageError(f"no command {name!r}{hint} See {PROGRAM} --help.")
    return entry


def _read(entry: Entry, words: Sequence[str]) -> Namespace:
    command = entry.command
    taken, rest = options_anywhere(words, command.parser.known_options)
    return command.read(taken, rest)


def _done(entry: Entry, arguments: Namespace) -> int:
    as_json = getattr(arguments, "as_json", False)
    terminal = Terminal(quiet=as_json)
    screen.use(terminal)
    asked = entry.command.run(terminal, arguments)
    if as_json and entry.shape and asked is not None:
        from . import shapes

        found = _found(asked)
        if found is not None:
            shapes.write(getattr(shapes, entry.shape)(found, arguments))
            return OK
    elif isinstance(value := _shown(asked), int):
        return value
    return FAILED if terminal.declined else OK


def _found(asked: Any) -> Any:
    """What a command has found or done, for other programs."""
    from ..bridge import wait

    if isinstance(asked, Work):
        return wait(asked.coroutine)
    if isinstance(asked, Steps):
        return asked.run()
    return asked.found if isinstance(asked, Told) else asked


def _shown(asked: Any) -> Any:
    """The same, shown; its value."""
    found = _found(asked)
    return asked.show(found) if isinstance(asked, Work | Told) else found
