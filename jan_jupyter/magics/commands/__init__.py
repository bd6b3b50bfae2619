"""The subcommands of `%jan`, in the order of its help; one file for each group of them.

Each asks the library and shows what it says; its value is the data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType

from . import chat, defaults, engines, hub, keys, memory, models, page, threads, voice
from .command import Command

_GROUPS: Mapping[str, Sequence[ModuleType]] = {
    "Ask": (chat, defaults, voice),
    "Models": (models, hub, memory),
    "Engines": (engines, keys),
    "Threads": (threads,),
    "This tool": (page,),
}
GROUPS: Mapping[str, Sequence[Command]] = {
    title: [command for file in files for command in file.COMMANDS]
    for title, files in _GROUPS.items()
}
"""The commands under what they are about, as the help shows them."""
COMMANDS: Mapping[str, Command] = {c.name: c for group in GROUPS.values() for c in group}

ALIASES = {"list": "models", "install": "pull", "delete": "rm", "--help": "help", "-h": "help"}
"""What others call them."""
