"""Rows by names. A name that is not there is one line that tells those that are."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from ..errors import UsageError
from .values import Call, Result, Row


class Lookup:
    """Places and rows of a result by the names, or the places, of prompts and contestants."""

    def __init__(self, result: Result) -> None:
        self._result = result

    def contestant(self, key: str | int) -> int:
        names = [one.name for one in self._result.grid.contestants]
        return _place("contestant", key, names)

    def name(self, contestant: int) -> str:
        return self._result.grid.contestants[contestant].name

    def case(self, key: Any) -> int:
        cases = self._result.grid.cases
        if not isinstance(key, str | int):  # a day, or a place of several levels
            key = next((n for n, case in enumerate(cases) if case.index == key), key)
        return _place("prompt", key, [case.name for case in cases])

    def row(self, case: Any, contestant: str | int, repeat: int = 0) -> Row:
        """Raises `UsageError` also for a call that has not ended."""
        call = Call(self.case(case), self.contestant(contestant), repeat)
        found = next((row for row in self._result.rows if row.call == call), None)
        if found is not None:
            return found
        if not 0 <= repeat < self._result.grid.repeats:
            raise UsageError(
                f"There is no repeat {repeat}: each was asked {self._result.grid.repeats} times,"
                " counted from 0."
            )
        raise UsageError(f"{case!r} of {contestant!r} has not been asked yet: `.retry()` asks it.")


def _place(what: str, key: object, names: Sequence[str]) -> int:
    if isinstance(key, str) and key in names:
        return names.index(key)
    if isinstance(key, int) and -len(names) <= key < len(names):
        return key % len(names)
    near = difflib.get_close_matches(str(key), names, 3, 0.3) or names[:5]
    hint = ", ".join(repr(name[:60]) for name in near)
    raise UsageError(f"There is no {what} {key!r:.100}; there is: {hint}.")
