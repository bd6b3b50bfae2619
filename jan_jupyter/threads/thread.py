"""One thread: a folder with `thread.json`, `messages.jsonl` and, if it has any, `branches.jsonl`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..levels import Level
from ..types import Message
from .message import ThreadMessage


class Thread:
    """One conversation on disk. Every method that changes something returns when it is safe there.

    All processes that have it open see one conversation: each method looks first whether the files
    have changed, `refresh` does nothing else. May be used from any thread.

    `messages` is the active line of the conversation. A turn that was replaced (regenerated, edited
    and sent again) lives on in a branch: `versions(id)` are the turns that stand at one place,
    `switch(id)` brings another one of them back, with what followed it.
    """

    id: str
    folder: Path
    own: bool
    """Whether it lies in our own data folder (else in that of an installed Jan)."""

    title: str
    model: str | None
    """Model of the thread; `None` if none was chosen."""
    engine: str | None
    """Engine that the file names for it; `None`: the model's own."""
    assistant: str | None
    """Id of its assistant."""
    instructions: str
    """System text of this thread (`{{current_date}}` not replaced yet)."""
    settings: Mapping[str, Any]
    """Load-time values that this thread sets."""
    parameters: Mapping[str, Any]
    """Sampling values that this thread sets."""
    created: float | None
    """Seconds since 1970."""
    updated: float | None
    """Seconds since 1970."""
    metadata: Mapping[str, Any]
    warnings: tuple[str, ...]
    messages: tuple[ThreadMessage, ...]

    def refresh(self) -> bool:
        """Read again what others have written; whether there was anything. Cheap if not."""
        raise NotImplementedError

    def message(self, id: str) -> ThreadMessage:
        """A turn on the line or in a branch. Raises `MessageNotFound`."""
        raise NotImplementedError

    # Asking

    def levels(self) -> tuple[Level, Level]:
        """What the thread and its assistant set, for `router.route(…, levels=…)`."""
        raise NotImplementedError

    def conversation(self, before: str | None = None) -> list[Message]:
        """What a model is sent: instructions, then the turns of the line (up to, without, `before`).

        Turns with an error, and empty answers, are left out.
        """
        raise NotImplementedError

    # Writing turns

    def append(self, message: ThreadMessage) -> ThreadMessage:
        """Put a turn at the end of the line; returns it as written, with id and time."""
        raise NotImplementedError

    def answer(self, message: ThreadMessage, to: str) -> ThreadMessage:
        """Put an answer behind the turn `to`.

        At the end of the line, or between if somebody asked on meanwhile. If `to` has an answer
        already (several models in one turn), or is not on the line any more: a branch, which
        `switch` brings up.
        """
        raise NotImplementedError

    def fork(self, at: str) -> None:
        """End the line before the turn `at`; it and what follows go into a branch."""
        raise NotImplementedError

    def versions(self, id: str) -> tuple[str, ...]:
        """Ids of the turns that stand at the place of `id`, oldest first: `‹ 2/3 ›`."""
        raise NotImplementedError

    def switch(self, id: str) -> None:
        """Make the line lead through the turn `id`, and on through the newest that follows."""
        raise NotImplementedError

    def update(self, id: str, **fields: Any) -> ThreadMessage:
        """Change fields of a turn (`content`, `status`, …) in place."""
        raise NotImplementedError

    def delete(self, *ids: str) -> None:
        """Remove turns; what followed them stays. Another version of the last one takes its place."""
        raise NotImplementedError

    # The thread itself

    def rename(self, title: str) -> None:
        raise NotImplementedError

    def configure(self, **fields: Any) -> None:
        """Change `model`, `engine`, `assistant`, `instructions`, `settings`, `parameters`.

        `settings` and `parameters` are merged name by name; `None` as a value resets a name.
        """
        raise NotImplementedError

    def export(self, format: str = "markdown") -> str:
        """The line as `markdown`, `jsonl` (Jan's lines) or `ipynb` (a notebook that asks again)."""
        raise NotImplementedError


def conversation_text(messages: Sequence[ThreadMessage]) -> str:
    raise NotImplementedError
