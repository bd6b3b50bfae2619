"""Lists and cards: a table in a notebook, aligned text in a terminal."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Collection, Mapping, Sequence
from itertools import zip_longest
from time import localtime, strftime, time
from typing import Any, Literal, NamedTuple

from .. import units
from .screen import screen

Tone = Literal["", "good", "quiet", "warning", "bad"]

# JupyterLab's own are too pale to be read, its orange most of all: they are mixed with the text's.
_COLOURS: Mapping[str, str] = {
    "good": "color-mix(in srgb, var(--jp-success-color1, #388e3c) 60%, currentColor)",
    "quiet": "color-mix(in srgb, currentColor 70%, transparent)",
    "warning": "color-mix(in srgb, var(--jp-warn-color1, #f57c00) 60%, currentColor)",
    "bad": "color-mix(in srgb, var(--jp-error-color1, #d32f2f) 60%, currentColor)",
}


_SHORT, _LABEL = 12, 18
"""Characters of a cell, and of a coloured one, that are kept on one line."""


class Cell(NamedTuple):
    """A text with a colour that means something; `detail` is shown when one points at it."""

    text: str
    tone: Tone = ""
    detail: str = ""


Row = Sequence[str | Cell]


def show(bundle: Mapping[str, Any]) -> None:
    """Show a bundle of MIME types; a terminal gets its plain text."""
    screen().show(bundle)


def table(
    headings: Sequence[str],
    rows: Sequence[Row],
    caption: str = "",
    right: Collection[int] = (),
    below: str = "",
    remarks: bool = False,
) -> None:
    """Show rows of text. What is in a cell is shown as text, whatever it holds; only what stands in
    backticks is set as code.

    `right` are the columns that are set to the right, as numbers are. A column that is empty in
    every row is left out. `below` is a longer line after the table. `remarks`: the last column has
    long ones, which stand below their rows, in a terminal where they do not fit beside them.
    """
    caption, below = screen().worded(caption), screen().worded(below)
    if not rows:
        after = textwrap.wrap(below, _room(), break_long_words=False)
        show({"text/plain": "\n".join([caption or "Nothing.", *after])})
        return
    cells = [[_cell(cell) for cell in row] for row in rows]
    last = len(headings) - 1
    used = [i for i in range(len(headings)) if any(row[i].text for row in cells)]
    heads = [Cell(headings[i]) for i in used]
    cells = [[row[i] for i in used] for row in cells]
    right = {place for place, i in enumerate(used) if i in right}
    below_rows = remarks and used[-1:] == [last]
    after = textwrap.wrap(below, _room(), break_long_words=False)
    said = f'<p style="max-width:60em;padding-left:.5em">{as_html(below)}</p>' if below else ""
    show(
        {
            "text/html": _html(heads, cells, caption, right, below_rows) + said,
            "text/plain": "\n".join([_plain(heads, cells, caption, right, below_rows), *after]),
        }
    )


def page(text: str) -> None:
    """Show text with its own lines; what is wider than a window goes on below, word by word."""
    style = "white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere"
    html_ = f'<pre style="{style}">{html.escape(text)}</pre>'
    show({"text/html": html_, "text/plain": text})


def as_html(text: str) -> str:
    """Text in HTML; what stands in backticks as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(text))


def card(title: str, rows: Sequence[tuple[str, str | Cell]], text: str = "") -> None:
    """Show facts about one thing, one below the other, and a longer text after them."""
    title, text = _clean(title), _clean(text)
    cells = [(name, _cell(cell)) for name, cell in rows]
    width = max((len(name) for name, _ in cells), default=0)
    plain = [_painted(title, "heading")]
    for name, cell in cells:
        first, *more = _wrapped(cell.text, max(_NARROW, _room() - width - 4)) or [""]
        plain += [f"  {name.ljust(width)}  {_painted(first, cell.tone)}".rstrip()]
        plain += [" " * (width + 4) + _painted(line, cell.tone) for line in more]
    body = "".join(
        f'<tr><th scope="row" style="text-align:left;vertical-align:top">{html.escape(name)}</th>'
        f"{_td(cell, 'left')}</tr>"
        for name, cell in cells
    )
    said = f'<p style="max-width:48em">{html.escape(text)}</p>' if text else ""
    show(
        {
            "text/html": f"<h4>{html.escape(title)}</h4>{said}<table><tbody>{body}</tbody></table>",
            "text/plain": "\n".join([*plain, *(["", *_wrapped(text, _room())] if text else [])]),
        }
    )


def _cell(cell: str | Cell) -> Cell:
    text, tone, detail = cell if isinstance(cell, Cell) else Cell(cell)
    return Cell(_clean(text), tone, _clean(detail))


def _clean(text: str) -> str:
    return clean(screen().worded(text))


def clean(text: str) -> str:
    """One line without anything that steers a terminal or turns the order of letters."""
    line = " ".join(text.split())
    return line if line.isprintable() else "".join(c if c.isprintable() else "�" for c in line)


