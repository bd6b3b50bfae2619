"""Keys of engines: where each is found, where it is kept. What is shown is where, never the key.

They are looked for in the environment, the keyring, our `keys.json` (0600) and the engine's file.
A key that is kept for one host alone has the name `ENGINE@HOST`.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..addresses import host_of, hosts_of
from ..errors import SettingsError, UsageError
from ..redaction import Secret
from ..settings import own_data_folder

SERVICE = "jan-jupyter"
"""Our name in the keyring."""

_VARIABLES = {
    "openai": "OPENAI_API_KEY",
    "claude": "ANTHROPIC_API_KEY",
    "azure-openai": "AZURE_OPENAI_API_KEY",
    "hf-endpoints": "HF_TOKEN",
}


@dataclass(frozen=True, slots=True)
class Key:
    """A key, where it was found (for people), and the name under which it was looked for."""

    secret: Secret
    source: str
    name: str = ""


def key_variable(engine: str) -> str:
    """The environment variable that holds the key of an engine, unless its file names another."""
    return _VARIABLES.get(engine) or re.sub(r"\W", "_", engine).upper() + "_API_KEY"


def find_key(
    engine: str,
    *,
    variable: str | None = None,
    written: str = "",
    file: Path | None = None,
    folder: Path | None = None,
) -> Key | None:
    """The key of an engine: environment, then keyring, then our 0600 file, then `written`.

    `variable` overrides the name of the environment variable; `written` is what the engine file
    `file` holds; `folder`, here and below, is the data folder whose 0600 file counts (default: our
    own). Placeholders (`is_placeholder`) count as no key. Raises `SettingsError`.
    """
    return (
        of_environment(engine, variable or key_variable(engine))
        or kept_key(engine, folder)
        or of_file(engine, written, file)
    )


def of_environment(engine: str, variable: str) -> Key | None:
    """The key that a variable of the environment holds."""
    return _found(engine, Secret(os.environ.get(variable, "")), f"environment ({variable})")


def kept_key(name: str, folder: Path | None = None) -> Key | None:
    """The key that we keep under that name; a later place is not even opened."""
    return _found(name, _from_keyring(name), "keyring") or _found(
        name, _read_key_file(folder).get(name, Secret()), str(key_file(folder))
    )


def _found(engine: str, secret: Secret, source: str) -> Key | None:
    if is_placeholder(secret):
        return None
    return Key(_sendable(secret, f"The key of {engine} from {source}"), source, engine)


def of_file(engine: str, written: str, file: Path | None) -> Key | None:
    """The key that an engine file holds."""
    return _found(engine, Secret(written), str(file or "engine file"))


def is_placeholder(key: str) -> bool:
    """Whether a text stands where a key will be: empty, `<…>`, `sk-<…`."""
    text = key.strip()
    return not text or ("<" in text and ">" in text) or text.startswith("sk-<")


def real_key(written: str) -> str:
    """The key that stands in a file, which no output shows; empty if it is a placeholder."""
    return "" if is_placeholder(written) else Secret(written)


def store_key(engine: str, key: str, folder: Path | None = None) -> str:
    """Keep a key in the keyring, or where there is none in our 0600 file; gives where it is now.

    Raises `UsageError` for what is no key, `SettingsError` if the file cannot be written.
    """
    key = Secret(key)
    if is_placeholder(key):
        raise UsageError(f"That is no key: the key of {engine} stays as it was.")
    try:
        key = _sendable(key, "That")
    except SettingsError as error:
        raise UsageError(f"{error} The key of {engine} stays as it was.") from None
    if (ring := _keyring()) is not None:
        with suppress(Exception):  # it is locked, or its service is gone: the file remains
            ring.set_password(SERVICE, engine, key)
            return "keyring"
    with _changed_key_file(folder) as kept:
        kept[engine] = key
    return str(key_file(folder))


def remove_key(engine: str, folder: Path | None = None) -> list[str]:
    """Forget the key that we keep for an engine; gives the places where one was."""
    places = []
    if _from_keyring(engine) and (ring := _keyring()) is not None:
        try:
            ring.delete_password(SERVICE, engine)
        except Exception as error:
            raise SettingsError(
                f"The keyring does not give up the key of {engine} ({type(error).__name__}): remove"
                f" it there, under {SERVICE}."
            ) from None
        places.append("keyring")
    if engine in _read_key_file(folder):
        with _changed_key_file(folder) as kept:
            kept.pop(engine, None)
        places.append(str(key_file(folder)))
    return places


def _sendable(key: Secret, what: str) -> Secret:
    """The key without blanks around it, if a header can carry it."""
    key = Secret(key.strip())
    if not (key.isascii() and key.isprintable()):
        raise SettingsError(
            f"{what} has a character that no key has (a line break, a blank of another kind, an"
            " ellipsis …): paste it again."
        )
    return key


# To whom a key may go ---------------------------------------------------------------------------


def key_for_host(engine: str, address: str, folder: Path | None = None) -> Key | None:
    """The key of an engine that we keep for the host of an address."""
    in_file = _read_key_file(folder)
    for name in (f"{engine}@{host}" for host in hosts_of(address)):
        found = _found(name, _from_keyring(name), "keyring")
        if found := found or _found(name, in_file.get(name, Secret()), str(key_file(folder))):
            return found
    return None


def allow(variable: str, host: str, folder: Path | None = None) -> None:
    """Let files that are not the user's own send what a variable holds to a host.

    `variable` may be `api_key`: what such a file holds itself. Raises `UsageError`.
    """
    host = _named_host(host)
    if not is_key_variable(variable):  # it is not repeated: perhaps it is a key
        raise UsageError(
            "That does not look like the name of a key (`MISTRAL_API_KEY`), and a file from"
            " elsewhere may name no other variable."
        )
    with _changed_key_file(folder) as kept:
        kept[f"{variable} to {host}"] = Secret(_ALLOWED)


def disallow(variable: str, host: str, folder: Path | None = None) -> bool:
    """Take that back; gives whether it was allowed."""
    name = f"{variable} to {_named_host(host)}"
    if name not in _read_key_file(folder):
        return False
    with _changed_key_file(folder) as kept:
        kept.pop(name, None)
    return True


def allowed(folder: Path | None = None) -> frozenset[tuple[str, str]]:
    """All that the user has allowed so: variable and host."""
    try:
        kept = _read_key_file(folder).items()
    except SettingsError:  # told where a key is looked for
        return frozenset()
    pairs = (name.partition(" to ") for name, value in kept if value == _ALLOWED)
    return frozenset((variable, host) for variable, _, host in pairs if host)


def name_for(engine: str, host: str) -> str:
    """The name under which the key of an engine for one host is kept. Raises `UsageError`."""
    return f"{engine}@{_named_host(host)}"


def _named_host(host: str) -> str:
    if not _HOST.fullmatch(found := host_of(host.strip())):
        raise UsageError("That is no host: write it as in the address, `api.example.com`.")
    return found


_HOST = re.compile(r"([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:\d+)?")
_ALLOWED = "allowed"


def is_key_variable(name: str) -> bool:
    """Whether a variable of the environment looks like one that holds a key."""
    return _KEY_VARIABLE.fullmatch(name) is not None


_KEY_VARIABLE = re.compile(r"(?i)(\w*_)?(api_?)?(key|token)(_\w{1,20})?")

# The keyring ------------------------------------------------------------------------------------


def _keyring() -> Any:
    """The keyring, if its backend is a real one that keeps secrets; else `None`."""
    try:
        import keyring
    except ImportError:
        return None
    try:
        # What keyring itself recommends; below are "none at all" and plain files.
        return keyring if keyring.get_keyring().priority >= 1 else None
    except Exception:
        return None


def _from_keyring(engine: str) -> Secret:
    ring = _keyring()
    try:
        return Secret((ring and ring.get_password(SERVICE, engine)) or "")
    except Exception:  # it is locked, or its service is gone
        return Secret()


# Our file ---------------------------------------------------------------------------------------


def key_file(folder: Path | None = None) -> Path:
    """Where keys are kept if there is no keyring."""
    return (folder or own_data_folder()) / "keys.json"


def _read_key_file(folder: Path | None, *, strict: bool = False) -> dict[str, Secret]:
    """The keys in our file. `strict`: one that cannot be read is an error, for it would be lost."""
    path = key_file(folder)
    reason, found = "", None
    try:
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise SettingsError(f"{path} can be read by others: run `chmod 600 '{path}'`.")
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:  # what stands in it is not told: it holds keys
        reason = (isinstance(error, OSError) and error.strerror) or ""
    if strict and not isinstance(found, dict):
        reason = reason or "it is not what we wrote"
        raise SettingsError(f"{path} cannot be used ({reason}): mend it, or move it away.")
    keys = found if isinstance(found, dict) else {}
    return {name: Secret(key) for name, key in keys.items() if isinstance(key, str)}


@contextmanager
def _changed_key_file(folder: Path | None) -> Iterator[dict[str, Secret]]:
    """What the file holds, to be changed; then it is replaced by one that is 0600 from the start.

    Kernels take turns, so that none loses what another has set.
    """
    from filelock import FileLock

    path = Path(os.path.realpath(key_file(folder)))
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock", mode=0o600):
        kept = _read_key_file(folder, strict=True)
        yield kept
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(json.dumps(kept, indent=2).encode())
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, path)
        except OSError as error:
            raise SettingsError(f"{path} cannot be written: {error.strerror}.") from None
        finally:
            fresh.unlink(missing_ok=True)
