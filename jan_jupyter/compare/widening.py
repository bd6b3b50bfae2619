"""What a comparison asks, also when it becomes larger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any

from ..errors import UsageError
from .grids.grid import grid
from .grids.size import check_size
from .running.budget import Budget
from .values import Case, Grid


def gridded(prompts: Any, models: Any, **asked: Any) -> Grid:
    """`grid`, which also takes `Case`s as prompts. Raises `UsageError`."""
    cases = [prompts] if isinstance(prompts, Case) else prompts
    if not isinstance(cases, list | tuple) or not any(isinstance(one, Case) for one in cases):
        return grid(prompts, models, **asked)
    if not all(isinstance(one, Case) for one in cases):
        raise UsageError("Cases and other prompts do not go together: make all of them cases.")
    if any(asked.get(name) is not None for name in ("variables", "system", "expected")):
        raise UsageError("Cases hold their variables, instructions and what is expected already.")
    names = Counter(case.name for case in cases)
    if doubled := next((name for name in names if names[name] > 1), None):
        raise UsageError(f"Two cases are called {doubled!r}: give each a name of its own.")
    return replace(grid("?", models, **asked), cases=tuple(cases))


def extended(before: Grid, prompts: Any, models: Any, repeats: int) -> Grid:
    """The grid with more behind: what was asked before keeps its place. Raises `UsageError`."""
    if isinstance(repeats, bool) or not isinstance(repeats, int) or repeats < 0:
        raise UsageError(f"So many repeats more are a whole number, not {repeats!r:.80}.")
    cases, contestants = before.cases, before.contestants
    if _some(models):
        more = grid("?", models).contestants
        cases_or_names = [one.name for one in contestants]
        if again := next((one.name for one in more if one.name in cases_or_names), None):
            raise UsageError(f"{again} is compared already; give the other one a nickname.")
        contestants = (*contestants, *more)
    if _some(prompts):
        cases = (*cases, *_renamed(gridded(prompts, [*before.contestants]).cases, cases))
    after = replace(
        before,
        cases=cases,
        contestants=contestants,
        repeats=before.repeats + repeats,
        order=(),  # its run knows in which order those before were asked
    )
    check_size(len(after))
    if len(after) == len(before):
        raise UsageError("Nothing more is asked: give prompts, models or repeats.")
    return after


def _some(given: Any) -> bool:
    return given is not None and not (isinstance(given, str | list | tuple) and not given)


def _renamed(more: Sequence[Case], known: Sequence[Case]) -> list[Case]:
    """Each with a name that nobody has yet."""
    taken = {case.name for case in known}
    found = []
    for case in more:
        name, number = case.name, 1
        while name in taken:
            number += 1
            name = f"{case.name} ({number})"
        taken.add(name)
        found.append(replace(case, name=name))
    return found


def budget_of(given: Any) -> Budget | None:
    """A number of calls, or a mapping with `calls` and `money`. Raises `UsageError`."""
    if given is None or isinstance(given, Budget):
        return given
    if _is(Integral, given):
        given = {"calls": given}
    if not isinstance(given, Mapping) or not given or not given.keys() <= {"calls", "money"}:
        raise UsageError(
            f'A budget is a number of calls, or {{"calls": 500, "money": 2.5}}, not {given!r:.80}.'
        )
    calls, money = given.get("calls"), given.get("money")
    if calls is not None and not (_is(Integral, calls) and calls > 0):
        raise UsageError(f"A budget of calls is a whole number from 1 on, not {calls!r:.80}.")
    if money is not None and not (_is(Real, money) and money > 0):
        raise UsageError(f"A budget of money is a number above 0, not {money!r:.80}.")
    return Budget(None if calls is None else int(calls), None if money is None else float(money))


def _is(kind: type, value: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)
