"""Several results become one. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ...types import EMPTY
from ..values import Call, Case, Contestant, Grid, Result, Row
from . import early, written
from .stored_votes import noted, said


class Joined(NamedTuple):
    """What becomes of several."""

    grid: Grid
    rows: list[Row]
    notes: Mapping[str, Any]
    """Of those beside the runs the votes and judgements, and whether one was to end early."""
    prices: Mapping[str, str]


def join(results: Sequence[Result], notes: Sequence[Mapping[str, Any]]) -> Joined:
    """The grid of all, their rows at their new places, and the votes that `notes` have of each.

    The same prompt is one case, but for a result that has it several times. A contestant that asks
    the same of the same model is one column if no cell of it would have two answers, else one for
    each result, which has the result's name.
    """
    cases = _Cases()
    contestants: list[Contestant] = []
    taken: set[Call] = set()
    rows: list[Row] = []
    notes_of_all: dict[str, Any] = {}
    prices: dict[str, str] = {}
    decides: list[str] = []
    order: list[int] = []
    for number, (result, beside) in enumerate(zip(results, notes, strict=True)):
        columns: list[int] = []
        at = cases.places(result.grid.cases)
        by, drawn = early.told(beside)
        decides += [by] if by else []
        order += [at[case] for case in drawn if 0 <= case < len(at)] if by else at
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
        notes_of_all |= (
            noted(replace(v, case=at[v.case], left=columns[v.left], right=columns[v.right]))
            for v in said(beside, result.grid)
        )
    if decides:
        notes_of_all[early.DECIDE] = early.noted(decides[0], [*dict.fromkeys(order)])
    repeats = max(result.grid.repeats for result in results)
    seed = results[0].grid.seed
    grid = Grid(tuple(cases.found), tuple(contestants), repeats, EMPTY, seed)
    return Joined(grid, rows, notes_of_all, prices)


class _Cases:
    """Different cases, each with a name of its own."""

    def __init__(self) -> None:
        self.found: list[Case] = []
        self._places: dict[tuple[str, int], int] = {}

    def places(self, cases: Sequence[Case]) -> list[int]:
        """Where the cases of one result are: what is asked, not its name, tells it. One that is
        there several times is several cases here, too, the first of each result the same."""
        seen: Counter[str] = Counter()
        found = []
        for case in cases:
            asked = [[written.message_json(message) for message in turn] for turn in case.turns]
            known = written.fingerprint([asked, written.value_json(case.expected)])
            found.append(self._place((known, seen[known]), case))
            seen[known] += 1
        return found

    def _place(self, known: tuple[str, int], case: Case) -> int:
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
