"""Files that survive: appended or replaced whole, one writer at a time, each write on the disk."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from ..errors import ThreadBusy
from ..models.disk import sync
from ..settings import runtime_folder

PATIENCE = 10.0
"""Seconds to wait for another writer; each holds a thread for milliseconds."""

Signature = tuple[int, int, int] | None
"""Changes whenever a file does; `None` if there is no file."""


def signature(path: Path) -> Signature:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other writers of a folder out, in this and in other processes.

    The lock lies in our runtime folder: nothing of ours is left in a folder of Jan's.
    """
    from filelock import FileLock, Timeout

    name = hashlib.sha256(os.path.realpath(folder).encode("utf-8", "surrogateescape")).hexdigest()
    locks = runtime_folder() / "locks"
    with told(locks):
        locks.mkdir(exist_ok=True, mode=0o700)
        lock = FileLock(locks / f"{name[:32]}.lock", timeout=PATIENCE)
        try:
            lock.acquire()
        except Timeout as error:
            raise busy(folder) from error
    try:
        with told(folder):
            yield
    finally:
        lock.release()


def busy(folder: Path) -> ThreadBusy:
    return ThreadBusy(f"{folder} is being written by another program; try again in a moment.")


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """What the disk refuses becomes one line."""
    try:
        yield
    except OSError as error:
        mend = "Make room there" if error.errno in _FULL else "Look at its rights, or name another"
        raise ThreadBusy(
            f"{folder} cannot be written: {error.strerror or error}. {mend} (`%jan status` tells"
            " which folders are used)."
        ) from error


_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


def new_folder(below: Path, name: str) -> Path:
    """A folder that was not there, of that name or with a number behind it; for this user alone."""
    below.mkdir(parents=True, exist_ok=True)
    for number in count():
        folder = below / (f"{name}-{number}" if number else name)
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            break
    return folder


def append(path: Path, line: bytes) -> None:
    """Add a line at the end. When this returns, it is on the disk; if it raises, nothing is there.

    A torn line of somebody who was killed stays what it is: the new one begins below it.
    """
    new = not path.exists()
    with open(path, "ab+", buffering=0) as file:
        end = file.seek(0, os.SEEK_END)
        if end:
            file.seek(end - 1)
            if file.read(1) != b"\n":
                line = b"\n" + line
        try:
            write(file.fileno(), line + b"\n")
            os.fsync(file.fileno())
        except OSError:  # half a line would tear the next one, too
            with suppress(OSError):
                file.truncate(end)
            raise
    if new:
        sync(path.parent)


def replace(path: Path, data: bytes) -> None:
    """Put a whole file in place of another at once. When this returns, it is on the disk.

    The temporary file has a fixed name, so that one of a killed process is used again by the next.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    with suppress(FileNotFoundError):
        temporary.unlink()
    mode = 0o600
    with suppress(OSError):
        mode = stat.S_IMODE(path.stat().st_mode)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, mode)
    try:
        try:
            write(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync(path.parent)


_BINARY = getattr(os, "O_BINARY", 0)


def write(descriptor: int, data: bytes) -> None:
    """All of it. Raises `OSError`; then a part may have been written."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def compact(value: Any) -> bytes:
    """JSON on one line, UTF-8 not escaped."""
    return _encoded(value, separators=(",", ":"))


def pretty(value: Any) -> bytes:
    """JSON with two-space indent, UTF-8 not escaped, a newline at the end."""
    return _encoded(value, indent=2) + b"\n"


def _encoded(value: Any, **options: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, **options).encode("utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair, which only an escape can hold
        return json.dumps(value, **options).encode("ascii")
