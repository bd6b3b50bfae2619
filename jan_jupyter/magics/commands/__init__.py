"""The subcommands of `%jan`, in the order of its help; one file for each group of them.

Each asks the library and shows what it says; its value is the data.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import chat, defaults, engines, hub, keys, memory, models, page, threads, voice
from .command import Command

COMMANDS: Mapping[str, Command] = {
    command.name: command
    for group in (chat, models, hub, engines, keys, defaults, memory, threads, voice, page)
    for command in group.COMMANDS
}

ALIASES = {"list": "models", "install": "pull", "delete": "rm", "--help": "help", "-h": "help"}
"""What others call them."""
