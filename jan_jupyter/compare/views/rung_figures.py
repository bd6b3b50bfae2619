"""The figures of a ladder: what stands in each of its rows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import UsageError
from ..grids.rungs import Rung
from ..running.flips import Flips
from ..stats import statistics
from ..stats.verdicts import standings
from ..values import Result
from .board import Board
from .figures import Estimate, Summary
from .written import counted

PROMPT_SPEED = "prompt tokens/s"


@dataclass(frozen=True, slots=True)
class RungFigures:
    """One rung. Sizes in bytes; `None` where nobody knows."""

    name: str
    model: str
    quantisation: str
    size: int
    memory: int | None
    summary: Summary
    word: str
    """The verdict on its quality against the largest; empty if there is none."""
    prompt_speed: Estimate | None
    flips: Estimate | None
    """The share of flipped positions: the mean over prompts."""
    positions: int
    flipped: int
    why: str
    """Why there are no flips, or not of all prompts."""
    notes: tuple[str, ...]
    """What its engine has left out."""


@dataclass(frozen=True, slots=True)
class LadderBoard:
    """All of them, the largest first, and what is said below."""

    title: str
    asked: str
    scorer: str
    """Whose scores are the quality; empty if there are none."""
    rungs: tuple[RungFigures, ...]
    verdicts: tuple[str, ...]
    pull: str
    ours: bool
    """Whether the prompts are those that come with us."""

    @property
    def measured(self) -> bool:
        return any(one.positions for one in self.rungs)


def ladder_board(
    board: Board,
    rungs: Sequence[Rung],
    memory: Sequence[int | None],
    flips: Sequence[Flips],
    *,
    pull: str = "",
    ours: bool = False,
) -> LadderBoard:
    """What a ladder shows of its comparison."""
    try:
        prompt_speeds = standings(board.result, PROMPT_SPEED)
    except UsageError:
        prompt_speeds = ()
    found = []
    for place, (rung, summary) in enumerate(zip(rungs, board.summaries, strict=True)):
        told = [one for one in flips if one.contestant == place]
        speed = prompt_speeds[place].estimate if prompt_speeds else None
        found.append(
            RungFigures(
                rung.name,
                rung.model.reference,
                rung.quantisation,
                rung.model.size,
                memory[place],
                summary,
                board.word(place) if place else "",
                _shown(speed) if speed and speed.n else None,
                _share(told),
                sum(one.positions for one in told),
                sum(one.flipped for one in told),
                next((one.why for one in told if one.why), ""),
                _left_out(board.result, place),
            )
        )
    grid = board.result.grid
    asked = f"{counted(len(grid.cases), 'prompt')} × {counted(len(found), 'rung')}"
    asked += f" × {counted(grid.repeats, 'repeat')}" if grid.repeats > 1 else ""
    said = tuple(map(str, board.verdicts))
    return LadderBoard(board.title, asked, board.scorer, tuple(found), said, pull, ours)


def _left_out(result: Result, contestant: int) -> tuple[str, ...]:
    rows = (row for row in result.rows if row.call.contestant == contestant)
    return tuple(dict.fromkeys(note for row in rows if row.reply for note in row.reply.notes))


def _shown(one: statistics.Estimate) -> Estimate:
    if one.low is None or one.high is None:
        return Estimate(one.value, n=one.n)
    return Estimate(one.value, one.low, one.high, one.n, "95 %")


def _share(told: Sequence[Flips]) -> Estimate | None:
    """The mean over prompts, as the positions of one prompt are no samples of their own."""
    shares = [one.flipped / one.positions for one in told if one.positions]
    if not shares:
        return None
    if not statistics.available() or len(set(shares)) == 1:  # all alike tell nothing of others
        return Estimate(statistics.mean(shares), n=len(shares))
    found = _shown(statistics.mean_interval(shares))
    if found.low is None or found.high is None:
        return found
    return Estimate(found.value, max(0.0, found.low), min(1.0, found.high), found.n, found.kind)
