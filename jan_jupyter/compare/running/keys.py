"""The key of a call: the same for whatever would be asked in the same way of the same model."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...models.gguf import split_parts
from ...models.model import Model
from ...precedence import plain
from ...redaction import is_secret_name, without_secrets
from ...router import Target
from ...types import ChatRequest, Message
from ..keeping import written

VERSION = 1
"""Another one makes all keys others."""


def key(
    request: ChatRequest,
    target: Target,
    repeat: int = 0,
    following: Sequence[Sequence[Message]] = (),
) -> str:
    """64 hexadecimal digits, the same in every process.

    `request` and `target` are as `router.prepare` gives them. `following` are the questions that
    come after its answer, where a thread is asked again: the answer of the last one counts. The
    key holds the engine, the model's file (by its hash where one is known, else by name, size and
    time) or its name and address, messages, merged parameters and settings, and the number of the
    repeat; no key of a service, and not how many answers are asked for at once (`n`). Looks at
    files: not for the background loop.
    """
    options = target.engine.options.at(target.model)
    parameters = {name: value for name, value in request.parameters.items() if name != "n"}
    settings = {**plain(target.values.settings), **target.model.settings}
    return written.fingerprint(
        {
            "version": VERSION,
            "engine": options.kind,
            "model": _model(target.model, without_secrets(options.address)),
            "request": {**written.request_json(request), "parameters": parameters, "priority": ""},
            "settings": _without_secrets(settings),
            "files": _named_files(settings, target.model.path),
            "following": [[written.message_json(m) for m in turn] for turn in following],
            "repeat": repeat,
        }
    )


def _model(model: Model, address: str) -> Any:
    """What answers: its files, else a name and where it is known by that."""
    if model.file is None:
        return {"name": model.id, "version": model.version, "address": address}
    hashes = model.metadata.get("sha256")
    known = hashes if isinstance(hashes, Mapping) else {model.file.name: hashes}
    files = _files(model.file)
    if model.projector is not None:
        files.append(model.projector)
    return [_file(file, str(known.get(file.name) or "")) for file in files]


def _files(file: Path) -> list[Path]:
    """The files of a model: the parts of a split one, all of a folder."""
    if file.is_dir():
        return sorted(path for path in file.rglob("*") if path.is_file())
    return [*split_parts(file)] if "-of-" in file.name.lower() else [file]


_HASH = re.compile(r"(?:sha256-)?([0-9a-f]{64})")


def _file(path: Path, hash_: str = "") -> list[Any]:
    """What tells a file from others; a moved or copied one is the same."""
    try:
        status = path.stat()
    except OSError:
        return [path.name]
    if not hash_ and (named := _HASH.fullmatch(os.path.basename(os.path.realpath(path)))):
        hash_ = named[1]  # as programs name files in their stores
    if re.fullmatch("[0-9a-fA-F]{64}", hash_):
        return [status.st_size, hash_.lower()]
    return [path.name, status.st_size, status.st_mtime_ns]


_BESIDE = {"lora", "chat_template_file"}
"""Settings whose files may lie in the folder of the model's description."""


def _named_files(settings: Mapping[str, Any], model: Path) -> dict[str, list[Any]]:
    """The files that settings name (adapters, templates), each as it is now."""
    found: dict[str, list[Any]] = {}
    folder = model if model.is_dir() else model.parent
    for name, value in _texts(settings):
        if name.split(".")[1] in _BESIDE:
            value = os.path.join(folder, os.path.expanduser(value))
        if os.path.isabs(value):
            with suppress(OSError, ValueError):
                if stat.S_ISREG(os.stat(value).st_mode):
                    found[name] = _file(Path(value))
    return found


def _texts(value: Any, name: str = "") -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [(name, value)]
    if isinstance(value, Mapping):
        return [pair for key, one in value.items() for pair in _texts(one, f"{name}.{key}")]
    if isinstance(value, list | tuple):
        return [pair for i, one in enumerate(value) for pair in _texts(one, f"{name}.{i}")]
    return []


def _without_secrets(value: Any) -> Any:
    """Settings without what may be a key, by its name or within an address."""
    if isinstance(value, Mapping):
        return {
            name: _without_secrets(one)
            for name, one in value.items()
            if not is_secret_name(str(name))
        }
    if isinstance(value, list | tuple):
        return [_without_secrets(one) for one in value]
    return without_secrets(str(value)) if isinstance(value, str) and "://" in value else value
