"""What is set for an engine: Jan's and our engine files, over the built-in rows (spec §§6, 8)."""

from __future__ import annotations

import functools
import ipaddress
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from ..errors import ModelBroken
from ..types import EMPTY
from .reading import fit, is_absent, mapping, read_json, text
from .schema import SETTINGS, collect, settings_and_parameters

if TYPE_CHECKING:
    from ..keys import Key
    from ..tokens import Provider

DATA = Path(__file__).parent.parent / "data"

# Rows -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EngineRow:
    """One engine that we know, from `data/engines.json`.

    `speaks` names the engine class that serves it. `settings` and `parameters` are built-in
    defaults. `needs_key`: it answers nobody without one (unless it runs on an own server). `rules`
    say which parameters its own servers take (`engines/rules.py`).
    """

    name: str
    kind: Literal["local", "remote", "unsupported"]
    speaks: str
    aliases: tuple[str, ...] = ()
    base_url: str = ""
    api_key_env: str = ""
    needs_key: bool = False
    settings: Mapping[str, Any] = EMPTY
    parameters: Mapping[str, Any] = EMPTY
    rules: tuple[Mapping[str, Any], ...] = ()


@functools.cache
def known_engines() -> Mapping[str, EngineRow]:
    """The engines that we know, by canonical name."""
    rows: dict[str, dict[str, Any]] = json.loads((DATA / "engines.json").read_text("utf-8"))
    return {
        name: EngineRow(
            **{"name": name, "speaks": name, "needs_key": row["kind"] == "remote", **row}
            | {name: tuple(row.get(name, ())) for name in ("aliases", "rules")}
        )
        for name, row in rows.items()
    }


@functools.cache
def _canonical_names() -> Mapping[str, str]:
    rows = known_engines().values()
    return {spelling: row.name for row in rows for spelling in (row.name, *row.aliases)}


def canonical(name: str | None) -> str:
    """The canonical name of an engine (spec §6); an unknown one in lower case."""
    written = (name or "").strip().lower()
    return _canonical_names().get(written, written) or "nitro"


def plugin_engines() -> set[str]:
    """The names under which installed packages offer engines; none is imported."""
    from .plugins import plugins

    return {plugin.name for plugin in plugins()}


