"""What people see in a terminal, for all faces: text made harmless, and how far a download is."""

from __future__ import annotations

import json
import shutil
import sys
from abc import ABC, abstractmethod
from time import monotonic
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from .models.hub.pull import Progress
    from .models.model import Model
    from .types import Reply


_KEPT = frozenset(
    "\n\t"
    "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
    "\u200c\u200d"
)
"""Blanks of all widths, and what joins letters or parts them: no terminal obeys any of them."""


def printable(text: str) -> str:
    """Without control characters: a model must not command the terminal.

    Each character is looked at by itself: so it holds for any piece of a text, wherever it was cut.
    """
    return text if text.isprintable() else "".join(c for c in text if c.isprintable() or c in _KEPT)


def in_format(reply: Reply, format_: str) -> str:
    """An answer as text in the format that was asked for: "code" is that alone, "html" a page,
    "json" the value, set out. Raises `ValueError` if it should be JSON and is none."""
    if format_ == "json":
        return json.dumps(reply.json(), ensure_ascii=False, indent=2)
    if format_ == "code":
        return reply.code or reply.text
    return html_of(reply) if format_ == "html" else reply.text


def html_of(reply: Reply) -> str:
    """The HTML of an answer, which stands in a code block as a rule."""
    from . import markdown  # a terminal that asks for other things does without

    blocks = [b for b in markdown.code_blocks(reply.text) if b.language in ("", "html", "svg")]
    return blocks[0].code if blocks else reply.text


def one_line(text: str, stream: TextIO) -> str:
    """So much of the end of a line as can be written over: a terminal takes back one row alone."""
    if not stream.isatty():
        return text
    room = max(20, shutil.get_terminal_size().columns - 1)
    return text if len(text) <= room else f"…{text[1 - room :]}"


class ShownProgress(ABC):
    """How far a download is, as it is shown; `command` is what goes on with one that ended."""

    def __init__(self, command: str) -> None:
        self._command = command
        self._last: Progress | None = None
        self._why = ""
        """What is told before the first byte comes: which files, and why these."""

    def step(self, progress: Progress) -> None:
        self._last = progress
        if progress.message and not progress.done and progress.model is None:
            self._why = self._why or str(progress)
        self._show(progress)

    def end(self, error: BaseException | None) -> Model | None:
        last = self._last
        if last is None:
            return None
        if error is None:
            self._close(str(last))
        elif last.done:
            share = f"at {last.share:.0%}" if last.share is not None else "midway"
            again = "goes on from there" if last.resumes else "fetches it anew"
            self._close(f"{last.id}: ended {share}; `{self._command}` {again}.")
        else:
            self._close("")
        return last.model

    @abstractmethod
    def _show(self, progress: Progress) -> None: ...
    @abstractmethod
    def _close(self, line: str) -> None: ...


class TerminalProgress(ShownProgress):
    """A line that is written over; where that is not possible, a line for each tenth."""

    def __init__(self, command: str, stream: TextIO | None = None) -> None:
        super().__init__(command)
        self._stream = stream or sys.stdout
        self._shown = ""
        self._tenth = -1
        self._said = ""
        # What a kernel prints is written over in the notebook, though it is no terminal.
        self._live = self._stream.isatty() or type(self._stream).__module__.startswith("ipykernel.")

    def _show(self, progress: Progress) -> None:
        line = printable(str(progress))
        if line in (self._shown, self._why) and self._shown:
            return
        if self._live and progress.done:
            line = one_line(line, self._stream)
            self._print(f"\r{line:{len(self._shown)}}", end="")
            self._shown = line
        elif not progress.done:
            if line != self._said:
                self._print(line)
            self._said = line
            self._shown = line if not self._live else ""
        elif (tenth := int(10 * (progress.share or 0))) > self._tenth or progress.message:
            self._tenth = tenth
            self._print(line)
            self._shown = line

    def _close(self, line: str) -> None:
        if self._live and self._shown:
            self._print(f"\r{printable(line):{len(self._shown)}}")
        elif line and line != self._shown:
            self._print(printable(line))

    def _print(self, text: str, end: str = "\n") -> None:
        print(text, end=end, file=self._stream, flush=True)


class Counted(Protocol):
    """How far many calls are; as text one line."""

    @property
    def done(self) -> int: ...
    @property
    def total(self) -> int: ...


class TerminalCounting:
    """How far a comparison is: a line that is written over, elsewhere one for each tenth."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._live = self._stream.isatty() or type(self._stream).__module__.startswith("ipykernel.")
        self._now = self._shown = ""
        self._tenth = -1
        self._last = -1e9

    def step(self, counted: Counted) -> None:
        """Called for each call that ends; shows only so many as people can read."""
        line = self._now = printable(str(counted))
        if self._live and monotonic() - self._last >= 0.2:
            self._last = monotonic()
            shown = one_line(line, self._stream)
            print(f"\r{shown:{len(self._shown)}}", end="", file=self._stream, flush=True)
            self._shown = shown
        tenth = 10 * counted.done // max(1, counted.total)
        if not self._live and tenth != self._tenth:  # it is lower when the next thing is counted
            self._tenth = tenth
            print(line, file=self._stream, flush=True)

    def end(self, line: str = "") -> None:
        """Nothing comes any more; `line` takes the place of what was shown, else the last stays."""
        if self._live and (line or self._now):
            last = printable(line or self._now)
            print(f"\r{last:{len(self._shown)}}", file=self._stream, flush=True)
        elif line:
            print(printable(line), file=self._stream, flush=True)
