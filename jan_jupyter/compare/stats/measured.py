"""What there is to compare: a value of each contestant for each prompt, by scorer or measure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ...errors import UsageError
from ...types import Timings
from ..values import Result, Row
from . import statistics
from .statistics import Kind


@dataclass(frozen=True, slots=True)
class Measure:
    """What a call tells without a scorer. `None` of a row: it does not know."""

    of: Callable[[Row], float | None]
    lower: bool
    """Whether less is better."""
    kind: Kind = "time"
    unit: str = ""


def _own(name: Literal["total", "first_token"]) -> Callable[[Row], float | None]:
    """Seconds of the model alone: waiting for a slot and loading are not its answer."""

    def of(row: Row) -> float | None:
        timings = row.reply.timings if row.reply else Timings()
        seconds = getattr(timings, name)
        if seconds is None:
            return None
        return max(float(seconds) - (timings.queue or 0.0) - (timings.load or 0.0), 0.0)

    return of


def _timing(name: str) -> Callable[[Row], float | None]:
    return lambda row: getattr(row.reply.timings, name) if row.reply else None


MEASURES: Mapping[str, Measure] = {
    "seconds": Measure(_own("total"), lower=True, unit=" s"),
    "first token": Measure(_own("first_token"), lower=True, unit=" s"),
    "tokens/s": Measure(_timing("tokens_per_second"), lower=False, unit=" tok/s"),
    "prompt tokens/s": Measure(_timing("prompt_tokens_per_second"), lower=False, unit=" tok/s"),
    "cost": Measure(lambda row: row.cost, lower=True, kind="number"),
}
"""Times and speeds are compared warm with warm, by their medians."""


Values = Mapping[int, float]
"""By case."""


@dataclass(frozen=True)
class Measured:
    """What a scorer or a measure says of a result. The repeats of a prompt are one value."""

    result: Result
    what: str
    measure: Measure | None
    """`None`: `what` is a scorer."""

    @cached_property
    def _sums(self) -> Sequence[dict[int, tuple[int, float, int]]]:
        """Of each contestant, by case: how many values, their sum, and how many ended without."""
        found: list[dict[int, tuple[int, float, int]]] = [{} for _ in self.result.grid.contestants]
        for row in self.result.rows:
            value = self._value(row)
            if value is None and not self._failed(row):
                continue
            own, case = found[row.call.contestant], row.call.case
            count, total, without = own.get(case, (0, 0.0, 0))
            if value is None:
                own[case] = count, total, without + 1
            else:
                own[case] = count + 1, total + value, without
        return found

    @cached_property
    def values(self) -> Sequence[Values]:
        """Of each contestant the mean of the repeats that have a value."""
        return [
            {case: total / count for case, (count, total, _) in sorted(own.items()) if count}
            for own in self._sums
        ]

    def at_worst(self, who: int) -> Values:
        """The same of one contestant with each call that has failed as the worst there is."""
        return {
            case: (total + without * self._worst) / (count + without) if without else total / count
            for case, (count, total, without) in sorted(self._sums[who].items())
        }

    def failures(self, who: int, other: int) -> int:
        """How many calls of a contestant have no value where the other has one."""
        theirs = self.values[other]
        return sum(without for case, (*_, without) in self._sums[who].items() if case in theirs)

    @cached_property
    def kind(self) -> Kind:
        """That of all there is, not of one pair: bounds are not seen in a few."""
        if self.measure:
            return self.measure.kind
        return statistics.kind_of([one for own in self.values for one in own.values()])

    @property
    def lower(self) -> bool:
        """Whether less is better."""
        return self.measure.lower if self.measure else False

    @property
    def unit(self) -> str:
        return self.measure.unit if self.measure else ""

    def kind_of(self, values: Sequence[float]) -> Kind:
        """The kind of some of them: of scores some may all be yes or no."""
        return statistics.kind_of(values) if self.kind == "score" else self.kind

    def settled(self, one: int, other: int) -> Iterator[int]:
        """The cases of which all calls of two contestants have ended, in the order in which they
        are asked, up to the first of which some have not: who is fast, or answers the easy ones
        fast, is not ahead by that."""
        full = self.result.grid.repeats
        for case in self.result.grid.in_turn:
            if min(self._ended[case, one], self._ended[case, other]) < full:
                return
            yield case

    @cached_property
    def _ended(self) -> Counter[tuple[int, int]]:
        rows = (row for row in self.result.rows if not row.stopped)
        return Counter((row.call.case, row.call.contestant) for row in rows)

    @cached_property
    def _worst(self) -> float:
        found = [one for own in self.values for one in own.values()]
        if self.lower:
            return max(found, default=0.0)
        return 0.0 if self.kind in ("yes/no", "score") else min(found, default=0.0)

    def _value(self, row: Row) -> float | None:
        if self.measure is None:
            score = row.scores.get(self.what)
            value = score.value if score else None
        elif not row.ok or (row.cold and self.measure.kind == "time"):
            return None
        else:
            value = self.measure.of(row)
        return None if value is None or not math.isfinite(value) else float(value)

    def _failed(self, row: Row) -> bool:
        """Whether a row without a value could have had one: it failed, or its scorer could not say
        anything of it. What is not scored yet, was cold or stopped, may have one still."""
        return row.failed or (self.measure is None and self.what in row.scores)


def measured(result: Result, what: str) -> Measured:
    """Raises `UsageError` for what is neither a scorer's name nor that of a measure."""
    scorers = dict.fromkeys(name for row in result.rows for name in row.scores)
    if what in scorers:
        return Measured(result, what, None)
    if what in MEASURES:
        return Measured(result, what, MEASURES[what])
    known = ", ".join([*scorers, *MEASURES])
    raise UsageError(f"Nothing here was scored by {what!r}; there are: {known}.")
