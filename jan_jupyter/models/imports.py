"""What somebody wants to import: a description, its files, and whom it would talk to."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..engine_options.engine_rows import canonical, default_engine, loads
from ..errors import ModelBroken, ModelNotFound, UsageError, expect
from ..watch import Look, Watch
from . import gguf, schema
from .files import Files, find, is_projector
from .model import Model


@dataclass(frozen=True, slots=True)
class Import:
    """`description` is that of the new model, with an id; `address` is empty unless it sets one."""

    where: str
    description: dict[str, Any]
    files: Files
    engine: str = field(default_factory=default_engine)
    address: str = ""


def read(source: Model | Path | str, named: Callable[[str], Model]) -> Import:
    """Look at a path, else at the model that `named` finds by that name.

    Raises `ModelBroken`, `ModelNotFound`.
    """
    if isinstance(source, Model):
        return _of_model(source)
    expect(source, Path | str, "What to import is a path, the name of a model, or a Model")
    if not str(source).strip() or source == Path():  # Path("") is the working directory
        raise UsageError("What to import has no name: give a path, or the name of a model.")
    try:
        path = Path(os.path.abspath(Path(source).expanduser()))
        there = path.exists()
    except (OSError, ValueError, RuntimeError):
        there = False
    if there:
        return _of_path(path)
    try:
        return _of_model(named(str(source)))
    except ModelNotFound:
        if os.sep in str(source) or str(source).lower().endswith((".gguf", ".json")):
            raise ModelNotFound(f"There is no file or folder {source}.") from None
        raise


def _of_model(model: Model) -> Import:
    if model.file is None or model.state == "broken":
        why = model.reason or "it has no file"
        raise UsageError(f"Model {model.id} cannot be imported: {why}.")
    description: dict[str, Any] = dict(model.raw) if model.source in ("json", "bundled") else {}
    description |= {"id": model.id, "engine": model.written_engine or default_engine()}
    for name, values in (("settings", model.settings), ("parameters", model.parameters)):
        if values and name not in description:
            description[name] = dict(values)
    files = Files(model.file, model.projector)
    return Import(
        str(model.path), description, files, model.engine, _address(description, model.path)
    )


def _of_path(path: Path) -> Import:
    if path.is_dir():
        if (path / "model.json").is_file():
            return _described(path / "model.json")
        return _of_files(path, path.name)
    if path.name.lower().endswith(".json"):
        return _described(path)
    if path.name.lower().endswith(".gguf"):
        first = gguf.split_parts(path)[0]
        gguf.read_header(first)  # tells what is wrong with it
        return Import(str(path), {"id": _stem(first), "engine": default_engine()}, Files(first))
    raise UsageError(f"{path} is no .gguf file, no model.json and no folder with one of them.")


def _stem(path: Path) -> str:
    match = gguf.SPLIT.fullmatch(path.name)
    return match[1] if match else path.stem


def _of_files(folder: Path, name: str) -> Import:
    """A folder with a GGUF and perhaps its projector."""
    files = find(schema.Description(name), str(folder), Look(Watch()))
    if files.main is None:
        raise UsageError(f"{folder} holds no .gguf file and no model.json.")
    if files.warnings:
        raise UsageError(f"{folder} holds several models: import one of its files.")
    gguf.read_header(files.main)
    if files.projector is not None and not is_projector(files.projector.name):
        files.projector = None
    return Import(str(folder), {"id": name, "engine": default_engine()}, files)


def _described(path: Path) -> Import:
    """A `model.json` with the files that it means."""
    look = Look(Watch())
    raw = look.read(str(path))
    described = schema.model_json(raw, path, path.parent.name)
    if described.broken:
        raise ModelBroken(described.broken + ".")
    files = Files()
    engine = canonical(described.written_engine)
    if loads(engine) == "gguf":
        files = find(described, str(path.parent), look)
        if files.state == "broken":
            raise ModelBroken(files.reason)
        if files.main is not None:
            gguf.read_header(files.main)
    description = {"id": described.id, **raw}
    description["id"] = described.id
    return Import(str(path), description, files, engine, _address(raw, path))


def _address(raw: Any, path: Path) -> str:
    address: str = schema.model_json(raw, path, "model").settings.get("base_url", "")
    return address
