"""Which options a `llama-server` knows: each version has others, and ends at one that it lacks."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from ...programs import environment

Flags = Mapping[str, bool]
"""Each option with whether it takes a value."""

_ENTRY = re.compile(r"(?m)^ {0,2}((?:-[\w-]+, +)*-[\w-]+)( \S)?")
_REMOVED = re.compile(r"(?i)has been removed")


def flags_of(program: Path) -> Flags | None:
    """The options of a llama-server, asked once a version; `None` if it does not tell them."""
    try:
        status = program.stat()
    except OSError:
        return None
    identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    return _asked(str(program), identity)


@lru_cache(100)
def _asked(program: str, identity: tuple[int, ...]) -> Flags | None:
    try:
        said = subprocess.run(
            [program, "--help"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=20,
            check=False,
            env=environment(os.environ),
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return read_help(said.stdout.decode("utf-8", "replace")) or None


def read_help(text: str) -> Flags:
    """The options that a help text lists; not those of which it says that they were removed."""
    entries = [*_ENTRY.finditer(text)]
    ends = [*(entry.start() for entry in entries), len(text)]
    return {
        flag: entry[2] is not None
        for entry, end in zip(entries, ends[1:], strict=True)
        if not _REMOVED.search(text, entry.end(), end)
        for flag in re.split(", +", entry[1])
    }
