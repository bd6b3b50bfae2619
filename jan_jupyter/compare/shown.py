"""A part of a comparison as a notebook, a page and a terminal show it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from .values import Result
from .views.board import Board
from .views.html import fragment
from .views.markdown import markdown
from .views.text import text


@dataclass(frozen=True, repr=False)
class Shown:
    """What is shown of a comparison; `board` has it as values."""

    board: Board

    def __repr__(self) -> str:
        return text(self.board, shutil.get_terminal_size((100, 24)).columns)

    def _repr_html_(self) -> str:
        return fragment(self.board)

    def _repr_markdown_(self) -> str:
        return markdown(self.board)

    def bundle(self) -> dict[str, Any]:
        """All forms, as one output has them."""
        return {
            "text/html": self._repr_html_(),
            "text/markdown": self._repr_markdown_(),
            "text/plain": repr(self),
        }


def narrowed(result: Result, contestants: Sequence[int], cases: Sequence[int]) -> Result:
    """Only these contestants and cases, in this order."""
    grid = result.grid
    columns = {old: new for new, old in enumerate(contestants)}
    lines = {old: new for new, old in enumerate(cases)}
    kept = replace(
        grid,
        cases=tuple(grid.cases[i] for i in cases),
        contestants=tuple(grid.contestants[i] for i in contestants),
        order=tuple(lines[i] for i in grid.order if i in lines),
    )
    rows = [
        replace(
            row,
            call=row.call._replace(
                case=lines[row.call.case], contestant=columns[row.call.contestant]
            ),
        )
        for row in result.rows
        if row.call.case in lines and row.call.contestant in columns
    ]
    return replace(result, grid=kept, rows=rows)
