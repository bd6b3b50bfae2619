"""Variables go into a prompt as `{column}`; what else is in braces stays. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..errors import UsageError
from ..interpolate import fill
from .frames import is_missing

_PLAIN = re.compile(r"[^\W\d]\w*")
_BESIDE = re.compile(r"(?:\\[A-Za-z]+(?:\[[^]]*\]|\{[^{}]*\})*|[\^$])$")
"""What stands before braces that are LaTeX's or a shell's."""


def filled(template: str, values: Mapping[str, Any]) -> str:
    """The template with `{column}` as its value, as `{name}` in a cell: once, and never read again.

    A missing value is nothing. Raises `UsageError` for a name in braces that is no column; `{}`,
    JSON, `{{name}}`, and what LaTeX or a shell has in braces, stay as they are.
    """
    names = {name: "" if is_missing(value) else value for name, value in values.items()}
    for number, name in enumerate([name for name in names if not _PLAIN.fullmatch(name)]):
        written = re.compile(rf"(?<!{{){{{re.escape(name)}}}(?!}})")
        if written.search(template):  # a name with blanks, which no cell can have
            stand_in = f"column_{number}_"
            while stand_in in names or stand_in in template:
                stand_in += "_"
            names[stand_in] = names[name]
            template = written.sub(f"{{{stand_in}}}", template)
    done = fill(template, names)
    for unknown in done.unresolved:
        place = template.find(unknown)
        while place >= 0:
            if template[place - 1 : place] != "{" and not _BESIDE.search(template[:place]):
                raise UsageError(
                    f"The prompt names {unknown}, which is no column: there is"
                    f" {', '.join(values)}. `{{{unknown}}}` stays as it is typed."
                )
            place = template.find(unknown, place + 1)
    return done.text
