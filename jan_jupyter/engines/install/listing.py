"""What there is to run models, for people: which engines, in which state, and one in detail."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ... import errors
from ...addresses import host_of
from ...engine_options.engine_rows import canonical, known_engines
from ...engine_options.options import EngineOptions
from ...engine_options.plugins import Plugin, plugins
from ...models.store import ModelStore
from ...redaction import is_secret_name, without_secrets
from ...settings import stay_here
from ..base import Engine
from ..registry import OURS, engine_class, taken
from . import packages


@dataclass(frozen=True, slots=True)
class Listed:
    """An engine as `%jan engines` shows it.

    `state` is `ready`, `needs key`, `needs base_url`, `not installed` or `broken`; `remark` tells
    how to mend that. `package` is what it comes from, `models` how many models name it.
    """

    name: str
    kind: str
    state: str
    remark: str = ""
    package: str = packages.OUR_PACKAGE
    models: int = 0
    address: str = ""


def listing(store: ModelStore) -> list[Listed]:
    """Every engine that a `model.json` may name here, and those that can be installed."""
    used = Counter(model.engine for model in store.list())
    rows = [*_ours(store, used), *_files(store, used)]
    rows += [_offered(store, plugin, used) for plugin in plugins()]
    there = {row.name for row in rows}
    for one in packages.index():
        if one.kind == "engine" and one.requires and one.name not in there:
            remark = f"`%jan engines install {one.name}`: {one.about}"
            rows.append(Listed(one.name, "plug-in", "not installed", remark, one.package))
    return rows


def names(store: ModelStore) -> list[str]:
    """The names of the engines that are here; nothing is imported for that."""
    ours = [name for name, row in known_engines().items() if row.speaks in OURS]
    free = [o.name for n in _free_names(store) if (o := store.engine_options(n)).address]
    return [*ours, *free, *dict.fromkeys(p.name for p in plugins() if not taken(p))]


def _ours(store: ModelStore, used: Mapping[str, int]) -> Iterator[Listed]:
    for name, row in known_engines().items():
        if row.speaks in OURS:
            options = store.engine_options(name)
            state, remark = _state(options)
            count = used.get(name, 0)
            yield Listed(name, row.kind, state, remark, models=count, address=options.address)


def _files(store: ModelStore, used: Mapping[str, int]) -> Iterator[Listed]:
    """The servers with a free name, which have nothing but an engine file."""
    for name in _free_names(store):
        options = store.engine_options(name)
        if options.address or options.warnings:  # else it is a list of models, of that name
            state, remark = _state(options)
            count = used.get(options.name, 0)
            kind = f"speaks {options.kind}"
            yield Listed(options.name, kind, state, remark, "", count, options.address)


def _free_names(store: ModelStore) -> list[str]:
    """The names of engine files that are not those of an engine."""
    others = {*known_engines(), *(plugin.name for plugin in plugins())}
    return [name for name in store.engine_names() if canonical(name) not in others]


def _offered(store: ModelStore, plugin: Plugin, used: Mapping[str, int]) -> Listed:
    package = f"{plugin.package} {plugin.version}".strip()
    if reason := taken(plugin):
        return Listed(plugin.name, "plug-in", "broken", reason, package)
    state, remark = _state(store.engine_options(plugin.name))
    return Listed(plugin.name, "plug-in", state, remark, package, used.get(plugin.name, 0))


def _state(options: EngineOptions) -> tuple[str, str]:
    """Whether an engine can be asked, and what to do if not."""
    if options.row is None or options.row.speaks not in OURS:  # ours need not be imported
        try:
            engine_class(options.kind)
        except errors.JanError as error:
            return "broken", str(error)
    warnings = "; ".join(options.warnings)
    if options.row is not None and options.row.kind == "remote" and not options.address:
        return "needs base_url", warnings or f"set it in engines/{options.name}/engine.json"
    try:
        if options.needs_key() and options.found_key() is None:
            return "needs key", options.key_hint
    except errors.SettingsError as error:
        return "needs key", str(error)
    local = options.row is not None and options.row.kind == "local"
    if local and (missing := engine_class(options.kind).missing(options)):
        return "not installed", missing
    return "ready", warnings or without_secrets(options.address)


def described(store: ModelStore, name: str) -> dict[str, str]:
    """All that is known of one engine, without going to the network. Raises `EngineError`."""
    options = store.engine_options(name)
    row = next((r for r in listing(store) if r.name in (options.name, canonical(name))), None)
    if row is None:
        engine_class(options.kind)  # says that there is none
        row = Listed(options.name, f"speaks {options.kind}", *_state(options))
    return {
        "engine": row.name,
        "kind": row.kind,
        "state": row.state,
        "remark": row.remark if row.state != "ready" else "; ".join(options.warnings),
        "package": row.package,
        "address": without_secrets(options.address),
        "key": key_source(options),
        "settings": _shown(options.settings),
        "parameters": _shown(options.parameters),
        "headers": ", ".join(options.headers),
        "model there": options.model,
        "files": ", ".join(map(str, options.files)),
        "models": ", ".join(m.id for m in store.list() if m.engine == row.name),
    }


def places(store: ModelStore, name: str) -> list[EngineOptions]:
    """The options for each address of an engine: its own, and those that models have instead.

    Without a key its own is left out if there is another.
    """
    options = store.engine_options(name)
    named = [model for model in store.list() if model.engine == canonical(options.name)]
    found = {there.address: there for there in map(options.at, named)}
    found.pop(options.address, None)
    alone = not found or _state(options)[0] == "ready"
    return [*([options] if alone else []), *found.values()]


async def offered(
    engine: Engine, places: Sequence[EngineOptions]
) -> dict[str, list[str] | errors.JanError]:
    """What each address offers, by its name, or why it does not tell."""
    found: dict[str, list[str] | errors.JanError] = {}
    for options in places:
        if not engine.local:
            stay_here(f"Engine {options.name}", options.address)
        asked = type(engine)(options, engine.notify)
        try:
            found[options.address] = await asked.models()
        except errors.JanError as error:
            if len(places) == 1:
                raise
            found[options.address] = error
        finally:
            await asked.close()
    return found


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where the key of an engine comes from; empty if it has none. `hint`: how to give it one.

    `host` is where it goes, if that is not the engine's own.
    """

    engine: str
    source: str
    hint: str = ""
    host: str = ""


def key_places(store: ModelStore) -> list[KeyPlace]:
    """Where each engine's key comes from, for those that have one or need one.

    Also for the addresses that models have for themselves.
    """
    places: dict[tuple[str, str], KeyPlace] = {}
    everywhere = [store.engine_options(name) for name in names(store)]
    everywhere += [store.engine_options(m).at(m) for m in store.list() if "base_url" in m.settings]
    for options in everywhere:
        source = key_source(options)
        if source or options.needs_key():
            hint = "" if source else options.key_hint
            host = "" if options.is_at_home else host_of(options.address)
            one = KeyPlace(options.key_name, source, hint, host)
            places.setdefault((options.key_name, host), one)
    return sorted(places.values(), key=lambda place: not place.source)


def key_source(options: EngineOptions) -> str:
    """Where the key of an engine comes from; empty if it has none."""
    if found := options.found_key():
        return found.source
    secret = [name for name in options.headers if is_secret_name(name)]
    return f"header {secret[0]} of {options.files[0]}" if secret and options.files else ""


def _shown(values: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name}={'…' if is_secret_name(name) else json.dumps(value, ensure_ascii=False)}"
        for name, value in values.items()
    )
