"""Changes on disk that happen whole or not at all, one process at a time."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..errors import CannotWrite

LOCK = ".jan-jupyter.lock"
_PATIENCE = 30.0  # seconds; what is done under the lock takes milliseconds
_NEW, _GONE = ".new-", ".gone-"  # hidden: no scan looks inside


@contextmanager
def locked(data_folder: Path) -> Iterator[None]:
    """Keep other processes from changing models of this data folder meanwhile."""
    from filelock import FileLock, Timeout

    with told(data_folder):
        data_folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(data_folder / LOCK, timeout=_PATIENCE)
        try:
            lock.acquire()
        except Timeout as error:
            raise CannotWrite(
                f"{data_folder} is being changed by another process; try again in a moment."
            ) from error
    try:
        with told(data_folder):
            yield
    finally:
        lock.release()


@contextmanager
def told(place: Path) -> Iterator[None]:
    """What the system refuses becomes one line."""
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a zero byte in a path
        reason = error.strerror if isinstance(error, OSError) else None
        where = getattr(error, "filename", None) or place
        raise CannotWrite(f"Cannot write to {where!s:.300}: {reason or error}") from error


def to_json(value: Mapping[str, Any], indent: int | str = 2) -> str:
    """A description as it is written. Raises `ValueError` for what JSON lacks."""
    return json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False) + "\n"


def write_text(path: Path, text: str) -> None:
    """Replace the text of a file: a reader meets the old one or the new one, never a part."""
    temporary = path.with_name(f".{path.name[:50]}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb") as file:
            with suppress(FileNotFoundError):
                os.chmod(temporary, path.stat().st_mode & 0o777)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(folder: Path) -> None:
    """Have the names in a folder survive a power cut, where the system can promise that."""
    if os.name != "posix":
        return
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


# Folders of our own -----------------------------------------------------------------------------


def staging(models: Path) -> Path:
    """A new hidden folder below `models`, in which a model is put together before it is seen."""
    return _own(models, _NEW)


def discard(folder: Path, models: Path) -> None:
    """Have a folder below `models` gone at once, and delete it then."""
    gone = models / _own_name(_GONE)
    os.rename(folder, gone)
    _delete(gone)


def _own(models: Path, kind: str) -> Path:
    models.mkdir(parents=True, exist_ok=True)
    folder = models / _own_name(kind)
    folder.mkdir()
    return folder


def _own_name(kind: str) -> str:
    return f"{kind}{_machine()}-{os.getpid()}-{secrets.token_hex(6)}"


def _machine() -> str:
    """Machines may share a home folder, but not their process numbers."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


def sweep(models: Path) -> None:
    """Delete what processes of this machine that are dead have left half done below `models`."""
    import psutil

    with suppress(OSError), os.scandir(models) as entries:
        for entry in entries:
            if not entry.name.startswith((_NEW, _GONE)) or not entry.is_dir(follow_symlinks=False):
                continue
            machine, _, rest = entry.name.partition("-")[2].partition("-")
            pid = rest.partition("-")[0]
            if machine == _machine() and pid.isdecimal() and not psutil.pid_exists(int(pid)):
                _delete(Path(entry.path))


def _delete(folder: Path) -> None:
    """Delete a folder of ours. Links in it go, what they lead to stays."""
    shutil.rmtree(folder, ignore_errors=True)


def is_inside(path: Path, folder: Path) -> bool:
    """Whether the place of `path`, links on the way to it followed, is below `folder`."""
    try:
        return (path.parent.resolve() / path.name).is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):
        return False
