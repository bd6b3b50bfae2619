"""`jan-jupyter completion SHELL`: what makes Tab complete in bash, zsh and fish."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from ..commands.command import Caller, Command, arg

SHELLS = ("bash", "zsh", "fish")


def complete(words: Sequence[str]) -> int:
    return 0


def completion(caller: Caller, arguments: Namespace) -> None:
    print()


COMMAND = Command(
    "completion",
    completion,
    "print what completes commands, models and threads in your shell",
    (
        arg(
            "shell",
            choices=SHELLS,
            metavar="bash|zsh|fish",
            candidates=lambda current: [(name, "shell") for name in SHELLS],
        ),
    ),
)
