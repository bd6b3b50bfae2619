"""The page of `%jan help`: every command in its group, and the options of a question."""

from __future__ import annotations

import html
import shutil
import textwrap
from collections.abc import Mapping, Sequence

from ..asking import parser
from ..command import Command
from ..tables import as_html

Groups = Mapping[str, Sequence[Command]]
"""The commands under what they are about."""

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


def help_text(groups: Groups) -> str:
    """What `%jan help` shows in a terminal, as wide as that is."""
    width = max(40, shutil.get_terminal_size((100, 24)).columns)
    parts = [_TITLE]
    for title, commands in groups.items():
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


def help_html(groups: Groups) -> str:
    """The same as a card of two columns."""
    options = dict.fromkeys(parser().known_options.values())
    names = (
        (", ".join(o.option_strings), (o.help or "").replace("%%", "%")) for o in options if o.help
    )
    parts = [
        _group(
            title,
            [
                *((*row, "") for row in (_ASK if title == "Ask" else ())),
                *((f"%jan {c.name}", c.help, f"%jan {c.usage}") for c in commands),
            ],
        )
        for title, commands in groups.items()
    ]
    parts.append(_group("Options of a question", [(*row, "") for row in names]))
    return (
        f'<div style="max-width:72em"><p>{_TITLE}</p>'
        f'<div style="columns:2 24em;column-gap:2.5em">{"".join(parts)}</div>'
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
