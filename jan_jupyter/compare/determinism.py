"""Whether models give the same answer each time: asked so that they could, and looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..errors import JanError, UsageError
from ..router import Router
from .session import Session
from .stats.repeats import first_difference
from .values import Contestant, Grid, Result, Row

TIMES = 5
SEED = 1


@dataclass(frozen=True, slots=True)
class Certificate:
    """What came of one contestant, each prompt asked `times`; `str` is one line.

    `identical` prompts of `prompts` were answered alike each time, to the byte; `cause` says why
    not all of them were, and is empty if all were.
    """

    contestant: str
    times: int
    prompts: int
    identical: int
    cause: str = ""

    @property
    def proven(self) -> bool:
        return not self.cause

    def __str__(self) -> str:
        if self.proven:
            each = "the prompt" if self.prompts == 1 else f"each of {self.prompts:,} prompts"
            return f"{self.contestant}: {self.times} identical answers to {each}."
        return f"{self.contestant}: {self.identical:,} of {self.prompts:,} identical: {self.cause}."


def settled(grid: Grid, router: Router, times: int) -> Grid:
    """The same grid, asked `times` with a seed; where models are loaded here, by one slot that
    takes nothing from a cache, as both change how numbers are added up."""
    if isinstance(times, bool) or not isinstance(times, int) or times < 2:
        raise UsageError(f"To see whether answers are the same takes two of them, not {times!r}.")
    who = tuple(_settled(one, grid, router) for one in grid.contestants)
    return replace(grid, contestants=who, repeats=times)


def _settled(one: Contestant, grid: Grid, router: Router) -> Contestant:
    parameters = {**grid.parameters, **one.parameters}
    seed = parameters.get("seed")
    if seed is None or (isinstance(seed, int) and seed < 0):  # -1: another one each time
        parameters["seed"] = SEED
    if not _is_local(one, router):
        return replace(one, parameters=parameters)
    return replace(
        one,
        parameters={**parameters, "cache_prompt": False},
        settings={**one.settings, "n_parallel": 1},
    )


def _is_local(one: Contestant, router: Router) -> bool:
    try:
        return router.target(one.model).engine.local
    except JanError:
        return False  # it will be a row that says why


def prove(session: Session, times: int = TIMES) -> list[Certificate]:
    """Ask anew, in a run of its own, and say what came; one certificate for each contestant."""
    router = session.workspace.router
    asked = session.anew(settled(session.grid, router, times), f"{session.name}: identical?")
    asked.wait(asked.steps())
    local = [_is_local(one, router) for one in session.grid.contestants]
    return certificates(asked.result, local)


def certificates(result: Result, local: Sequence[bool]) -> list[Certificate]:
    """What rows prove; `local`: whose models are loaded on this machine. Pure."""
    grid = result.grid
    found = []
    for who, contestant in enumerate(grid.contestants):
        cells = [result.of(case, who) for case in range(len(grid.cases))]
        good = [all(row.ok for row in cell) and len(cell) == grid.repeats for cell in cells]
        same = [
            whole and len({row.text for row in cell}) == 1
            for whole, cell in zip(good, cells, strict=True)
        ]
        cause = "" if all(same) else _cause(cells, good, same, local[who])
        found.append(Certificate(contestant.name, grid.repeats, len(cells), sum(same), cause))
    return found


def _cause(
    cells: Sequence[Sequence[Row]], good: Sequence[bool], same: Sequence[bool], local: bool
) -> str:
    """Why not all are identical, as far as it is known."""
    failed = [row for cell in cells for row in cell if row.failed]
    if failed:
        return f"{len(failed)} calls failed, the first with: {failed[0].error.rstrip('.')}"
    if not all(good):
        return "not all was asked"
    cell = cells[same.index(False)]
    at = first_difference([row.text for row in cell])
    where = f"the answers to one part at character {at or 0:,}"
    notes = [note for row in cell if row.reply for note in row.reply.notes if "seed" in note]
    if notes:
        return f"{where}, as no seed was taken ({notes[0].rstrip('.')})"
    replies = [row.reply for row in cell if row.reply]
    if len(models := sorted({reply.model for reply in replies})) > 1:
        return f"{where}, as not one model has answered: {', '.join(models)}"
    if len(cached := sorted({reply.usage.cached or 0 for reply in replies})) > 1:
        return (
            f"{where}, as the server took {cached[0]:,} to {cached[-1]:,} tokens of the prompt from"
            " its cache, which changes how numbers are added up"
        )
    if local:
        return (
            f"{where}, with one slot, a seed and no cache: most likely the runtime adds up numbers"
            " in another order each time, as GPUs and several threads may"
        )
    return (
        f"{where}, although a seed was sent: the server does not keep to it, or answers several"
        " requests at once"
    )
