"""The terminal that a command line writes to: answers on stdout, all that is told on the way on
stderr, and no colour where nobody would see it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ..commands.screen import Screen, StepsOutput
from ..console import TerminalProgress, one_line, printable

PROGRAM = "jan-jupyter"

_CELL = re.compile(r"%%jan (?=[\w.])")
_OPTIONS = re.compile(r"%%?jan (?=-)")
_LINE = re.compile(r"%%?jan\b")
_HELP = re.compile(rf"({PROGRAM} [a-z]+)\?")
_OR_CONFIG = re.compile(r",? or `%config Jan\.\w+`")
_CONFIG = re.compile(r"%config Jan\.(\w+) ?= ?(\w+)")
_WIDE = 10_000


def worded(text: str) -> str:
    """A text of ours, with what it says of cells as one types it in a terminal."""
    if "%" not in text:
        return text
    text = _OPTIONS.sub(f"{PROGRAM} chat ", _CELL.sub(f"{PROGRAM} chat -m ", text))
    text = _LINE.sub(PROGRAM, _OR_CONFIG.sub("", text))
    return _CONFIG.sub(lambda m: f"JAN_{m[1].upper()}={m[2]}", _HELP.sub(r"\1 --help", text))


class Terminal(Screen):
    """`quiet`: what is shown and said is left out, since the answer is JSON."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self._passing = ""
        self.declined = False
        """Whether the user has been asked, and has not said yes."""
        self.parameters: dict[str, Any] = {}
        self.answered: Sequence[tuple[Any, Mapping[str, Any]]] = ()
        self.shell: Any = None

    @property
    def colours(self) -> bool:  # type: ignore[override]
        return has_colours(sys.stdout)

    @property
    def width(self) -> int:
        """That of the terminal; what other programs read has a line for each row."""
        if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit():
            return max(40, super().width)
        return _WIDE

    def worded(self, text: str) -> str:
        return worded(text)

    def show(self, bundle: Mapping[str, Any]) -> None:
        if not self.quiet:
            super().show(bundle)

    def say(self, line: str) -> None:
        if not self.quiet:
            print(printable(line))

    def tell(self, line: str) -> None:
        print(printable(line), file=sys.stderr, flush=True)

    def passing(self, line: str) -> None:
        """Written over in a terminal; elsewhere nobody waits for it."""
        if sys.stderr.isatty():
            line = one_line(printable(line), sys.stderr)
            width = len(self._passing)
            end = "" if line else "\r"
            print(f"\r{line:{width}}", end=end, file=sys.stderr, flush=True)
            self._passing = line

    def progress(self, command: str) -> StepsOutput:
        return TerminalProgress(command, sys.stderr)

    def agreed(self, question: str) -> bool | None:
        """Asked on stderr, where stdin is a keyboard."""
        if not sys.stdin.isatty():
            return None
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline()
        if not answer:
            print(file=sys.stderr)
        self.declined = answer.strip().lower() not in ("y", "yes")
        return not self.declined

    def secret(self, question: str) -> str | None:
        """Typed unseen; or the first line of what another program writes to us."""
        if not sys.stdin.isatty():
            return sys.stdin.readline().strip() or None
        from getpass import getpass

        try:
            return getpass(question)
        except EOFError:
            return None


def has_colours(stream: Any) -> bool:
    """Whether colours are seen there, and wanted (https://no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(stream.isatty())
