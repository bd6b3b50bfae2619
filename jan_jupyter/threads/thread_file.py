"""`thread.json`: what it says, and how it changes. Nothing here does I/O."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import expect
from ..parameters import settings_and_parameters
from ..reading import fit, mapping, text
from ..types import EMPTY
from .message import OURS, seconds

UNTITLED = "New Thread"
DEFAULT_ASSISTANT = "jan"

# A thread may come from anybody: what it sets tunes a model. It names no place and no program, and
# takes no part of the request away.
_TEXTS = {
    *("prompt_template", "system_prompt", "user_prompt", "ai_prompt", "pre_prompt"),
    *("chat_template", "cache_type", "cache_type_k", "cache_type_v"),
    *("flash_attn", "rope_scaling", "split_mode"),
}
_NO_PARAMETERS = {"messages", "model", "tools", "response_format", "prompt", "input"}


@dataclass(frozen=True, slots=True)
class Head:
    """A `thread.json` made regular. Times are seconds since 1970; `raw` is what stands there."""

    id: str
    title: str = UNTITLED
    model: str | None = None
    engine: str | None = None
    assistant: str = DEFAULT_ASSISTANT
    instructions: str = ""
    settings: Mapping[str, Any] = EMPTY
    parameters: Mapping[str, Any] = EMPTY
    assistant_parameters: Mapping[str, Any] = EMPTY
    """The values of the assistant, as newer Jans copy them into the thread."""
    created: float | None = None
    updated: float | None = None
    metadata: Mapping[str, Any] = EMPTY
    warnings: tuple[str, ...] = ()
    raw: Mapping[str, Any] = EMPTY

    @property
    def last_message(self) -> str:
        found = self.metadata.get("lastMessage")
        return found if isinstance(found, str) else ""


def tuning(
    settings: Any, parameters: Any, warnings: list[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The values of a thread or an assistant that count, made regular."""
    load, ask = settings_and_parameters(
        mapping(settings, "settings", warnings),
        mapping(parameters, "parameters", warnings),
        warnings,
    )
    return (
        {k: v for k, v in load.items() if _tunes(k, v)},
        {k: v for k, v in ask.items() if k not in _NO_PARAMETERS},
    )


def _tunes(name: str, value: Any) -> bool:
    return name in _TEXTS if isinstance(value, str) else isinstance(value, bool | int | float)


def read(raw: Mapping[str, Any], folder: str) -> Head:
    """What a `thread.json` says; `folder` is the name of its folder, which is its id."""
    warnings: list[str] = []

    def word(value: Any, name: str) -> str:
        return (fit(value, text, name, warnings) or "").strip()

    entry = _assistant(raw)
    inner = mapping(entry.get("model"), "assistants[0].model", [])
    chosen = raw.get("model")
    outer = mapping({"id": chosen} if isinstance(chosen, str) else chosen, "model", warnings)
    named = outer if _model_id(outer) else inner
    settings, parameters = tuning(
        {**_object(outer.get("settings")), **_object(inner.get("settings"))},
        {**_object(outer.get("parameters")), **_object(inner.get("parameters"))},
        warnings,
    )
    _, assistant_parameters = tuning({}, entry.get("parameters"), warnings)
    metadata = mapping(raw.get("metadata"), "metadata", warnings)
    if (said := word(raw.get("id"), "id")) and said != folder:
        warnings.append(f"its folder is named {folder}, not like its id {said}")
    return Head(
        id=folder,
        title=_line(word(raw.get("title"), "title") or word(metadata.get("title"), "title"))
        or UNTITLED,
        model=_model_id(named),
        engine=word(named.get("provider") or named.get("engine"), "engine") or None,
        assistant=word(entry.get("assistant_id") or entry.get("id"), "assistant_id")
        or DEFAULT_ASSISTANT,
        instructions=word(entry.get("instructions"), "instructions"),
        settings=settings,
        parameters=parameters,
        assistant_parameters=assistant_parameters,
        created=seconds(raw.get("created")),
        updated=seconds(raw.get("updated")),
        metadata=metadata,
        warnings=tuple(dict.fromkeys(warnings)),
        raw=raw,
    )


def _line(text: str) -> str:
    """One line without control characters: a title is printed, also in a terminal."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())


def _model_id(model: Mapping[str, Any]) -> str | None:
    found = model.get("id")
    return found if isinstance(found, str) and found.strip() not in ("", "*") else None


def _assistant(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """The assistant that counts: the first."""
    listed = raw.get("assistants")
    return _object(listed[0]) if isinstance(listed, list) and listed else EMPTY


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else EMPTY


# Writing ----------------------------------------------------------------------------------------


def new(folder: str, title: str) -> dict[str, Any]:
    """The `thread.json` of a new thread, in Jan's old form, which all of its versions read."""
    now = round(time.time() * 1000)
    return {
        "id": folder,
        "object": "thread",
        "title": title or UNTITLED,
        "assistants": [_entry()],
        "created": now,
        "updated": now,
        "metadata": {},
    }


