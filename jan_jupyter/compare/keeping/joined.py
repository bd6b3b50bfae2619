"""Several results become one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ...types import EMPTY
from ..values import Call, Case, Contestant, Grid, Result, Row
from . import written
from .stored_votes import noted, said


class Joined(NamedTuple):
    """What becomes of several."""

    grid: Grid
    rows: list[Row]
    notes: Mapping[str, Any]
    """Of those beside the runs the votes and judgements."""
    prices: Mapping[str, str]


def join(results: Sequence[Result], notes: Sequence[Mapping[str, Any]]) -> Joined:
    """The grid of all, their rows at their new places, and the votes that `notes` have of each.

    The same prompt is one case. A contestant that asks the same of the same model is one column if
    no cell of it would have two answers, else one for each result, which has the result's name.
    """
    cases = _Cases()
    contestants: list[Contestant] = []
    taken: set[Call] = set()
    rows: list[Row] = []
    votes: dict[str, Any] = {}
    prices: dict[str, str] = {}
    for number, (result, beside) in enumerate(zip(results, notes, strict=True)):
        columns: list[int] = []
        at = [cases.place(case) for case in result.grid.cases]
        for place, contestant in enumerate(result.grid.contestants):
            one = _whole(contestant, result.grid)
            own = [row for row in result.rows if row.call.contestant == place]
            calls = [row.call._replace(case=at[row.call.case]) for row in own]
            column = _column(one, calls, contestants, taken)
            if column is None:
                column = len(contestants)
                contestants.append(_renamed(one, contestants, result.name or str(number + 1)))
            columns.append(column)
            if price := result.prices.get(contestant.name):
                prices[contestants[column].name] = price
            moved = [call._replace(contestant=column) for call in calls]
            taken.update(moved)
            rows += [replace(row, call=call) for row, call in zip(own, moved, strict=True)]
        votes |= (
            noted(replace(v, case=at[v.case], left=columns[v.left], right=columns[v.right]))
            for v in said(beside, result.grid)
        )
    repeats = max(result.grid.repeats for result in results)
    seed = results[0].grid.seed
    grid = Grid(tuple(cases.found), tuple(contestants), repeats, EMPTY, seed)
    return Joined(grid, rows, votes, prices)


class _Cases:
    """Different cases, each with a name of its own."""

    def __init__(self) -> None:
        self.found: list[Case] = []
        self._places: dict[str, int] = {}

    def place(self, case: Case) -> int:
        """Where that case is: what is asked, not its name, tells it."""
        asked = [[written.message_json(message) for message in turn] for turn in case.turns]
        known = written.fingerprint([asked, written.value_json(case.expected)])
        if known not in self._places:
            self._places[known] = len(self.found)
            names = {one.name for one in self.found}
            self.found.append(replace(case, name=_free(case.name, names)))
        return self._places[known]


def _whole(one: Contestant, grid: Grid) -> Contestant:
    """A contestant with what its grid gives to all."""
    return replace(one, parameters={**grid.parameters, **one.parameters})


def _column(
    one: Contestant, calls: Sequence[Call], known: Sequence[Contestant], taken: set[Call]
) -> int | None:
    """A column that asks the same, with room for these calls."""
    for place, other in enumerate(known):
        same = replace(other, name=one.name) == one and other.name == one.name
        if same and not any(call._replace(contestant=place) in taken for call in calls):
            return place
    return None


def _renamed(one: Contestant, known: Sequence[Contestant], result: str) -> Contestant:
    names = {other.name for other in known}
    name = one.name if one.name not in names else f"{one.name} · {result}"
    return replace(one, name=_free(name, names))


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free
