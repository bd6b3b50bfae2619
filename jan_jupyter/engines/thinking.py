"""Reasoning that a server leaves in the text, between `<think>` and `</think>` at its beginning."""

from __future__ import annotations

from dataclasses import replace

from ..types import Delta
from .stops import overlap

OPEN, CLOSE = "<think>", "</think>"


class Thinking:
    """Moves the reasoning of one answer out of its text, whatever pieces it comes in."""

    def __init__(self) -> None:
        self._held = ""
        self._inside = False
        self.done = False
        """Whether nothing is left to look for: deltas may pass as they are."""

    def split(self, delta: Delta) -> Delta:
        """The delta with what is reasoning in its place; what is not decided yet is held back."""
        if self.done or not (delta.text or delta.finish):
            return delta
        text, self._held = self._held + delta.text, ""
        reasoning = ""
        if not self._inside:
            start = text.lstrip()
            if OPEN.startswith(start[: len(OPEN)]) and not delta.finish:
                if len(start) < len(OPEN):
                    self._held = text
                    return replace(delta, text="")
                text, self._inside = start[len(OPEN) :], True
            else:
                self.done = True
                return replace(delta, text=text)
        reasoning, closed, rest = text.partition(CLOSE)
        if closed:
            self.done = True
            return replace(delta, text=rest.lstrip(), reasoning=delta.reasoning + reasoning)
        keep = 0 if delta.finish else overlap(reasoning, CLOSE)
        self._held = reasoning[len(reasoning) - keep :]
        reasoning = reasoning[: len(reasoning) - keep]
        return replace(delta, text="", reasoning=delta.reasoning + reasoning)
