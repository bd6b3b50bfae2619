"""The progress of a download: one display that is updated, or lines in a terminal."""

from __future__ import annotations

import html
import sys
from abc import ABC, abstractmethod
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display, update_display

from ..models.hub.pull import Progress
from ..models.model import Model
from .output import captured, printable


def output(shell: InteractiveShell, command: str) -> NotebookProgress | TerminalProgress:
    """Where the progress of `command` is shown."""
    kind = NotebookProgress if hasattr(shell, "kernel") else TerminalProgress
    return kind(command)


class _Output(ABC):
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
            self._close(f"{last.id}: ended {share}; `{self._command}` goes on from there.")
        else:
            self._close("")
        return last.model

    @abstractmethod
    def _show(self, progress: Progress) -> None: ...
    @abstractmethod
    def _close(self, line: str) -> None: ...


class NotebookProgress(_Output):
    """One `display_id`. A saved cell holds the last line, without a bar."""

    def __init__(self, command: str) -> None:
        super().__init__(command)
        self._handle: str | None = None
        self._captured = captured()

    def _show(self, progress: Progress) -> None:
        if self._captured:
            return
        line = str(progress)
        lines = [line] if self._why in ("", line) else [self._why, line]
        share = progress.share
        value = f' value="{share:.4f}"' if share is not None else ""
        bar = f'<progress{value} style="width:min(100%,32em)"></progress>'
        told = [f"<div>{html.escape(line)}</div>" for line in lines]
        shown = "".join([*told[:-1], bar, told[-1]])
        self._update({"text/html": shown, "text/plain": "\n".join(lines)})

    def _close(self, line: str) -> None:
        lines = [text for text in (self._why, line) if text]
        self._update({"text/plain": "\n".join(dict.fromkeys(lines))})

    def _update(self, data: dict[str, Any]) -> None:
        if self._handle is None:
            handle = display(data, raw=True, display_id=True)  # type: ignore[no-untyped-call]
            self._handle = handle.display_id
        else:
            update_display(  # type: ignore[no-untyped-call]
                data, raw=True, display_id=self._handle
            )


class TerminalProgress(_Output):
    """A line that is written over; where that is not possible, a line for each tenth."""

    def __init__(self, command: str) -> None:
        super().__init__(command)
        self._shown = ""
        self._tenth = -1
        self._live = sys.stdout.isatty()

    def _show(self, progress: Progress) -> None:
        line = printable(str(progress))
        if line in (self._shown, self._why) and self._shown:
            return
        if self._live and progress.done:
            print(f"\r{line:{len(self._shown)}}", end="", flush=True)
            self._shown = line
        elif not progress.done:
            print(line, flush=True)
            self._shown = line if not self._live else ""
        elif (tenth := int(10 * (progress.share or 0))) > self._tenth or progress.message:
            self._tenth = tenth
            print(line, flush=True)
            self._shown = line

    def _close(self, line: str) -> None:
        if self._live and self._shown:
            print(f"\r{printable(line):{len(self._shown)}}")
        elif line and line != self._shown:
            print(printable(line))
