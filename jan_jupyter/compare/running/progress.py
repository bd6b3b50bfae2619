"""How far a run is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Literal

from ... import units
from ..values import Row
from .plan import Plan

Word = Literal["waiting", "loading", "answering", "done", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class State:
    """Of one contestant in a run; `note` is a line for people, `progress` that of loading, 0 … 1.

    `done` of `total` rows have ended.
    """

    word: Word = "waiting"
    note: str = ""
    progress: float | None = None
    done: int = 0
    total: int = 0

    def __str__(self) -> str:
        return self.note or self.word


@dataclass(frozen=True, slots=True)
class Progress:
    """Rows that have ended: all of them (`done`, also what was stopped on the way), those of them
    that failed, and that were reused.

    `seconds` have passed; `left` are expected, by how fast it went so far, `None` before anybody
    can tell. `states` tell of each contestant, in their order.
    """

    done: int
    failed: int
    reused: int
    total: int
    seconds: float
    left: float | None
    states: Sequence[State]
    ended: str = ""
    """Why it ends before all is asked; empty if it does not."""
    at: float = field(default_factory=monotonic)
    """When it was so."""

    def later(self) -> Progress:
        """The same now, if nothing has ended since: the longer that takes, the more is left."""
        now = monotonic()
        passed = self.seconds + now - self.at
        left = self.left * passed / self.seconds if self.left and self.seconds else self.left
        return replace(self, seconds=passed, left=left, at=now)

    def __str__(self) -> str:
        parts = [f"{self.done:,} of {self.total:,}"]
        if self.failed:
            parts.append(f"{self.failed:,} failed")
        if self.reused:
            parts.append(f"{self.reused:,} reused")
        if self.left is not None and self.done < self.total and not self.ended:
            parts.append(f"about {units.duration(self.left)} left")
        return " · ".join([*parts, *filter(None, [self.ended])])


Tell = Callable[[Progress], object]


class Counting:
    """Counts the rows of a run, and tells `tell` of them."""

    def __init__(self, plan: Plan, tell: Tell | None) -> None:
        self.ended = ""
        self._tell = tell
        self._total = len(plan.grid)
        self._places = [fact.place for fact in plan.facts.contestants]
        self._to_ask: Counter[str] = Counter()
        for place, calls in zip(self._places, plan.asked, strict=True):
            self._to_ask[place] += calls
        self._asked: Counter[str] = Counter()
        self._done = self._failed = self._reused = 0
        self._each = Counter[int]()
        self._of_each = len(plan.grid.cases) * plan.grid.repeats
        self._began = monotonic()

    def add(self, row: Row) -> None:
        self._done += 1
        self._each[row.call.contestant] += 1
        self._failed += row.failed
        self._reused += row.reused
        if not row.reused:
            self._asked[self._places[row.call.contestant]] += 1

    def report(self, states: Callable[[], Sequence[State]]) -> None:
        if self._tell is None:
            return
        each = enumerate(states())
        told = [replace(one, done=self._each[n], total=self._of_each) for n, one in each]
        passed = monotonic() - self._began
        with suppress(Exception):  # a watcher's fault is not the run's
            self._tell(
                Progress(
                    self._done,
                    self._failed,
                    self._reused,
                    self._total,
                    passed,
                    self._left(passed),
                    told,
                    self.ended,
                )
            )

    def _left(self, passed: float) -> float | None:
        """The slowest place, going on as it went; `None` before each has shown how fast it is."""
        slowest = 0.0
        for place, calls in self._to_ask.items():
            if missing := max(0, calls - self._asked[place]):
                if not self._asked[place]:
                    return None
                slowest = max(slowest, passed * missing / self._asked[place])
        return slowest
