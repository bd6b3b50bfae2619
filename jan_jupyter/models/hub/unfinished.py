"""Pulls that were stopped or killed: what has come of them, and how they go on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ... import errors, units
from .. import disk
from ..names import folder_parts
from . import journal, wheel

PARTS = ".pull"
"""The folder below `models/` for what has come so far; hidden, so that no scan looks inside."""
NOTE = "pull.json"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """`source` goes on with it; `done` are bytes, `total` those of the files that have begun."""

    id: str
    source: str
    done: int
    total: int
    folder: Path

    @property
    def here(self) -> str:
        """How much has come; of a package it is not known of how much."""
        of = f" of {units.size(self.total)}" if self.total else ""
        return f"{units.size(self.done)}{of} are here"


def folder_of(data_folder: Path, name: str) -> Path:
    """Where the parts of a model of that id are kept."""
    return data_folder / "models" / PARTS / "-".join(folder_parts(name))


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Whether nobody else pulls into this folder; while open, nobody else will."""
    from filelock import FileLock, Timeout

    alone = True
    with disk.told(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.with_name(f"{folder.name}.lock"), thread_local=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            alone = False
    if not alone:
        yield False
        return
    try:
        yield True
    finally:
        with suppress(OSError):
            if not folder.exists():
                Path(lock.lock_file).unlink()
        lock.release()
        # The empty folder stays: another pull may be about to lock a file in it.


def is_fetched(folder: Path) -> bool:
    """Whether somebody pulls into this folder at this moment, in whichever process."""
    if not folder.with_name(f"{folder.name}.lock").exists():
        return False
    try:
        with locked(folder) as alone:
            return not alone
    except errors.JanError:  # that it cannot be written is told when it is tried
        return False


def all_parts(data_folder: Path) -> list[tuple[Unfinished, bool]]:
    """The pulls that can go on, and whether somebody fetches each of them now."""
    return [(one, is_fetched(one.folder)) for one in unfinished(data_folder)]


def begin(folder: Path, name: str, source: str) -> None:
    """Note which model the parts of a folder will be, and from where."""
    with disk.told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        disk.write_text(folder / NOTE, disk.to_json({"id": name, "source": source}))


def unfinished(data_folder: Path) -> list[Unfinished]:
    """The pulls that can go on."""
    try:
        folders = sorted(p for p in (data_folder / "models" / PARTS).iterdir() if p.is_dir())
    except OSError:
        return []
    return [found for folder in folders if (found := _read(folder)) is not None]


def _read(folder: Path) -> Unfinished | None:
    try:
        note = json.loads((folder / NOTE).read_text("utf-8"))
        done = total = 0
        for path in folder.iterdir():
            if path.name.endswith(journal.PART):
                known = journal.read(folder, path.name.removesuffix(journal.PART))
                done += known.done.total if known else 0
                total += known.size if known else 0
            elif path.suffix == ".gguf":
                done += path.stat().st_size
                total += path.stat().st_size
            elif path.name == wheel.ROOM:  # it begins anew, but it takes room
                done += wheel.bytes_below(path)
        return Unfinished(str(note["id"]), str(note["source"]), done, total, folder)
    except (OSError, ValueError, LookupError, TypeError):
        return None


def discard(data_folder: Path, name: str) -> Unfinished:
    """Delete what has come of a model. Raises `ModelNotFound`, or `CannotWrite` while it comes."""
    for found in unfinished(data_folder):
        if name in (found.id, found.source):
            with locked(found.folder) as alone:
                if not alone:
                    raise errors.CannotWrite(f"{found.id} is being fetched: stop that first.")
                shutil.rmtree(found.folder, ignore_errors=True)
            return found
    raise errors.ModelNotFound(
        f"There is no unfinished pull of {name!r}; `%jan status` lists them."
    )
