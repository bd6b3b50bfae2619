"""A comparison as plain text, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from . import diff, table, written
from .board import Board, Cell, Line
from .cells import EMPTY, about, cut, ends, parted, question, same, shown
from .written import change, counted, joined, line, number, on_one_line, visible

_NARROWEST = 34
"""Characters of a column; where there is room for less, answers stand one under another."""
_BETWEEN = " │ "
_MARKS = {"same": ("", ""), "removed": ("[-", "-]"), "added": ("{+", "+}")}
_ABOUT = {
    "baseline": "Against the baseline's answers: {+only here+}, [-only there-]",
    "expected": "Against what was expected: {+only here+}, [-only there-]",
    "nothing": "",
}


def text(board: Board, width: int = 100) -> str:
    """The text, in lines of `width` columns."""
    parts = [filled(board.caption, width), _summary(board, width)]
    parts += [filled(table.legend(board), width)]
    for lines in (table.models(board), table.prices(board), table.verdicts(board)):
        parts += ["\n".join(filled(f"- {one}", width, "  ") for one in lines)]
    parts += [filled(_ABOUT[board.against], width) if board.lines else ""]
    parts += [_row(board, row, width) for row in board.lines]
    parts += [filled(board.left_out, width)]
    return joined(parts, "\n\n")


def filled(text: str, width: int, indent: str = "") -> str:
    """On lines of at most `width`, those after the first indented."""
    first, *more = _wrapped(line(text), width - len(indent))
    return "\n".join([first, *(indent + one for one in more)])


def _summary(board: Board, width: int) -> str:
    columns = table.columns(board)
    rows = [["model", *(column.heading for column in columns)]]
    for place, one in enumerate(board.summaries):
        base = " (baseline)" if place == board.baseline and len(board.names) > 1 else ""
        rows.append([one.name + base, *(column.text(one) for column in columns)])
    rows = [[line(cell) for cell in row] for row in rows]
    return set_table(rows, width)


def set_table(rows: Sequence[Sequence[str]], width: int) -> str:
    """Rows, the first of them headings, as a table; one that is too wide is turned, or each row
    becomes lines."""
    if set_ := _table(rows, width) or _table([*zip(*rows, strict=True)], width):
        return set_
    blocks = []
    for name, *cells in rows[1:]:
        facts = (f"{head} {cell}" for head, cell in zip(rows[0][1:], cells, strict=True) if cell)
        blocks += [
            *_wrapped(name, width),
            *(f"  {one}" for one in _wrapped(joined(facts), width - 2)),
        ]
    return "\n".join(blocks)


def _table(rows: Sequence[Sequence[str]], width: int) -> str:
    """The rows in columns; empty if they are too wide."""
    widths = [max(map(written.width, column)) for column in zip(*rows, strict=True)]
    if sum(widths) + 2 * (len(widths) - 1) > width:
        return ""
    return "\n".join("  ".join(map(_padded, row, widths)).rstrip() for row in rows)


def _row(board: Board, row: Line, width: int) -> str:
    short, _ = question(row)
    wanted = "" if row.case.expected is None else f"expected: {line(row.case.expected, 80)}"
    head = filled(joined([f"── {row.place + 1}. {short}", wanted]), width, "   ")
    n = len(row.cells)
    each = (width - len(_BETWEEN) * (n - 1)) // n
    if n == 1 or each < _NARROWEST:
        blocks = [
            "\n".join(f"   {one}".rstrip() for one in _cell(board, row, place, cell, width - 3))
            for place, cell in enumerate(row.cells)
        ]
        return joined([head, *blocks], "\n")
    cells = [_cell(board, row, place, cell, each) for place, cell in enumerate(row.cells)]
    lines = (
        _BETWEEN.join(_padded(part, each) for part in parts).rstrip()
        for parts in zip_longest(*cells, fillvalue="")
    )
    return "\n".join([head, *lines])


def _cell(board: Board, row: Line, place: int, cell: Cell, width: int) -> list[str]:
    numbers, tags = about(board, cell)
    name = board.names[place] if len(board.names) > 1 else ""
    score = "" if cell.score is None else f"{board.scorer} {number(cell.score)}"
    changed = f"({change(cell.change)})" if cell.change else ""
    parts = [f"[{line(name)}]" if name else "", line(joined([score, changed], " "))]
    parts += [*numbers, *(f"<{tag}>" for tag in tags)]
    # Each is broken only where it is longer than a line.
    whole = (one.replace(" ", "\u00a0") if len(one) < width else one for one in parts)
    head = joined(whole)
    found = [one.replace("\u00a0", " ") for one in _wrapped(head, width)] if head else []
    for reason in ends(cell):
        found += _wrapped(f"✕ {reason}", width)
    found += [] if cell.rows else ["not asked yet"]
    if cell.variants:
        empty = not cell.variants[0].text.strip()
        found += [EMPTY] if empty else _answer(shown(board, row, place), board, width)
        for other in cell.others:
            found += _wrapped(parted(cell.variants[0], other), width)
        found += [cell.uncounted] if cell.uncounted else []
    return found


def _answer(parts: Sequence[diff.Part] | None, board: Board, width: int) -> list[str]:
    if parts is None:
        return _wrapped(same(board), width)
    head, rest, left = cut(parts, len(board.names))
    marked = "".join(map(_marked, head))
    found = _wrapped(marked.strip("\n"), width)
    return [*found, f"… {counted(left, 'more character')}"] if rest else found


def _marked(part: diff.Part) -> str:
    text = visible(part.text)
    before, after = _MARKS[part.kind]
    return f"{before}{on_one_line(text) if part.kind == 'removed' else text}{after}"


def _padded(text: str, width: int) -> str:
    return text + " " * (width - written.width(text))


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns, broken at blanks where there are any."""
    found = []
    for one in text.expandtabs(4).split("\n"):
        rest = one.rstrip()
        while written.width(rest) > width:
            at = _fitting(rest, width)
            blank = rest.rfind(" ", 1, at + 1)
            end = blank if blank > 0 and rest[:blank].strip() else at
            found.append(rest[:end].rstrip())
            rest = rest[end:].lstrip()
        found.append(rest)
    return found


def _fitting(text: str, width: int) -> int:
    """How many of its characters fit, one at least."""
    taken = 0
    for place, char in enumerate(text):
        taken += written.width(char)
        if taken > width:
            return max(1, place)
    return len(text)
