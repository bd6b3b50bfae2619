"""What may stand at the cursor: `jan-jupyter --complete SHELL …`, which the shells' scripts ask."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from ..commands.candidates import paths, unquoted
from ..commands.command import OTHER_NAMES
from ..commands.options import is_option, options_anywhere
from .commands import COMMANDS
from .terminal import worded

FILES = ":files"


def complete(words: Sequence[str]) -> int:
    """Print what may stand at the end of a line: `bash LINE`, else the shell and the line's words,
    the last of which is the one at the cursor. What goes wrong the scripts let nobody see."""
    shell, *typed = words or [""]
    if shell == "bash":
        line = Line(typed[0] if typed else "")
        lines = [line.replacing(text) for text, _ in offered(line.before, line.current)]
    else:
        *before, current = [Line(f"_ {word}").current for word in typed or [""]]
        lines = [f"{text}\t{kind}" for text, kind in offered(before, current)]
    lines = [FILES if line.startswith(FILES) else line for line in lines]
    sys.stdout.write("".join(f"{line}\n" for line in dict.fromkeys(lines)))
    return 0


def offered(before: Sequence[str], current: str) -> list[tuple[str, str]]:
    """What may stand for the word `current` after the words `before`, and what each is."""
    option, equals, value = current.partition("=")
    if before and equals and option[:2] == "--":
        values = offered([*before, option], value)
        return [(text if text == FILES else f"{option}={text}", kind) for text, kind in values]
    found = _of_commands() if not before else _of_command(*before, current=current)
    return [
        (text, kind)
        for text, kind in found
        if text == FILES or (text.startswith(current) and text.isprintable())
    ]


def _of_commands() -> Iterable[tuple[str, str]]:
    return [(name, entry.declared.help) for name, entry in COMMANDS.items()]


def _of_command(name: str, *before: str, current: str) -> Iterable[tuple[str, str]]:
    if name == "help":
        return _of_commands()
    entry = COMMANDS.get(OTHER_NAMES.get(name, name))
    if entry is None:
        return []
    command = entry.command
    known = command.parser.known_options
    asked = command.asked(before, current)
    if asked is None and (is_option(current) or current == "-"):
        return [(text, worded(_about(known[text]))) for text in known if text[:2] == "--"]
    if asked is None:
        return []
    if asked.candidates is paths:
        return [(FILES, "")]
    _, rest = options_anywhere(before, known)
    # Of an action's words only the first is its name.
    return [
        (unquoted(text), kind)
        for text, kind in asked.offered(current)
        if not rest or kind != "command"
    ]


def _about(action: object) -> str:
    return str(getattr(action, "help", None) or "").replace("%%", "%")


class Line:
    """A line of bash up to the cursor, taken apart as bash does.

    bash puts what it is given in the place of the last part of a word only: it parts words also at
    colons and equals signs, unless they are quoted, and an open quote stays where it is.
    """

    _PARTING = ":="

    def __init__(self, text: str) -> None:
        self.words: list[str] = []
        self.quote = ""
        self.kept = 0
        """How many characters of the last word stay: those before its last colon or equals sign."""
        word: list[str] | None = None
        escaped = False
        for character in text:
            if escaped:
                escaped = False
                word = [*(word or []), character]
            elif character == "\\" and self.quote != "'":
                escaped = True
                word = word or []
            elif self.quote:
                if character == self.quote:
                    self.quote = ""
                else:
                    word = [*(word or []), character]
            elif character in "\"'":
                self.quote = character
                word = word or []
            elif character.isspace():
                if word is not None:
                    self.words.append("".join(word))
                word, self.kept = None, 0
            else:
                word = [*(word or []), character]
                if character in self._PARTING:
                    self.kept = len(word)
        self.current = "".join(word or [])
        self.before = self.words[1:]

    def replacing(self, text: str) -> str:
        """What bash is given for `text`."""
        if text == FILES:
            return text
        if self.quote == "'":
            return text.replace("'", r"'\''")
        if self.quote:
            return "".join(f"\\{c}" if c in '$`"\\!' else c for c in text)
        return _escaped(text[self.kept :])


def _escaped(text: str) -> str:
    return "".join(c if c.isalnum() or c in "_-.,:/@%+=" else f"\\{c}" for c in text)