def _html(
    headings: Sequence[Cell],
    rows: Sequence[Sequence[Cell]],
    caption: str,
    right: Collection[int],
    remarks: bool,
) -> str:
    below = [row[-1] if remarks else Cell("") for row in rows]
    if remarks:
        headings, rows = headings[:-1], [row[:-1] for row in rows]
    sides = ["right" if i in right else "left" for i in range(len(headings))]
    head = "".join(
        f'<th scope="col" style="text-align:{side}">{html.escape(cell.text)}</th>'
        for cell, side in zip(headings, sides, strict=True)
    )
    lines = [f"<tr>{''.join(map(_td, row, sides))}</tr>" for row in rows]
    if remarks:  # a row and its remark are one thing, which stripes would part
        lines = [
            f'<tbody style="border-top:{_LINE}">{line}{_remark(remark, len(headings))}</tbody>'
            for line, remark in zip(lines, below, strict=True)
        ]
    else:
        lines = ["<tbody>", *lines, "</tbody>"]
    said = f'<caption style="text-align:left">{as_html(caption)}</caption>' if caption else ""
    return f"<table>{said}<thead><tr>{head}</tr></thead>{''.join(lines)}</table>"


_LINE = "1px solid var(--jp-border-color2, #8884)"


def _remark(cell: Cell, columns: int) -> str:
    """A row of its own."""
    if not cell.text:
        return ""
    detail = f' title="{html.escape(cell.detail)}"' if cell.detail else ""
    style = f"text-align:left;padding-top:0;overflow-wrap:anywhere;color:{_COLOURS['quiet']}"
    told = f'<td colspan="{columns}" style="{style}"{detail}>{as_html(cell.text)}</td>'
    return f'<tr style="background:none">{told}</tr>'


def _td(cell: Cell, side: str) -> str:
    style = f"text-align:{side};vertical-align:top"
    short = len(cell.text) <= (_LABEL if cell.tone else _SHORT)
    style += ";white-space:nowrap" if short else ";overflow-wrap:anywhere;min-width:6em"
    if cell.tone:
        style += f";color:{_COLOURS[cell.tone]}"
    detail = f' title="{html.escape(cell.detail)}"' if cell.detail else ""
    return f'<td style="{style}"{detail}>{as_html(cell.text)}</td>'


def _plain(
    headings: Sequence[Cell],
    rows: Sequence[Sequence[Cell]],
    caption: str,
    right: Collection[int],
    remarks: bool,
) -> str:
    """As wide as the terminal at most: remarks go below their rows, then cells get more lines."""
    room = _room()
    every = [[cell.text for cell in row] for row in (headings, *rows)]
    below = [""] * len(every)
    if remarks and sum(map(_width, zip(*every, strict=True))) > room + _GAP:
        below = ["", *(row[-1] for row in every[1:])]
        every = [row[:-1] for row in every]
    widths = [_width(column) - _GAP for column in zip(*every, strict=True)]
    while sum(widths) + _GAP * (len(widths) - 1) > room and max(widths) > _NARROW:
        widths[widths.index(max(widths))] -= 1
    lines = _wrapped(caption, room)
    every_tone = [["heading"] * len(headings)]
    every_tone += [[str(cell.tone) for cell in row] for row in rows]
    for row, remark, tones in zip(every, below, every_tone, strict=True):
        cells = [_wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
        for parts in zip_longest(*cells, fillvalue=""):
            lines.append(_line(parts, widths, right, tones))
        lines += [" " * 4 + _painted(line, "quiet") for line in _wrapped(remark, room - 4)]
    return "\n".join(lines)


def _line(
    parts: Sequence[str], widths: Sequence[int], right: Collection[int], tones: Sequence[str]
) -> str:
    end = max((place for place, part in enumerate(parts) if part), default=-1)
    set_ = (
        _painted(part.rjust(width), tone)
        if place in right
        else _painted(part, tone) + " " * (width - len(part)) * (place < end)
        for place, (part, width, tone) in enumerate(zip(parts, widths, tones, strict=False))
        if place <= end
    )
    return (" " * _GAP).join(set_)


_ANSI = {"heading": "1", "good": "32", "quiet": "2", "warning": "33", "bad": "31"}


def _painted(text: str, tone: str) -> str:
    """With the colour of its tone, where colours are seen."""
    if not text.strip() or tone not in _ANSI or not screen().colours:
        return text
    return f"\x1b[{_ANSI[tone]}m{text}\x1b[0m"


_GAP = 2  # between columns
_NARROW = 12  # characters that each column keeps


def _room() -> int:
    return screen().width


def _width(column: Sequence[str]) -> int:
    return max(map(len, column)) + _GAP


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens="`" not in text,  # a command stays as it is typed
    )


def ago(moment: float | None) -> str:
    """How long ago a time (seconds since 1970) was, for people; empty if it is not known."""
    if moment is None:
        return ""
    passed = time() - moment
    if passed < 172_800:
        return f"{units.duration(max(0.0, passed))} ago"
    return strftime("%Y-%m-%d", localtime(moment))
