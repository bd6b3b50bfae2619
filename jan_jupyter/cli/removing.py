"""What is deleted for good is asked for first: nothing brings it back."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from typing import Any

from .. import errors, units
from ..commands import models, threads
from ..commands.command import Caller, Command, arg
from ..commands.screen import screen
from ..commands.shared import workspace

YES = arg("-y", "--yes", action="store_true", help="delete without asking")


def _agreed(what: str, arguments: Namespace) -> bool:
    """Whether it may be deleted. Raises `UsageError` where nobody can be asked."""
    if arguments.yes:
        return True
    agreed = screen().agreed(f"Delete {what}?")
    if agreed is None:
        raise errors.UsageError(f"nobody can be asked here: --yes deletes {what}.")
    if not agreed:
        screen().tell("Nothing is deleted.")
    return agreed


def rm(caller: Caller, arguments: Namespace) -> Any:
    model = workspace().router.store.owned(arguments.model, "removed")
    size = f" ({units.size(model.size)})" if model.size else ""
    return _RM.run(caller, arguments) if _agreed(f"{model.id}{size}", arguments) else None


def kept_threads(caller: Caller, arguments: Namespace) -> Any:
    words = arguments.words
    if words[:1] == ["rm"] and len(words) == 2:
        title = workspace().threads.get(words[1]).title
        if not _agreed(f"the thread {title!r}", arguments):
            return None
    return _THREADS.run(caller, arguments)


(_RM,) = (command for command in models.COMMANDS if command.name == "rm")
(_THREADS,) = threads.COMMANDS
RM: Command = replace(_RM, run=rm, arguments=(*_RM.arguments, YES))
THREADS: Command = replace(_THREADS, run=kept_threads, arguments=(*_THREADS.arguments, YES))
