"""Which files on disk a description means: main file, projector, parts of a split one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import ModelBroken
from ..watch import Look
from . import gguf
from .model import ModelState
from .schema import Description, is_absolute


@dataclass(slots=True)
class Files:
    """What was found: `main` is the first part of a split file; `reason` is set unless ready.

    `size` are the bytes of the main file and its other parts, `identity` its device and inode.
    """

    main: Path | None = None
    projector: Path | None = None
    state: ModelState = "ready"
    reason: str = ""
    warnings: tuple[str, ...] = ()
    size: int = 0
    identity: tuple[int, int] | None = None


def find(described: Description, folder: str, look: Look) -> Files:
    """The files of a local GGUF model that lies in `folder`."""
    warnings: list[str] = []
    here = _Folder(folder, look)
    neighbours = here.gguf_files() if described.guess else []
    wanted = described.settings.get("mmproj", "")
    projector = next(filter(here.has, _projectors(described, neighbours)), None)
    main = next(filter(here.has, _named(described)), None)
    if main is None and described.guess:
        mains = [
            file
            for file in neighbours
            if gguf.is_first_part(file) and not is_projector(file, wanted)
        ]
        if len(mains) > 1:
            warnings.append(f"several files could be the model; {mains[0]} is used")
        guesses = [*mains[:1], *_plain_names(described, folder)]
        main = next(filter(here.has, guesses), None)
    projector_path = Path(here.path(projector)) if projector is not None else None
    if main is None:
        return _missing(described, projector_path)
    if wanted and projector is None:
        warnings.append(f"mmproj: {wanted} is not there: no images")
    return _with_parts(here, main, described, projector_path, warnings)


def _with_parts(
    here: _Folder,
    main: str,
    described: Description,
    projector: Path | None,
    warnings: list[str],
) -> Files:
    path = Path(here.path(main))
    size = 0
    if "-of-" in main.lower():
        parts = gguf.split_parts(path)
        if lost := [part for part in parts if not here.look.is_file(str(part))]:
            reason = f"{len(lost)} of {len(parts)} parts are not there, the first of them {lost[0]}"
            missing = _missing(described, projector)
            return replace(missing, reason=reason, warnings=tuple(warnings))
        size = sum(part.stat().st_size for part in parts[1:])
        path = parts[0]
    found = Files(path, projector, warnings=tuple(warnings))
    try:
        status = gguf.check(path)
        found.size, found.identity = size + status.st_size, (status.st_dev, status.st_ino)
        if not here.tells_of(main):
            here.look.saw(str(path), status)
    except ModelBroken as error:
        found.state, found.reason = "broken", str(error)
        here.look.see(str(path))  # it may still be on its way
    return found


def find_folder(described: Description, folder: str, look: Look) -> Files:
    """The files of a model that is a whole folder, not one GGUF."""
    for name in [*_named(described), "config.json"]:
        path = os.path.join(folder, name)
        if look.is_folder(path):
            return Files(Path(path))
        if look.is_file(path):
            return Files(Path(folder))
    return _missing(described, None)


class _Folder:
    """The folder of a model: what it holds needs no second look."""

    def __init__(self, folder: str, look: Look) -> None:
        self.folder, self.look = folder, look
        self._listing = look.listing(folder)

    def path(self, name: str) -> str:
        if name in self._listing.plain:
            return f"{self.folder}{os.sep}{name}"
        return os.path.join(self.folder, name)

    def tells_of(self, name: str) -> bool:
        """Whether the folder itself changes when that file comes or goes."""
        return name in self._listing.plain

    def has(self, name: str) -> bool:
        """Whether a path, relative to the folder or absolute, is a file."""
        return name in self._listing.plain or self.look.is_file(self.path(name))

    def gguf_files(self) -> list[str]:
        """The names of the `.gguf` files in order."""
        return [
            name for name in self._listing.files if name[-5:].lower() == ".gguf" and self.has(name)
        ]


def _named(described: Description) -> Iterator[str]:
    """The main file where the description says it is, best guess first."""
    settings = described.settings
    for name in ("llama_model_path", "model_path"):
        if given := settings.get(name):
            yield given
    wanted = settings.get("mmproj", "")
    for key in ("path", "filename"):
        for source in described.sources:
            if (given := source.get(key)) and not is_projector(given, wanted):
                yield given


def _plain_names(described: Description, folder: str) -> list[str]:
    """v0.4.0 named the file exactly like the folder or the id, without an extension."""
    name, last = described.id, os.path.basename(folder)
    return [last, name] if name == _last_part(name) and name not in (".", "..") else [last]


def _projectors(described: Description, neighbours: Sequence[str]) -> Iterator[str]:
    wanted = described.settings.get("mmproj", "")
    if wanted:
        yield wanted
    for source in described.sources:
        for key in ("path", "filename"):
            if (path := source.get(key)) and is_projector(path, wanted):
                yield path
    for name in neighbours:
        if is_projector(name, wanted):
            yield name


def is_projector(path: str, wanted: str = "") -> bool:
    """Whether a file is an image projector, by its name; `wanted` is the one that is set."""
    lower = path.lower()
    if "mmproj" in lower and "mmproj" in _last_part(lower):
        return True
    return bool(wanted) and _last_part(path) == _last_part(wanted)


def _last_part(path: str) -> str:
    return re.split(r"[/\\]", path)[-1]


def _missing(described: Description, projector: Path | None) -> Files:
    """The state without a main file, and why."""
    settings = described.settings
    addresses = [source["url"] for source in described.sources if "url" in source]
    paths = [source["path"] for source in described.sources if "path" in source]
    wanted = settings.get("mmproj", "")
    path = next((path for path in paths if not is_projector(path, wanted)), None)
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
        reason = f"its file is not downloaded yet: `%jan pull {described.id}` fetches it"
    return Files(None, projector, "not-downloaded", reason)
