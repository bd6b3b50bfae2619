"""The table of commands; a further one is a row of `COMMANDS`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from . import serving


@dataclass(frozen=True, slots=True)
class Command:
    """`arguments` adds its arguments to a parser, `run` does it and gives the exit code."""

    help: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


COMMANDS = {
    "serve": Command(
        "serve models and threads to other programs, by OpenAI's API",
        serving.arguments,
        serving.run,
    ),
}


def parser() -> argparse.ArgumentParser:
    """What reads a command line."""
    whole = argparse.ArgumentParser(
        "jan-jupyter", description="Language models from a terminal.", allow_abbrev=False
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        added = commands.add_parser(
            name, help=command.help, description=command.help, allow_abbrev=False
        )
        command.arguments(added)
    return whole
