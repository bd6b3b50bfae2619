"""The disk that files come onto: its room, what it refuses, the hash of what is there."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import shutil
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from ... import errors, units
from .. import disk

T = TypeVar("T")


def check_space(folder: Path, needed: int, what: str) -> None:
    """Raise `NoSpace` unless so many bytes are free where `folder` is, or will be."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    with suppress(OSError):
        free = shutil.disk_usage(folder).free
        if needed > free:
            raise errors.NoSpace(
                f"{what} needs {units.size(needed)} more, but {folder} has {units.size(free)}"
                " free: `%jan rm MODEL` removes a model; JAN_DATA_FOLDER chooses another disk."
            )


def sha256_of(path: Path, stop: threading.Event) -> str:
    """The hash of a file, in hexadecimal; ends early, with no meaning, when `stop` is set."""
    found = hashlib.sha256()
    with told(path), open(path, "rb", buffering=0) as file:
        while not stop.is_set() and (block := file.read(8 * 2**20)):
            found.update(block)
    return found.hexdigest()


@contextmanager
def told(path: Path) -> Iterator[None]:
    """What the system refuses becomes one line."""
    try:
        with disk.told(path):
            yield
    except errors.CannotWrite as error:
        if getattr(error.__cause__, "errno", None) not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise errors.NoSpace(
            f"The disk of {path.parent} is full: make room (`%jan rm MODEL`), and pull again; what"
            " has come is kept."
        ) from error.__cause__


async def in_thread(work: Callable[[], T]) -> T:
    """Run what may block; if cancelled meanwhile, only after it: nothing is half done."""
    running: Awaitable[T] = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        with suppress(Exception):
            await running
        raise
