"""What is set for an engine: Jan's and our engine files, over the built-in rows (spec §§6, 8)."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from ..addresses import host_of, hosts_of, is_own_server, is_same_host
from ..errors import EngineUnavailable, ModelBroken
from ..ownership import why_not_ours
from ..parameters import PROGRAMS, SETTINGS, collect, settings_and_parameters
from ..reading import fit, is_absent, mapping, text
from ..types import EMPTY
from ..watch import Look, Watch
from . import azure

if TYPE_CHECKING:
    from .keys import Key
    from .tokens import Provider

DATA = Path(__file__).parent.parent / "data"

# Rows -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EngineRow:
    """One engine that we know, from `data/engines.json`.

    `speaks` names the engine class that serves it. `settings` and `parameters` are built-in
    defaults. `needs_key`: it answers nobody without one (unless it runs on an own server). `loads`
    is what a local one takes from a disk: one GGUF, or a whole folder. `rules` say which parameters
    its own servers take (`engines/rules.py`).
    """

    name: str
    kind: Literal["local", "remote", "unsupported"]
    speaks: str
    aliases: tuple[str, ...] = ()
    base_url: str = ""
    api_key_env: str = ""
    needs_key: bool = False
    loads: Literal["gguf", "folder", ""] = ""
    settings: Mapping[str, Any] = EMPTY
    parameters: Mapping[str, Any] = EMPTY
    rules: tuple[Mapping[str, Any], ...] = ()


@cache
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


@cache
def _canonical_names() -> Mapping[str, str]:
    rows = known_engines().values()
    return {spelling: row.name for row in rows for spelling in (row.name, *row.aliases)}


def canonical(name: str | None) -> str:
    """The canonical name of an engine (spec §6); an unknown one in lower case."""
    written = (name or "").strip().lower()
    return _canonical_names().get(written, written) or default_engine()


@cache
def default_engine() -> str:
    """The engine of a model that names none: what lies here is a GGUF, so one that loads those."""
    return next(row.name for row in known_engines().values() if row.loads == "gguf")


def loads(engine: str) -> str:
    """What an engine, by its canonical name, loads from a disk: `gguf`, `folder`, or nothing."""
    row = known_engines().get(engine)
    return row.loads if row else ""


def plugin_engines() -> set[str]:
    """The names under which installed packages offer engines; none is imported."""
    from .plugins import plugins

    return {plugin.name for plugin in plugins()}


# Options ----------------------------------------------------------------------------------------


class Door(NamedTuple):
    """What one description says of an address, and of what opens the door there.

    Without an address it is about the engine's own. `own`: the user has written it; what was
    pulled, imported or found in another program's folder is not.
    """

    file: Path
    own: bool
    address: str = ""
    api_key: str = ""
    variable: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> list[str]:
        """What it would send: the variable, and `api_key` for what stands in it itself."""
        given = "api_key" if self.api_key or self.headers else ""
        return [name for name in (self.variable, given) if name]


class Described(Protocol):
    """What is looked at of a model: its description."""

    @property
    def settings(self) -> Mapping[str, Any]: ...
    @property
    def raw(self) -> Mapping[str, Any]: ...
    @property
    def path(self) -> Path: ...
    @property
    def own(self) -> bool: ...


def door_of(
    settings: Mapping[str, Any], raw: Mapping[str, Any], file: Path, own: bool
) -> Door | None:
    """What a model's description says of an address of its own; `None` if it has none."""
    if not (address := settings.get("base_url", "")):
        return None
    written = raw.get("settings")
    key = written.get("api_key") if isinstance(written, Mapping) else None
    variable = settings.get("api_key_env")
    return Door(
        file,
        own,
        address,
        _real_key(key) if isinstance(key, str) else "",
        variable if isinstance(variable, str) else "",
    )


