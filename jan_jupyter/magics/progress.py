"""The progress of a download: one display that is updated; in a terminal, lines."""

from __future__ import annotations

import html
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display, update_display

from ..console import ShownProgress, TerminalProgress
from ..models.hub.pull import Progress
from .output import captured


def output(shell: InteractiveShell, command: str) -> NotebookProgress | TerminalProgress:
    """Where the progress of `command` is shown."""
    kind = NotebookProgress if hasattr(shell, "kernel") else TerminalProgress
    return kind(command)


class NotebookProgress(ShownProgress):
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
