"""The options of one engine, and which key may go to which address."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ..addresses import host_of, hosts_of, is_own_server, is_same_host
from ..errors import EngineUnavailable
from ..types import EMPTY
from . import azure, keys
from .engine_rows import EngineRow, canonical, known_engines

if TYPE_CHECKING:
    from .tokens import Provider


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
        keys.real_key(key) if isinstance(key, str) else "",
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
    folder: Path | None = None
    """The data folder whose keys count; `None`: our own."""
    model: str = ""
    files: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()
    refused: Mapping[str, str] = EMPTY
    """Settings of the user's own file that others may change, and why they are not taken."""

    def program(self, setting: str) -> str:
        """What the user's own file says is to be run, or nothing. Raises `EngineUnavailable`."""
        return str(self.own(setting) or "")

    def own(self, setting: str) -> Any:
        """What the user's own file sets where nobody else may (see `parameters.PROGRAMS`)."""
        if line := self.refused.get(setting):
            raise EngineUnavailable(f"{line}.", engine=self.name)
        return self.settings.get(setting)

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
        return merged(dict(door.headers) for door in self._usable)

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
        return self.api_key_env or keys.key_variable(self.key_name)

    def key(self) -> str | None:
        """The key to send, if there is one."""
        found = self.found_key()
        return found.secret if found else None

    @property
    def key_at_hand(self) -> bool:
        """Whether finding the key takes no look into a file or a keyring."""
        return self._key_at_hand() is not None

    def found_key(self) -> keys.Key | None:
        """The same, with where it is from. Raises `SettingsError`.

        What stands beside the address, else the user's: from the environment, kept for its host,
        kept for the engine, in a file without an address.
        """
        name = self.key_name
        if (found := self._key_at_hand()) is not None:
            return found
        if self.address and (found := keys.key_for_host(name, self.address, self.folder)):
            return found
        if not self.is_at_home:
            return None
        file = next((door.file for door in self._usable if door.api_key), None)
        return keys.find_key(
            name,
            variable=self.key_variable,
            written=self.api_key,
            file=file,
            folder=self.folder,
        )

    def _key_at_hand(self) -> keys.Key | None:
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
        found = (tokens.provider(name, self.folder) for name in (self.key_name, *spellings))
        return next(filter(None, found), None) if self._may_take_tokens else None

    @property
    def _may_take_tokens(self) -> bool:
        """Whether the user knows the address: it is at home, or in a file of the user's own."""
        return self.is_at_home or any(door.own and door.address for door in self._beside())


_KEY_HEADERS = {"authorization", "api-key", "x-api-key"}


def merged(layers: Iterator[Mapping[str, Any]]) -> Mapping[str, Any]:
    merged: dict[str, Any] = {}
    for layer in layers:
        merged = {**layer, **merged}
    return merged
