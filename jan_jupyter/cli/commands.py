"""The table of commands of the command line; a further one is an `Entry` in `GROUPS`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ..commands import engines, hub, keys, memory, models, status
from ..commands.command import Argument, Command, arg
from . import completion, questions, removing, serving
from .terminal import PROGRAM

JSON = arg("--json", dest="as_json", action="store_true", help="print JSON, for other programs")


@dataclass(frozen=True)
class Entry:
    """A command of the command line.

    `run` of its command takes a `Terminal` and its arguments, and gives `Work`, `Steps`, `Told`, an
    exit code, or `None`. `shape` is the name of a function in `cli/shapes.py` that makes what
    `--json` prints of what was found or done, and of the arguments; without one there is no
    `--json`, unless it `prints_json` itself. `more` makes arguments that only a terminal has.
    """

    declared: Command
    shape: str = ""
    more: Callable[[], Iterable[Argument]] = tuple
    prints_json: bool = False

    @cached_property
    def command(self) -> Command:
        """The command with all its arguments, as it is typed in a terminal."""
        also = (*self.more(), *([JSON] if self.shape or self.prints_json else []))
        arguments = (*self.declared.arguments, *also)
        return replace(self.declared, arguments=arguments, program=PROGRAM)


def _of(module: Any, **shapes: str) -> list[Entry]:
    """The commands of a file, as cells have them; those that have a shape."""
    return [Entry(one, shapes[one.name]) for one in module.COMMANDS if one.name in shapes]


GROUPS: Mapping[str, Sequence[Entry]] = {
    "Ask": [
        Entry(questions.CHAT, more=questions.of_chat, prints_json=True),
        Entry(questions.COMPARE, more=questions.of_comparison, prints_json=True),
    ],
    "Models": [
        *_of(models, models="models", show="model"),
        *_of(hub, search="found", pull="pulled"),
        *_of(models, **{"import": "model"}),
        Entry(removing.RM, "removed"),
        *_of(models, edit="model"),
    ],
    "Memory": _of(memory, ps="running", load="loaded", unload="unloaded"),
    "Engines": [*_of(engines, engines="engines", hub="offers"), *_of(keys, keys="keys")],
    "Threads": [Entry(removing.THREADS, "threads")],
    "This tool": [
        Entry(serving.COMMAND),
        Entry(completion.COMMAND),
        *_of(status, status="status"),
    ],
}
"""The commands under what they are about, as the help shows them."""

COMMANDS: Mapping[str, Entry] = {
    entry.declared.name: entry for group in GROUPS.values() for entry in group
}
