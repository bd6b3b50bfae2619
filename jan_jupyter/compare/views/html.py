"""A comparison as HTML for a cell's output. Everything that anybody wrote is escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from . import diff, dots, table
from .board import Board, Cell, Line, Variant
from .cells import ABOUT, EMPTY, about, cut, ends, is_code, parted, question, same, shown
from .style import STYLE
from .written import change, counted, joined, line, number, on_one_line, visible


def fragment(board: Board) -> str:
    """The HTML of a cell's output, with its own style."""
    return f"<style>{STYLE}</style>{aligned(body(board, board.caption))}"


def aligned(shown: str) -> str:
    """With its cells set to the left by themselves: a page that does not trust its outputs keeps
    that alone, and would set all to the right."""
    return _CELL.sub(rf'<\1 style="{_ALIGNED}"', shown)


_CELL = re.compile(r"<(t[hd])(?= )")
_ALIGNED = "text-align:left;vertical-align:top"


def body(board: Board, caption: str) -> str:
    """The same without the style."""
    # Formulas are left alone: a page's MathJax would read them anywhere.
    return (
        '<div class="jan-compare tex2jax_ignore mathjax_ignore">'
        f"{_summary(board, caption)}{_listed(table.models(board))}{_listed(table.prices(board))}"
        f"{_listed(table.verdicts(board))}{_rows(board)}</div>"
    )


def _text(text: object) -> str:
    return escape(line(text))


def _summary(board: Board, caption: str) -> str:
    columns = table.columns(board)
    scales = [
        dots.scale([one.estimate(summary) for summary in board.summaries], one.from_zero)
        if one.estimate
        else None
        for one in columns
    ]
    heads = "".join(
        f'<th scope="col" role="columnheader">{_text(one.heading)}{_range(on)}</th>'
        for one, on in zip(columns, scales, strict=True)
    )
    lines = []
    for place, summary in enumerate(board.summaries):
        cells = []
        for column, on in zip(columns, scales, strict=True):
            found = column.estimate(summary) if column.estimate else None
            drawn = ""
            if on and found and column.estimate:
                base = column.estimate(board.summaries[board.baseline])
                at = base.value if base and place != board.baseline else None
                drawn = dots.strip(found, on, at)
            cells.append(_summary_cell(column, column.text(summary), drawn))
        lines.append(
            f'<tr role="row"><th scope="row" role="rowheader">{_text(summary.name)}'
            f"{_mark(board, place)}</th>{''.join(cells)}</tr>"
        )
    has_dots = any(scales) and len(board.names) > 1
    legend = joined([table.legend(board), _DRAWN if has_dots else ""], " ")
    return (
        f'{scrolled("Summary")}<table class="jc-sum" role="table"><caption>'
        f'{_text(caption)}</caption><thead role="rowgroup"><tr role="row">'
        f'<th scope="col" role="columnheader">model</th>{heads}</tr></thead>'
        f'<tbody role="rowgroup">{"".join(lines)}</tbody></table></div>'
        + (f'<p class="jc-small">{escape(legend)}</p>' if legend else "")
    )


_DRAWN = "Dots and lines show the same; the dashed line is the baseline."


def _mark(board: Board, place: int) -> str:
    is_base = place == board.baseline and len(board.names) > 1
    return ' <span class="jc-small">baseline</span>' if is_base else ""


def _range(on: dots.Scale | None) -> str:
    if on is None:
        return ""
    return f' <span class="jc-small jc-range">{number(on.low)} to {number(on.high)}</span>'


def _summary_cell(column: table.Column, text: str, drawn: str) -> str:
    tone = "jc-error" if column.heading == "errors" else _TONES.get(text, "")
    tone = "jc-n" if drawn else tone
    said = f'<span class="{tone}">{_text(text)}</span>' if tone and text else _text(text)
    name = escape(line(column.heading), quote=True)
    return f'<td role="cell" data-name="{name}">{said}{drawn}</td>'


_TONES = {"better": "jc-good", "worse": "jc-bad"}


def scrolled(label: str) -> str:
    """What is wider than its place is moved by the keyboard, too."""
    return f'<div class="jc-wide" role="region" aria-label="{label}" tabindex="0">'


def _listed(lines: Sequence[str]) -> str:
    items = "".join(f"<li>{_text(one)}</li>" for one in lines)
    return f"<ul>{items}</ul>" if items else ""


