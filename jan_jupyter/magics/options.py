"""The options of `%jan` and `%%jan`, and where among them the prompt begins."""

from __future__ import annotations

import re
import shlex
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager

from IPython.core.error import UsageError

from .. import errors
from ..commands.asking import parser
from ..commands.options import bound, is_option, options_anywhere, wants_value


@contextmanager
def as_ipythons() -> Iterator[None]:
    """Wrong use as IPython has it: a line without a traceback, wherever it is raised."""
    try:
        yield
    except errors.UsageError as error:
        raise UsageError(str(error)) from None


def parse_cell(line: str) -> Namespace:
    """`%%jan [MODEL] [options]`."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"%%jan: {error} in {line!r}") from None
    taken, rest = options_anywhere(words, parser().known_options)
    with as_ipythons():
        options = parser().parse_args(taken)
    if len(rest) > 1 or (rest and options.model):
        raise UsageError(
            f"%%jan takes one model, not {' '.join(rest)!r}; the prompt goes into the lines below,"
            " options look like -t 0. See %jan help."
        )
    if rest:
        options.model, options.models = rest[0], rest
    return options


_WORD = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[^\s"'])+)""")


def leading_options(text: str) -> tuple[list[str], str]:
    """The options at the beginning of a line, and the prompt after them as typed."""
    taken: list[str] = []
    known = parser().known_options
    position = 0
    while match := _WORD.match(text, position):
        word = match[1]
        if word == "--":
            return taken, text[match.end() :].strip()
        if not is_option(word):
            break
        position = match.end()
        taken.append(word)
        value = _WORD.match(text, position)
        wants = wants_value(word, known)
        if wants and value and value[1] != "--":
            taken[-1:] = bound(word, _unquoted(value[1]))
            position = value.end()
        left = text[position:] if value or not wants else text[position:].lstrip()
        if left[:1].strip():  # only a quote that nothing closes can be there
            raise UsageError(
                f"%jan: the quote {left[0]} after {word} is not closed: put the value into the"
                " other kind of quotes."
            )
    return taken, text[position:].strip()


def _unquoted(word: str) -> str:
    try:
        return "".join(shlex.split(word))
    except ValueError:
        return word
