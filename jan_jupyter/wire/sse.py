"""Server-sent events: bytes in any pieces -> events, and back. Knows nothing of sockets."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .. import errors, units

LARGEST_EVENT = 64 * 10**6
END = "[DONE]"
"""The data of the event that ends a stream of OpenAI's API."""

_JSON = json.JSONEncoder(ensure_ascii=False)


def written(value: Any, name: str = "") -> bytes:
    """A value as the JSON of one event, which may have a name."""
    named = f"event: {name}\n".encode() if name else b""
    return named + b"data: " + as_json(value) + b"\n\n"


def as_json(value: Any) -> bytes:
    """A value as JSON in UTF-8; half a character, which some file may hold, stays an escape."""
    return _JSON.encode(value).encode(errors="backslashreplace")


ENDED = f"data: {END}\n\n".encode()


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event: its name (`message` if it has none) and its data."""

    data: str
    name: str = "message"


class EventDecoder:
    """Bytes in any pieces -> events. (WHATWG, "Server-sent events", §9.2.6.)

    Differs from the standard in one point: an event whose blank line is missing at the end of the
    stream is still given by `end`, since some servers leave it out.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._after_cr = False
        self._at_start = True
        self._name = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, piece: bytes) -> Iterator[ServerEvent]:
        if not piece:
            return
        shared_crlf = self._after_cr and piece.startswith(b"\n")
        self._after_cr = piece.endswith(b"\r")
        if shared_crlf:
            piece = piece[1:]
        if b"\r" in piece:
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        first, *lines = piece.split(b"\n")
        self._rest += first
        self._check(len(self._rest))
        if not lines:
            return
        lines.insert(0, bytes(self._rest))
        self._rest = bytearray(lines.pop())
        for line in lines:
            if (event := self._line(line)) is not None:
                yield event

    def end(self) -> Iterator[ServerEvent]:
        for line in (bytes(self._rest), b""):
            if (event := self._line(line)) is not None:
                yield event
        self._rest.clear()

    def _line(self, line: bytes) -> ServerEvent | None:
        if self._at_start:
            line, self._at_start = line.removeprefix(codecs.BOM_UTF8), False
        if not line:
            if not self._data:
                self._name = ""
                return None
            event = ServerEvent("\n".join(self._data), self._name or "message")
            self._name, self._data, self._size = "", [], 0
            return event
        name, _, value = line.partition(b":")
        if value.startswith(b" "):
            value = value[1:]
        if name == b"data":
            self._check(len(value))
            self._size += len(value)
            self._data.append(value.decode("utf-8", "replace"))
        elif name == b"event":
            self._name = value.decode("utf-8", "replace")
        return None

    def _check(self, more: int) -> None:
        if self._size + more > LARGEST_EVENT:
            raise errors.Malformed(f"The server sent an event of over {units.size(LARGEST_EVENT)}.")