def _rows(board: Board) -> str:
    left_out = f'<p class="jc-quiet">{_text(board.left_out)}</p>' if board.left_out else ""
    if not board.lines:
        return left_out
    n = len(board.names)
    heads = "".join(
        f'<th scope="col" role="columnheader">{_text(name)}{_mark(board, place)}</th>'
        for place, name in enumerate(board.names)
    )
    bodies = "".join(_row(board, one) for one in board.lines)
    size = "many" if n > 6 else str(n)
    return (
        f'{scrolled("Answers")}<table class="jc-rows" data-n="{size}" role="table">'
        f"<caption>{escape(ABOUT[board.against if n > 1 else 'nothing'])}</caption>"
        f'<thead role="rowgroup"><tr role="row">{heads}</tr></thead>{bodies}'
        f"</table></div>{left_out}"
    )


def _row(board: Board, row: Line) -> str:
    short, details = question(row)
    more = _fold("the question", "\n\n".join(details)) if details else ""
    expected = row.case.expected
    wanted = "" if expected is None else f"expected: {line(expected, 200)}"
    small = f' <span class="jc-small">{_text(wanted)}</span>' if wanted else ""
    cells = "".join(
        _cell(board, row, place, cell, name)
        for place, (cell, name) in enumerate(zip(row.cells, board.names, strict=True))
    )
    return (
        f'<tbody role="rowgroup"><tr role="row"><th class="jc-ask" scope="rowgroup" '
        f'role="rowheader" colspan="{len(row.cells)}"><span dir="auto">{row.place + 1}. '
        f'{_text(short)}</span>{small}{more}</th></tr><tr role="row">{cells}</tr></tbody>'
    )


def _cell(board: Board, row: Line, place: int, cell: Cell, name: str) -> str:
    inner = [_numbers(board, cell)]
    inner += [f'<p class="jc-error">✕ {_text(error)}</p>' for error in ends(cell)]
    if not cell.rows:
        inner.append('<p class="jc-quiet">not asked yet</p>')
    inner += [_answer(board, row, place, cell)] if cell.variants else []
    inner += [_other(cell.variants[0], other) for other in cell.others]
    inner += [f'<p class="jc-quiet">{cell.uncounted}</p>'] if cell.uncounted else []
    for failed in cell.errors:
        if failed.text:
            inner.append(_fold(f"what had come ({len(failed.text):,} characters)", failed.text))
    return f'<td role="cell" data-name="{escape(line(name), quote=True)}">{"".join(inner)}</td>'


def _numbers(board: Board, cell: Cell) -> str:
    parts = []
    if cell.score is not None:
        parts.append(_text(f"{board.scorer} {number(cell.score)}"))
    if cell.change:
        tone = "jc-bad" if cell.change < 0 else "jc-good"
        parts.append(f'<span class="{tone}">{change(cell.change)}</span>')
    texts, tags = about(board, cell)
    # Short ones stay on one line each.
    parts += [_text(t).replace(" ", "\u00a0") if len(t) < 24 else _text(t) for t in texts]
    parts += [f'<span class="jc-tag">{_text(tag)}</span>' for tag in tags]
    return f'<p class="jc-small">{" · ".join(parts)}</p>' if parts else ""


def _answer(board: Board, row: Line, place: int, cell: Cell) -> str:
    first = cell.variants[0]
    reply = first.rows[0].reply
    thought = _fold("reasoning", reply.reasoning) if reply and reply.reasoning else ""
    if not first.text.strip():
        return f'{thought}<p class="jc-quiet">{EMPTY}</p>'
    parts = shown(board, row, place)
    text = _fold(same(board), first.text) if parts is None else _long(parts, len(board.names))
    return f"{thought}{text}"


def _long(parts: Sequence[diff.Part], contestants: int) -> str:
    head, rest, left = cut(parts, contestants)
    if not rest:
        return _pre(head)
    # What is behind the fold is set as what is before it.
    code = is_code(head)
    return (
        f"{_pre(head, code)}<details><summary>… {counted(left, 'more character')}</summary>"
        f"{_pre(rest, code)}</details>"
    )


def _pre(parts: Sequence[diff.Part], code: bool | None = None) -> str:
    marked = "".join(_marked(part) for part in parts)
    name = ' class="jc-code"' if (is_code(parts) if code is None else code) else ""
    # A line end right after the tag is not part of what it holds.
    return f'<pre dir="auto"{name}>\n{marked}</pre>'


def _marked(part: diff.Part) -> str:
    text = visible(part.text)
    if part.kind == "same":
        return escape(text)
    if part.kind == "added":
        return f"<ins>{escape(text)}</ins>"
    # Lines that are gone take no room, and blanks that are gone are not struck through.
    return f"<del>{escape(on_one_line(text))}</del>"


def _other(first: Variant, other: Variant) -> str:
    """Another answer of the repeats, and where it parts from the first."""
    return _fold(parted(first, other), other.text)


def _fold(title: str, text: str) -> str:
    body = _pre([diff.Part("same", text)])
    return f"<details><summary>{_text(title)}</summary>{body}</details>"
