"""Answers that are being written: whole, and what of them has not been told yet."""

from __future__ import annotations

from collections.abc import Iterable
from time import time
from typing import Any

from ...types import Delta
from ..values import Call
from . import plain, protocol
from .document import place


class Growing:
    """A text in pieces, from some of which on nobody has been told."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._told = 0

    def add(self, piece: str) -> None:
        self._pieces.append(piece)

    def news(self) -> str:
        """What came since the last time."""
        told, self._told = self._told, len(self._pieces)
        return "".join(self._pieces[told:])

    @property
    def text(self) -> str:
        """All of it; nothing may be untold."""
        self._pieces = ["".join(self._pieces)]
        self._told = 1
        return self._pieces[0]


class Answer:
    """One that is being written."""

    def __init__(self, again: bool) -> None:
        self.text, self.reasoning = Growing(), Growing()
        self.since = 0.0
        self.tokens = 0
        self.again = again
        """Whether views have something else of this call, which is to go."""

    def add(self, delta: Delta) -> None:
        self.since = self.since or time()
        self.tokens += max(len(delta.logprobs), 1)
        self.text.add(delta.text)
        self.reasoning.add(delta.reasoning)


class Writing:
    """All that is being written."""

    def __init__(self) -> None:
        self._answers: dict[Call, Answer] = {}
        self._news: set[Call] = set()

    def begin(self, calls: Iterable[Call]) -> None:
        for call in calls:
            before = self._answers.get(call)
            self._answers[call] = Answer(before is not None and before.tokens > 0)
            self._news.discard(call)

    def add(self, call: Call, delta: Delta) -> None:
        if (delta.text or delta.reasoning) and call in self._answers:
            self._answers[call].add(delta)
            self._news.add(call)

    def end(self, call: Call) -> None:
        self._answers.pop(call, None)
        self._news.discard(call)

    def clear(self) -> None:
        self._answers.clear()
        self._news.clear()

    @property
    def untold(self) -> bool:
        return bool(self._news)

    def news(self) -> list[dict[str, Any]]:
        """The pieces that came since the last time."""
        found = [self._piece(call) for call in sorted(self._news)]
        self._news.clear()
        return found

    def _piece(self, call: Call) -> dict[str, Any]:
        answer = self._answers[call]
        piece: dict[str, Any] = {
            "call": place(call),
            "text": plain.text(answer.text.news()),
            "reasoning": plain.text(answer.reasoning.news()),
            "tokens": answer.tokens,
        }
        if answer.again:
            piece["anew"], answer.again = True, False
        return piece

    def whole(self) -> list[protocol.Writing]:
        """All of it, after the news were told."""
        return [
            {
                "call": place(call),
                "text": plain.text(answer.text.text),
                "reasoning": plain.text(answer.reasoning.text),
                "since": answer.since,
                "tokens": answer.tokens,
            }
            for call, answer in self._answers.items()
            if answer.tokens
        ]
