"""The figures of each contestant: what stands in the summary. Pure; no word of who is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, quantiles, stdev
from typing import Protocol

from ..stats.verdicts import MEASURES
from ..values import Grid, Row, Score


class Measured(Protocol):
    """An estimate of statistics; `low` and `high` are those of its interval, if it has one."""

    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def n(self) -> int: ...


class Standing(Protocol):
    """What statistics say of one contestant by itself: `what` is a scorer or one of `WHATS`."""

    @property
    def contestant(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def estimate(self) -> Measured: ...


FIRST_TOKEN, SECONDS, SPEED = WHATS = ("first token", "seconds", "tokens/s")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with what is known of its uncertainty; `n` prompts."""

    value: float
    low: float | None = None
    high: float | None = None
    n: int = 0
    kind: str = ""
    """What `low` and `high` are: `95 %`, an interval; `sd`, one standard deviation of the prompts
    to each side; `half`, the middle half of the prompts; empty, where there are none."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One contestant. Times in seconds; `None` where nobody knows."""

    name: str
    answers: int
    errors: int
    missing: int
    """Calls that have not ended."""
    scores: Mapping[str, Estimate]
    first_token: Estimate | None
    speed: Estimate | None
    """Tokens per second."""
    warm: bool
    """Whether times are those of answers for which nothing had to be loaded."""
    seconds: Estimate | None
    """Of one answer, without waiting and loading."""
    loads: int
    """Answers for which it had to be loaded, and it is known how long that took."""
    loading: float | None
    """Of one load, the median."""
    tokens: int
    cost: float | None
    priced: int
    """Answers whose price is known."""
    stable: int
    """Prompts that were answered more than once, each time alike."""
    repeated: int
    """Prompts that were answered more than once."""
    reused: int
    cut: int
    """Answers that ended at their longest."""


def value(score: Score | None) -> float | None:
    """A score as a number: yes is 1."""
    return None if score is None or score.value is None else float(score.value)


def scorers(rows: Sequence[Row]) -> tuple[str, ...]:
    """Their names, in the order in which they are met."""
    return tuple(dict.fromkeys(name for row in rows for name in row.scores))


def summary(
    grid: Grid,
    contestant: int,
    cells: Sequence[Sequence[Row]],
    names: Sequence[str],
    standings: Sequence[Standing] = (),
) -> Summary:
    """Of one contestant: its rows of each prompt, and the scorers' names.

    Where statistics have an interval of a number, that stands there, else a spread.
    """
    name = grid.contestants[contestant].name
    told = {one.what: _told(one.estimate) for one in standings if one.contestant == name}
    rows = [row for cell in cells for row in cell]
    good = [[row for row in cell if row.ok] for cell in cells]
    warm = [[row for row in cell if not row.cold] for cell in good]
    is_warm = any(warm)
    timed = warm if is_warm else good
    loads = [seconds for row in rows if row.cold and (seconds := _load(row)) is not None]
    costs = [row.cost for row in rows if row.cost is not None]
    repeated = [cell for cell in good if len(cell) > 1]
    return Summary(
        name=name,
        answers=sum(map(len, good)),
        errors=sum(row.failed for row in rows),
        missing=len(grid.cases) * grid.repeats - len(rows),
        scores={
            scorer: found
            for scorer in names
            if (found := told.get(scorer) or _mean([of_cell(cell, scorer) for cell in cells]))
        },
        first_token=told.get(FIRST_TOKEN) or _median(timed, FIRST_TOKEN),
        speed=told.get(SPEED) or _median(timed, SPEED),
        warm=is_warm,
        seconds=told.get(SECONDS) or _median(timed, SECONDS),
        loads=len(loads),
        loading=median(loads) if loads else None,
        tokens=sum(row.reply.usage.completion for row in rows if row.reply),
        cost=sum(costs) if costs else None,
        priced=len(costs),
        stable=sum(len({row.text for row in cell}) == 1 for cell in repeated),
        repeated=len(repeated),
        reused=sum(row.reused for row in rows),
        cut=sum(row.reply is not None and row.reply.finish == "length" for row in rows),
    )


def of_cell(cell: Sequence[Row], scorer: str) -> float | None:
    """The mean of the repeats of one prompt: they are one unit, as they are not independent."""
    values = [number for row in cell if (number := value(row.scores.get(scorer))) is not None]
    return fmean(values) if values else None


def measured(row: Row, what: str) -> float | None:
    """What a call tells by itself, as verdicts count it: without waiting for a slot and loading."""
    return MEASURES[what].of(row)


def _load(row: Row) -> float | None:
    return row.reply.timings.load if row.reply else None


def _told(estimate: Measured) -> Estimate | None:
    if estimate.low is None or estimate.high is None:
        return None
    return Estimate(estimate.value, estimate.low, estimate.high, estimate.n, "95 %")


def _mean(values: Sequence[float | None]) -> Estimate | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    mean, n = fmean(known), len(known)
    if n < 2:
        return Estimate(mean, n=n)
    spread = stdev(known)
    return Estimate(mean, mean - spread, mean + spread, n, "sd")


def _median(cells: Sequence[Sequence[Row]], name: str) -> Estimate | None:
    known = [
        median(values)
        for cell in cells
        if (values := [time for row in cell if (time := measured(row, name)) is not None])
    ]
    if not known:
        return None
    middle, n = median(known), len(known)
    if n < 4:
        return Estimate(middle, n=n)
    low, _, high = quantiles(known, method="inclusive")
    return Estimate(middle, low, high, n, "half")
