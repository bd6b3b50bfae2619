"""Assistants: named profiles in `assistants/<folder>/assistant.json`."""

from __future__ import annotations

import difflib
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..errors import ModelBroken, ThreadBroken, ThreadError, ThreadNotFound, UsageError, expect
from ..precedence import Level
from ..reading import fit, read_json, text
from ..types import EMPTY
from . import files
from .message import seconds
from .thread_file import tuning


@dataclass(frozen=True, slots=True)
class Assistant:
    """A profile: instructions, a model, and values that hold where nothing stronger sets them.

    `model` is `None` where any will do. `reason` says why the state is `broken`. `path` is `None`
    for the built-in one. `own`: it lies in our data folder, so we may change it.
    """

    id: str
    name: str = ""
    description: str = ""
    avatar: str = ""
    model: str | None = None
    instructions: str = ""
    settings: Mapping[str, Any] = EMPTY
    parameters: Mapping[str, Any] = EMPTY
    created: float | None = None
    """Seconds since 1970."""
    state: Literal["ready", "broken"] = "ready"
    reason: str = ""
    path: Path | None = None
    own: bool = False
    warnings: tuple[str, ...] = ()
    raw: Mapping[str, Any] = field(default=EMPTY, repr=False)

    @property
    def level(self) -> Level:
        """What it sets, for `router.target(…, levels=…)`."""
        return Level("assistant", self.settings, self.parameters)

    @property
    def profile(self) -> Mapping[str, Any]:
        """What Jan copies of it into a thread."""
        return {
            "id": self.id,
            "name": self.name or self.id,
            "avatar": self.avatar,
            "description": self.description,
            "instructions": self.instructions,
            "parameters": dict(self.parameters),
        }


BUILT_IN = Assistant("jan", "Jan")
"""The one that is there if there is no file at all."""

Folders = Callable[[], Sequence[tuple[Path, bool]]]
"""The data folders in use, and whether each is our own."""


