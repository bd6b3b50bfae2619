"""The page of `jan-jupyter --help`."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Mapping, Sequence
from itertools import groupby

from .commands import Entry
from .terminal import PROGRAM, worded

_AFTER = (
    f"`{PROGRAM} COMMAND --help` tells more of one. Answers go to stdout, all else to stderr;"
    " `--json` is for other programs. Exit codes: 0 done, 1 failed, 2 wrong use, 130 stopped."
)


def fitted(text: str) -> str:
    """A page as wide as the terminal: sentences flow, and of two columns the right one."""
    width = _width()
    made: list[str] = []
    for indented, found in groupby(text.split("\n"), key=lambda line: line[:1] in (" ", "")):
        lines = [*found]
        for line in lines if indented else [" ".join(lines)]:
            left = _COLUMN.match(line)
            indent = " " * (
                len(left[0]) if left and len(left[0]) < width * 2 // 3 else 2 * indented
            )
            wrapped = textwrap.wrap(
                line,
                width,
                subsequent_indent=indent,
                break_long_words=False,
                break_on_hyphens=False,
                drop_whitespace=True,
            )
            made += wrapped if len(line) > width else [line]
    return "\n".join(made)


_COLUMN = re.compile(r"  +(\S+ )*\S+  +")
"""The left one of two columns, and the gap after it."""


def _width() -> int:
    return max(40, shutil.get_terminal_size((80, 24)).columns)


def page(groups: Mapping[str, Sequence[Entry]]) -> str:
    """Every command under what it is about, as wide as the terminal."""
    width = _width()
    names = [entry.declared.name for entries in groups.values() for entry in entries]
    column = max(map(len, names)) + 4
    parts = ["Language models in a terminal.", f"usage: {PROGRAM} COMMAND …"]
    for title, entries in groups.items():
        rows = [title]
        for entry in entries:
            about = textwrap.wrap(
                worded(entry.declared.help), width - column, break_long_words=False
            )
            first, *more = about
            rows.append(f"  {entry.declared.name.ljust(column - 2)}{first}")
            rows += [" " * column + line for line in more]
        parts.append("\n".join(rows))
    parts.append("\n".join(textwrap.wrap(_AFTER, width, break_on_hyphens=False)))
    return "\n\n".join(parts) + "\n"
