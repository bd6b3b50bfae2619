"""The branches of a thread: a tree of turns, of which one line is active. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from ..errors import ThreadNotFound, expect
from .message import ThreadMessage

ROOT = ""
"""The parent of a first turn."""


@dataclass(frozen=True, slots=True)
class Off:
    """A turn off the line, and the turn that it follows."""

    parent: str
    message: ThreadMessage


@dataclass(frozen=True)
class Tree:
    """The active line, and the turns off it. A turn on the line follows the one before it.

    Every change gives a new tree; only `without` leaves a turn out. A turn off the line whose
    parent is gone is kept, but no `switch` leads there.
    """

    line: tuple[ThreadMessage, ...] = ()
    off: tuple[Off, ...] = ()

    @cached_property
    def _parents(self) -> dict[str, str]:
        """The parent of each turn, by id."""
        before = [ROOT, *(message.id for message in self.line)]
        parents = {off.message.id: off.parent for off in self.off}
        return parents | {m.id: parent for m, parent in zip(self.line, before, strict=False)}

    @cached_property
    def _messages(self) -> dict[str, ThreadMessage]:
        return {m.id: m for m in (*(off.message for off in self.off), *self.line)}

    @cached_property
    def _places(self) -> dict[str, int]:
        return {message.id: place for place, message in enumerate(self.line)}

    @cached_property
    def _children(self) -> dict[str, list[ThreadMessage]]:
        found: dict[str, list[ThreadMessage]] = {}
        for id, message in self._messages.items():
            found.setdefault(self._parents[id], []).append(message)
        for children in found.values():
            children.sort(key=lambda message: message.created or 0)
        return found

    def __contains__(self, id: str) -> bool:
        return id in self._messages

    def message(self, id: str) -> ThreadMessage:
        """A turn anywhere in the tree. Raises `ThreadNotFound`."""
        expect(id, str, "A message is named by its id")
        try:
            return self._messages[id]
        except KeyError:
            raise ThreadNotFound(f"There is no message {id!r} in this thread.") from None

    def place(self, id: str) -> int | None:
        """Where on the line a turn stands; `None` if it does not."""
        expect(id, str, "A message is named by its id")
        return self._places.get(id)

    def children(self, parent: str) -> list[ThreadMessage]:
        """The turns that follow a turn directly, oldest first."""
        return self._children.get(parent, [])

    def versions(self, id: str) -> tuple[str, ...]:
        """The turns of the same role at the place of a turn, itself among them, oldest first."""
        role = self.message(id).role
        return tuple(m.id for m in self.children(self._parents[id]) if m.role == role)

    def path(self, id: str) -> tuple[ThreadMessage, ...]:
        """The turns from the first to a turn, on the line or off it. Raises `ThreadNotFound`."""
        self.message(id)
        path = {id: None}
        step = id
        while (step := self._parents[step]) != ROOT:
            if step not in self._messages or step in path:
                raise ThreadNotFound(f"What message {id!r} followed is not there any more.")
            path[step] = None
        return tuple(self._messages[step] for step in reversed(path))

    # Changes

    def appended(self, message: ThreadMessage) -> Tree:
        return Tree((*self.line, message), self.off)

    def forked(self, at: str) -> Tree:
        """End the line before a turn; it and what follows go off the line."""
        place = self.place(at)
        if place is None:
            raise ThreadNotFound(f"Message {at!r} is not in the conversation as it stands now.")
        return self._with_line(self.line[:place])

    def answered(self, message: ThreadMessage, to: str) -> Tree:
        """Put an answer behind a turn: on the line if its place there is free, else off it."""
        self.message(to)
        place = self.place(to)
        following = self.line[place + 1 : place + 2] if place is not None else ()
        if place is None or any(m.role == "assistant" for m in following):
            return Tree(self.line, (*self.off, Off(to, message)))
        return Tree((*self.line[: place + 1], message, *self.line[place + 1 :]), self.off)

    def followed(self, message: ThreadMessage, to: str) -> Tree:
        """Put a turn behind one: on the line if that ends it, else off it."""
        self.message(to)
        if self.line and self.line[-1].id == to:
            return self.appended(message)
        return Tree(self.line, (*self.off, Off(to, message)))

    def switched(self, id: str) -> Tree:
        """Lead the line through a turn, and on through the newest that follow it."""
        self.message(id)
        if self.place(id) is not None:
            return self
        path = dict.fromkeys(message.id for message in self.path(id))  # quick to look into
        step = id
        while following := [m for m in self.children(step) if m.id not in path]:
            step = following[-1].id
            path[step] = None
        return self._with_line(tuple(self._messages[step] for step in path))

    def without(self, ids: Iterable[str]) -> Tree:
        """Leave turns out; those that followed one follow what was before it.

        If the end of the line goes, the newest of what else stands at its place ends it.
        """
        for id in (ids := [*ids]):
            self.message(id)
        gone = set(ids)

        def parent_of(id: str) -> str:
            seen = {id}
            while (id := self._parents.get(id, ROOT)) in gone and id not in seen:
                seen.add(id)
            return id

        line = tuple(m for m in self.line if m.id not in gone)
        off = tuple(
            Off(parent_of(o.message.id), o.message) for o in self.off if o.message.id not in gone
        )
        left = Tree(line, off)
        if self.line and self.line[-1].id in gone:
            others = left.children(line[-1].id if line else ROOT)
            if others:
                return left.switched(others[-1].id)
        return left

    def replaced(self, message: ThreadMessage) -> Tree:
        """Put a changed turn in the place of the one with its id."""
        return Tree(
            tuple(message if m.id == message.id else m for m in self.line),
            tuple(Off(o.parent, message) if o.message.id == message.id else o for o in self.off),
        )

    def _with_line(self, line: tuple[ThreadMessage, ...]) -> Tree:
        on = {message.id for message in line}
        off = [
            Off(self._parents[id], message)
            for id, message in self._messages.items()
            if id not in on
        ]
        return Tree(line, tuple(off))
