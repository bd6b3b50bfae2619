"""From an engine's name to the one instance that serves it.

The classes of our own engines stand here (each has a row of its name in `data/engines.json`, too);
those of other packages are entry points in the group
`jan_jupyter.engines` (name -> class). Nothing is imported before it is used, and an engine that
cannot be imported is an error for its own models only.
"""

from __future__ import annotations

import asyncio
import difflib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from typing import Any

from .. import errors
from ..engine_options.engine_rows import canonical, known_engines
from ..engine_options.options import EngineOptions
from ..engine_options.plugins import Plugin, plugins
from ..models.model import Model
from ..models.store import ModelStore
from ..types import Event
from .base import Engine
from .validate import refusal

OURS = {
    "nitro": "jan_jupyter.engines.nitro:Nitro",
    "openai": "jan_jupyter.engines.openai:OpenAI",
    "intel-bigdl": "jan_jupyter.engines.intel_bigdl:IntelBigdl",
    "azure-openai": "jan_jupyter.engines.azure_openai:AzureOpenAI",
    "claude": "jan_jupyter.engines.claude:Claude",
    "hf-endpoints": "jan_jupyter.engines.hf_endpoints:HFEndpoints",
    "nvidia-triton-trt-llm": "jan_jupyter.engines.triton.engine:Triton",
}


class Registry:
    """The engines of one store; each is made at its first use and kept until `close`."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self._engines: dict[tuple[str, str], Engine] = {}
        self._open: list[Engine] = []
        """Those that are not closed, also the ones whose files have changed since."""
        self._uses: Counter[Engine] = Counter()

    def knows(self, name: str) -> bool:
        """Whether a name may stand before the colon in `engine:model`."""
        kind = canonical(name)
        return bool(name.strip()) and (kind in known_engines() or plugin(kind) is not None)

    def engine(self, name: str | Model, notify: Callable[[Event], None]) -> Engine:
        """The engine of that name, in any of its spellings, or the one that a model names.

        Raises `EngineNotFound`, or `EngineUnavailable` if its package is broken.
        """
        options = self._store.engine_options(name)
        class_ = engine_class(options.kind)
        engine = self._engines.get(_key(options))
        # Its files may have been edited, and its package installed anew.
        if engine is None or engine.options != options or type(engine) is not class_:
            engine = self._engines[_key(options)] = class_(options, notify)
            self._open.append(engine)
        return engine

    @asynccontextmanager
    async def using(self, engine: Engine) -> AsyncIterator[Engine]:
        """While a request is at an engine; one that was replaced is closed after its last.

        Gives the engine to ask: one that was closed since it was chosen is made once more.
        """
        if engine not in self._open:
            engine = await asyncio.to_thread(type(engine), engine.options, engine.notify)
            self._open.append(engine)
        self._uses[engine] += 1
        try:
            yield engine
        finally:
            self._uses[engine] -= 1
            self._uses = +self._uses
            await self._close_idle()

    async def _close_idle(self) -> None:
        """Close all that no request is at and none will be sent to."""
        while idle := [engine for engine in self._open if not self._wanted(engine)]:
            self._open.remove(idle[0])
            with suppress(Exception):  # its fault is not the answer's
                await idle[0].close()

    def _wanted(self, engine: Engine) -> bool:
        return engine in self._uses or self._engines.get(_key(engine.options)) is engine

    def local_engines(self, notify: Callable[[Event], None]) -> list[Engine]:
        """The engines that hold models on this machine.

        Of those of other packages only what a model here names, or what was asked already: nobody
        else's is imported. One that cannot be made is left out; `%jan engines` says why.
        """
        ours = [name for name, row in known_engines().items() if row.kind == "local"]
        found = [self.engine(name, notify) for name in ours]
        for name in self._names_of_plugins():
            with suppress(Exception):  # its fault is not that of the others
                found.append(self.engine(name, notify))
        return [engine for engine in dict.fromkeys(found) if engine.local]

    def _names_of_plugins(self) -> list[str]:
        """The names under which engines of other packages are used here."""
        offered = {plugin.name for plugin in plugins() if not taken(plugin)}
        if not offered:
            return []
        written = {model.written_engine for model in self._store.list()}
        names = {name: self._store.engine_options(name).kind for name in written if name}
        names |= dict(self._engines.keys())
        return sorted(name for name, kind in names.items() if kind in offered)

    async def close(self) -> None:
        self._engines.clear()
        self._uses.clear()
        await self._close_idle()


def _key(options: EngineOptions) -> tuple[str, str]:
    return options.name, options.kind


def plugin(name: str) -> Plugin | None:
    """The plug-in that serves an engine of that name, if one may."""
    return next((p for p in plugins() if p.name == name and not taken(p)), None)


def taken(plugin: Plugin) -> str:
    """Why a plug-in may not have its name; empty if it may."""
    row = known_engines().get(canonical(plugin.name))
    if row is not None and row.speaks in OURS:
        return f"the name {plugin.name} is that of an engine of jan_jupyter; it needs another."
    first = next(p for p in plugins() if p.name == plugin.name)
    if first is not plugin:
        return f"the name {plugin.name} is taken by package {first.package}."
    return ""


def engine_class(kind: str) -> type[Engine]:
    """The class of a canonical engine name, imported and checked now."""
    row = known_engines().get(kind)
    if row is not None and row.speaks in OURS:
        module, _, name = OURS[row.speaks].partition(":")
        found: type[Engine] = getattr(import_module(module), name)
        return found
    if (offered := plugin(kind)) is not None:
        return plugin_class(offered)
    raise not_found(kind)


def plugin_class(plugin: Plugin) -> type[Engine]:
    """The class that a plug-in offers. Raises `EngineUnavailable` with the reason if it is none."""
    try:
        found: Any = plugin.point.load()
        reason = refusal(found)
    except (Exception, SystemExit) as error:  # whatever it does when imported is its own affair
        raise errors.EngineUnavailable(
            f"Engine {plugin.name} of package {plugin.package} cannot be imported:"
            f" {type(error).__name__}: {str(error)[:300]}",
            engine=plugin.name,
        ) from error
    if reason:
        raise errors.EngineUnavailable(
            f"Engine {plugin.name} of package {plugin.package} is not usable: {reason}",
            engine=plugin.name,
        )
    engine: type[Engine] = found
    return engine


def not_found(kind: str) -> errors.EngineError:
    """The error for an engine that nobody knows, or that is not here."""
    if kind in known_engines():
        return errors.EngineUnavailable(
            f"Engine {kind} is not in this version of jan_jupyter; `%jan engines` lists those that"
            " are. Many services also speak OpenAI's API: name them with engine openai.",
            engine=kind,
        )
    known = sorted({*known_engines(), *(plugin.name for plugin in plugins())})
    near = difflib.get_close_matches(kind, known, 3)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(known)}."
    return errors.EngineNotFound(
        f"No engine is called {kind!r}. {hint} `%jan hub` lists engines to install.", engine=kind
    )
