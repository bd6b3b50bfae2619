"""What of a file has come: a journal beside the part, so that a killed pull goes on."""

from __future__ import annotations

import bisect
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PART = ".part"
JOURNAL = ".part.json"


class Ranges:
    """Bytes that are there, as half-open ranges: sorted, apart from each other."""

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._ranges: list[tuple[int, int]] = []
        self.total = 0
        for start, end in ranges:
            self.add(start, end)

    def add(self, start: int, end: int) -> None:
        if start >= end:
            return
        first = bisect.bisect_left(self._ranges, start, key=lambda known: known[1])
        last = bisect.bisect_right(self._ranges, end, key=lambda known: known[0])
        if touched := self._ranges[first:last]:
            start, end = min(start, touched[0][0]), max(end, touched[-1][1])
        self.total += end - start - sum(e - s for s, e in touched)
        self._ranges[first:last] = [(start, end)]

    def missing(self, size: int) -> Iterator[tuple[int, int]]:
        """What of a file of `size` bytes is not there, in order."""
        position = 0
        for start, end in self._ranges:
            if start > position:
                yield position, min(start, size)
            position = end
        if position < size:
            yield position, size

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._ranges)


@dataclass(slots=True)
class Journal:
    """Which file a part is of, and the ranges of it that are on the disk for sure.

    The file is told by its size and `sha256`, or, where no hub names that, by the server's
    `validator` (`ETag`, else `Last-Modified`).
    """

    size: int
    sha256: str = ""
    validator: str = ""
    done: Ranges = field(default_factory=Ranges)

    def is_of(self, size: int | None, sha256: str) -> bool:
        """Whether the part can be of a file that a hub describes so."""
        if size is not None and size != self.size:
            return False
        return (
            self.sha256 == sha256
            if sha256 and self.sha256
            else bool(self.sha256 or sha256) or (bool(self.validator))
        )

    def write(self, path: Path) -> None:
        """Whole or not at all, also if the power fails."""
        written = {
            "size": self.size,
            "sha256": self.sha256,
            "validator": self.validator,
            "done": [*self.done],
        }
        temporary = path.with_name(f"{path.name}.tmp")
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(written, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)


def read(folder: Path, name: str) -> Journal | None:
    """The journal of a part; `None` if there is none that can be trusted."""
    try:
        raw: Any = json.loads((folder / (name + JOURNAL)).read_text("utf-8"))
        size = int(raw["size"])
        journal = Journal(size, str(raw["sha256"]), str(raw["validator"]))
        for start, end in raw["done"]:
            if not 0 <= int(start) < int(end) <= size:
                return None
            journal.done.add(int(start), int(end))
        there = (folder / (name + PART)).stat().st_size
    except (OSError, ValueError, TypeError, LookupError):
        return None
    reaches = max((end for _, end in journal.done), default=0)
    return journal if there >= reaches else None


def forget(folder: Path, name: str) -> None:
    """Remove a part and its journal, the journal first: it must never speak of another part."""
    for suffix in (JOURNAL, JOURNAL + ".tmp", PART):
        (folder / (name + suffix)).unlink(missing_ok=True)
