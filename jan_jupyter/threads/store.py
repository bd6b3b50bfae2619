"""All threads of the data folders in use: list, find, make, search, delete, import."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .assistants import Assistants
from .thread import Thread


@dataclass(frozen=True, slots=True)
class Listed:
    """A thread in a listing; its messages are not read for it.

    `state` is `ready` or `broken` (`reason` says why); times are seconds since 1970.
    """

    id: str
    title: str
    folder: Path
    updated: float | None = None
    created: float | None = None
    model: str | None = None
    last_message: str = ""
    state: str = "ready"
    reason: str = ""
    own: bool = True


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was found, and the text around the place."""

    thread: Listed
    message: str
    role: str
    excerpt: str


class ThreadStore:
    """The threads of one data folder, or of those in use: ours, and an installed Jan's.

    New ones are made in our own; one of Jan's is written where it lies, when it is gone on with.
    """

    assistants: Assistants

    def __init__(self, data_folder: Path | str | None = None) -> None:
        raise NotImplementedError

    def list(self, pattern: str = "") -> list[Listed]:
        """All threads, newest first, also broken ones; `pattern` is part of a title or id."""
        raise NotImplementedError

    def get(self, name: str) -> Thread:
        """By id, then by title (the newest of that title), then without regard to case.

        Raises `ThreadNotFound`, which tells the nearest names, or `ThreadBroken`.
        """
        raise NotImplementedError

    def create(
        self,
        title: str = "",
        *,
        model: str | None = None,
        engine: str | None = None,
        assistant: str | None = None,
        instructions: str = "",
    ) -> Thread:
        """A new, empty thread. Without `title` it is named after its first question."""
        raise NotImplementedError

    def open(self, name: str) -> Thread:
        """The thread of that name, created if there is none."""
        raise NotImplementedError

    def search(self, text: str, limit: int = 50) -> list[Hit]:
        """Messages that hold `text` (without regard to case), newest threads first."""
        raise NotImplementedError

    def delete(self, name: str) -> None:
        """Remove one of our threads with its files; one of Jan's is refused."""
        raise NotImplementedError

    def import_(self, source: Path | str, title: str = "") -> Thread:
        """A new thread from a file: `.jsonl`, `.md`, `.ipynb`, or a thread's folder."""
        raise NotImplementedError


def shared() -> ThreadStore:
    """The store that every face of this process uses."""
    raise NotImplementedError
