"""A comparison as Markdown that reads wherever Markdown does, harmless in every renderer.

Numbers and marked answers are only text (`markdown.plain`); other answers are Markdown as their
models wrote it, made safe (`markdown.safe`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ... import markdown as sanitiser
from . import diff, table
from .board import Board, Cell, Line
from .cells import EMPTY, about, cut, ends, is_code, parted, question, same, shown
from .written import change, counted, joined, line, number, on_one_line, visible

_ABOUT = {
    "baseline": "Against the baseline's answers: what is underlined is only here, what is struck "
    "through only there.",
    "expected": "Against what was expected: what is underlined is only here, what is struck "
    "through only there.",
    "nothing": "",
}


def markdown(board: Board) -> str:
    """The Markdown; a title, the summary, then a section for each prompt."""
    parts = [f"## {_plain(board.title)}", _plain(board.asked), _summary(board)]
    parts += [_plain(table.legend(board))]
    for lines in (table.models(board), table.prices(board), table.verdicts(board)):
        parts += ["\n".join(f"- {_plain(one)}" for one in lines)]
    if board.lines:
        parts.append(_ABOUT[board.against])
    parts += [_row(board, row) for row in board.lines]
    parts += [_plain(board.left_out)]
    return joined(parts, "\n\n") + "\n"


def _plain(text: str) -> str:
    return sanitiser.plain(line(text))


def _summary(board: Board) -> str:
    columns = table.columns(board)
    heads = ["model", *(column.heading for column in columns)]
    rows = [heads, ["---"] * len(heads)]
    for place, summary in enumerate(board.summaries):
        base = place == board.baseline and len(board.names) > 1
        name = f"**{_plain(summary.name)}**" + (" (baseline)" if base else "")
        rows.append([name, *(_plain(column.text(summary)) for column in columns)])
    rows[0] = [*map(_plain, heads)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(board: Board, row: Line) -> str:
    short, details = question(row)
    parts = [f"### {row.place + 1}. {_plain(short)}"]
    if details:
        parts.append(_fold("the question", "\n\n".join(details)))
    if row.case.expected is not None:
        parts.append(f"expected: {_plain(line(row.case.expected, 200))}")
    for place, cell in enumerate(row.cells):
        parts += _cell(board, row, place, cell)
    return joined(parts, "\n\n")


def _cell(board: Board, row: Line, place: int, cell: Cell) -> list[str]:
    numbers, tags = about(board, cell)
    heads = [f"**{_plain(board.names[place])}**"]
    if cell.score is not None:
        changed = f" (**{change(cell.change)}**)" if cell.change else ""
        heads.append(f"{_plain(board.scorer)} {number(cell.score)}{changed}")
    heads += map(_plain, [*numbers, *tags])
    parts = [joined(heads)]
    parts += [f"✕ {_plain(reason)}" for reason in ends(cell)]
    parts += [] if cell.rows else ["not asked yet"]
    if cell.variants:
        first = cell.variants[0]
        reply = first.rows[0].reply
        if reply and reply.reasoning:
            parts.append(_fold("reasoning", reply.reasoning))
        parts += _answer(shown(board, row, place), board) if first.text.strip() else [EMPTY]
        parts += [_fold(parted(first, other), other.text) for other in cell.others]
        parts += [cell.uncounted] if cell.uncounted else []
    for failed in cell.errors:
        if failed.text:
            parts.append(_fold(f"what had come ({len(failed.text):,} characters)", failed.text))
    return parts


def _answer(parts: Sequence[diff.Part] | None, board: Board) -> list[str]:
    if parts is None:
        return [_plain(same(board))]
    head, rest, left = cut(parts, len(board.names))
    if [part.kind for part in parts] == ["same"]:
        text = parts[0].text
        if not rest:
            return [sanitiser.safe(visible(text), after_others=True)]
        # Half of a table or a fence would not be one.
        beginning = sanitiser.words(head[0].text, 300)
        return [_plain(beginning), _fold(f"all {counted(len(text), 'character')}", text)]
    code = is_code(head)
    if not rest:
        return [_marked(head, code)]
    more = f"<details><summary>… {counted(left, 'more character')}</summary>"
    return [_marked(head, code), f"{more}{_marked(rest, code)}</details>"]


def _fold(title: str, text: str) -> str:
    return sanitiser.folded(line(title), visible(text), after_others=True).strip()


def _marked(parts: Sequence[diff.Part], code: bool) -> str:
    """One line of HTML in which everything but our own marks is only text."""
    tags = {"same": ("", ""), "removed": ("<del>", "</del>"), "added": ("<ins>", "</ins>")}
    found = []
    for kind, words in parts:
        text = visible(words)
        lines = (on_one_line(text) if kind == "removed" else text).split("\n")
        by = "&#10;" if code else "<br>"
        found.append(f"{tags[kind][0]}{by.join(map(_spaced, lines))}{tags[kind][1]}")
    # Else MathJax would take what stands between two prices for a formula.
    tag = "pre" if code else "p"
    return f'<{tag} class="tex2jax_ignore mathjax_ignore">{"".join(found)}</{tag}>'


def _spaced(text: str) -> str:
    """Only text, with all its blanks."""
    return sanitiser.plain(_BLANKS.sub("\u00a0", text.expandtabs(4)))


_BLANKS = re.compile(r"(?:(?<= )|^) ")