@dataclass(frozen=True)
class EngineOptions:
    """The options of one engine, merged field by field; an empty text is "not set".

    `name` is as written (lower case), `kind` the canonical engine that serves it. `settings` and
    `parameters` hold what files and built-in rows set. `full_url` is the whole address of the chat
    request, `base_url` the one that the engine adds its path to; both come from one place. `home`
    is the engine's own address: the built-in one, or for a server that only the user knows that of
    the user's own file. `doors` say what opens which address, the first one wins; `allowed` what
    (a variable) those that are not the user's may send where (a host). `files` are those that were
    read.

    Keys, headers and tokens hold for `address` alone; `at` gives the options for the address that
    a model has for itself. Nothing else decides what is sent where.
    """

    name: str
    kind: str
    settings: Mapping[str, Any] = EMPTY
    parameters: Mapping[str, Any] = EMPTY
    base_url: str = ""
    full_url: str = ""
    home: str = ""
    doors: tuple[Door, ...] = field(default=(), repr=False)
    allowed: frozenset[tuple[str, str]] = frozenset()
    model: str = ""
    files: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()
    refused: Mapping[str, str] = EMPTY
    """Settings of the user's own file that others may change, and why they are not taken."""

    def program(self, setting: str) -> str:
        """What the user's own file says is to be run, or nothing. Raises `EngineUnavailable`."""
        if line := self.refused.get(setting):
            raise EngineUnavailable(f"{line}.", engine=self.name)
        return str(self.settings.get(setting) or "")

    @property
    def address(self) -> str:
        """Where requests go; empty if that is not configured."""
        return self.full_url or self.base_url

    def at(self, place: Described | Door | None) -> EngineOptions:
        """The options for the address of a model: its own, else the engine's."""
        if place is not None and not isinstance(place, Door):
            place = door_of(place.settings, place.raw, place.path, place.own)
        if place is None:
            return self
        return replace(
            self,
            kind=azure.kind_at(self.kind, place.address),
            base_url=place.address,
            full_url="",
            doors=(place, *self.doors),
        )

    def incomplete(self, settings: Mapping[str, Any]) -> str:
        """What the address of a model with these settings lacks, as one line; empty if nothing."""
        if self.kind != azure.KIND:
            return ""
        version = str(settings.get("api_version") or self.settings.get("api_version") or "")
        return azure.missing(self.full_url or azure.chat_address(self.base_url, "name", version))

    @property
    def row(self) -> EngineRow | None:
        """The built-in row of its kind; `None` for an engine that only a plug-in knows."""
        return known_engines().get(self.kind)

    @property
    def key_name(self) -> str:
        """The name under which its key is kept: a server with a free name has a key of its own."""
        return self.kind if canonical(self.name) in known_engines() else self.name

    # What opens the door ------------------------------------------------------------------------

    @cached_property
    def is_at_home(self) -> bool:
        """Whether requests go to the engine's own host, for which the user's key was made."""
        return not self.address or is_same_host(self.address, self.home)

    def _beside(self) -> Iterator[Door]:
        """What is said of this address, wherever: nothing else may open it."""
        for door in self.doors:
            if is_same_host(door.address, self.address) if door.address else self.is_at_home:
                yield door

    def _barred(self, door: Door) -> list[str]:
        """What a file that is not the user's may not have sent here."""
        from . import keys

        if door.own:
            return []
        if self.is_at_home:
            return [n for n in door.names if n == door.variable and not keys.is_key_variable(n)]
        hosts = hosts_of(self.address)
        return [n for n in door.names if not any((n, host) in self.allowed for host in hosts)]

    @cached_property
    def _usable(self) -> Sequence[Door]:
        return [*self._find_usable()]

    def _find_usable(self) -> Iterator[Door]:
        for door in self._beside():
            barred = self._barred(door)
            if door.variable in barred:
                door = door._replace(variable="")
            if "api_key" in barred:
                door = door._replace(api_key="", headers=())
            yield door

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """The headers that files give for this address."""
        return _merged(dict(door.headers) for door in self._usable)

    @property
    def api_key(self) -> str:
        """The key that a file gives for this address; never a placeholder."""
        return next((door.api_key for door in self._usable if door.api_key), "")

    @property
    def api_key_env(self) -> str:
        """The variable that a file names for this address."""
        return next((door.variable for door in self._usable if door.variable), "")

    @property
    def key_variable(self) -> str:
        """The environment variable that may hold its key."""
        from . import keys

        return self.api_key_env or keys.key_variable(self.key_name)

    def key(self) -> str | None:
        """The key to send, if there is one."""
        found = self.found_key()
        return found.secret if found else None

    @property
    def key_at_hand(self) -> bool:
        """Whether finding the key takes no look into a file or a keyring."""
        return self._key_at_hand() is not None

    def found_key(self) -> Key | None:
        """The same, with where it is from. Raises `SettingsError`.

        What stands beside the address, else the user's: from the environment, kept for its host,
        kept for the engine, in a file without an address.
        """
        from . import keys

        name = self.key_name
        if (found := self._key_at_hand()) is not None:
            return found
        if self.address and (found := keys.key_for_host(name, self.address)):
            return found
        if not self.is_at_home:
            return None
        file = next((door.file for door in self._usable if door.api_key), None)
        return keys.find_key(name, variable=self.key_variable, written=self.api_key, file=file)

    def _key_at_hand(self) -> Key | None:
        from . import keys

        name = self.key_name
        for door in self._usable:
            if door.address:
                in_variable = door.variable and keys.of_environment(name, door.variable)
                if found := in_variable or keys.of_file(name, door.api_key, door.file):
                    return found
        variable = keys.key_variable(name)
        beside = os.environ.get(re.sub("_API_KEY$", "_BASE_URL", variable), "")
        if self.is_at_home:
            return keys.of_environment(name, self.key_variable)
        return keys.of_environment(name, variable) if is_same_host(beside, self.address) else None

    @property
    def key_hint(self) -> str:
        """How to give it a key."""
        from . import keys

        host = host_of(self.address)
        at_home = self.is_at_home
        command = f"`%jan keys set {self.key_name}{'' if at_home else f' --for {host}'}`"
        for door in self._beside():
            for name in filter(keys.is_key_variable, self._barred(door)):
                what = "holds a key" if name == "api_key" else f"names {name}"
                return (
                    f"{door.file} {what} for {host}, and is not yours: `%jan keys allow {name}"
                    f" {host}` lets it, or run {command}"
                )
        if at_home or self.api_key_env:
            return f"set {self.key_variable} in the environment, or run {command}"
        return (
            f"none goes to {host} by itself: run {command}, or name the variable beside the address"
            " (`api_key_env`)"
        )

    @property
    def other_key_hint(self) -> str:
        """How to give it another key than the one that was refused, or a first one; a sentence."""
        found = self.found_key()
        if found is None:
            return f"{self.key_hint[:1].upper()}{self.key_hint[1:]}."
        if found.source in {str(door.file) for door in self._usable}:
            return f"It is `api_key` of {found.source}: mend it there."
        if found.source.startswith("environment"):
            return f"It is from the {found.source}: set another one there."
        engine, at, host = found.name.partition("@")
        command = f"%jan keys set {engine}{f' --for {host}' if at else ''}"
        return f"It is from {found.source}: `{command}` replaces it."

    def needs_key(self) -> bool:
        """Whether requests to its address make no sense without a key."""
        if self.row is None or not self.row.needs_key or self.has_token:
            return False
        if is_own_server(self.address):
            return False
        if any(name.lower() in _KEY_HEADERS for name in self.headers):
            return False
        if self.key_name != self.kind:  # whether somebody's server wants one, only they know
            said = any(door.variable or self._barred(door) for door in self._beside())
            return said or self.address == self.row.base_url
        return True

    @property
    def has_token(self) -> bool:
        """Whether its requests carry a token instead of a key."""
        return self.has_entra or self.token_provider is not None

    @property
    def has_entra(self) -> bool:
        """Whether that is one of Entra's."""
        entra = self.kind == azure.KIND and self.settings.get("auth") == "entra"
        return entra and self._may_take_tokens

    @property
    def token_provider(self) -> Provider | None:
        """What gives the tokens, if somebody has set it."""
        from . import tokens

        spellings = self.row.aliases if self.row and self.key_name == self.kind else ()
        found = (tokens.provider(name) for name in (self.key_name, *spellings))
        return next(filter(None, found), None) if self._may_take_tokens else None

    @property
    def _may_take_tokens(self) -> bool:
        """Whether the user knows the address: it is at home, or in a file of the user's own."""
        return self.is_at_home or any(door.own and door.address for door in self._beside())


