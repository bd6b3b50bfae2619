"""From an engine's name to the one instance that serves it.

Our own engines are rows here; those of other packages are entry points in the group
`jan_jupyter.engines` (name -> class). Nothing is imported before it is used, and an engine that
cannot be imported is an error for its own models only.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module, metadata
from typing import Any

from .. import errors
from ..models.engine_files import canonical, known_engines
from ..models.model import Model
from ..models.store import ModelStore
from ..types import Event
from .base import Engine

GROUP = "jan_jupyter.engines"

_OURS = {
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

    def knows(self, name: str) -> bool:
        """Whether a name may stand before the colon in `engine:model`."""
        kind = canonical(name)
        return kind in known_engines() or kind in plugins()

    def engine(self, name: str | Model, notify: Callable[[Event], None]) -> Engine:
        """The engine of that name, in any of its spellings, or the one that a model names.

        Raises `EngineNotFound`, or `EngineUnavailable` if its package is broken.
        """
        options = self._store.engine_options(name)
        key = (options.name, options.kind)
        engine = self._engines.get(key)
        if engine is None or engine.options != options:  # its files may have been edited
            engine = self._engines[key] = engine_class(options.kind)(options, notify)
        return engine

    def local_engines(self, notify: Callable[[Event], None]) -> list[Engine]:
        """The engines that hold models on this machine."""
        return [self.engine(name, notify) for name in ("nitro", "intel-bigdl")]

    async def close(self) -> None:
        engines, self._engines = self._engines, {}
        for engine in engines.values():
            await engine.close()


@cache
def plugins() -> Mapping[str, metadata.EntryPoint]:
    """The engines that other installed packages offer, by name."""
    return {point.name.lower(): point for point in metadata.entry_points(group=GROUP)}


def engine_class(kind: str) -> type[Engine]:
    """The class of a canonical engine name, imported and checked now."""
    row = known_engines().get(kind)
    where = _OURS.get(row.speaks) if row else None
    try:
        if where:
            module, _, name = where.partition(":")
            found: Any = getattr(import_module(module), name)
        elif kind in plugins():
            found = plugins()[kind].load()
        else:
            raise _not_found(kind)
    except errors.JanError:
        raise
    except Exception as error:
        raise errors.EngineUnavailable(
            f"Engine {kind} cannot be imported: {type(error).__name__}: {error}", engine=kind
        ) from error
    if reason := refusal(found):
        raise errors.EngineUnavailable(f"Engine {kind} is not usable: {reason}", engine=kind)
    engine: type[Engine] = found
    return engine


@dataclass(frozen=True, slots=True)
class Listed:
    """An engine as `%jan engines` shows it: what serves it, and whether it can."""

    name: str
    kind: str
    state: str
    remark: str = ""


def listing() -> list[Listed]:
    """Every engine that a `model.json` may name here: ours first, then those of other packages."""
    rows = []
    for name, row in known_engines().items():
        if row.speaks in _OURS:
            state = "ready" if row.base_url or row.kind == "local" else "needs base_url"
            rows.append(Listed(name, row.kind, state, row.base_url))
    for name, point in plugins().items():
        remark = f"from {point.dist.name}" if point.dist else ""
        try:
            reason = refusal(point.load())
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
        rows.append(Listed(name, "plug-in", "broken" if reason else "ready", reason or remark))
    return rows


def refusal(found: object) -> str:
    """Why an object is no engine class; empty if it is one."""
    if not inspect.isclass(found) or not issubclass(found, Engine):
        return f"{found!r} is not a subclass of jan_jupyter.engines.base.Engine."
    if missing := sorted(getattr(found, "__abstractmethods__", ())):
        return f"{found.__qualname__} lacks {', '.join(missing)}."
    return ""


def _not_found(kind: str) -> errors.EngineError:
    if kind in known_engines():
        return errors.EngineUnavailable(
            f"Engine {kind} is not in this version of jan_jupyter; `%jan engines` lists those that"
            " are. Many services also speak OpenAI's API: name them with engine openai.",
            engine=kind,
        )
    known = sorted({*known_engines(), *plugins()})
    near = difflib.get_close_matches(kind, known, 3)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(known)}."
    return errors.EngineNotFound(f"No engine is called {kind!r}. {hint}", engine=kind)
