"""Which files on disk a description means: main file, projector, parts of a split one (spec §5)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import ModelBroken
from . import gguf
from .model import ModelState
from .schema import Description, is_absolute


@dataclass(frozen=True, slots=True)
class Files:
    """What was found: `main` is the first part of a split file; `reason` is set unless ready."""

    main: Path | None = None
    projector: Path | None = None
    state: ModelState = "ready"
    reason: str = ""
    warnings: tuple[str, ...] = ()


def find(described: Description, folder: Path) -> Files:
    """The files of a local GGUF model that lies in `folder`."""
    warnings: list[str] = []
    neighbours = gguf_files(folder) if described.guess else []
    projectors = _projectors(described, folder, neighbours)
    projector = next(filter(os.path.isfile, projectors), None)
    main = next(filter(os.path.isfile, _named(described, folder)), None)
    if main is None and described.guess:
        mains = [
            file
            for file in neighbours
            if gguf.is_first_part(file) and not _is_projector(file, described)
        ]
        if len(mains) > 1:
            warnings.append(f"several files could be the model; {mains[0].name} is used")
        guesses = [*mains[:1], *(folder / name for name in _plain_names(described, folder))]
        main = next(filter(os.path.isfile, guesses), None)
    if main is None:
        return _missing(described, projector)
    if described.settings.get("mmproj") and projector is None:
        warnings.append(f"mmproj: {described.settings['mmproj']} is not there: no images")
    parts = gguf.split_parts(main)
    if lost := [part for part in parts if not os.path.isfile(part)]:
        reason = f"{len(lost)} of {len(parts)} parts are not there, the first of them {lost[0]}"
        return replace(_missing(described, projector), reason=reason, warnings=tuple(warnings))
    found = Files(parts[0], projector, warnings=tuple(warnings))
    try:
        gguf.check(parts[0])
    except ModelBroken as error:
        return replace(found, state="broken", reason=str(error))
    return found


def find_folder(described: Description, folder: Path) -> Files:
    """The files of a model that is a whole folder, not one GGUF (engine `intel-bigdl`)."""
    for path in [*_named(described, folder), folder / "config.json"]:
        if os.path.isdir(path):
            return Files(path)
        if os.path.isfile(path):
            return Files(folder)
    return _missing(described, None)


def _named(described: Description, folder: Path) -> Iterator[Path]:
    """The main file where the description says it is, best guess first."""
    for name in ("llama_model_path", "model_path"):
        if given := described.settings.get(name):
            yield folder / given
    for key in ("path", "filename"):
        for source in described.sources:
            if (given := source.get(key)) and not _is_projector(given, described):
                yield folder / given


def _plain_names(described: Description, folder: Path) -> list[str]:
    """v0.4.0 named the file exactly like the folder or the id, without an extension."""
    return [folder.name, described.id] if Path(described.id).name == described.id else [folder.name]


def _projectors(described: Description, folder: Path, neighbours: Sequence[Path]) -> Iterator[Path]:
    named = [source.get(key) for source in described.sources for key in ("path", "filename")]
    for path in [described.settings.get("mmproj"), *named, *neighbours]:
        if path and _is_projector(path, described):
            yield folder / path


def _is_projector(path: str | Path, described: Description) -> bool:
    name = _last_part(str(path))
    return "mmproj" in name.lower() or name == _last_part(described.settings.get("mmproj", ""))


def _last_part(path: str) -> str:
    return re.split(r"[/\\]", path)[-1]


def _missing(described: Description, projector: Path | None) -> Files:
    """The state without a main file, and why."""
    addresses = [source["url"] for source in described.sources if "url" in source]
    paths = [source["path"] for source in described.sources if "path" in source]
    path = next((path for path in paths if not _is_projector(path, described)), None)
    settings = described.settings
    given = settings.get("llama_model_path") or settings.get("model_path")
    if path is None and given and (is_absolute(given) or not addresses):
        path = given
    if path is not None:
        return Files(None, projector, "missing-file", f"{path} is not there")
    if not addresses:
        reason = "it has no file, and no address to download one from"
    elif all("<" in address for address in addresses):
        reason = "its addresses hold placeholders: it cannot be downloaded"
    else:
        reason = "its file is not downloaded yet"
    return Files(None, projector, "not-downloaded", reason)


def gguf_files(folder: Path) -> list[Path]:
    """The `.gguf` files of a folder in name order."""
    try:
        with os.scandir(folder) as entries:
            names = [e.name for e in entries if e.name.lower().endswith(".gguf") and e.is_file()]
    except OSError:
        return []
    return [folder / name for name in sorted(names) if not name.startswith(".")]
