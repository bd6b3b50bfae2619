"""Keys that people give: under which name each is kept, and what holds then. None is ever shown."""

from __future__ import annotations

from dataclasses import dataclass

from .. import errors
from ..addresses import host_of
from ..engine_options import keys
from ..engine_options.options import EngineOptions
from ..models.store import ModelStore
from .install.listing import names


@dataclass(frozen=True, slots=True)
class Kept:
    """The name of a key, which may be of one host alone, and where keys are kept."""

    store: ModelStore
    name: str

    @property
    def shown(self) -> str:
        """The name as people read it."""
        return self.name.replace("@", " for ")

    def keep(self, key: str) -> str:
        """Keep a key; where it is now. Raises `UsageError`, `SettingsError`."""
        return keys.store_key(self.name, key, self._options.folder)

    def forget(self) -> list[str]:
        """The places where one was. Raises `SettingsError`."""
        return keys.remove_key(self.name, self._options.folder)

    def wins(self) -> str:
        """What holds instead of the key that is kept, as a sentence; empty: nothing."""
        if "@" in self.name:
            return ""
        options = self._options
        if not options.is_at_home:
            host = host_of(options.address)
            command = f"`%jan keys set {self.name} --for {host}`"
            return f"It does not go to {host}: {command} keeps one for that."
        found = options.found_key()
        ours = ("keyring", str(keys.key_file(options.folder)))
        if found is None or (found.name == self.name and found.source in ours):
            return ""
        return f"But the one from {found.source} wins."

    def left(self) -> str:
        """Where another key comes from, once this one is gone; empty: there is none."""
        found = None if "@" in self.name else self._options.found_key()
        return found.source if found else ""

    @property
    def _options(self) -> EngineOptions:
        return self.store.engine_options(self.name.partition("@")[0])


def kept(store: ModelStore, engine: str, host: str | None = None) -> Kept:
    """The key of an engine, for all or for one host. Raises `UsageError`."""
    options = store.engine_options(engine)
    if options.row is None and options.name not in names(store):
        # The word is not repeated: perhaps it is the key.
        raise errors.UsageError("That is no engine here; `%jan engines` lists them.")
    name = options.key_name
    return Kept(store, keys.name_for(name, host) if host else name)
