"""A thread that is not written yet."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from ..precedence import Level
from ..types import Message
from . import context, thread_file
from .assistants import Assistants
from .message import ThreadMessage
from .thread import Thread
from .thread_file import Head
from .view import levels_of

Write = Callable[[Mapping[str, Any]], Thread]
"""Makes the folder of a new thread, with that `thread.json`."""


class Draft:
    """What has been chosen for a thread; its first question makes it (`begin`).

    To be asked like a `Thread`, which has no messages.
    """

    def __init__(self, raw: Mapping[str, Any], assistants: Assistants, write: Write) -> None:
        self._raw = raw
        self._assistants = assistants
        self._write = write
        self._lock = threading.Lock()
        self.thread: Thread | None = None
        """What it has become."""

    @property
    def head(self) -> Head:
        return thread_file.read(self._raw, "")

    @property
    def title(self) -> str:
        return self.head.title

    @property
    def model(self) -> str | None:
        return self.head.model

    @property
    def engine(self) -> str | None:
        return self.head.engine

    @property
    def assistant(self) -> str:
        return self.head.assistant

    @property
    def instructions(self) -> str:
        return self.head.instructions

    @property
    def messages(self) -> tuple[ThreadMessage, ...]:
        return ()

    def levels(self) -> tuple[Level, ...]:
        """As `Thread.levels`."""
        return levels_of(self.head, self._assistants)

    def conversation(
        self, before: str | None = None, *, through: str | None = None
    ) -> list[Message]:
        """As `Thread.conversation`."""
        return context.conversation(self.instructions, ())

    def of_cell(self, cell: str, notebook: str) -> str | None:
        return None

    def configure(self, *, assistant: str | None = None, **given: Any) -> None:
        """As `Thread.configure`."""
        profile = self._assistants.get(assistant).profile if assistant else None
        self._raw = thread_file.configured(self._raw, profile=profile, **given)

    def begin(self) -> Thread:
        """The thread, made now unless somebody has done so."""
        with self._lock:
            if self.thread is None:
                self.thread = self._write(self._raw)
            return self.thread
