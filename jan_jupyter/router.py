"""The Inference extension, the only chooser: model -> engine, load, stream, time, unload."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from . import bridge, errors
from .engines.base import Engine
from .engines.registry import Registry
from .models.model import Model
from .models.store import ModelStore
from .types import Audio, ChatRequest, Delta, Embeddings, Event, Running, Timings, Usage

Watcher = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Route:
    """What a request comes down to: model, engine, and the request with all levels merged."""

    model: Model
    engine: Engine
    request: ChatRequest


class Router:
    """Sends each request to the engine that its model names. Its coroutines run on the bridge."""

    def __init__(self, store: ModelStore, registry: Registry | None = None) -> None:
        self.store = store
        self.registry = registry or Registry(store)
        self._watchers: list[Watcher] = []

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call `watcher(event)` for every event, on the background loop; returns how to stop it."""
        self._watchers.append(watcher)

        def unwatch() -> None:
            with contextlib.suppress(ValueError):
                self._watchers.remove(watcher)

        return unwatch

    def notify(self, event: Event) -> None:
        for watcher in [*self._watchers]:
            with contextlib.suppress(Exception):  # a watcher's fault is not the answer's
                watcher(event)

    def model(self, name: str | Model | None) -> tuple[Model, str | Model]:
        """The model that `name` (`id`, `engine:id`, nothing) means, and what names its engine."""
        if isinstance(name, Model):
            return name, name
        if not name:
            model = self.store.default()
            return model, model
        try:
            model = self.store.get(name)
            return model, model
        except errors.ModelNotFound:
            engine, colon, rest = name.partition(":")
            if not colon or not self.registry.knows(engine):
                raise
        return self.store.get(rest), engine

    def route(self, request: ChatRequest, name: str | Model | None = None) -> Route:
        """Choose model and engine, merge the levels of parameters; raises what is in the way."""
        if not any(not isinstance(m.content, str) or m.content.strip() for m in request.messages):
            raise errors.UsageError(
                "The prompt is empty: write it in the lines below %%jan, or after %jan."
            )
        model, engine = self._usable(name)
        request = replace(request, parameters=self._merged(engine, model, request))
        return Route(model, engine, request)

    def _usable(self, name: str | Model | None) -> tuple[Model, Engine]:
        model, engine = self.model(name)
        if model.state == "broken":
            raise errors.ModelBroken(f"Model {model.id} cannot be used: {model.reason}")
        if model.state != "ready":
            raise errors.ModelNotReady(f"Model {model.id} is not ready: {model.reason}")
        return model, self.registry.engine(engine, self.notify)

    def _merged(self, engine: Engine, model: Model, request: ChatRequest) -> Mapping[str, Any]:
        """Request over model over engine (its files, its defaults), field by field (spec §7)."""
        merged = {
            **engine.options.parameters,
            **model.parameters,
            **request.parameters,
        }
        return {name: value for name, value in merged.items() if value is not None}

    async def load(self, name: str | Model | None) -> Model:
        """Return when the model can answer at once."""
        model, engine = self._usable(name)
        await self._load(model, engine)
        return model

    async def _load(self, model: Model, engine: Engine) -> None:
        try:
            await engine.load(model)
        except errors.JanError as error:
            engine.tell("failed", model, message=str(error))
            raise

    async def unload(self, name: str | Model | None) -> Model:
        """Give back what the model holds, here and for everybody who shares it."""
        model, engine_name = self.model(name)
        engine = self.registry.engine(engine_name, self.notify)
        engine.tell("unloading", model)
        await engine.unload(model)
        engine.tell("unloaded", model)
        return model

    async def chat(
        self, request: ChatRequest, name: str | Model | Route | None = None
    ) -> AsyncGenerator[Delta, None]:
        """Stream the answer. The last delta has finish, usage and whole timings."""
        asked = monotonic()
        route = name if isinstance(name, Route) else self.route(request, name)
        await self._load(route.model, route.engine)
        loaded = monotonic()
        first: float | None = None
        last = Delta()
        try:
            async with contextlib.aclosing(route.engine.chat(route.model, route.request)) as deltas:
                async for delta in deltas:
                    if delta.finish is not None:
                        last = delta
                    if delta.text or delta.reasoning or delta.tool_calls:
                        if first is None:
                            first = monotonic()
                            route.engine.tell("answering", route.model)
                        if delta.finish is None:
                            yield delta
        except errors.JanError as error:
            route.engine.tell("failed", route.model, message=str(error))
            raise
        route.engine.tell("ready", route.model)
        yield replace(last, **_completed(last, asked, loaded, first, monotonic()))

    async def embed(
        self, texts: Sequence[str], name: str | Model | None = None, **parameters: Any
    ) -> Embeddings:
        """A vector for each text."""
        model, engine = self._usable(name)
        if not texts:
            raise errors.UsageError("There is no text to embed.")
        return await engine.embed(model, texts, parameters)

    async def speak(self, text: str, name: str | Model | None, **parameters: Any) -> Audio:
        """The text spoken."""
        model, engine = self._usable(name)
        if not text.strip():
            raise errors.UsageError("There is no text to speak.")
        return await engine.speak(model, text, parameters)

    async def running(self) -> list[Running]:
        """What is loaded on this machine, whoever loaded it."""
        engines = self.registry.local_engines(self.notify)
        return [row for engine in engines for row in await engine.running()]

    async def close(self) -> None:
        await self.registry.close()


_shared: Router | None = None
_first_use = threading.Lock()


def shared() -> Router:
    """The router that every face of this process uses."""
    global _shared
    with _first_use:
        if _shared is None:
            _shared = Router(ModelStore())
            bridge.at_close(_shared.close)
        return _shared


def _completed(
    last: Delta, asked: float, loaded: float, first: float | None, end: float
) -> dict[str, Any]:
    """Usage and timings of the last delta; what the engine did not measure is measured here."""
    timings = last.timings or Timings()
    usage = last.usage or Usage()
    speed = timings.tokens_per_second
    if speed is None and first is not None and usage.completion > 1 and end > first:
        speed = (usage.completion - 1) / (end - first)
    return {
        "finish": last.finish or "stop",
        "usage": usage,
        "timings": replace(
            timings,
            load=loaded - asked if timings.load is None else timings.load,
            first_token=first - asked if first is not None else None,
            total=end - asked,
            tokens_per_second=speed,
        ),
    }
