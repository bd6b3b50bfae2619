"""What may stand at the cursor of a line of `%jan` or `%%jan`, and what each word means.

A kernel asks it for Tab, and a server for a page whose kernel is busy: that one has no variables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from .asking import parser, question
from .candidates import Offer, names, paths, ready_models, unquoted
from .command import Command, split
from .notebook import COMMANDS
from .shared import models

_LINE = re.compile(r"\s*(?:[^#]*=\s*)?(?P<percent>%%?)jan\s(?P<rest>.*)$")
_OPEN_FIELD = re.compile(r"\{[^{}]*$")


class Word(NamedTuple):
    """What may be typed, of which kind it is, and what it means, for people."""

    text: str
    kind: str
    about: str = ""


class Offered(NamedTuple):
    """The word at the cursor, and what may stand for it."""

    current: str
    words: list[tuple[str, str]]
    command: Command | None

    def described(self) -> list[Word]:
        """The words with what they mean."""
        return [Word(text, kind, _about(text, kind, self.command)) for text, kind in self.words]


def in_field(line: str) -> bool:
    """Whether a `{name}` of a prompt is being typed at the end of a line."""
    return _OPEN_FIELD.search(line) is not None


def offered(line: str) -> Offered | None:
    """What may stand at the end of a line, which is that of the cursor up to it.

    `None`: it is no line of ours, or a `{name}` of a prompt is being typed.
    """
    match = _LINE.match(line)
    if match is None or in_field(line):
        return None
    cell = match["percent"] == "%%"
    before, current = _words(match["rest"])
    found = [
        (text, kind)
        for text, kind in candidates(cell, before, current)
        if text.startswith((current, f'"{current}'))
    ]
    return Offered(current, found, COMMANDS.get(before[0]) if before and not cell else None)


def _words(text: str) -> tuple[list[str], str]:
    """The words before the cursor, and the one at it, which may be an open quotation."""
    start = text.rindex('"') if text.count('"') % 2 else text.rfind(" ") + 1
    return split(text[:start]), text[start:]


def candidates(cell: bool, before: list[str], current: str) -> Iterable[tuple[str, str]]:
    """What may stand for a word after others: texts, each with its kind."""
    if not cell and before and (command := COMMANDS.get(before[0])) is not None:
        return command.candidates(before[1:], current)
    last = before[-1] if before else ""
    if last in ("-a", "--attach", "--schema", "--tool"):
        return [*names(current), *(paths(current) if last != "--tool" else ())]
    known = parser().known_options
    if (action := known.get(last)) is not None and action.nargs != 0:
        return _values(last, current)
    if current.startswith("-"):
        return [(name, "option") for name in known if name.startswith("--") or len(current) < 2]
    if cell and all(word.startswith("-") for word in before[-1:]) | (not before):
        return ready_models(current)
    if not cell and not before:
        return [(name, "command") for name in COMMANDS]
    return []


def _values(option: str, current: str) -> Offer:
    return next((one.offered(current) for one in question() if option in one.names), ())


def _about(text: str, kind: str, command: Command | None) -> str:
    match kind:
        case "option":
            known = (command.parser if command is not None else parser()).known_options.get(text)
            return str(getattr(known, "help", None) or "").replace("%%", "%")
        case "command" if command is None or command.name == "help":
            meant = COMMANDS[text]
            return f"{meant.help[:1].upper()}{meant.help[1:]}.\n\n%jan {meant.usage}"
        case "param":
            return _of_field(text.rstrip("="))
        case "model":
            return _of_model(unquoted(text))
    return ""


def _of_field(name: str) -> str:
    from ..parameters import TABLE

    return next((fields[name].help for fields in TABLE.values() if name in fields), "")


def _of_model(name: str) -> str:
    from ..errors import JanError
    from ..units import size

    try:
        model = models().get(name)
    except JanError:
        return ""
    told = [model.name if model.name != name else "", model.engine]
    return " · ".join(filter(None, [*told, size(model.size) if model.size else "", model.reason]))
