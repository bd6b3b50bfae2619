"""The lines of `messages.jsonl` and `branches.jsonl`: to turns, and back. Nothing here does I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import ModelBroken, ThreadError
from ..reading import parse_json
from . import files
from . import message as turns
from .message import ThreadMessage
from .tree import ROOT, Off, Tree


@dataclass(frozen=True, slots=True)
class Line:
    """A line of `messages.jsonl` as it stands, and the turn in it, if it is one."""

    data: bytes
    message: ThreadMessage | None


# Reading ----------------------------------------------------------------------------------------


def read_lines(data: bytes) -> tuple[list[ThreadMessage], list[str]]:
    """The turns of a `messages.jsonl`, and what was wrong with it."""
    warnings: list[str] = []
    messages = numbered(
        message_of(line, f"line {number}", warnings) if line.strip() else None
        for number, line in enumerate(split(data), 1)
    )
    return [*{m.id: m for m in messages if m is not None}.values()], warnings


def dated(message: ThreadMessage | None, thread: float | None) -> ThreadMessage | None:
    """The turn, its time unknown if that is a year before its thread's."""
    if message is None or thread is None or (message.created or thread) >= thread - 365 * 86_400:
        return message
    return replace(message, created=None)


def numbered(lines: Iterable[ThreadMessage | None]) -> list[ThreadMessage | None]:
    """The turns of all lines; one without an id is known by its line number."""
    lines = [*lines]
    taken = {message.id for message in lines if message is not None}
    numbered: list[ThreadMessage | None] = []
    for number, message in enumerate(lines, 1):
        if message is not None and not message.id:
            id = f"line-{number}"
            while id in taken:  # it was the number of another, which has moved
                id += "+"
            message = replace(message, id=id)
        numbered.append(message)
    return numbered


def split(data: bytes) -> list[bytes]:
    """The lines of a file, without their ends; nothing but a line feed ends one."""
    lines = data.split(b"\n")
    return lines if lines[-1] else lines[:-1]


def _json(data: bytes, place: str, warnings: list[str]) -> Any:
    try:
        return parse_json(data.decode("utf-8-sig"), place)
    except UnicodeDecodeError:
        warnings.append(f"{place}: not UTF-8 text; kept as it is")
    except ModelBroken as error:
        reason = str(error).removeprefix(f"{place}, line 1: ")
        warnings.append(f"{place}: {reason}; kept as it is")
    return None


def message_of(data: bytes, place: str, warnings: list[str]) -> ThreadMessage | None:
    """The turn in a line of `messages.jsonl`, its id empty if it has none; `None` if it is none."""
    raw = _json(data, place, warnings)
    if raw is None:
        return None
    message = turns.read(raw) if isinstance(raw, Mapping) else None
    if message is None:
        warnings.append(f"{place}: not a message; kept as it is")
    return message


def branch_of(data: bytes, place: str, warnings: list[str]) -> Off | None:
    """The turn in a line of `branches.jsonl`; `None` if it is none."""
    found = _json(data, place, warnings) if data.strip() else None
    raw = found if isinstance(found, Mapping) else {}
    inner = raw.get("message")
    message = turns.read(inner) if isinstance(inner, Mapping) else None
    if message is None or not message.id:
        return None
    parent = raw.get("parent")
    return Off(parent if isinstance(parent, str) else ROOT, message)


def as_read(raw: Mapping[str, Any], id: str) -> ThreadMessage:
    """What we are about to write, as it will be read."""
    message = turns.read(json.loads(json.dumps(raw)))
    if message is None:
        raise ThreadError(f"Message {id!r} has no role that Jan knows.")
    return message


# Writing ----------------------------------------------------------------------------------------


def off_line(off: Off) -> bytes:
    """A line of `branches.jsonl`."""
    return files.compact({"parent": off.parent, "message": _with_id(off.message)})


def _with_id(message: ThreadMessage) -> Mapping[str, Any]:
    """The object of a turn; one without an id is given the one that it was known by."""
    return message.raw if _has_id(message) else {**message.raw, "id": message.id}


def _has_id(message: ThreadMessage) -> bool:
    return bool(turns.id_of(message.raw))


def on_lines(lines: Sequence[Line], tree: Tree) -> bytes:
    """`messages.jsonl` for another line: what stays is not touched, what comes is put in."""
    position = {message.id: i for i, message in enumerate(tree.line)}
    last = {line.message.id: i for i, line in enumerate(lines) if line.message}
    written: list[bytes] = []
    done = 0

    def come(until: int) -> Iterator[bytes]:
        """The turns that are new on the line, as far as they come before one that stays."""
        nonlocal done
        for message in tree.line[done:until]:
            if message.id not in last:
                yield files.compact(_with_id(message))
        done = max(done, until)

    for i, line in enumerate(lines):
        if line.message is None:
            written.append(line.data)
            continue
        place = position.get(line.message.id)
        if place is None:
            continue
        written += come(place)
        done = max(done, place + 1)
        counts, moved = i == last[line.message.id], i != len(written)
        written.append(_kept(line, tree.line[place], counts, moved))
    written += come(len(tree.line))
    return b"".join(data + b"\n" for data in written)


def _kept(line: Line, now: ThreadMessage, counts: bool, moved: bool) -> bytes:
    """The line of a turn that stays, changed only if the turn was, or loses its number as id."""
    assert line.message is not None
    if counts and now.raw is not line.message.raw and now.raw != line.message.raw:
        return files.compact(now.raw)
    if moved and not _has_id(line.message):
        return files.compact(_with_id(now))
    return line.data
