"""A text that comes in pieces."""

from __future__ import annotations

MANY = 64
"""Pieces that are kept apart at most: of a small string, most of the memory is not its text."""


class Text:
    """Grows by pieces, and holds about as much memory as its text."""

    __slots__ = ("_pieces",)

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def add(self, piece: str) -> None:
        self._pieces.append(piece)
        if len(self._pieces) > MANY:
            self._pieces = ["".join(self._pieces)]

    def __str__(self) -> str:
        return "".join(self._pieces)  # changes nothing: another thread may be adding
