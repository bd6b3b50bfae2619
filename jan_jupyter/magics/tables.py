"""Lists and cards: a table in a notebook, aligned text in a terminal."""

from __future__ import annotations

import html
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import display

Row = Sequence[str]


def show(bundle: Mapping[str, Any]) -> None:
    """Display a bundle; a terminal gets its plain text as it is."""
    if hasattr(get_ipython(), "kernel"):
        display(dict(bundle), raw=True)  # type: ignore[no-untyped-call]
    else:
        print(bundle["text/plain"])


def table(headings: Row, rows: Sequence[Row], caption: str = "") -> None:
    """Show rows of text. What is in a cell is shown as text, whatever it holds."""
    if not rows:
        show({"text/plain": caption or "Nothing."})
        return
    show(
        {"text/html": _html(headings, rows, caption), "text/plain": _plain(headings, rows, caption)}
    )


def _html(headings: Row, rows: Sequence[Row], caption: str) -> str:
    def cells(tag: str, row: Row) -> str:
        scope = ' scope="col"' if tag == "th" else ""
        style = ' style="text-align:left"'
        return "".join(f"<{tag}{scope}{style}>{html.escape(cell)}</{tag}>" for cell in row)

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    said = f'<caption style="text-align:left">{html.escape(caption)}</caption>' if caption else ""
    head = f"<thead><tr>{cells('th', headings)}</tr></thead>"
    return f"<table>{said}{head}<tbody>{body}</tbody></table>"


def _plain(headings: Row, rows: Sequence[Row], caption: str) -> str:
    widths = [max(len(row[i]) for row in (headings, *rows)) for i in range(len(headings))]
    room = shutil.get_terminal_size((100, 24)).columns
    widths[-1] = max(12, min(widths[-1], room - sum(widths[:-1]) - 2 * len(widths)))
    lines = [
        "  ".join(_fit(c, w) for c, w in zip(row, widths, strict=True)).rstrip()
        for row in (headings, *rows)
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
