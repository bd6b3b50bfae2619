"""Variables go into a prompt as `{column}`; what else is in braces stays."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...attachments import part_of
from ...errors import UsageError
from ...interpolate import fill
from ...types import Message
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


def message_filled(message: Message, values: Mapping[str, Any]) -> Message:
    """A message of which every text is a template; what is a picture or a file is attached."""
    attached = {name: value for name, value in values.items() if is_attached(value)}
    if isinstance(message.content, str):
        parts = _parts(message.content, values, attached)
        if all(part["type"] == "text" for part in parts):
            return replace(message, content=filled(message.content, values))
        return replace(message, content=parts)
    found: list[Mapping[str, Any]] = []
    for part in message.content:
        found += _parts(part["text"], values, attached) if part.get("type") == "text" else [part]
    return replace(message, content=found)


def _parts(
    text: str, values: Mapping[str, Any], attached: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    names = "|".join(map(re.escape, attached))
    pieces = re.split(rf"(?<!{{){{({names})}}(?!}})", text) if names else [text]
    found: list[Mapping[str, Any]] = []
    for place, piece in enumerate(pieces):
        if place % 2:
            found.append(part_of(attached[piece]))
        elif piece.strip() or len(pieces) == 1:
            found.append({"type": "text", "text": filled(piece, values)})
    return found


def is_attached(value: Any) -> bool:
    """Whether a value is no text for a prompt: bytes, a picture, a figure, an array of one, or the
    path of a file (text that looks like one is text)."""
    if isinstance(value, bytes | bytearray | os.PathLike):
        return True
    if len(getattr(value, "shape", ())) in (2, 3) and hasattr(value, "__array_interface__"):
        return True
    return any(hasattr(value, name) for name in ("savefig", "_repr_png_", "_repr_jpeg_"))


def labelled(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values as they are kept: of what is attached a name, the same for the same bytes."""
    return {name: _label(v) if is_attached(v) else v for name, v in values.items()}


def _label(value: Any) -> str:
    if isinstance(value, os.PathLike):
        return str(value)
    part = str(sorted(part_of(value).items()))
    return f"{type(value).__name__} {hashlib.sha256(part.encode()).hexdigest()[:12]}"
