"""Stop words that are looked for on our side: where a server lets them through, or knows none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any


class StopWords:
    """Cuts a text that comes in pieces before the word of some that is whole first. Pure."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = [word for word in words if word]
        self._held = ""
        self.found = ""
        """The word that has come: no text follows any more."""

    def feed(self, piece: str) -> str:
        """The part of the text that is certain now; what may begin a word is held back."""
        if self.found or not self._words:
            return "" if self.found else piece
        text = self._held + piece
        places = [(i + len(word), i, word) for word in self._words if (i := text.find(word)) >= 0]
        if places:
            _, begin, self.found = min(places)  # whatever the pieces, the one that ends first
            self._held = ""
            return text[:begin]
        keep = max(overlap(text, word) for word in self._words)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def rest(self) -> str:
        """What was held back, at the end of the text."""
        held, self._held = self._held, ""
        return held


def may_be_cut(text: str, limit: Any) -> bool:
    """Whether a text whose tokens nobody counts has probably ended at its limit of tokens.

    A word or a sign is a token at least, and most tokens have three bytes or more; between the two
    a text counts as cut unless it ends as a sentence or a block of code does.
    """
    if not isinstance(limit, int) or limit < 1:
        return False
    whole = text.rstrip().endswith((".", "!", "?", "…", "。", "！", "？", "```", '"', ")"))
    if len(re.findall(r"\w+|[^\w\s]+", text)) >= limit:
        return True
    return not whole and len(text.encode()) >= 3 * limit


def overlap(text: str, word: str) -> int:
    """How many characters at the end of a text may be the beginning of a word."""
    longest = min(len(text), len(word) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(word[:n])), 0)
