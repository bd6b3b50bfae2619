"""Who may come in where no Jupyter guards the door: keys, and the names of this host.

A file of keys has a line for each: `NAME KEY [requests=N] [tokens=N] [owner]`, the limits for a
day; or a line with nothing but a key, whose bearer may do all. A key with a name may ask models;
with `owner`, it may do all, too: pull and delete models, read and write threads.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..addresses import is_this_machine
from ..errors import SettingsError
from ..ownership import why_not_ours
from ..redaction import Secret

VARIABLE = "JAN_SERVE_KEY"
SHORTEST = 16
"""Letters of a key: what is shorter can be guessed."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key and what its bearer may do; the key itself is not kept."""

    name: str
    digest: bytes = field(repr=False)
    requests: int | None = None
    tokens: int | None = None
    owner: bool = True


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


class Keys:
    """The keys that open this server; those of a file are read again when it changes."""

    def __init__(self, keys: Iterable[Key], path: Path | None = None) -> None:
        self._keys = (*keys,)
        self._path = path
        self._seen = _state(path)

    def bearer(self, given: str) -> Key | None:
        """Whose key that is. Takes as long whatever is given: every key is compared whole."""
        self._look()
        digest = _digest(given)
        found = [key for key in self._keys if hmac.compare_digest(key.digest, digest)]
        return found[0] if found else None

    def _look(self) -> None:
        if self._path is None or (state := _state(self._path)) == self._seen:
            return
        self._seen = state
        try:
            self._keys = (*_read(self._path),)
        except SettingsError:  # nobody comes in by what can no longer be trusted
            self._keys = ()


def _state(path: Path | None) -> tuple[int, int, int] | None:
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def keys(key_file: str, folder: Path) -> tuple[Keys, str]:
    """The keys of a file, of `JAN_SERVE_KEY`, or of our own making, kept in `folder`.

    The second is what to tell about it; a key is shown when it is made, never again. Raises
    `SettingsError` for a file that others can read, and for keys that can be guessed.
    """
    # Workers and programs are given our variables: not this one.
    given = Secret(os.environ.pop(VARIABLE, ""))
    if key_file:
        path = Path(key_file).expanduser().absolute()
        return Keys(_read(path), path), f"Keys: those in {path}."
    if given:
        return Keys([_key("key", given, VARIABLE)]), f"Key: that of {VARIABLE}."
    path = folder / "serve" / "key"
    if path.exists():
        return Keys(_read(path), path), f"Key: the one in {path}."
    made = Secret("jan-" + secrets.token_urlsafe(32))
    _keep(path, made)
    return Keys(_read(path), path), f"Key, kept in {path} and shown only now: {made!s}"


def _keep(path: Path, key: str) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(key + "\n")
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror or error}.") from None


def _read(path: Path) -> Iterator[Key]:
    """The keys of a file. Raises `SettingsError`, which tells the line but never what it holds."""
    try:
        mode = path.stat().st_mode
        why = why_not_ours(path)
        if not why and os.name == "posix" and stat.S_IMODE(mode) & 0o077:
            why = "others can read it (`chmod 600` mends that)"
        if why:
            raise SettingsError(f"The keys in {path} are not used: {why}.")
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise SettingsError(f"{path} cannot be read: {reason}.") from None
    found: dict[str, Key] = {}
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split()
        if words:
            key = _of_line(words, f"Line {number} of {path}")
            if found.setdefault(key.name, key) is not key:
                raise SettingsError(f"Line {number} of {path} has the name of an earlier one.")
    if not found:
        raise SettingsError(f"There is no key in {path}.")
    yield from found.values()


def _of_line(words: list[str], where: str) -> Key:
    if len(words) == 1:
        return _key("key", words[0], where)
    name, key, *rest = words
    if not re.fullmatch(r"[\w.@-]{1,64}", name):
        raise SettingsError(f"{where}: a name has letters, digits, `.`, `@`, `-` and `_`.")
    limits: dict[str, int] = {}
    for word in rest:
        kind, _, number = word.partition("=")
        if kind in ("requests", "tokens") and number.isdecimal() and len(number) < 16:
            limits[kind] = int(number)
        elif word != "owner":
            raise SettingsError(
                f"{where}: after name and key stand `requests=N`, `tokens=N` and `owner`."
            )
    return _key(name, key, where, owner="owner" in rest, **limits)


def _key(
    name: str,
    key: str,
    where: str,
    *,
    owner: bool = True,
    requests: int | None = None,
    tokens: int | None = None,
) -> Key:
    if len(key) < SHORTEST:
        raise SettingsError(f"{where}: a key has at least {SHORTEST} letters.")
    return Key(name, _digest(key), requests, tokens, owner)


# Names of this host -------------------------------------------------------------------------------


class Hosts:
    """The names that requests may call this host by.

    A page of another site that has its own name lead here (DNS rebinding) calls it by that name.
    """

    def __init__(self, named: Iterable[str] = ()) -> None:
        self._named = frozenset(_bare(name) for name in named)

    def knows(self, host: str) -> bool:
        """Whether a `Host` header, with or without a port, names this host."""
        name = _bare(host)
        return bool(name) and (name in self._named or is_this_machine(name))

    def is_ours(self, origin: str) -> bool:
        """Whether a page of that origin may ask: one of this host, or of no site (programs).

        Programs with windows, like Jan, have pages of their own: `tauri://localhost`, and on
        Windows `http://tauri.localhost`, which no browser looks for anywhere but here.
        """
        site = re.match(r"https?://([^/]*)$", origin, re.IGNORECASE)
        if site is None:
            return origin != "null" and "://" in origin
        return self.knows(site[1]) or _bare(site[1]).endswith(".localhost")


def _bare(host: str) -> str:
    """A host's name without its port, in lower case; empty if it cannot be one."""
    found = re.fullmatch(r"(\[[0-9a-f:.]+\]|[\w.-]+)(:\d{1,5})?", host.strip().lower(), re.ASCII)
    return found[1].rstrip(".") if found else ""
