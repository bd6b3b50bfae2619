"""The deltas of one answer as parts that follow each other: reasoning, text, calls of functions.

Anthropic's Messages and OpenAI's Responses both want to hear where each begins and ends. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from .. import growing
from ..types import Delta, Reply

Kind = Literal["reasoning", "text", "call"]
What = Literal["begins", "grows", "ends"]


class Part:
    """One part; of a call, `text` is its arguments."""

    def __init__(self, place: int, kind: Kind, id: str = "", name: str = "") -> None:
        self.place = place
        self.kind = kind
        self.id = id
        self.name = name
        self._text = growing.Text()
        self.logprobs: list[Mapping[str, Any]] = []

    def add(self, piece: str) -> None:
        self._text.add(piece)

    @property
    def text(self) -> str:
        return str(self._text)

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The object that the arguments of a call are; what is none is kept under a name."""
        try:
            read = json.loads(self.text or "{}")
        except ValueError:
            read = self.text
        return read if isinstance(read, dict) else {"arguments": read}


Step = tuple[What, Part, str]
"""What happens to which part, and the piece by which it grows."""


class Parts:
    """Takes deltas; `parts` are those of the answer so far."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._open: Part | None = None
        self._calls: list[Part] = []

    def add(self, delta: Delta) -> Iterator[Step]:
        """What a delta does; only the first of several answers counts."""
        if delta.choice:
            return
        if delta.reasoning:
            yield from self._grow("reasoning", delta.reasoning)
        if delta.text:
            yield from self._grow("text", delta.text)
            self.parts[-1].logprobs += delta.logprobs
        for piece in delta.tool_calls:
            yield from self._call(piece)

    def end(self) -> Iterator[Step]:
        """The part that is open ends."""
        if self._open is not None:
            part, self._open = self._open, None
            yield "ends", part, ""

    def _grow(self, kind: Kind, piece: str) -> Iterator[Step]:
        part = self._open
        if part is None or part.kind != kind:
            part = Part(len(self.parts), kind)
            yield from self._begin(part)
        part.add(piece)
        yield "grows", part, piece

    def _call(self, piece: Mapping[str, Any]) -> Iterator[Step]:
        index = piece.get("index", len(self._calls))
        function = piece.get("function") or {}
        if index < len(self._calls):
            part = self._calls[index]
        else:
            part = Part(len(self.parts), "call", piece.get("id") or "", function.get("name") or "")
            self._calls.append(part)
            yield from self._begin(part)
        if more := function.get("arguments"):
            part.add(more)
            yield "grows", part, more

    def _begin(self, part: Part) -> Iterator[Step]:
        yield from self.end()
        self.parts.append(part)
        self._open = part
        yield "begins", part, ""


def parts_of(reply: Reply) -> list[Part]:
    """The parts of a whole answer."""
    found = Parts()
    whole = Delta(reply.text, reply.reasoning, reply.tool_calls, logprobs=reply.logprobs)
    for _ in found.add(whole):
        pass
    return found.parts
