"""A turn of a thread, and how Jan writes it: one JSON object on a line (spec §9.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..types import EMPTY, Finish, Message, Reply, Role, Timings, Usage

Status = Literal["ready", "pending", "error", "stopped"]


@dataclass(frozen=True, slots=True)
class ThreadMessage:
    """One turn, with all that is known of how it came to be.

    `content` is text, or OpenAI's content parts. `status`: `ready`; `stopped` (by the user, what
    came is kept); `error` (`error` says why; it is not sent to a model again); `pending` (whoever
    wrote it was interrupted). `cell` and `notebook` name the cell that asked. `raw` is the object
    as it stands in the file; what we do not know in it survives every change.
    """

    role: Role
    content: str | Sequence[Mapping[str, Any]] = ""
    id: str = ""
    status: Status = "ready"
    created: float | None = None
    """Seconds since 1970; `None` if unknown."""
    model: str = ""
    engine: str = ""
    usage: Usage | None = None
    timings: Timings | None = None
    finish: Finish | None = None
    error: str = ""
    reasoning: str = ""
    tool_calls: Sequence[Mapping[str, Any]] = ()
    tool_call_id: str = ""
    cell: str = ""
    notebook: str = ""
    raw: Mapping[str, Any] = field(default=EMPTY, repr=False, compare=False)

    @property
    def text(self) -> str:
        """The text of the turn, without its other parts."""
        raise NotImplementedError

    @property
    def sent(self) -> bool:
        """Whether a model gets to see it in later turns."""
        raise NotImplementedError

    def message(self) -> Message:
        """The turn as a request carries it."""
        raise NotImplementedError

    @classmethod
    def of(cls, message: Message, **fields: Any) -> ThreadMessage:
        """A turn from a message of a request."""
        raise NotImplementedError

    @classmethod
    def of_reply(cls, reply: Reply, **fields: Any) -> ThreadMessage:
        """A turn from an answer, also one that was cut."""
        raise NotImplementedError
