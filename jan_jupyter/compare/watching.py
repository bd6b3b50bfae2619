"""Seeing what becomes of a comparison: who watches is told of it, and changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..types import Delta
from .running import watching
from .values import Call, Row


class Watcher(watching.Watcher, Protocol):
    """All on the background loop, but for `changed` and `voted`."""

    def began(self) -> None:
        """Calls are going to be asked."""

    def step(self, step: object) -> None:
        """How far it is; also while nothing ends."""

    def row(self, row: Row) -> None:
        """A call has ended, or got a score."""

    def ended(self) -> None:
        """Nothing comes any more."""

    def changed(self) -> None:
        """Rows came all at once. In any thread."""

    def voted(self) -> None:
        """People or judges have said something. In any thread."""


class Nobody:
    """Watches, and does nothing."""

    def began(self) -> None: ...
    def begins(self, calls: Sequence[Call]) -> None: ...
    def came(self, call: Call, delta: Delta) -> None: ...
    def step(self, step: object) -> None: ...
    def row(self, row: Row) -> None: ...
    def ended(self) -> None: ...
    def changed(self) -> None: ...
    def voted(self) -> None: ...


NOBODY = Nobody()