# Options ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """The options of one engine, merged field by field; an empty text is "not set".

    `name` is as written (lower case), `kind` the canonical engine that serves it. `settings` and
    `parameters` hold what files and built-in rows set. `full_url` is the whole address of the chat
    request, `base_url` the one that the engine adds its path to; both come from one place.
    `api_key` comes from `api_key_file` and is never a placeholder. `files` are those that were
    read.
    """

    name: str
    kind: str
    settings: Mapping[str, Any] = EMPTY
    parameters: Mapping[str, Any] = EMPTY
    base_url: str = ""
    full_url: str = ""
    api_key: str = field(default="", repr=False)
    api_key_file: Path | None = None
    api_key_env: str = ""
    headers: Mapping[str, str] = field(default=EMPTY, repr=False)
    model: str = ""
    files: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """Where requests go; empty if that is not configured."""
        return self.full_url or self.base_url

    @property
    def row(self) -> EngineRow | None:
        """The built-in row of its kind; `None` for an engine that only a plug-in knows."""
        return known_engines().get(self.kind)

    @property
    def key_name(self) -> str:
        """The name under which its key is kept: a server with a free name has a key of its own."""
        return self.kind if canonical(self.name) in known_engines() else self.name

    def key(self) -> str | None:
        """The key to send, if there is one."""
        found = self.found_key()
        return found.secret if found else None

    def found_key(self) -> Key | None:
        """The same, with where it is from. Raises `SettingsError`.

        A key that a file gives together with an address belongs to that address: nobody else's key
        is sent there.
        """
        from .. import keys

        written, file = self.api_key, self.api_key_file
        if written and (self.row is None or self.address != self.row.base_url):
            return keys.of_file(self.key_name, written, file)
        variable = self.api_key_env or None
        return keys.find_key(self.key_name, variable=variable, written=written, file=file)

    @property
    def key_at_hand(self) -> bool:
        """Whether finding the key takes no look into a file or a keyring."""
        beside = self.api_key and (self.row is None or self.address != self.row.base_url)
        return bool(beside or os.environ.get(self.key_variable))

    @property
    def key_hint(self) -> str:
        """How to give it a key."""
        return f"set {self.key_variable} in the environment, or run `%jan keys set {self.key_name}`"

    @property
    def other_key_hint(self) -> str:
        """How to give it another key than the one that was refused, or a first one; a sentence."""
        found = self.found_key()
        if found is None:
            return f"{self.key_hint[:1].upper()}{self.key_hint[1:]}."
        if found.source == str(self.api_key_file):
            return f"It is `api_key` of {found.source}: mend it there."
        if found.source.startswith("environment"):
            return f"It is from the {found.source}: set another one there."
        return f"It is from {found.source}: `%jan keys set {self.key_name}` replaces it."

    @property
    def key_variable(self) -> str:
        """The environment variable that may hold its key."""
        from .. import keys

        return self.api_key_env or keys.key_variable(self.key_name)

    def needs_key(self, address: str = "") -> bool:
        """Whether requests to `address` (default: its own) make no sense without a key."""
        address = address or self.address
        if self.row is None or not self.row.needs_key or is_own_server(address) or self.has_token:
            return False
        if any(name.lower() in _KEY_HEADERS for name in self.headers):
            return False
        if self.key_name != self.kind:  # whether somebody's server wants one, only they know
            return bool(self.api_key_env) or address == self.row.base_url
        return True

    @property
    def has_token(self) -> bool:
        """Whether its requests carry a token instead of a key."""
        entra = self.kind == "azure-openai" and self.settings.get("auth") == "entra"
        return entra or self.token_provider is not None

    @property
    def token_provider(self) -> Provider | None:
        """What gives the tokens, if somebody has set it."""
        from .. import tokens

        spellings = self.row.aliases if self.row and self.key_name == self.kind else ()
        found = (tokens.provider(name) for name in (self.key_name, *spellings))
        return next(filter(None, found), None)


_KEY_HEADERS = {"authorization", "api-key", "x-api-key"}


def is_own_server(address: str) -> bool:
    """Whether an address is on this machine or in the local network."""
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return False
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        return bool(host) and ("." not in host or host.endswith((".localhost", ".local", ".lan")))
    return number.is_private or number.is_loopback or number.is_unspecified


def is_placeholder(address: str) -> bool:
    """Whether something in an address is still to be filled in: `<port>`, `{{base_url}}` …"""
    return re.search(r"<[^<>]*>|\{[^{}]*\}", address) is not None


_COHERE = re.compile(r"(https?://api\.cohere\.(?:ai|com))/v\d(?:/chat)?/?")


def _in_openais_shape(base_url: str, full_url: str) -> tuple[str, str]:
    """Cohere's address for OpenAI's shape, where a file has that for its own (as Jan's do)."""
    if native := _COHERE.fullmatch(full_url or base_url):
        return f"{native[1]}/compatibility/v1", ""
    return base_url, full_url


Read = Callable[[Path], Any]


def read_engine_options(
    name: str, data_folders: Sequence[Path], read: Read = read_json
) -> EngineOptions:
    """The options of the engine written `name`, from the data folders in order of precedence.

    In each: our `engines/<name>/engine.json`, Jan's `engines/<name>.json`, the settings of Jan's
    extension; below all of them the built-in row. A file that cannot be read is a warning.
    """
    name = name.strip() or "nitro"
    files: list[Path] = []
    warnings: list[str] = []
    layers: list[_Layer] = []
    for path, parse in _engine_files(name, data_folders):
        found: list[str] = []
        try:
            layers.append(parse(read(path), found))
            files.append(path)
        except ModelBroken as error:
            warnings.append(str(error))
        warnings += [f"{path}: {warning}" for warning in found]

    written = name.lower()
    address = next((a for layer in layers if any(a := (layer.base_url, layer.full_url))), None)
    kind = canonical(next((layer.engine for layer in layers if layer.engine), written))
    if files and kind == written and kind not in {*known_engines(), *plugin_engines()}:
        kind = "openai"  # what nearly every other server speaks
        address = address or ("", "")
    if address and kind == "cohere":
        address = _in_openais_shape(*address)
    if address and kind == "openai" and ".openai.azure.com" in "".join(address):
        kind = "azure-openai"
    if address and is_placeholder("".join(address)):
        warnings.append(f"{written}: {address[1] or address[0]} is not filled in")
        address = ("", "")  # and not the built-in one: the user means another server
    row = known_engines().get(kind)
    if row is not None:
        address = address or (row.base_url, "")
        layers.append(_Layer(row.settings, row.parameters, api_key_env=row.api_key_env))

    def first(field_name: str) -> str:
        return next((v for layer in layers if (v := getattr(layer, field_name))), "")

    return EngineOptions(
        name=written,
        kind=kind,
        settings=_merged(layer.settings for layer in layers),
        parameters=_merged(layer.parameters for layer in layers),
        base_url=address[0] if address else "",
        full_url=address[1] if address else "",
        api_key=first("api_key"),
        api_key_file=next(
            (f for f, layer in zip(files, layers, strict=False) if layer.api_key), None
        ),
        api_key_env=first("api_key_env"),
        headers=_merged(layer.headers for layer in layers),
        model=first("model"),
        files=tuple(files),
        warnings=tuple(warnings),
    )


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


def _merged(layers: Iterator[Mapping[str, Any]]) -> Mapping[str, Any]:
    merged: dict[str, Any] = {}
    for layer in layers:
        merged = {**layer, **merged}
    return merged


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


Parse = Callable[[Any, list[str]], _Layer]


def _engine_files(name: str, data_folders: Sequence[Path]) -> Iterator[tuple[Path, Parse]]:
    """The files that exist for an engine, with how to read each, best first.

    A name is looked up as written, then canonical, then in its other spellings; the first spelling
    that has a file is taken alone, so that one server's key never meets another's address.
    """
    spellings = dict.fromkeys([name, name.lower(), canonical(name)])
    if row := known_engines().get(canonical(name)):
        spellings |= dict.fromkeys(row.aliases)
    names = [spelling for spelling in spellings if _FILE_NAME.fullmatch(spelling)]
    for folder in data_folders:
        for spelling in names:
            engines = folder / "engines"
            paths = [engines / spelling / "engine.json", engines / f"{spelling}.json"]
            if found := [path for path in paths if os.path.isfile(path)]:
                yield from ((path, _engine_json) for path in found)
                break
        for spelling in names:
            extension = f"inference-{spelling.replace('_', '-')}-extension"
            path = folder / "settings" / "@janhq" / extension / "settings.json"
            if os.path.isfile(path):
                yield path, _extension_settings
                break


_FILE_NAME = re.compile(r"[^/\\:\0.][^/\\:\0]{0,99}")
_LOAD_NAMES = {name: cast for name, cast in SETTINGS.items() if name != "base_url"}


def _engine_json(raw: Any, warnings: list[str]) -> _Layer:
    """An engine file (spec §8.1), a remote engine definition or a provider (§8.3)."""
    if isinstance(raw, list):  # a list of models that bears the engine's name
        return _Layer()
    raw = mapping(raw, "the file", warnings)
    settings, parameters = settings_and_parameters(
        mapping(raw.get("settings"), "settings", warnings),
        mapping(raw.get("parameters"), "parameters", warnings),
        warnings,
    )
    from ..keys import Secret

    headers = mapping(raw.get("headers"), "headers", warnings)
    if isinstance(custom := raw.get("custom_header"), list):
        entries = [entry for entry in custom if isinstance(entry, Mapping)]
        named = {str(entry["header"]): entry.get("value") for entry in entries if "header" in entry}
        headers = {**named, **headers}
    definition: Any = raw
    for key in ("metadata", "transform_req", "chat_completions"):
        definition = definition.get(key) if isinstance(definition, Mapping) else None
    transformed = definition.get("url") if isinstance(definition, Mapping) else None

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
    full_url = word("full_url") or word("url", transformed or "")
    if base_url:
        full_url = full_url.replace("{{base_url}}", base_url.rstrip("/"))
    provider = word("provider") or "-"
    return _Layer(
        settings={**collect(raw, _LOAD_NAMES, warnings), **settings},
        parameters=parameters,
        base_url=base_url,
        full_url=full_url,
        api_key=_real_key(secret("api_key", raw.get("api_key"))),
        api_key_env=word("api_key_env"),
        headers={k: v for k in headers if (v := secret("headers", headers[k]))},
        model=word("model"),
        engine=word("engine") or (provider if canonical(provider) in known_engines() else ""),
    )


def _extension_settings(raw: Any, warnings: list[str]) -> _Layer:
    """The settings of one of Jan's extensions: a list of controls (spec §8.2)."""
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
            layer.api_key = _real_key(value.strip())
        elif key == "chat-completions-endpoint":
            layer.full_url = value.strip()
        elif key == "openrouter-model":
            layer.model = value.strip()
    return layer


def _real_key(value: str) -> str:
    from ..keys import Secret
    from ..keys import is_placeholder as is_no_key

    return "" if is_no_key(value) else Secret(value)
