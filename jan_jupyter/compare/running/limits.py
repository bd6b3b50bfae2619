"""How many requests are under way at one place at once: more while it goes well, fewer when not."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from ...wire.retry import backoff

MOST = 64
LONGEST_PAUSE = 600.0
"""Seconds that a server is waited for when it asks for it; who asks for more is not waited for."""


class Limit:
    """A width that grows by one for each round of answers, and halves when one is refused.

    A local worker has its slots, and never refuses: `fixed`. `now` is a clock, in seconds.
    """

    def __init__(
        self, width: int, *, fixed: bool = False, now: Callable[[], float] = monotonic
    ) -> None:
        self.width = float(max(1, width))
        self._fixed = fixed
        self._most = max(MOST, width)
        self._now = now
        self._until = 0.0
        self._narrowed = -1.0
        self._refusals = 0

    @property
    def most(self) -> int:
        """How many may be under way."""
        return int(self.width)

    @property
    def pause(self) -> float:
        """Seconds in which nothing more is sent."""
        return max(0.0, self._until - self._now())

    def answered(self) -> None:
        """One has come."""
        self._refusals = 0
        if not self._fixed:
            self.width = min(self._most, self.width + 1 / self.width)

    def narrow(self, sent: float) -> None:
        """One that was sent at that time was refused. Of many in one crowd the first counts."""
        if not self._fixed and sent >= self._narrowed:
            self.width = max(1.0, self.width / 2)
            self._narrowed = self._now()

    def refused(self, sent: float, asked: float | None) -> None:
        """The same, and nobody tries again for it; the server asks to wait so many seconds."""
        self.narrow(sent)
        self._refusals += 1
        pause = min(LONGEST_PAUSE, backoff(self._refusals, asked))
        self._until = max(self._until, self._now() + pause)
