"""What of a file has come: a journal beside the part, so that a killed pull goes on."""

from __future__ import annotations

import bisect
import functools
import json
import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

PART = ".part"
JOURNAL = ".part.journal"


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
    """Which file a part is of, and which of its ranges have come.

    The file is told by its size and `sha256`, or, where no hub names that, by the server's
    `validator` (`ETag`, else `Last-Modified`).

    On the disk it is a line of JSON that says this, a line for each range as soon as it is written,
    and `{"synced": N}` when the first N ranges are on the disk for sure. The others are believed as
    long as the machine has not been started anew: what a killed process has written is still there.
    """

    size: int
    sha256: str = ""
    validator: str = ""
    done: Ranges = field(default_factory=Ranges)
    _log: IO[bytes] | None = None
    _lines: int = 0

    def is_of(self, size: int | None, sha256: str) -> bool:
        """Whether the part can be of a file that a hub describes so."""
        if size is not None and size != self.size:
            return False
        if self.sha256 and sha256:
            return self.sha256 == sha256
        return bool(self.sha256 or sha256 or self.validator)

    def begin(self, path: Path) -> None:
        """Write down, for sure, what has come so far (it must be on the disk), and stay open."""
        head = {"size": self.size, "sha256": self.sha256, "validator": self.validator}
        self._lines = len([*self.done])
        lines = [head | {"boot": boot()}, *self.done, {"synced": self._lines}]
        temporary = path.with_name(f"{path.name}.tmp")
        with open(temporary, "wb") as file:
            file.writelines(map(_line, lines))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        self._log = open(path, "ab", buffering=0)  # noqa: SIM115  closed by `close`

    @property
    def begun(self) -> bool:
        return self._log is not None

    def add(self, start: int, end: int) -> None:
        """A range is written."""
        self.done.add(start, end)
        if self._log is not None:
            self._log.write(_line((start, end)))
            self._lines += 1

    def sync(self, part: IO[bytes]) -> None:
        """Bring what is written onto the disk, and write that down."""
        if self._log is not None:
            lines = self._lines  # of what comes meanwhile nothing is known
            os.fsync(part.fileno())
            self._log.write(_line({"synced": lines}))
            os.fsync(self._log.fileno())

    def close(self) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None


def _line(value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


def read(folder: Path, name: str) -> Journal | None:
    """The journal of a part; `None` if there is none that can be trusted."""
    try:
        head, *lines = (folder / (name + JOURNAL)).read_bytes().splitlines()
        raw: Any = json.loads(head)
        journal = Journal(int(raw["size"]), str(raw["sha256"]), str(raw["validator"]))
        believed = _believed(lines, everything=raw["boot"] == boot())
        there = (folder / (name + PART)).stat().st_size
        for start, end in believed:
            if not 0 <= start < end <= min(there, journal.size):
                return None
            journal.done.add(start, end)
    except (OSError, ValueError, TypeError, LookupError):
        return None
    return journal


def _believed(lines: Iterable[bytes], everything: bool) -> list[tuple[int, int]]:
    """The ranges that are there for sure; the last line may be half written."""
    found: list[tuple[int, int]] = []
    synced = 0
    for line in lines:
        try:
            value = json.loads(line)
        except ValueError:
            break
        if isinstance(value, dict):
            synced = int(value["synced"])
        else:
            start, end = value
            found.append((int(start), int(end)))
    return found if everything else found[:synced]


@functools.cache
def boot() -> str:
    """Names the time since the machine was started."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        import psutil

        return f"{platform.node()} {psutil.boot_time():.0f}"


def forget(folder: Path, name: str) -> None:
    """Remove a part and its journal, the journal first: it must never speak of another part."""
    for suffix in (JOURNAL, JOURNAL + ".tmp", PART):
        (folder / (name + suffix)).unlink(missing_ok=True)
