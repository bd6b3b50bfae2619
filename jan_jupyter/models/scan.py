"""What lies in a data folder: the descriptions of models, not yet read (spec §3)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .gguf import is_first_part
from .model import Source

_LEFT_OVER = (".download", ".part", ".tmp")
_CORTEX_ROOTS = {"cortex.so", "huggingface.co", "imported", "remote"}


@dataclass(frozen=True, slots=True)
class Found:
    """A description (or, if `bare`, a folder). `id` is the one it has unless it says another."""

    source: Source
    path: Path
    id: str
    names: tuple[str, ...] = ()
    """Its folder, in full and the last part: they find the model too."""


def scan(data_folder: Path) -> list[Found]:
    """Everything that may describe models, in order of precedence, then of path."""
    found = [
        *_models(data_folder / "models"),
        *_yml(data_folder / "llamacpp" / "models", "llamacpp"),
        *_yml(data_folder / "mlx" / "models", "mlx"),
        *_lists(data_folder),
    ]
    order = ("json", "llamacpp", "mlx", "cortex", "remote-list", "bare")
    return sorted(found, key=lambda item: (order.index(item.source), item.path))


def _models(root: Path) -> Iterator[Found]:
    described: set[Path] = set()  # below these a `.gguf` is not bare
    for folder, files in _walk(root, skip="config"):
        name = _relative(folder, root)
        if folder.parent in described:
            described.add(folder)
        if "model.json" in files:
            described.add(folder)
            yield Found("json", folder / "model.json", name or folder.name, (name, folder.name))
        ymls = [f for f in files if f.endswith((".yml", ".yaml")) and f != "metadata.yml"]
        for file in ymls:
            path = folder / file
            parts = path.relative_to(root).with_suffix("").parts
            parts = parts[1:] if len(parts) > 1 and parts[0] in _CORTEX_ROOTS else parts
            names = ("/".join(parts[:-1]), "/".join(parts), folder.name if folder != root else "")
            yield Found("cortex", path, names[1], names)
        sibling = [folder.with_name(f"{folder.name}{suffix}") for suffix in (".yml", ".yaml")]
        if folder == root or folder in described or ymls or any(map(os.path.isfile, sibling)):
            continue
        if any(map(_is_main_file, files)):
            yield Found("bare", folder, folder.name, (name,))


def description_at(path: Path, data_folder: Path) -> Found:
    """The `model.json` at `path`, as a scan of the data folder finds it."""
    name = _relative(path.parent, data_folder / "models")
    return Found("json", path, name or path.parent.name, (name, path.parent.name))


def _is_main_file(name: str) -> bool:
    lower = name.lower()
    return lower.endswith(".gguf") and "mmproj" not in lower and is_first_part(Path(name))


def _yml(root: Path, source: Source) -> Iterator[Found]:
    for folder, files in _walk(root):
        if "model.yml" in files and folder != root:
            name = _relative(folder, root)
            yield Found(source, folder / "model.yml", name, (name, folder.name))


def _lists(data_folder: Path) -> Iterator[Found]:
    """Files that may hold a list of models; whether they do, only their reader can tell."""
    for place in (
        "engine-models/*.json",
        "engines/*.json",
        "engines/*/engine.json",
        "models/*.json",
    ):
        for path in data_folder.glob(place):
            if not path.name.startswith(".") and path.name != "model.json":
                yield Found("remote-list", path, path.name)


def _relative(folder: Path, root: Path) -> str:
    return "" if folder == root else folder.relative_to(root).as_posix()


def _walk(root: Path, skip: str | None = None) -> Iterator[tuple[Path, list[str]]]:
    """The folders below `root`, itself first, each once, with the names of their files.

    Real folders come before links, so that a model has its own path; `skip` is a folder of `root`.
    """
    waiting, links, seen = [root], list[Path](), set[tuple[int, int]]()
    while waiting or links:
        folder = waiting.pop() if waiting else links.pop()
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as entries:
                visible = [e for e in entries if not e.name.startswith(".")]
        except OSError:
            continue
        files = []
        for entry in sorted(visible, key=lambda e: e.name, reverse=True):
            if not entry.is_dir():
                files.append(entry.name)
            elif folder != root or entry.name != skip:
                (links if entry.is_symlink() else waiting).append(folder / entry.name)
        yield folder, [name for name in reversed(files) if not name.endswith(_LEFT_OVER)]
