"""A line of `%jan`, understood: a subcommand with its arguments, or options and a prompt."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass

from .commands import COMMANDS
from .commands.command import Command
from .options import PARSER, leading_options


@dataclass(frozen=True)
class Line:
    """`arguments` are those of the command; without one, `options` and `prompt` count."""

    command: Command | None
    arguments: Namespace
    options: Namespace
    prompt: str


def parse_line(line: str) -> Line:
    """`%jan …`: a subcommand if its arguments fit, else leading options and the prompt as typed.

    `%jan NAME?` asks for the help of that command.
    """
    text = line.strip()
    word, _, rest = text.partition(" ")
    if not rest and word.rstrip("?") in COMMANDS and word.endswith("?"):
        word, rest = word.rstrip("?"), "--help"
    if word == "key" and rest.startswith(("set ", "rm ")):
        word = "keys"  # else what is perhaps a key would be a question to a model
    command = COMMANDS.get(word)
    if command is not None and (arguments := command.parse(rest)) is not None:
        return Line(command, arguments, PARSER.parse_args([]), "")
    taken, prompt = leading_options(text)
    return Line(None, Namespace(), PARSER.parse_args(taken), prompt)


def help_text() -> str:
    """What `%jan help` shows."""
    commands = "\n".join(f"  %jan {c.usage:32} {c.help}" for c in COMMANDS.values())
    return f"""\
Ask a language model, and see the answer as it comes.

  %%jan [MODEL] [options]     send the lines below in the cell
  %jan [options] QUESTION     ask in one line; `reply = %jan …` keeps the Reply

Commands (`%jan COMMAND?` tells more):
{commands}

Options:
{PARSER.described().removeprefix("options:").lstrip(chr(10))}

{{name}}, {{object.attribute}} and {{mapping["key"]}} in a prompt are filled from the notebook's
variables; other braces stay as typed, and so does {{{{name}}}}.
Stop an answer with the Stop button. A question that begins like a command: `%jan -- QUESTION`.
"""
