"""Answers under way, as far as they have come: what is left of one whose process was killed.

Until it stands among the messages of its thread, an answer that takes its time has a file of its
own beside them, `.answer-ID.jsonl`, which Jan ignores: first what it is and where it belongs, then,
line by line, what came. Whoever writes it holds a lock on it, which ends with the process, however
that ends. Who reads a thread sees the files that nobody holds as turns that were interrupted
(`pending`); the next change of the thread puts them among its messages, and takes them away.

A file that is taken for left while somebody still writes it, as where a network's file system has
no locks, does no harm: the whole answer has the same id, and takes the place of the part.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import ModelBroken
from ..reading import parse_json
from . import files
from . import message as turns
from .lines import as_read
from .message import ThreadMessage
from .tree import Tree

_BEGIN, _END = ".answer-", ".jsonl"
_ours: set[str] = set()
"""Names of the files that this process writes. It must not open them to look for a lock: where a
process closes a file, its own locks end."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer belongs: behind the turn `to`, in the place of the turn `instead`, or to the
    turn `extend`, which had `length` letters when it began."""

    to: str = ""
    instead: str = ""
    extend: str = ""
    length: int = 0


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of an answer."""

    place: Place
    message: ThreadMessage

    def put_into(self, tree: Tree) -> Tree:
        """The tree with it; as it is if it stands there already, or its place is gone."""
        said, place = self.message, self.place
        if place.extend:
            before = tree.message(place.extend) if place.extend in tree else None
            if before is None or letters(before) != place.length:
                return tree
            raw = turns.rewrite(
                before,
                content=before.text + said.text,
                reasoning=before.reasoning + said.reasoning,
                status="pending",
            )
            return tree.replaced(replace(as_read(raw, before.id), id=before.id))
        if said.id in tree or place.to not in tree:
            return tree
        if place.instead and said.text and tree.place(place.instead) is not None:
            return tree.forked(place.instead).appended(said)
        return tree.answered(said, place.to)


def letters(message: ThreadMessage) -> int:
    return len(message.text) + len(message.reasoning)


# Writing ------------------------------------------------------------------------------------------


class Note:
    """The file of one answer, made when there is something to write. For one thread at a time.

    A disk that does not take it ends nothing: it is asked again the next time.
    """

    def __init__(self, folder: Path, place: Place, raw: Mapping[str, Any]) -> None:
        """`raw` is the answer as it will stand in the thread, empty."""
        self._path = folder / f"{_BEGIN}{raw['id']}{_END}"
        head = {"place": {k: v for k in place.__slots__ if (v := getattr(place, k))}}
        self._head = files.compact({**head, "message": raw}) + b"\n"
        self._file: int | None = None
        self._size = self._text = self._reasoning = 0

    def write(self, text: str, reasoning: str) -> None:
        """All that has come; what is new of it is written."""
        new = {"text": text[self._text :], "reasoning": reasoning[self._reasoning :]}
        line = {name: piece for name, piece in new.items() if piece}
        if not line:
            return
        with suppress(OSError):
            if self._file is None:
                self._open()
            head = b"" if self._size else self._head
            self._append(head + files.compact(line) + b"\n")
            self._text, self._reasoning = len(text), len(reasoning)

    def _open(self) -> None:
        _ours.add(self._path.name)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        self._file = os.open(self._path, flags, 0o600)
        with suppress(OSError):  # not every file system has locks
            _hold(self._file)

    def _append(self, data: bytes) -> None:
        assert self._file is not None
        try:
            files.write(self._file, data)
            self._size += len(data)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
                os.lseek(self._file, self._size, os.SEEK_SET)
            raise

    def remove(self) -> None:
        """The answer stands in the thread, or nobody wants it."""
        if self._file is not None:
            with suppress(OSError):
                self._path.unlink()
            os.close(self._file)
            with suppress(OSError):  # where an open file cannot be removed
                self._path.unlink(missing_ok=True)
            self._file = None
        _ours.discard(self._path.name)


# Reading ------------------------------------------------------------------------------------------


def left(folder: Path) -> tuple[str, ...]:
    """The names of the files of a thread whose writers are gone, the oldest first."""
    return tuple(name for name in sorted(all_names(folder)) if _is_left(folder / name))


def all_names(folder: Path) -> Iterator[str]:
    with suppress(OSError):
        for name in os.listdir(folder):
            if name.startswith(_BEGIN) and name.endswith(_END):
                yield name


def _is_left(path: Path) -> bool:
    if path.name in _ours:
        return False
    try:
        file = _opened(path)
    except OSError:
        return False
    try:
        # An empty one is just being made.
        return os.fstat(file).st_size > 0 and not _is_held(file)
    finally:
        os.close(file)


def _opened(path: Path) -> int:
    """No link is followed, and no pipe waited for: the folder of a thread may come from anybody."""
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def read(folder: Path, names: Sequence[str]) -> list[Left]:
    """What is left of answers; a file that tells nothing of use is passed over."""
    found = (_read(folder / name) for name in names)
    return [one for one in found if one is not None]


def _read(path: Path) -> Left | None:
    try:
        with open(_opened(path), "rb") as file:
            head, *lines = file.read().split(b"\n")[:-1]  # a torn line has no end
        described = _object(head)
        place = Place(**described["place"])
        raw = described["message"]
        message = turns.read(raw)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ModelBroken):
        return None
    if message is None or not message.id or _kinds(place) != _kinds(Place()):
        return None
    text, reasoning = _pieces(lines)
    whole = replace(message, content=text, reasoning=reasoning, status="pending")
    written = turns.write(whole, str(raw.get("thread_id")), str(raw.get("assistant_id")))
    return Left(place, replace(as_read(written, message.id), id=message.id))


def _object(line: bytes) -> Mapping[str, Any]:
    found = parse_json(line.decode(), "")
    if not isinstance(found, Mapping):
        raise ValueError(line)
    return found


def _pieces(lines: Sequence[bytes]) -> tuple[str, str]:
    """What came, and what was thought before, up to a line that is none of ours."""
    texts: tuple[list[str], list[str]] = [], []
    with suppress(ValueError, ModelBroken):
        for line in lines:
            piece = _object(line)
            for name, parts in zip(("text", "reasoning"), texts, strict=True):
                if isinstance(found := piece.get(name), str):
                    parts.append(found)
    return "".join(texts[0]), "".join(texts[1])


def _kinds(place: Place) -> list[type]:
    return [type(getattr(place, name)) for name in place.__slots__]


# The lock -----------------------------------------------------------------------------------------

if sys.platform == "win32":
    import msvcrt

    _FAR = 2**30  # what is locked cannot be read there: a place where nothing stands

    def _hold(file: int) -> None:
        os.lseek(file, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(file, 0, os.SEEK_SET)

    def _is_held(file: int) -> bool:
        try:
            _hold(file)
        except OSError:
            return True
        return False
else:
    import fcntl

    def _hold(file: int) -> None:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _is_held(file: int) -> bool:
        try:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return True
        except OSError:  # this file system has no locks
            pass
        return False
