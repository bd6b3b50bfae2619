"""Seeing a run from near, and ending it before its time. All of it on the run's loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ...types import Delta
from ..values import Call


class Watcher(Protocol):
    """Whoever watches; what it raises is a fault of its own, and ends the run."""

    def begins(self, calls: Sequence[Call]) -> None:
        """These are asked now, together; what came of them before is nothing any more."""

    def came(self, call: Call, delta: Delta) -> None:
        """A piece of an answer."""


class Brake:
    """Stops a run in order, or one of its contestants: what has come is kept."""

    def __init__(self) -> None:
        self._listener: Callable[[int | None], object] | None = None
        self._pulled: list[int | None] = []

    def pull(self, contestant: int | None = None) -> None:
        """Stop one contestant; `None`: all."""
        self._pulled.append(contestant)
        if self._listener is not None:
            self._listener(contestant)

    @property
    def all(self) -> bool:
        """Whether everything was stopped."""
        return None in self._pulled

    def listen(self, listener: Callable[[int | None], object]) -> None:
        """Hear what is stopped, also what was before."""
        self._listener = listener
        for contestant in self._pulled:
            listener(contestant)
