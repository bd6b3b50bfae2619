"""Lists and cards: a table in a notebook, aligned text in a terminal."""

from __future__ import annotations

import html
import re
import shutil
import textwrap
from collections.abc import Collection, Mapping, Sequence
from time import localtime, strftime, time
from typing import Any, Literal, NamedTuple

from IPython.core.getipython import get_ipython
from IPython.display import display

Tone = Literal["", "good", "quiet", "warning", "bad"]

_COLOURS: Mapping[str, str] = {  # of JupyterLab's theme, else such as can be read on both grounds
    "good": "var(--jp-success-color1, #2e7d32)",
    "quiet": "var(--jp-ui-font-color2, #767676)",
    "warning": "var(--jp-warn-color1, #b26a00)",
    "bad": "var(--jp-error-color1, #d32f2f)",
}


_SHORT = 18  # characters that are kept on one line


class Cell(NamedTuple):
    """A text with a colour that means something; `detail` is shown when one points at it."""

    text: str
    tone: Tone = ""
    detail: str = ""


Row = Sequence[str | Cell]


def show(bundle: Mapping[str, Any]) -> None:
    """Display a bundle; a terminal gets its plain text as it is."""
    if hasattr(get_ipython(), "kernel"):
        display(dict(bundle), raw=True)  # type: ignore[no-untyped-call]
    else:
        print(bundle["text/plain"])


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
    long ones, which stand below their rows where that is possible.
    """
    if not rows:
        show({"text/plain": caption or "Nothing."})
        return
    cells = [[_cell(cell) for cell in row] for row in rows]
    last = len(headings) - 1
    used = [i for i in range(len(headings)) if any(row[i].text for row in cells)]
    heads = [Cell(headings[i]) for i in used]
    cells = [[row[i] for i in used] for row in cells]
    right = {place for place, i in enumerate(used) if i in right}
    room = shutil.get_terminal_size((100, 24)).columns
    after = textwrap.wrap(below, room, break_long_words=False)
    said = f'<p style="max-width:60em">{as_html(below)}</p>' if below else ""
    show(
        {
            "text/html": _html(heads, cells, caption, right, remarks and used[-1:] == [last])
            + said,
            "text/plain": "\n".join([_plain(heads, cells, caption, right), *after]),
        }
    )


def as_html(text: str) -> str:
    """Text in HTML; what stands in backticks as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(text))


def card(title: str, rows: Sequence[tuple[str, str | Cell]], text: str = "") -> None:
    """Show facts about one thing, one below the other, and a longer text after them."""
    title, text = clean(title), clean(text)
    cells = [(name, _cell(cell)) for name, cell in rows]
    width = max((len(name) for name, _ in cells), default=0)
    plain = [title, *(f"  {name.ljust(width)}  {cell.text}" for name, cell in cells)]
    body = "".join(
        f'<tr><th scope="row" style="text-align:left;vertical-align:top">{html.escape(name)}</th>'
        f"{_td(cell, 'left')}</tr>"
        for name, cell in cells
    )
    said = f'<p style="max-width:48em">{html.escape(text)}</p>' if text else ""
    show(
        {
            "text/html": f"<h4>{html.escape(title)}</h4>{said}<table><tbody>{body}</tbody></table>",
            "text/plain": "\n".join([*plain, *(["", text] if text else [])]),
        }
    )


def _cell(cell: str | Cell) -> Cell:
    text, tone, detail = cell if isinstance(cell, Cell) else Cell(cell)
    return Cell(clean(text), tone, clean(detail))


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
    body = "".join(
        f"<tr>{''.join(map(_td, row, sides))}</tr>{_remark(remark, len(row))}"
        for row, remark in zip(rows, below, strict=True)
    )
    said = f'<caption style="text-align:left">{as_html(caption)}</caption>' if caption else ""
    return f"<table>{said}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _remark(cell: Cell, columns: int) -> str:
    """A row of its own."""
    if not cell.text:
        return ""
    detail = f' title="{html.escape(cell.detail)}"' if cell.detail else ""
    style = f"text-align:left;padding-top:0;color:{_COLOURS['quiet']}"
    told = f'<td colspan="{columns}" style="{style}"{detail}>{as_html(cell.text)}</td>'
    return f'<tr style="background:none">{told}</tr>'


def _td(cell: Cell, side: str) -> str:
    style = f"text-align:{side};vertical-align:top"
    if len(cell.text) <= _SHORT:
        style += ";white-space:nowrap"
    if cell.tone:
        style += f";color:{_COLOURS[cell.tone]}"
    detail = f' title="{html.escape(cell.detail)}"' if cell.detail else ""
    return f'<td style="{style}"{detail}>{as_html(cell.text)}</td>'


def _plain(
    headings: Sequence[Cell], rows: Sequence[Sequence[Cell]], caption: str, right: Collection[int]
) -> str:
    every = [[cell.text for cell in row] for row in (headings, *rows)]
    widths = [max(len(row[i]) for row in every) for i in range(len(headings))]
    room = shutil.get_terminal_size((100, 24)).columns
    widths[-1] = max(24, min(widths[-1], room - sum(widths[:-1]) - 2 * len(widths)))
    lines = [
        "  ".join(
            c.rjust(w) if i in right else _fit(c, w)
            for i, (c, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in every
    ]
    return "\n".join([*([caption] if caption else []), *lines])


def _fit(cell: str, width: int) -> str:
    return cell.ljust(width) if len(cell) <= width else cell[: width - 1] + "…"


def size(count: float) -> str:
    """Bytes for people."""
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return (
                f"{count:.0f} {unit}"
                if unit in ("B", "KB") or count >= 100
                else f"{count:.1f} {unit}"
            )
        count /= 1000
    raise AssertionError


def seconds(duration: float) -> str:
    """A duration for people."""
    if duration < 90:
        return f"{duration:.0f} s"
    return f"{duration / 60:.0f} min" if duration < 5400 else f"{duration / 3600:.1f} h"


def ago(moment: float | None) -> str:
    """How long ago a time (seconds since 1970) was, for people; empty if it is not known."""
    if moment is None:
        return ""
    passed = time() - moment
    if passed < 172_800:
        return f"{seconds(max(0.0, passed))} ago"
    return strftime("%Y-%m-%d", localtime(moment))
