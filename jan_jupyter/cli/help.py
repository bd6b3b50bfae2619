"""The page of `jan-jupyter --help`."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping, Sequence

from .commands import Entry
from .terminal import PROGRAM, worded

_AFTER = (
    f"`{PROGRAM} COMMAND --help` tells more of one. Answers go to stdout, all else to stderr;"
    " `--json` is for other programs. Exit codes: 0 done, 1 failed, 2 wrong use, 130 stopped."
)


def page(groups: Mapping[str, Sequence[Entry]]) -> str:
    """Every command under what it is about, as wide as the terminal."""
    width = max(40, shutil.get_terminal_size((80, 24)).columns)
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
