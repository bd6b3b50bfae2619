"""Making, changing and removing models in a data folder. Nothing outside it is ever written.

A model is put together in a hidden folder beside the others and then renamed, so that it is there
whole or not at all, whatever happens meanwhile; the lock is held for the renaming alone.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, get_args

from .. import units
from ..errors import CannotWrite, ModelExists, ModelNotFound, ModelReadOnly, UsageError
from ..parameters import names_program
from ..reading import read_text
from . import disk, edits, gguf, schema
from .files import Files, is_projector
from .gguf import is_first_part
from .model import Model
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
    if wrong := schema.model_json(description, Path("model.json"), name).broken:
        raise UsageError(f"The description of {name!r} cannot be taken: {wrong}.")
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
    _check_folder(files_from)
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
        if not folder.is_dir():
            raise ModelNotFound(f"{folder} is no longer there.")
        if not disk.is_inside(folder / "x", data_folder / "models"):
            raise CannotWrite(f"{folder} is not inside {data_folder / 'models'}.")
        _move_all(files_from, folder)
        disk.sync(folder)
        with suppress(OSError):
            files_from.rmdir()


def _move_all(source: Path, target: Path) -> None:
    """Move what lies in one folder into another; what is there already stops it.

    Files that begin a model come last: it is whole as soon as it is seen.
    """
    _check_folder(source)
    with os.scandir(source) as found:
        entries = sorted(found, key=lambda entry: (_begins_a_model(entry.name), entry.name))
    for entry in entries:
        if os.path.lexists(target / entry.name):
            raise ModelExists(f"{target / entry.name} is there already.")
    for entry in entries:
        shutil.move(entry.path, target / entry.name)


def _check_folder(files_from: Path) -> None:
    """Raise for what cannot be moved: `Path("")` is the working directory, which nobody means."""
    if files_from == Path():
        raise UsageError("`files_from` has no name: give the Path of a folder.")
    if files_from.is_symlink() or not files_from.is_dir():
        raise CannotWrite(f"{files_from} is not a folder.")


def _begins_a_model(name: str) -> bool:
    return name.lower().endswith(".gguf") and not is_projector(name) and is_first_part(name)


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


# Changing ---------------------------------------------------------------------------------------


def update(data_folder: Path, model: Model, values: Mapping[str, Any]) -> Path:
    """Set fields of a description; returns where it is. See `ModelStore.update`."""
    names = (name.rpartition(".")[2] for name, value in values.items() if value is not None)
    if wrong := names_program(f"What is set for {model.id}", names):
        raise UsageError(f"{wrong}.")
    with disk.locked(data_folder):
        _still_there(model)
        if model.source == "bare":
            path = model.path / "model.json"
            text = disk.to_json({"id": model.id, **_file_of(model)})
        else:
            path = model.path
            text = read_text(path)
        if path.is_symlink() or not disk.is_inside(path, data_folder):
            raise ModelReadOnly(f"{path} is a link, or lies behind one: edit what it leads to.")
        edit = edits.edited_json if path.suffix == ".json" else edits.edited_yaml
        new = edit(text, str(path), values)
        if new != text or not path.exists():
            disk.write_text(path, new)
    return path


def _still_there(model: Model) -> None:
    """Another process may have been here since the model was found."""
    if not os.path.lexists(model.path):
        raise ModelNotFound(f"Model {model.id} is gone: {model.path} is no longer there.")


def _file_of(model: Model) -> Mapping[str, Any]:
    return {"sources": [{"filename": model.file.name}]} if model.file else {}


# Removing ---------------------------------------------------------------------------------------


def remove(data_folder: Path, model: Model, others: Iterable[Model]) -> list[Path]:
    """Remove a description and its files; returns what was left in its folder.

    Only what lies in the model's own folder goes, and only if no other model uses it. A link goes,
    what it leads to stays.
    """
    roots = [data_folder.joinpath(*parts) for parts in _ROOTS]
    folder = model.folder
    root = next((root for root in roots if folder.is_relative_to(root)), None)
    if root is None or not disk.is_inside(folder / "x", root) or folder.is_symlink():
        raise ModelReadOnly(f"{folder} is a link, or lies behind one: remove it by hand.")
    with disk.told(folder), disk.locked(data_folder):
        _still_there(model)
        disk.sweep(data_folder / "models")
        used = {path for other in others if other.path != model.path for path in _files(other)}
        doomed = [] if model.source == "bare" else [model.path]
        doomed += [
            path
            for path in dict.fromkeys([*_files(model), *_named_files(model)])
            if path.is_relative_to(folder) and disk.is_inside(path, folder) and path not in used
        ]
        doomed = [path for path in doomed if os.path.islink(path) or os.path.isfile(path)]
        if folder != root and {*folder.iterdir()} == {*doomed}:
            disk.discard(folder, root)
        else:
            for path in doomed:  # the description first: what is left is no model, or a bare one
                path.unlink(missing_ok=True)
        left = sorted(folder.iterdir()) if folder != root and folder.is_dir() else []
        _remove_empty(folder, root)
    return left


_ROOTS = (("models",), ("llamacpp", "models"), ("mlx", "models"))


def _files(model: Model) -> list[Path]:
    """The files of a model that are there: the main one with all its parts, and the projector."""
    main = gguf.split_parts(model.file) if model.file and not model.file.is_dir() else []
    return [*main, *([model.projector] if model.projector else [])]


def _named_files(model: Model) -> Iterator[Path]:
    """What its sources name beside its description: downloaded for it."""
    for source in model.sources:
        name = source.get("filename") or ""
        if name and name == Path(name).name and name not in (".", ".."):
            yield model.folder / name


def _remove_empty(folder: Path, root: Path) -> None:
    """Remove a folder and those above it as long as nothing is in them."""
    while folder != root and folder.is_relative_to(root):
        try:
            folder.rmdir()
        except FileNotFoundError:
            pass
        except OSError:
            return
        folder = folder.parent


# Importing --------------------------------------------------------------------------------------

How = Literal["refer", "link", "copy"]


def bring(models: Path, description: dict[str, Any], files: Files, how: How) -> Path | None:
    """Put the files of a model into a new folder below `models`, or have its description say where
    they are; returns the folder, if there is one, and completes `description`."""
    if how not in get_args(How):
        raise UsageError(f"Files are imported by {', '.join(get_args(How))}, not by {how!r:.80}.")
    if files.main is None:
        return None
    mains = gguf.split_parts(files.main)
    settings = dict(description.get("settings") or {})
    for name in ("llama_model_path", "model_path", "mmproj"):
        settings.pop(name, None)
    addresses = [s for s in description.get("sources") or [] if _is_address(s)]
    if how == "refer":
        description["sources"] = [{"filename": mains[0].name, "url": str(mains[0])}, *addresses]
        if files.projector:
            settings["mmproj"] = str(files.projector)
    else:
        named = {str(source.get("filename")): source for source in addresses}
        names = [path.name for path in (*mains, *filter(None, [files.projector]))]
        description["sources"] = [named.get(name, {"filename": name}) for name in names]
        if files.projector:
            settings["mmproj"] = files.projector.name
    if settings or "settings" in description:
        description["settings"] = settings
    if how == "refer":
        return None
    with disk.told(models):
        new = disk.staging(models)
        try:
            for path in (*mains, *filter(None, [files.projector])):
                (_link if how == "link" else _copy)(path, new / path.name)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
    return new


def _is_address(source: Any) -> bool:
    url = source.get("url") if isinstance(source, Mapping) else None
    return isinstance(url, str) and schema.is_address(url)


def _link(source: Path, target: Path) -> None:
    """A second name of the file; a symbolic one if it lies on another disk."""
    real = source.resolve()
    try:
        os.link(real, target)
    except OSError:
        os.symlink(real, target)


def _copy(source: Path, target: Path) -> None:
    size, free = source.stat().st_size, shutil.disk_usage(target.parent).free
    if size > free:
        raise CannotWrite(
            f"{source.name} needs {units.size(size)}, and {target.parent} has {units.size(free)}"
            " free: import it with --link, or without either."
        )
    shutil.copyfile(source, target)
