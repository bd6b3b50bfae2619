"""From an engine's name to the one instance that serves it.

Our own engines are rows here; those of other packages are entry points in the group
`jan_jupyter.engines` (name -> class). Nothing is imported before it is used, and an engine that
cannot be imported is an error for its own models only.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from .. import errors
from ..models.engine_files import canonical, known_engines
from ..models.model import Model
from ..models.plugins import Plugin, plugins
from ..models.store import ModelStore
from ..types import Event
from .base import Engine
from .refusal import refusal

OURS = {
    "nitro": "jan_jupyter.engines.nitro:Nitro",
    "openai": "jan_jupyter.engines.openai:OpenAI",
    "intel-bigdl": "jan_jupyter.engines.intel_bigdl:IntelBigdl",
    "azure-openai": "jan_jupyter.engines.azure_openai:AzureOpenAI",
    "claude": "jan_jupyter.engines.claude:Claude",
    "hf-endpoints": "jan_jupyter.engines.hf_endpoints:HFEndpoints",
    "nvidia-triton-trt-llm": "jan_jupyter.engines.triton:Triton",
}


class Registry:
    """The engines of one store; each is made at its first use and kept until `close`."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self._engines: dict[tuple[str, str], Engine] = {}
        self._uses: Counter[Engine] = Counter()
        self._replaced: list[Engine] = []

    def knows(self, name: str) -> bool:
        """Whether a name may stand before the colon in `engine:model`."""
        kind = canonical(name)
        return kind in known_engines() or plugin(kind) is not None

    def engine(self, name: str | Model, notify: Callable[[Event], None]) -> Engine:
        """The engine of that name, in any of its spellings, or the one that a model names.

        Raises `EngineNotFound`, or `EngineUnavailable` if its package is broken.
        """
        options = self._store.engine_options(name)
        key = (options.name, options.kind)
        class_ = engine_class(options.kind)
        engine = self._engines.get(key)
        # Its files may have been edited, and its package installed anew.
        if engine is None or engine.options != options or type(engine) is not class_:
            if engine is not None:
                self._replaced.append(engine)
            engine = self._engines[key] = class_(options, notify)
        return engine

    @asynccontextmanager
    async def using(self, engine: Engine) -> AsyncIterator[None]:
        """While a request is at an engine; one that was replaced is closed after its last."""
        self._uses[engine] += 1
        try:
            yield
        finally:
            self._uses[engine] -= 1
            for old in [old for old in self._replaced if not self._uses[old]]:
                self._replaced.remove(old)
                await old.close()
            self._uses = +self._uses

    def local_engines(self, notify: Callable[[Event], None]) -> list[Engine]:
        """The engines that hold models on this machine."""
        return [self.engine(name, notify) for name in ("nitro", "intel-bigdl")]

    async def close(self) -> None:
        engines = [*self._engines.values(), *self._replaced]
        self._engines, self._replaced = {}, []
        for engine in engines:
            await engine.close()


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
    raise _not_found(kind)


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


def _not_found(kind: str) -> errors.EngineError:
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
