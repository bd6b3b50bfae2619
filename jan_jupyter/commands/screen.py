"""Where what a command says is seen, and where people are asked: a cell, or a terminal."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Any, Protocol

from ..consent import agreed


class StepsOutput(Protocol):
    """Where steps are shown. All calls come from the cell, never from the background loop."""

    def step(self, step: Any) -> None: ...

    def end(self, error: BaseException | None) -> Any:
        """There are no more: how they ended is shown; gives the value of the line."""


class Screen:
    """A terminal. Each face has its own."""

    colours = False

    @property
    def width(self) -> int:
        """How many characters stand in a line."""
        return shutil.get_terminal_size((100, 24)).columns

    def worded(self, text: str) -> str:
        """A text, with the commands in it as they are typed here."""
        return text

    def show(self, bundle: Mapping[str, Any]) -> None:
        """Show what is asked for, as a bundle of MIME types."""
        print(bundle["text/plain"])

    def say(self, line: str) -> None:
        """Say what has been done."""
        print(line)

    def tell(self, line: str) -> None:
        """Tell how far something is that takes its time."""
        print(line, flush=True)

    def passing(self, line: str) -> None:
        """Tell it in the place of what was told so before; empty: nothing more comes."""
        if line:
            self.tell(line)

    def progress(self, command: str) -> StepsOutput:
        """Where it is shown how far a download is; `command` goes on with one that ended."""
        from ..console import TerminalProgress

        return TerminalProgress(command)

    def agreed(self, question: str) -> bool | None:
        """Whether the user says yes; `None` where nobody can be asked."""
        return agreed(question)

    def secret(self, question: str) -> str | None:
        """What the user types, unseen; `None` where nobody can be asked."""
        return None


_screen = Screen()


def screen() -> Screen:
    """That of the face that runs commands in this process."""
    return _screen


def use(seen: Screen) -> None:
    """From now on it is this one."""
    global _screen
    _screen = seen


def say(line: str) -> None:
    """Say what has been done."""
    _screen.say(_screen.worded(line))
