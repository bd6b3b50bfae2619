"""Small data folders, written for a test."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jan_jupyter.models import Model, ModelStore

STUB = b"GGUF" + struct.pack("<I", 3)
"""The least that passes for a model file without being read."""


def plant(root: Path, tree: Mapping[str, Any]) -> Path:
    """Write files below `root`: bytes and text as they are, everything else as JSON."""
    for name, content in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            text = content if isinstance(content, str) else json.dumps(content)
            path.write_bytes(text.encode())
    return root


def models(root: Path) -> dict[str, Model]:
    """All models of a folder by the name that finds each."""
    return {model.reference: model for model in ModelStore(root).list()}


def only(root: Path) -> Model:
    (model,) = ModelStore(root).list()
    return model


def snapshot(root: Path) -> dict[str, Any]:
    """All that could tell a change: contents, times, modes."""
    return {
        str(path.relative_to(root)): (
            status.st_mode,
            status.st_mtime_ns,
            status.st_size,
            path.read_bytes() if path.is_file() else b"",
        )
        for folder, folders, files in os.walk(root)
        for path in (Path(folder, name) for name in [*folders, *files])
        for status in [path.lstat()]
    }


# GGUF -------------------------------------------------------------------------------------------


def gguf_text(text: str, order: str = "<") -> bytes:
    return struct.pack(f"{order}Q", len(text.encode())) + text.encode()


def gguf_value(value: Any, order: str = "<") -> bytes:
    """A value with its type number before it."""
    if isinstance(value, bool):
        return struct.pack(f"{order}I?", 7, value)
    if isinstance(value, int):
        return struct.pack(f"{order}II", 4, value)
    if isinstance(value, float):
        return struct.pack(f"{order}If", 6, value)
    if isinstance(value, str):
        return struct.pack(f"{order}I", 8) + gguf_text(value, order)
    items = [gguf_value(item, order) for item in value]
    kind = items[0][:4] if items else struct.pack(f"{order}I", 4)
    head = struct.pack(f"{order}I", 9) + kind + struct.pack(f"{order}Q", len(items))
    return head + b"".join(item[4:] for item in items)


def gguf_bytes(
    values: Mapping[str, Any],
    tensors: Sequence[tuple[str, Sequence[int], int, int]] = (),
    *,
    data: int = 0,
    version: int = 3,
    order: str = "<",
) -> bytes:
    """A GGUF file: tensors are (name, dimensions, type, offset), `data` bytes follow them."""
    out = b"GGUF" + struct.pack(f"{order}IQQ", version, len(tensors), len(values))
    for key, value in values.items():
        out += gguf_text(key, order) + gguf_value(value, order)
    for name, dimensions, kind, offset in tensors:
        out += gguf_text(name, order) + struct.pack(f"{order}I", len(dimensions))
        out += struct.pack(f"{order}{len(dimensions)}QIQ", *dimensions, kind, offset)
    return out + bytes(-len(out) % 32) + bytes(data)
