"""What lies in a data folder: the descriptions of models, not yet read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..watch import Watch
from .gguf import is_first_part
from .model import Source

_CORTEX_ROOTS = {"cortex.so", "huggingface.co", "imported", "remote"}
_ORDER = {
    source: place
    for place, source in enumerate(("json", "llamacpp", "mlx", "cortex", "remote-list", "bare"))
}


class Found(NamedTuple):
    """A description (or, if `bare`, a folder). `id` is the one it has unless it says another."""

    source: Source
    path: str
    id: str
    names: tuple[str, ...] = ()
    """Its folder, in full and the last part: they find the model too."""


def scan(data_folder: str, watch: Watch) -> list[Found]:
    """Everything that may describe models, in order of precedence, then of path."""
    root = os.path.join(data_folder, "")
    found = [
        *_models(f"{root}models", watch),
        *_yml(os.path.join(data_folder, "llamacpp", "models"), "llamacpp", watch),
        *_yml(os.path.join(data_folder, "mlx", "models"), "mlx", watch),
        *_lists(root, watch),
    ]
    return sorted(found, key=lambda item: (_ORDER[item.source], item.path.replace(os.sep, "\0")))


def _models(root: str, watch: Watch) -> Iterator[Found]:
    described: set[str] = set()  # below these a `.gguf` is not bare
    for folder, listing in watch.walk(root, skip="config"):
        files = listing.files
        name = _relative(folder, root)
        last = name.rpartition("/")[2]
        if described and os.path.dirname(folder) in described:
            described.add(folder)
        if "model.json" in files:
            described.add(folder)
            yield Found("json", f"{folder}{os.sep}model.json", name or "models", (name, last))
        ymls = [f for f in files if f.endswith((".yml", ".yaml")) and f != "metadata.yml"]
        for file in ymls:
            parts = f"{name}/{file.rpartition('.')[0]}".strip("/").split("/")
            parts = parts[1:] if len(parts) > 1 and parts[0] in _CORTEX_ROOTS else parts
            names = ("/".join(parts[:-1]), "/".join(parts), last)
            yield Found("cortex", f"{folder}{os.sep}{file}", names[1], names)
        if folder == root or folder in described or ymls or not any(map(_is_main_file, files)):
            continue
        beside = watch.listing(os.path.dirname(folder)).files
        if f"{last}.yml" not in beside and f"{last}.yaml" not in beside:
            yield Found("bare", folder, last, (name,))


def description_at(path: Path, data_folder: Path) -> Found:
    """The `model.json` at `path`, as a scan of the data folder finds it."""
    name = path.parent.relative_to(data_folder / "models").as_posix()
    return Found("json", str(path), name, (name, path.parent.name))


def _is_main_file(name: str) -> bool:
    lower = name.lower()
    return lower.endswith(".gguf") and "mmproj" not in lower and is_first_part(name)


def _yml(root: str, source: Source, watch: Watch) -> Iterator[Found]:
    for folder, listing in watch.walk(root):
        if "model.yml" in listing.files and folder != root:
            name = _relative(folder, root)
            names = (name, name.rpartition("/")[2])
            yield Found(source, f"{folder}{os.sep}model.yml", name, names)


def _lists(root: str, watch: Watch) -> Iterator[Found]:
    """Files that may hold a list of models; whether they do, only their reader can tell."""
    folders = [f"{root}engine-models", f"{root}engines", f"{root}models"]
    for folder in folders:
        for name in watch.listing(folder).files:
            if name.endswith(".json") and name != "model.json":
                yield Found("remote-list", f"{folder}{os.sep}{name}", name)
    engines = watch.listing(folders[1])
    for name in (*engines.folders, *engines.links):
        folder = f"{folders[1]}{os.sep}{name}"
        if "engine.json" in watch.listing(folder).files:
            yield Found("remote-list", f"{folder}{os.sep}engine.json", "engine.json")


def _relative(folder: str, root: str) -> str:
    return folder[len(root) + 1 :].replace(os.sep, "/")
