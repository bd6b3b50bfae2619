"""Making, changing and removing models in a data folder. Nothing outside it is ever touched.

A model is put together in a hidden folder beside the others and then renamed, so that it is there
whole or not at all, whatever happens meanwhile; the lock is held for the renaming alone.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import CannotWrite, ModelExists, UsageError
from . import disk, schema
from .names import folder_parts

Taken = Callable[[str], Path | None]
"""The description of the model that has an id already, if there is one."""


def checked(description: Mapping[str, Any]) -> str:
    """The id of a description that can be written. Raises `UsageError` for one that cannot."""
    name = description.get("id")
    if not isinstance(name, str) or not name.strip():
        raise UsageError("A model needs an id: {'id': 'my-model', …}.")
    try:
        disk.to_json(description).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"The description of {name!r} is no JSON: {error}.") from None
    schema.model_json(description, Path("model.json"), name)
    return name.strip()


def create(
    data_folder: Path,
    description: Mapping[str, Any],
    taken: Taken,
    files_from: Path | None = None,
) -> Path:
    """Make a model folder; returns its `model.json`. See `ModelStore.create`."""
    name = checked(description)
    models = data_folder / "models"
    with disk.told(models):
        new = _put_together(models, files_from)
        try:
            disk.write_text(new / "model.json", disk.to_json(description))
            with disk.locked(data_folder):
                disk.sweep(models)
                if (other := taken(name)) is not None:
                    raise ModelExists(f"There is a model {name!r} already: {other}.")
                target = _free_folder(models, name)
                os.rename(new, target)
            disk.sync(target.parent)
        except BaseException:
            with suppress(OSError):
                if new == files_from:  # what took hours to come stays
                    (new / "model.json").unlink(missing_ok=True)
                else:
                    shutil.rmtree(new)
            raise
    if files_from is not None and new != files_from:
        shutil.rmtree(files_from, ignore_errors=True)
    return target / "model.json"


def _put_together(models: Path, files_from: Path | None) -> Path:
    """The folder that becomes the model's: the given one, unless another disk holds it."""
    models.mkdir(parents=True, exist_ok=True)
    if files_from is None:
        return disk.staging(models)
    if files_from.is_symlink() or not files_from.is_dir():
        raise CannotWrite(f"{files_from} is not a folder.")
    if files_from.stat().st_dev == models.stat().st_dev:
        return files_from
    new = disk.staging(models)
    try:
        shutil.copytree(files_from, new, dirs_exist_ok=True, symlinks=True)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    return new


def add_files(data_folder: Path, folder: Path, files_from: Path) -> None:
    """Move files into the folder of a model. See `ModelStore.add_files`."""
    with disk.told(folder), disk.locked(data_folder):
        if not disk.is_inside(folder / "x", data_folder / "models"):
            raise CannotWrite(f"{folder} is not inside {data_folder / 'models'}.")
        # The projector and later parts first: the model is whole when its main file arrives.
        _move_all(files_from, folder)
        disk.sync(folder)
        with suppress(OSError):
            files_from.rmdir()


def _move_all(source: Path, target: Path) -> None:
    """Move what lies in one folder into another; what is there already stops it."""
    if source.is_symlink() or not source.is_dir():
        raise CannotWrite(f"{source} is not a folder.")
    entries = sorted(os.scandir(source), key=lambda e: (not e.is_dir(), e.name), reverse=True)
    for entry in entries:
        if os.path.lexists(target / entry.name):
            raise ModelExists(f"{target / entry.name} is there already.")
    for entry in entries:
        shutil.move(entry.path, target / entry.name)


def _free_folder(models: Path, name: str) -> Path:
    """Where the model will lie: its folders are made, its own is not there yet."""
    *above, last = folder_parts(name)
    parent = models.joinpath(*above)
    if not disk.is_inside(parent / "x", models):
        raise CannotWrite(f"{parent} leads out of {models}.")
    parent.mkdir(parents=True, exist_ok=True)
    if not disk.is_inside(parent / "x", models):
        raise CannotWrite(f"{parent} leads out of {models}.")
    for number in range(1, 1000):
        folder = parent / (last if number == 1 else f"{last}-{number}")
        if not os.path.lexists(folder):
            return folder
    raise CannotWrite(f"{parent / last} is there already, and so are 998 more of that name.")
