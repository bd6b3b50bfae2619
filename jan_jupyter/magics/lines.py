"""A line of `%jan`, understood: a subcommand with its arguments, or options and a prompt."""

from __future__ import annotations

import html
import shutil
import textwrap
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass

from IPython.core.error import UsageError

from .commands import ALIASES, COMMANDS, GROUPS
from .commands.command import Command, split
from .options import is_option, leading_options, near, options_anywhere, parser
from .tables import as_html


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
    if command is not None and (arguments := command.parse(rest)) is not None:
        return Line(command, arguments, parser().parse_args([]), "")
    if command is None:
        _refuse_slip(word, rest)
    taken, prompt = leading_options(text)
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


_TITLE = "Ask a language model, and see the answer as it comes."
_ASK = (
    ("%%jan [MODEL] [options]", "send the lines below in the cell"),
    ("%jan [options] QUESTION", "ask in one line; `reply = %jan …` keeps the Reply"),
)
_AFTER = (
    "`{name}`, `{object.attribute}` and `{mapping['key']}` in a prompt are filled from the "
    "notebook's variables; other braces stay as typed, and so does `{{name}}`. Stop an answer with "
    "the Stop button. A question that begins like a command: `%jan -- QUESTION`. "
    "`%jan COMMAND?` tells more of one."
)


def help_text() -> str:
    """What `%jan help` shows in a terminal, as wide as that is."""
    width = max(40, shutil.get_terminal_size((100, 24)).columns)
    parts = [_TITLE]
    for title, commands in GROUPS.items():
        asked = _ASK if title == "Ask" else ()
        rows = [*asked, *((f"%jan {c.usage}", c.help) for c in commands)]
        parts.append("\n".join([title, *(_row(usage, about, width) for usage, about in rows)]))
    parts.append("Options" + parser().described().removeprefix("options:"))
    parts.append("\n".join(textwrap.wrap(_AFTER, width, break_long_words=False)))
    return "\n\n".join(parts) + "\n"


_COLUMN = 34


def _row(usage: str, about: str, width: int) -> str:
    """A command and what it does: side by side where it fits, else one below the other."""
    room = min(_COLUMN, width // 2)
    told = textwrap.wrap(about, width - room - 2, break_long_words=False)
    if len(usage) > room - 2:
        head = textwrap.wrap(
            usage,
            width - 2,
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    else:
        head, told = [usage.ljust(room) + told[0]], told[1:]
    return "\n".join([*(f"  {line}" for line in head), *(" " * (room + 2) + line for line in told)])


def help_html() -> str:
    """The same as a card of two columns."""
    options = dict.fromkeys(parser().known_options.values())
    names = (
        (", ".join(o.option_strings), (o.help or "").replace("%%", "%")) for o in options if o.help
    )
    groups = [
        _group(
            title,
            [
                *((*row, "") for row in (_ASK if title == "Ask" else ())),
                *((f"%jan {c.name}", c.help, f"%jan {c.usage}") for c in commands),
            ],
        )
        for title, commands in GROUPS.items()
    ]
    groups.append(_group("Options of a question", [(*row, "") for row in names]))
    return (
        f'<div style="max-width:72em"><p>{_TITLE}</p>'
        f'<div style="columns:2 24em;column-gap:2.5em">{"".join(groups)}</div>'
        f"<p>{as_html(_AFTER)}</p></div>"
    )


def _group(title: str, rows: Sequence[tuple[str, str, str]]) -> str:
    cells = "".join(
        f'<code title="{html.escape(usage)}" style="place-self:start;overflow-wrap:anywhere">'
        f"{html.escape(name)}</code><span>{as_html(about)}</span>"
        for name, about, usage in rows
    )
    return (
        '<div style="break-inside:avoid;margin:0 0 1em"><b>'
        f'{title}</b><div style="display:grid;grid-template-columns:minmax(8em,auto) 1fr;'
        f'gap:.2em .8em;margin-top:.3em">{cells}</div></div>'
    )