class Assistants:
    """The assistants of the data folders in use: ours first, then those of an installed Jan."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._cache: dict[Path, tuple[files.Signature, Assistant]] = {}

    def list(self) -> list[Assistant]:
        """All, also broken ones; without any file the built-in `jan` alone."""
        found: dict[str, Assistant] = {}
        for folder, own in self._folders():
            for path in sorted(folder.glob("assistants/*/assistant.json")):
                assistant = self._read(path, own)
                found.setdefault(assistant.id.casefold(), assistant)
        return [*found.values()] or [BUILT_IN]

    def get(self, name: str) -> Assistant:
        """By id, folder or name, then without regard to case.

        Raises `ThreadNotFound`, or `ThreadBroken` if its file cannot be read.
        """
        expect(name, str, "An assistant is named by text")
        assistants = self.list()
        for same in (str, str.casefold):
            for assistant in assistants:
                if same(name) in map(same, _names(assistant)):
                    if assistant.state == "broken":
                        raise ThreadBroken(assistant.reason)
                    return assistant
        near = difflib.get_close_matches(name, [n for a in assistants for n in _names(a)], 3, 0.4)
        known = f" Nearest: {', '.join(near)}." if near else ""
        raise ThreadNotFound(f"There is no assistant {name!r}.{known}")

    def of(self, id: str) -> Assistant:
        """The one that a thread names; one that is gone or broken sets nothing."""
        with suppress(ThreadError):
            return self.get(id)
        return Assistant(id, id)

    def create(self, name: str, **fields: Any) -> Assistant:
        """A new one in our data folder; `fields` as of `Assistant`. Raises `ThreadError`."""
        expect(name, str, "An assistant is named by text")
        if not name.strip():
            raise UsageError("A new assistant needs a name.")
        own = self._own_folder() / "assistants"
        stem = re.sub(r"[^\w-]+", "-", name.strip().casefold()).strip("-_")[:60] or "assistant"
        taken = {n.casefold() for a in self.list() if a.path for n in _names(a)}
        if name.casefold() in taken:
            raise ThreadError(f"There is an assistant {name!r} already.")
        while stem in taken:
            stem += "-1"
        with files.told(own):
            folder = files.new_folder(own, stem)
        raw = {
            "avatar": "",
            "id": folder.name,
            "object": "assistant",
            "created_at": round(time.time() * 1000),
            "name": name.strip(),
            "description": "",
            "model": "*",
            "instructions": "",
            "tools": [],
            "file_ids": [],
        }
        try:
            return self._write(folder / "assistant.json", _changed(raw, fields))
        except ThreadError:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def update(self, name: str, /, **fields: Any) -> Assistant:
        """Change one of ours (one of Jan's is refused); all that is not named stays as it is.

        `settings` and `parameters` are merged name by name; `None` as a value takes a name out.
        """
        assistant = self._ours(name)
        assert assistant.path is not None
        with files.locked(assistant.path.parent):
            raw = self._read(assistant.path, True).raw
            return self._write(assistant.path, _changed(raw, fields))

    def delete(self, name: str) -> None:
        """Remove one of ours."""
        assistant = self._ours(name)
        assert assistant.path is not None
        with files.told(assistant.path.parent):
            assistant.path.unlink()
        with suppress(OSError):  # whatever else lies there is somebody's
            assistant.path.parent.rmdir()

    def _ours(self, name: str) -> Assistant:
        assistant = self.get(name)
        if not assistant.own or assistant.path is None:
            raise ThreadError(
                f"Assistant {assistant.name or assistant.id} is not one of ours: change it in Jan,"
                " or make one of your own from it."
            )
        return assistant

    def _own_folder(self) -> Path:
        return next(folder for folder, own in self._folders() if own)

    def _read(self, path: Path, own: bool) -> Assistant:
        signature = files.signature(path)
        known = self._cache.get(path)
        if known is None or known[0] != signature:
            known = self._cache[path] = signature, read(path, own)
        return known[1]

    def _write(self, path: Path, raw: Mapping[str, Any]) -> Assistant:
        with files.told(path.parent):
            files.replace(path, files.pretty(raw))
        return self._read(path, True)


def _names(assistant: Assistant) -> Iterator[str]:
    yield assistant.id
    if assistant.path is not None:
        yield assistant.path.parent.name
    if assistant.name:
        yield assistant.name


def read(path: Path, own: bool) -> Assistant:
    """What an `assistant.json` says; one that cannot be read is a broken assistant."""
    name = path.parent.name
    try:
        raw = read_json(path)
    except ModelBroken as error:
        return Assistant(name, name, state="broken", reason=str(error), path=path, own=own)
    if not isinstance(raw, Mapping):
        reason = f"{path}, line 1: not an object"
        return Assistant(name, name, state="broken", reason=reason, path=path, own=own)
    warnings: list[str] = []

    def word(key: str) -> str:
        return (fit(raw.get(key), text, key, warnings) or "").strip()

    settings, parameters = tuning(raw.get("settings"), raw.get("parameters"), warnings)
    model = raw.get("model")
    listed = raw.get("models")
    if not isinstance(model, str) and isinstance(listed, list) and listed:
        model = listed[0]
    return Assistant(
        id=word("id") or name,
        name=word("name"),
        description=word("description"),
        avatar=word("avatar"),
        model=model if isinstance(model, str) and model.strip() not in ("", "*") else None,
        instructions=word("instructions"),
        settings=settings,
        parameters=parameters,
        created=seconds(raw.get("created_at")),
        path=path,
        own=own,
        warnings=tuple(warnings),
        raw=raw,
    )


_TEXT_FIELDS = ("name", "description", "avatar", "instructions")


def _changed(raw: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    changed = {**raw}
    for name, value in fields.items():
        if name in (*_TEXT_FIELDS, "model"):
            expect(value, str | None, f"`{name}` of an assistant is text")
            changed[name] = value or ("*" if name == "model" else "")
        elif name in ("settings", "parameters"):
            expect(value, Mapping | None, f"`{name}` of an assistant is a mapping")
            before = raw.get(name)
            both = {**(before if isinstance(before, Mapping) else {}), **(value or {})}
            changed[name] = {key: v for key, v in both.items() if v is not None}
        else:
            raise ThreadError(f"An assistant has no field {name!r} that can be set.")
    return changed
