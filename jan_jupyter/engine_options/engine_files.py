"""What is set for an engine: Jan's and our engine files, over the built-in rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from ..errors import ModelBroken
from ..ownership import why_not_ours
from ..parameters import PROGRAMS, SETTINGS, collect, settings_and_parameters
from ..reading import fit, is_absent, mapping, text
from ..redaction import Address, Secret, without_secrets
from ..types import EMPTY
from ..watch import Look, Watch
from . import azure
from .engine_rows import DATA, canonical, default_engine, known_engines, plugin_engines
from .keys import allowed, key_file, real_key
from .options import Door, EngineOptions, merged


def is_placeholder(address: str) -> bool:
    """Whether something in an address is still to be filled in: `<port>`, `{{base_url}}` …"""
    return re.search(r"<[^<>]*>|\{[^{}]*\}", address) is not None


_COHERE = re.compile(r"(https?://api\.cohere\.(?:ai|com))/v\d(?:/chat)?/?")


def _in_openais_shape(base_url: str, full_url: str) -> tuple[str, str]:
    """Cohere's address for OpenAI's shape, where a file has that for its own (as Jan's do)."""
    if native := _COHERE.fullmatch(full_url or base_url):
        return f"{native[1]}/compatibility/v1", ""
    return base_url, full_url


def read_engine_options(
    name: str, data_folders: Sequence[Path], look: Look | None = None
) -> EngineOptions:
    """The options of the engine written `name`, from the data folders in order of precedence.

    In each: our `engines/<name>/engine.json`, Jan's `engines/<name>.json`, the settings of Jan's
    extension; below all of them the built-in row. A file that cannot be read is a warning.
    """
    name = name.strip() or default_engine()
    look = look or Look(Watch())
    folder = next(iter(data_folders), None)
    look.see(str(key_file(folder)))
    read = _Read()
    for path, own, parse in _engine_files(name, data_folders, look):
        read.add(path, own, parse, look)

    written = name.lower()
    kind, address = _kind_and_address(written, read)
    built_in = ""
    if (row := known_engines().get(kind)) is not None:
        built_in = row.base_url
        address = address or (built_in, "")
        read.layers.append(_Layer(row.settings, row.parameters))
        read.doors.append(Door(DATA / "engines.json", True, built_in, variable=row.api_key_env))
    base_url, full_url = address or ("", "")
    theirs = next((door.address for door in read.doors if door.own and door.address), "")
    is_free = canonical(written) not in known_engines()
    return EngineOptions(
        name=written,
        kind=kind,
        settings=merged(layer.settings for layer in read.layers),
        parameters=merged(layer.parameters for layer in read.layers),
        base_url=Address(base_url),
        full_url=Address(full_url),
        home=Address(theirs if is_free else built_in or theirs),
        doors=tuple(door for door in read.doors if door.address or door.names),
        allowed=allowed(folder),
        folder=folder,
        model=next((layer.model for layer in read.layers if layer.model), ""),
        files=tuple(read.files),
        warnings=tuple(read.warnings),
        refused=read.refused,
    )


def _kind_and_address(written: str, read: _Read) -> tuple[str, tuple[str, str] | None]:
    """Which engine it is, and its `base_url` and `full_url`; `None` where no file says one."""
    layers = read.layers
    address = next((a for layer in layers if any(a := (layer.base_url, layer.full_url))), None)
    kind = canonical(next((layer.engine for layer in layers if layer.engine), written))
    if read.files and kind == written and kind not in {*known_engines(), *plugin_engines()}:
        kind = "openai"  # what nearly every other server speaks
        address = address or ("", "")
    if address and kind == "cohere":
        address = _in_openais_shape(*address)
    if address:
        kind = azure.kind_at(kind, "".join(address))
    if address and is_placeholder("".join(address)):
        shown = without_secrets(address[1] or address[0])
        read.warnings.append(f"{written}: {shown} is not filled in")
        address = ("", "")  # and not the built-in one: the user means another server
    return kind, address


def written_engines(data_folders: Sequence[Path]) -> list[str]:
    """The names, as written, that have an engine file of their own."""
    names: dict[str, None] = {}
    for folder in data_folders:
        files = [
            *((path.parent.name, path) for path in sorted(folder.glob("engines/*/engine.json"))),
            *((path.stem, path) for path in sorted(folder.glob("engines/*.json"))),
        ]
        names |= dict.fromkeys(name for name, path in files if path.is_file())
    return [*names]


@dataclass(slots=True)
class _Layer:
    """What one file sets."""

    settings: Mapping[str, Any] = EMPTY
    parameters: Mapping[str, Any] = EMPTY
    base_url: str = ""
    full_url: str = ""
    api_key: str = field(default="", repr=False)
    api_key_env: str = ""
    headers: Mapping[str, str] = field(default=EMPTY, repr=False)
    model: str = ""
    engine: str = ""

    def door(self, file: Path, own: bool) -> Door:
        """What it says of its address, and of what opens the door there."""
        address = Address(self.full_url or self.base_url)
        headers = tuple(self.headers.items())
        return Door(file, own, address, self.api_key, self.api_key_env, headers)


Parse = Callable[[Any, list[str]], _Layer]


@dataclass(slots=True)
class _Read:
    """What the files of one engine say together, the best first."""

    files: list[Path] = field(default_factory=list)
    layers: list[_Layer] = field(default_factory=list)
    doors: list[Door] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    def add(self, path: Path, own: bool, parse: Parse, look: Look) -> None:
        """Read one more file; one that cannot be read is a warning."""
        found: list[str] = []
        try:
            self.layers.append(layer := parse(look.read(str(path)), found))
            for setting in sorted(PROGRAMS & layer.settings.keys()):
                for part in (real := path.resolve(), *real.parents, *path.parents):
                    look.see(str(part))
                if why := why_not_ours(path) if own else "the file is not yours":
                    layer.settings = {k: v for k, v in layer.settings.items() if k != setting}
                    found.append(f"{setting} is not taken: {why}")
                    self.refused |= {setting: f"{path}: {found[-1]}"} if own else {}
            self.files.append(path)
            self.doors.append(layer.door(path, own))
        except ModelBroken as error:
            self.warnings.append(str(error))
        self.warnings += [f"{path}: {warning}" for warning in found]


def _engine_files(
    name: str, data_folders: Sequence[Path], look: Look
) -> Iterator[tuple[Path, bool, Parse]]:
    """The files that exist for an engine, whether they are the user's own, and how to read each.

    The best come first, and the first folder is the user's: the others are Jan's.

    A name is looked up as written, then canonical, then in its other spellings; the first spelling
    that has a file is taken alone, so that one server's key never meets another's address.
    """
    spellings = dict.fromkeys([name, name.lower(), canonical(name)])
    if row := known_engines().get(canonical(name)):
        spellings |= dict.fromkeys(row.aliases)
    names = [spelling for spelling in spellings if _FILE_NAME.fullmatch(spelling)]
    for own, folder in zip(chain([True], repeat(False)), data_folders, strict=False):
        for spelling in names:
            engines = folder / "engines"
            paths = [engines / spelling / "engine.json", engines / f"{spelling}.json"]
            if found := [path for path in paths if look.is_file(str(path))]:
                yield from ((path, own, _engine_json) for path in found)
                break
        for spelling in names:
            extension = f"inference-{spelling.replace('_', '-')}-extension"
            path = folder / "settings" / "@janhq" / extension / "settings.json"
            if look.is_file(str(path)):
                yield path, own, _extension_settings
                break


_FILE_NAME = re.compile(r"[^/\\:\0.][^/\\:\0]{0,99}")
_LOAD_NAMES = {name: cast for name, cast in SETTINGS.items() if name != "base_url"}


def _engine_json(raw: Any, warnings: list[str]) -> _Layer:
    """An engine file, or Jan's definition of a remote engine or of a provider."""
    if isinstance(raw, list):  # a list of models that bears the engine's name
        return _Layer()
    raw = mapping(raw, "the file", warnings)
    settings, parameters = settings_and_parameters(
        mapping(raw.get("settings"), "settings", warnings),
        mapping(raw.get("parameters"), "parameters", warnings),
        warnings,
    )
    headers = _headers(raw, warnings)

    def word(name: str, value: Any = None) -> str:
        return (fit(raw.get(name) if value is None else value, text, name, warnings) or "").strip()

    def secret(name: str, value: Any) -> str:  # no warning may show it
        if is_absent(value):
            return ""
        if not isinstance(value, str):
            warnings.append(f"{name}: is not text; ignored")
            return ""
        return Secret(value.strip())

    base_url = word("base_url") or settings.pop("base_url", "")
    full_url = word("full_url") or word("url", _transformed(raw) or "")
    if base_url:
        full_url = full_url.replace("{{base_url}}", base_url.rstrip("/"))
    provider = word("provider") or "-"
    return _Layer(
        settings={
            **collect(raw, _LOAD_NAMES, warnings),
            **({"llama": raw["llama"]} if "llama" in raw else {}),
            **settings,
        },
        parameters=parameters,
        base_url=base_url,
        full_url=full_url,
        api_key=real_key(secret("api_key", raw.get("api_key"))),
        api_key_env=word("api_key_env"),
        headers={k: v for k in headers if (v := secret("headers", headers[k]))},
        model=word("model"),
        engine=word("engine") or (provider if canonical(provider) in known_engines() else ""),
    )


def _headers(raw: Mapping[str, Any], warnings: list[str]) -> Mapping[str, Any]:
    """The headers of an engine file, also those that are written as a list of pairs."""
    headers = mapping(raw.get("headers"), "headers", warnings)
    custom = raw.get("custom_header")
    entries = [e for e in custom if isinstance(e, Mapping)] if isinstance(custom, list) else []
    named = {str(entry["header"]): entry.get("value") for entry in entries if "header" in entry}
    return {**named, **headers}


def _transformed(raw: Mapping[str, Any]) -> Any:
    """The address in a definition of cortex."""
    definition: Any = raw
    for key in ("metadata", "transform_req", "chat_completions", "url"):
        definition = definition.get(key) if isinstance(definition, Mapping) else None
    return definition


def _extension_settings(raw: Any, warnings: list[str]) -> _Layer:
    """The settings of one of Jan's extensions: a list of controls."""
    values: dict[str, Any] = {}
    for entry in raw if isinstance(raw, list) else []:
        if isinstance(entry, Mapping) and isinstance(key := entry.get("key"), str):
            control = mapping(entry.get("controllerProps"), key, warnings)
            values[key] = control.get("value")
    if not isinstance(raw, list):
        warnings.append("is not a list; ignored")
    set_values = {key: value for key, value in values.items() if not is_absent(value)}
    layer = _Layer(settings=collect(set_values, _LOAD_NAMES, warnings))
    for key, value in set_values.items():
        if not isinstance(value, str):
            continue
        if key.endswith("-api-key"):
            layer.api_key = real_key(value.strip())
        elif key == "chat-completions-endpoint":
            layer.full_url = value.strip()
        elif key == "openrouter-model":
            layer.model = value.strip()
    return layer
