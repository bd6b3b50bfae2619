"""The commands of `%jan`, in the order of its help: ours, and those that only a notebook has.

Each asks the library and shows what it says; its value is the data.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from types import ModuleType

from ...errors import UsageError
from .. import engines, hub, keys, memory, models, status, threads, voice
from ..command import OTHER_NAMES, Caller, Command, arg
from . import chat, compare, defaults

_GROUPS: Mapping[str, Sequence[ModuleType]] = {
    "Ask": (chat, defaults, voice),
    "Compare": (compare,),
    "Models": (models, hub, memory),
    "Engines": (engines, keys),
    "Threads": (threads,),
    "This tool": (status,),
}
GROUPS: Mapping[str, list[Command]] = {
    title: [command for file in files for command in file.COMMANDS]
    for title, files in _GROUPS.items()
}
"""The commands under what they are about, as the help shows them."""


def _help(magics: Caller, arguments: Namespace) -> None:
    from ..tables import page, show
    from .help import help_html, help_text

    name = ALIASES.get(arguments.command, arguments.command)
    if name and name not in COMMANDS:
        known = ", ".join(COMMANDS)
        raise UsageError(f"%jan help: no command {name!r}. Commands: {known}.")
    if name:
        page(COMMANDS[name].page)
    else:
        show({"text/html": help_html(GROUPS), "text/plain": help_text(GROUPS)})


def _names(current: str) -> list[tuple[str, str]]:
    return [(name, "command") for name in COMMANDS]


GROUPS["This tool"].append(
    Command(
        "help",
        _help,
        "this page, or that of a command",
        (arg("command", nargs="?", candidates=_names, help="its name"),),
    )
)
COMMANDS: Mapping[str, Command] = {c.name: c for group in GROUPS.values() for c in group}

ALIASES = {**OTHER_NAMES, "--help": "help", "-h": "help"}
"""What others call them."""
