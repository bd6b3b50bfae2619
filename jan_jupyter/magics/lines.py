"""A line of `%jan`, understood: a subcommand with its arguments, or options and a prompt."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass

from IPython.core.error import UsageError

from ..commands.asking import parser
from ..commands.command import Command, split
from ..commands.notebook import ALIASES, COMMANDS
from ..commands.options import is_option, near, options_anywhere
from .options import as_ipythons, leading_options


@dataclass(frozen=True)
class Line:
    """`arguments` are those of the command; without one, `options` and `prompt` count."""

    command: Command | None
    arguments: Namespace
    options: Namespace
    prompt: str


def parse_line(line: str) -> Line:
    """`%jan …`: a subcommand if its arguments fit, else leading options and the prompt as typed.

    `%jan NAME?` asks for the help of that command. Raises IPython's `UsageError` for what is
    rather a command with a slip than a question.
    """
    text = line.strip()
    word, _, rest = text.partition(" ")
    if not rest and word.endswith("?") and ALIASES.get(word[:-1], word[:-1]) in COMMANDS:
        word, rest = word[:-1], "--help"
    if word == "key" and rest.startswith(("set ", "rm ", "allow ")):
        word = "keys"  # else what is perhaps a key would be a question to a model
    command = COMMANDS.get(ALIASES.get(word, word))
    with as_ipythons():
        arguments = command.parse(rest) if command is not None else None
    if arguments is not None:
        return Line(command, arguments, parser().parse_args([]), "")
    if command is None:
        _refuse_slip(word, rest)
    taken, prompt = leading_options(text)
    with as_ipythons():
        return Line(None, Namespace(), parser().parse_args(taken), prompt)


def _refuse_slip(word: str, rest: str) -> None:
    """A word that is nearly a command, with one word or options behind it, is no question."""
    name = near(word.lower(), [*COMMANDS, *ALIASES])
    if name is None or rest.endswith("?") or word.endswith("?"):
        return
    command = COMMANDS[ALIASES.get(name, name)]
    words = split(rest)
    _, bare = options_anywhere(words, command.parser.known_options)
    meant = f"Did you mean `%jan {command.name}`?"
    if command.secret and (len(bare) <= 1 or words[0] in ("set", "rm", "allow")):
        raise UsageError(meant)  # what was typed may hold a key
    if len(bare) <= 1 or is_option(words[0]):
        raise UsageError(f"{meant} To ask it: `%jan -- {f'{word} {rest}'.rstrip()}`.")
