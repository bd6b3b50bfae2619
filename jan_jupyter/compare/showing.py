"""What people see of a comparison while it goes on: whoever shows it puts that here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from .steps import Counting


class Face(Counting, Protocol):
    """Where people see the comparison itself."""

    @property
    def is_here(self) -> bool:
        """Whether that is where whatever runs now shows what it has."""


class Showing:
    """Part of a session. What shows nothing here is `None`: then nobody sees it."""

    shows: ClassVar[type[Counting] | None] = None
    """Shows how far it is."""
    displays: ClassVar[Callable[[Any], Face | None] | None] = None
    """Shows a session that begins, and is its `face`; it may give none."""
    polls: ClassVar[Callable[[Any, str, int], object] | None] = None
    """Has somebody vote blindly on a session's answers: by whom, and the seed of the order."""

    face: Face | None = None

    def shown(self, *, asks: bool) -> Counting | None:
        """Where people see what goes on: the whole of it if it `asks` for the first time."""
        displays = type(self).displays if asks else None
        return (displays(self) if displays else None) or (self.shows() if self.shows else None)
