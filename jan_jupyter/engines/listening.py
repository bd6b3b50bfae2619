"""Which servers of this machine run: a brief look at each, kept for a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from time import monotonic
from urllib.parse import urlsplit

from ..addresses import host_of, is_this_machine
from ..engine_options.options import EngineOptions
from ..models.model import Model
from ..models.store import ModelStore

SECONDS = 0.3
"""A server that runs takes a connection much sooner."""
FRESH = 2.0
"""Seconds that an answer is kept: who lists again, or sees a panel follow, waits for nobody."""


class LocalServers:
    """The servers of this machine that the models of a store name."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self._seen: dict[str, tuple[float, bool]] = {}
        """Addresses -> when they were looked at, and whether a server listened."""

    async def listening(self, addresses: Iterable[str]) -> set[str]:
        """Those of the addresses on this machine where a server listens; no other is looked at."""
        here = [address for address in dict.fromkeys(addresses) if is_this_machine(address)]
        found = await asyncio.gather(*map(self._listens, here))
        return {address for address, there in zip(here, found, strict=True) if there}

    async def not_running(self, models: Iterable[Model] | None = None) -> dict[str, str]:
        """The models (all, or those given) that are ready but for a server here that is silent.

        By reference, with a line for people.
        """
        addresses = await asyncio.to_thread(_addresses, self._store, models)
        there = await self.listening(addresses.values())
        return {model: nobody(at) for model, at in addresses.items() if at not in there}

    async def _listens(self, address: str) -> bool:
        since, there = self._seen.get(address, (0.0, False))
        if not since or monotonic() - since > FRESH:
            there = await _look(address)
            self._seen[address] = monotonic(), there
        return there


def nobody(address: str) -> str:
    """What to do where no server listens."""
    return f"start it: nothing listens at {host_of(address)}"


def _addresses(store: ModelStore, models: Iterable[Model] | None) -> dict[str, str]:
    """The address of each ready model that a server of this machine answers for."""
    options: dict[tuple[str | None, str], EngineOptions] = {}
    found = {}
    for model in store.list() if models is None else models:
        if model.state == "ready" and model.file is None:
            engine = model.written_engine, model.engine
            if engine not in options:
                options[engine] = store.engine_options(model)
            address = options[engine].at(model).address
            if is_this_machine(address):
                found[model.reference] = address
    return found


async def _look(address: str) -> bool:
    parts = urlsplit(address if "//" in address else f"//{address}")
    if not parts.hostname:
        return True  # a socket of this machine
    port = parts.port or (443 if parts.scheme == "https" else 80)
    with suppress(OSError, TimeoutError):
        opening = asyncio.open_connection(parts.hostname, port)
        _, writer = await asyncio.wait_for(opening, SECONDS)
        writer.close()
        return True
    return False