def _entry() -> dict[str, Any]:
    return {
        "assistant_id": DEFAULT_ASSISTANT,
        "assistant_name": "Jan",
        "instructions": "",
        "tools": [],
        "model": {"id": "*", "settings": {}, "parameters": {}},
    }


def touched(raw: Mapping[str, Any], last: str | None = None) -> dict[str, Any]:
    """After a new turn, whose text is `last`."""
    changed = {**raw, "updated": round(time.time() * 1000)}
    if last is not None:
        changed["metadata"] = {**_object(raw.get("metadata")), "lastMessage": last[:200]}
    return changed


def titled(raw: Mapping[str, Any], title: str) -> dict[str, Any]:
    changed = {**raw, "title": title}
    metadata = raw.get("metadata")
    if isinstance(metadata, Mapping) and "title" in metadata:
        changed["metadata"] = {**metadata, "title": title}
    return changed


def with_columns(raw: Mapping[str, Any], columns: Mapping[str, Any] | None) -> dict[str, Any]:
    """The columns of the thread, as `columns.py` writes them; `None`: it has none."""
    metadata = _object(raw.get("metadata"))
    ours = {**_object(metadata.get(OURS)), "columns": columns}
    if columns is None:
        del ours["columns"]
    rest = {name: value for name, value in metadata.items() if name != OURS}
    return {**raw, "metadata": {**rest, **({OURS: ours} if ours else {})}}


def with_model(raw: Mapping[str, Any], model: str | None, engine: str | None) -> dict[str, Any]:
    """Another model, both where newer and where older Jans look for it."""
    expect(model, str | None, "The model of a thread is named by text")
    expect(engine, str | None, "The engine of a thread is named by text")

    def named(before: Mapping[str, Any], engine_name: str) -> dict[str, Any]:
        rest = {k: v for k, v in before.items() if k != engine_name}
        return {**rest, "id": model or "*"} | ({engine_name: engine} if engine else {})

    changed = {**raw, "model": named(_object(raw.get("model")), "provider")}
    entry = _assistant(raw) or _entry()
    return _with_entry(changed, {**entry, "model": named(_object(entry.get("model")), "engine")})


def with_values(
    raw: Mapping[str, Any], settings: Mapping[str, Any], parameters: Mapping[str, Any]
) -> dict[str, Any]:
    """Other values of the thread, name by name; `None` takes a name out, wherever it stands."""
    expect(settings, Mapping, "Settings are a mapping of names to values")
    expect(parameters, Mapping, "Parameters are a mapping of names to values")
    changed = {**raw}
    entry = _assistant(raw) or _entry()
    inner = _object(entry.get("model")) or {"id": "*"}
    outer = _object(raw.get("model"))
    for key, given in (("settings", settings), ("parameters", parameters)):
        if not given:
            continue
        inner = {**inner, key: _merged(_object(inner.get(key)), given)}
        if key in outer:
            outer = {**outer, key: _merged(_object(outer.get(key)), given)}
            changed["model"] = outer
    return _with_entry(changed, {**entry, "model": inner})


def _merged(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**before, **given}.items() if value is not None}


def with_assistant(raw: Mapping[str, Any], profile: Mapping[str, Any]) -> dict[str, Any]:
    """Another assistant; `profile` is what Jan copies of it into a thread."""
    entry = {**(_assistant(raw) or _entry())}
    if "assistant_id" in entry or "id" not in entry:
        entry |= {"assistant_id": profile["id"], "assistant_name": profile["name"]}
    if "id" in entry:
        entry |= {k: profile[k] for k in ("id", "name", "avatar", "description", "parameters")}
    else:
        entry.pop("parameters", None)
    entry["instructions"] = profile["instructions"]
    return _with_entry(raw, entry)


def with_instructions(raw: Mapping[str, Any], instructions: str) -> dict[str, Any]:
    expect(instructions, str, "Instructions are text")
    return _with_entry(raw, {**(_assistant(raw) or _entry()), "instructions": instructions})


def configured(
    raw: Mapping[str, Any],
    *,
    model: str | None = None,
    engine: str | None = None,
    profile: Mapping[str, Any] | None = None,
    instructions: str | None = None,
    settings: Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> Mapping[str, Any]:
    """What is given changed; arguments as for `Thread.configure`, with an assistant's profile."""
    if model is not None:
        raw = with_model(raw, model, engine)
    if profile is not None:
        raw = with_assistant(raw, profile)
    if instructions is not None:
        raw = with_instructions(raw, instructions)
    if settings or parameters:
        raw = with_values(raw, settings or {}, parameters or {})
    return raw


def _with_entry(raw: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    listed = raw.get("assistants")
    rest = listed[1:] if isinstance(listed, list) else []
    return {**raw, "assistants": [dict(entry), *rest]}
