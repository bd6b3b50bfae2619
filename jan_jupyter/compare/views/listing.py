"""A listing for people: rows of texts under headings, as text and as HTML."""

from __future__ import annotations

from collections.abc import Container, Sequence
from html import escape
from typing import NamedTuple

from .written import line


class Listing(NamedTuple):
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Container[int]
    """The columns that are set to the right."""

    def text(self) -> str:
        rows = [self.headings, *(tuple(map(line, row)) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(
                cell.rjust(width) if place in self.right else cell.ljust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        )

    def html(self) -> str:
        head = self._row('th scope="col"', self.headings)
        body = "".join(self._row("td", row) for row in self.rows)
        return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"

    def _row(self, start: str, row: Sequence[str]) -> str:
        cells = (
            f'<{start} style="text-align:{"right" if place in self.right else "left"}">'
            f"{escape(line(cell))}</{start[:2]}>"
            for place, cell in enumerate(row)
        )
        return f"<tr>{''.join(cells)}</tr>"
