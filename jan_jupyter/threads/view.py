"""A thread as it is read: what its files say now, and what a model is sent of it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelBroken, ThreadBroken, ThreadNotFound
from ..precedence import Level
from ..reading import read_json
from . import files, thread_file, underway
from .columns import Columns, columns_of
from .lines import Line, branch_of, dated, message_of, numbered, split
from .message import ThreadMessage
from .thread_file import Head
from .tree import Off, Tree

if TYPE_CHECKING:
    from .assistants import Assistants


@dataclass(frozen=True, slots=True)
class State:
    """All that was read at one moment, and of which files; to look at it costs no disk."""

    signatures: tuple[files.Signature, ...]
    head: Head
    lines: tuple[Line, ...]
    tree: Tree
    strays: tuple[bytes, ...]
    """Lines of `branches.jsonl` that are no turns."""
    warnings: tuple[str, ...]
    left: tuple[str, ...] = ()
    """Files of answers whose writers were killed (see `underway`): they are in `tree` already."""


def levels_of(head: Head, assistants: Assistants) -> tuple[Level, ...]:
    """What a thread and its assistant set, the stronger first."""
    below = assistants.of(head.assistant).level
    return (
        Level("thread", head.settings, head.parameters),
        replace(below, parameters={**below.parameters, **head.assistant_parameters}),
    )


class ReadThread:
    """One conversation on disk, as its files say.

    Each method, and each look at an attribute, sees first whether the files have changed;
    `refresh` tells. May be used from any thread. Raises `ThreadNotFound` once it was deleted.

    `messages` is the active line of the conversation. A turn that was replaced (regenerated, edited
    and sent again) lives on in a branch: `versions(id)` are the turns that stand at one place.
    """

    def __init__(self, folder: Path, assistants: Assistants, *, own: bool = True) -> None:
        self.folder = folder
        self.own = own
        """Whether it lies in our own data folder (else in that of an installed Jan)."""
        self._assistants = assistants
        self._lock = threading.RLock()
        """Held while the files are read, never while somebody else is waited for."""
        self._known: dict[bytes, ThreadMessage] = {}
        """What was parsed before, so that a reading again parses only what is new."""
        self._state = self._read(self._signatures(), underway.left(folder))

    def __repr__(self) -> str:
        return f"Thread({self._state.head.title!r}, {len(self._state.tree.line)} messages)"

    def now(self) -> State:
        """What the files say now: read again only if they have changed."""
        with self._lock:
            for _ in range(3):  # a turn that moved between two files while they were read
                signatures, left = self._signatures(), underway.left(self.folder)
                if (signatures, left) == (self._state.signatures, self._state.left):
                    break
                self._state = self._read(signatures, left)
            return self._state

    @property
    def seen(self) -> State:
        """What was read last, by whomever in this process: no look at the disk."""
        return self._state

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def title(self) -> str:
        return self.now().head.title

    @property
    def model(self) -> str | None:
        """Model of the thread; `None` if none was chosen."""
        return self.now().head.model

    @property
    def engine(self) -> str | None:
        """Engine that the file names for the model; `None`: the model's own."""
        return self.now().head.engine

    @property
    def assistant(self) -> str:
        """Id of its assistant (`jan` if it names none)."""
        return self.now().head.assistant

    @property
    def instructions(self) -> str:
        """System text, copied from the assistant when that was chosen; not filled in yet."""
        return self.now().head.instructions

    @property
    def settings(self) -> Mapping[str, Any]:
        """Load-time values that this thread sets."""
        return self.now().head.settings

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Sampling values that this thread sets."""
        return self.now().head.parameters

    @property
    def created(self) -> float | None:
        """Seconds since 1970."""
        return self.now().head.created

    @property
    def updated(self) -> float | None:
        """Seconds since 1970."""
        return self.now().head.updated

    @property
    def metadata(self) -> Mapping[str, Any]:
        return self.now().head.metadata

    @property
    def columns(self) -> Columns | None:
        """Conversations that stand side by side, or stood so (`.open`); `None`: there is one."""
        state = self.now()
        return columns_of(state.head, state.tree)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was not as it should be in the files."""
        return self.now().warnings

    @property
    def messages(self) -> tuple[ThreadMessage, ...]:
        """The active line, oldest first."""
        return self.now().tree.line

    def message(self, id: str) -> ThreadMessage:
        """A turn on the line or in a branch. Raises `ThreadNotFound`."""
        return self.now().tree.message(id)

    def versions(self, id: str) -> tuple[str, ...]:
        """Ids of the turns that stand at the place of `id`, oldest first: `‹ 2/3 ›`."""
        return self.now().tree.versions(id)

    def place(self, id: str) -> int | None:
        """Where on the line a turn stands; `None` if it does not."""
        return self.now().tree.place(id)

    def of_cell(self, cell: str, notebook: str) -> str | None:
        """Id of the question on the line that a cell of a notebook asked, if there is one."""
        if not cell:
            return None
        asked = (cell, notebook)
        line = self.now().tree.line
        return next((m.id for m in line if (m.cell, m.notebook) == asked), None)

    def levels(self) -> tuple[Level, ...]:
        """What the thread and its assistant set, for `router.target(…, levels=…)`."""
        return levels_of(self.now().head, self._assistants)

    def refresh(self) -> bool:
        """Read again what others have written; whether there was anything. Cheap if not."""
        with self._lock:
            before = self._state
            return self.now() is not before

    def export(self, format: str = "markdown") -> str:
        """The line as `markdown`, `jsonl` (Jan's lines) or `ipynb` (with the answers)."""
        from .export import export

        state = self.now()
        lines = [line.data for line in state.lines if line.message is not None]
        return export(state.head.title, state.tree.line, lines, format, self.id)

    @property
    def _paths(self) -> tuple[Path, Path, Path]:
        names = ("thread.json", "messages.jsonl", "branches.jsonl")
        return tuple(self.folder / name for name in names)  # type: ignore[return-value]

    def _signatures(self) -> tuple[files.Signature, ...]:
        return tuple(map(files.signature, self._paths))

    def _read(self, signatures: tuple[files.Signature, ...], left: tuple[str, ...]) -> State:
        """Both were looked at before, so that a change during the reading is seen next time."""
        _, on, off = self._paths
        if signatures[0] is None:
            raise ThreadNotFound(f"The thread in {self.folder} is not there any more.")
        found = read_head(self.folder)
        warnings = [*found.warnings]
        known: dict[bytes, ThreadMessage] = {}
        found_on: list[ThreadMessage | None] = []
        on_lines = split(content(on))
        for number, data in enumerate(on_lines, 1):
            message = self._known.get(data)
            if message is None and data.strip():
                message = message_of(data, f"{on.name}, line {number}", warnings)
            if message is not None:
                known[data] = message
            found_on.append(message)
        messages = [dated(message, found.created) for message in numbered(found_on)]
        lines = tuple(map(Line, on_lines, messages))
        line = {message.id: message for message in messages if message is not None}
        branches: dict[str, Off] = {}
        strays = []
        for number, data in enumerate(split(content(off)), 1):
            branch = branch_of(data, f"{off.name}, line {number}", warnings)
            if branch is None:
                strays += [data] if data.strip() else []
            elif branch.message.id not in line:
                branches[branch.message.id] = branch
        self._known = known
        tree = Tree(tuple(line.values()), tuple(branches.values()))
        for one in underway.read(self.folder, left):
            tree = one.put_into(tree)
        return State(signatures, found, lines, tree, tuple(strays), tuple(warnings), left)


def content(path: Path) -> bytes:
    """What a file holds; nothing if it is not there. Raises `ThreadBroken`."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise ThreadBroken(f"{path} cannot be read: {error.strerror or error}.") from error


def read_head(folder: Path) -> Head:
    """What the `thread.json` of a folder says. Raises `ThreadBroken`."""
    path = folder / "thread.json"
    try:
        raw = read_json(path)
    except ModelBroken as error:
        raise ThreadBroken(str(error)) from error
    if not isinstance(raw, Mapping):
        raise ThreadBroken(f"{path}, line 1: not an object")
    return thread_file.read(raw, folder.name)