_KEY_HEADERS = {"authorization", "api-key", "x-api-key"}


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
    from ..redaction import Address, without_secrets
    from .keys import allowed, key_file

    name = name.strip() or default_engine()
    look = look or Look(Watch())
    look.see(str(key_file()))
    files: list[Path] = []
    warnings: list[str] = []
    layers: list[_Layer] = []
    doors: list[Door] = []
    refused: dict[str, str] = {}
    for path, own, parse in _engine_files(name, data_folders, look):
        found: list[str] = []
        try:
            layers.append(layer := parse(look.read(str(path)), found))
            for setting in sorted(PROGRAMS & layer.settings.keys()):
                for part in (real := path.resolve(), *real.parents, *path.parents):
                    look.see(str(part))
                if why := why_not_ours(path) if own else "the file is not yours":
                    layer.settings = {k: v for k, v in layer.settings.items() if k != setting}
                    found.append(f"{setting} is not taken: {why}")
                    refused |= {setting: f"{path}: {found[-1]}"} if own else {}
            files.append(path)
            doors.append(layer.door(path, own))
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
    if address:
        kind = azure.kind_at(kind, "".join(address))
    if address and is_placeholder("".join(address)):
        shown = without_secrets(address[1] or address[0])
        warnings.append(f"{written}: {shown} is not filled in")
        address = ("", "")  # and not the built-in one: the user means another server
    row = known_engines().get(kind)
    built_in = row.base_url if row else ""
    if row is not None:
        address = address or (row.base_url, "")
        layers.append(_Layer(row.settings, row.parameters))
        doors.append(Door(DATA / "engines.json", True, built_in, variable=row.api_key_env))
    theirs = next((door.address for door in doors if door.own and door.address), "")
    is_free = canonical(written) not in known_engines()

    return EngineOptions(
        name=written,
        kind=kind,
        settings=_merged(layer.settings for layer in layers),
        parameters=_merged(layer.parameters for layer in layers),
        base_url=Address(address[0] if address else ""),
        full_url=Address(address[1] if address else ""),
        home=Address(theirs if is_free else built_in or theirs),
        doors=tuple(door for door in doors if door.address or door.names),
        allowed=allowed(),
        model=next((layer.model for layer in layers if layer.model), ""),
        files=tuple(files),
        warnings=tuple(warnings),
        refused=refused,
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

    def door(self, file: Path, own: bool) -> Door:
        """What it says of its address, and of what opens the door there."""
        from ..redaction import Address

        address = Address(self.full_url or self.base_url)
        headers = tuple(self.headers.items())
        return Door(file, own, address, self.api_key, self.api_key_env, headers)


Parse = Callable[[Any, list[str]], _Layer]


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
    """An engine file (spec §8.1), a remote engine definition or a provider (§8.3)."""
    if isinstance(raw, list):  # a list of models that bears the engine's name
        return _Layer()
    raw = mapping(raw, "the file", warnings)
    settings, parameters = settings_and_parameters(
        mapping(raw.get("settings"), "settings", warnings),
        mapping(raw.get("parameters"), "parameters", warnings),
        warnings,
    )
    from ..redaction import Secret

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
    from ..redaction import Secret
    from .keys import is_placeholder as is_no_key

    return "" if is_no_key(value) else Secret(value)
