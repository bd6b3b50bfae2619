"""The Inference extension, the only chooser: model -> engine, load, stream, time, unload."""

from __future__ import annotations

import asyncio
import contextlib
import copy
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from . import errors
from .endable import Newest
from .engine_options.engine_rows import canonical
from .engines.base import Engine
from .engines.registry import Registry, not_found
from .models.model import Model
from .models.store import ModelStore
from .parameters import unknown
from .precedence import Level, Values, plain, resolve
from .pulls import Pulls
from .reading import IGNORED
from .requests import (
    check_embeddable,
    check_gap,
    check_ranking,
    checked,
    plain_json,
    without_empty_stops,
)
from .settings import stay_here
from .telling import Watchers, told
from .types import (
    EMPTY,
    Audio,
    ChatRequest,
    Delta,
    Embeddable,
    Embeddings,
    Event,
    Priority,
    Ranking,
    Running,
    State,
    sendable,
)
from .underway import Kind, Underway, completed

if TYPE_CHECKING:
    from pathlib import Path

    from .models.hub.pull import Progress

Watcher = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a request goes to: the model with its settings, and the engine that runs it.

    `values` tell where each setting and parameter comes from.
    """

    model: Model
    engine: Engine
    values: Values = field(default_factory=Values)

    @property
    def who(self) -> str:
        """As errors name it."""
        return f"{self.model.id} ({self.engine.options.name})"


class Router:
    """Sends each request to the engine that its model names.

    Its coroutines run on the bridge, whose loop waits for no disk; whatever else it offers looks at
    files: not on that loop.
    """

    def __init__(self, store: ModelStore, registry: Registry | None = None) -> None:
        self.store = store
        self.registry = registry or Registry(store)
        self.underway = Underway()
        self.pulls = Pulls()
        self._watchers = Watchers[[Event]]()
        self._told: set[tuple[Path, str]] = set()
        self._completions = Newest()

    def over(self, store: ModelStore) -> Router:
        """The same engines and the same watchers for the models of another store."""
        seen = copy.copy(self)
        seen.store = store
        return seen

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call `watcher(event)` for every event, on the background loop; returns how to stop it."""
        return self._watchers.add(watcher)

    def notify(self, event: Event) -> None:
        self._watchers.tell(event)

    def model(self, name: str | Model | None) -> tuple[Model, str | Model]:
        """The model that `name` (`id`, `engine:id`, nothing) means, and what names its engine."""
        if isinstance(name, Model):
            return name, name
        if name is None or name == "":
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

    def named(self, model: str | Model | None, engine: str) -> str:
        """The name of a model that another engine than its own shall run."""
        errors.expect(engine, str, "An engine is named by text")
        if not self.registry.knows(engine):
            raise not_found(engine)
        return f"{engine}:{self.model(model)[0].reference}"

    def written(self, model: str, engine: str | None) -> str:
        """The name of a model that a file names beside its engine."""
        if engine and self.registry.knows(engine):
            with contextlib.suppress(errors.ModelNotFound):
                if self.model(model)[0].engine != canonical(engine):
                    return f"{engine}:{model}"
        return model

    def target(
        self,
        name: str | Model | None = None,
        levels: Sequence[Level] = (),
        parameters: Mapping[str, Any] = EMPTY,
    ) -> Target:
        """Choose model and engine, merge the levels of values; raises what is in the way.

        `parameters` are the request's own; `levels` stand between them and the model, the
        strongest first: a thread, an assistant.
        """
        model, engine = self._usable(name)
        asked = Level("request", parameters=parameters)
        values = resolve([asked, *levels, *_levels(engine, model)])
        return Target(_tuned(model, values), engine, values)

    def prepare(
        self,
        request: ChatRequest,
        name: str | Model | None = None,
        levels: Sequence[Level] = (),
    ) -> tuple[ChatRequest, Target]:
        """The target of a request, and the request as it is sent there: with what all levels say.

        Raises what is in the way, and `UsageError` for what no engine can be asked.
        """
        request = checked(request)
        target = self.target(name, levels, request.parameters)
        sent = without_empty_stops(plain(target.values.parameters))
        request = replace(request, parameters=sent)
        _check_choices(target, request)
        return request, target

    def values(
        self,
        name: str | Model | None = None,
        levels: Sequence[Level] = (),
        parameters: Mapping[str, Any] = EMPTY,
    ) -> Values:
        """What a request would be sent with, each value with its level; the model may be unready.

        Exactly what `target` merges.
        """
        errors.expect(parameters, Mapping, "Parameters are a mapping of names to values")
        model, engine = self._known(name)
        below = _levels(engine, model)
        return resolve([Level("request", parameters=parameters), *levels, *below])

    def _usable(self, name: str | Model | None) -> tuple[Model, Engine]:
        model, engine = self.model(name)
        if model.state == "broken":
            raise errors.ModelBroken(f"Model {model.id} cannot be used: {model.reason}")
        if model.state != "ready":
            lost = model.state == "missing-file"
            mend = (
                ": put it there, or give its place as `model_path` in its settings" if lost else ""
            )
            raise errors.ModelNotReady(
                f"Model {model.id} ({model.engine}) is not ready: {model.reason}{mend}"
            )
        made = self.registry.engine(engine, self.notify)
        if not made.local:
            stay_here(f"Model {model.id} ({model.engine})", made.options.at(model).address)
        return model, made

    def _known(self, name: str | Model | None) -> tuple[Model, Engine]:
        model, engine = self.model(name)
        return model, self.registry.engine(engine, self.notify)

    async def load(self, name: str | Model | None, levels: Sequence[Level] = ()) -> Model:
        """Return when the model can answer at once; `levels` as for `target`."""
        model, engine = await asyncio.to_thread(self._usable, name)
        model = _tuned(model, resolve([*levels, *_levels(engine, model)]))
        async with self._asking(model, engine) as asked:
            await asked.load(model)
        engine.tell("ready", model)
        return model

    @contextlib.asynccontextmanager
    async def _asking(self, model: Model, chosen: Engine) -> AsyncIterator[Engine]:
        """While a request is at an engine: gives the one to ask; what goes wrong is told."""
        with told(model, chosen):
            async with self.registry.using(chosen) as engine:
                yield engine

    def pull(self, source: str, *, id: str | None = None) -> AsyncGenerator[Progress, None]:
        """Fetch a model; yields the progress, which watchers get as `downloading` events.

        Closing it stops it, and keeps what has come. The last progress has the model.
        """
        return self.pulls.follow(source, self._pulled(source, id))

    async def _pulled(self, source: str, id: str | None) -> AsyncGenerator[Progress, None]:
        from .models.hub.pull import pull
        from .models.hub.web import without_secrets

        name, engine = without_secrets(source), ""
        try:
            async with contextlib.aclosing(pull(self.store, source, id=id)) as steps:
                async for now in steps:
                    name, engine = now.id, now.model.engine if now.model else engine
                    state: State = "unloaded" if now.model else "downloading"
                    self.notify(Event(state, name, engine, now.share, str(now)))
                    yield now
        except errors.JanError as error:
            self.notify(Event("failed", name, engine, message=str(error)))
            raise

    async def unload(self, name: str | Model | None) -> Model:
        """Give back what the model holds, here and for everybody who shares it."""
        model, engine = await asyncio.to_thread(self._known, name)
        engine.tell("unloading", model)
        async with self.registry.using(engine) as asked:
            await asked.unload(model)
        engine.tell("unloaded", model)
        return model

    def chat(self, request: ChatRequest, target: Target) -> AsyncGenerator[Delta, None]:
        """Stream the answer to a request as `prepare` gives it, with its target.

        The last delta has finish, usage and whole timings. Pieces of several answers (`n`) come as
        they are, each with its `choice`.
        """
        return self._followed(
            "chat", target, request.parameters, lambda engine: engine.chat(target.model, request)
        )

    def complete(
        self,
        prefix: str,
        suffix: str,
        target: Target,
        *,
        priority: Priority = "person",
        key: str = "",
    ) -> AsyncGenerator[Delta, None]:
        """Stream what stands between two texts, with the parameters of the target.

        Deltas as of `chat`. Of priority `completion`, one for each model and `key` (a cell) goes
        on: a newer one ends it, which raises `Replaced`, as a question does that would wait for it.
        Raises `UsageError` for what no engine can be asked.
        """
        parameters = without_empty_stops(plain_json(plain(target.values.parameters)))
        check_gap(prefix, suffix, parameters)
        model = target.model
        deltas = self._followed(
            "completion",
            target,
            parameters,
            lambda engine: engine.complete(model, prefix, suffix, parameters, priority),
        )
        if priority != "completion":
            return deltas
        return self._completions.read((model.path, target.engine.options.name, key), deltas)

    def _followed(
        self,
        kind: Kind,
        target: Target,
        parameters: Mapping[str, Any],
        ask: Callable[[Engine], AsyncGenerator[Delta, None]],
    ) -> AsyncGenerator[Delta, None]:
        """What an engine answers, which can be listed and stopped while it comes."""
        model, engine = target.model.id, target.engine.options.name
        return self.underway.follow(model, engine, kind, self._timed(target, parameters, ask))

    async def _timed(
        self,
        target: Target,
        parameters: Mapping[str, Any],
        ask: Callable[[Engine], AsyncGenerator[Delta, None]],
    ) -> AsyncGenerator[Delta, None]:
        """What an engine answers; what it did not measure is measured here."""
        asked = monotonic()
        model = target.model
        first: float | None = None
        last = Delta()
        async with self._asking(model, target.engine) as engine:
            await engine.load(model)
            loaded = monotonic()
            async with contextlib.aclosing(ask(engine)) as deltas:
                async for delta in deltas:
                    came = bool(delta.text or delta.reasoning or delta.tool_calls)
                    if came and first is None:
                        first = monotonic()
                        engine.tell("answering", model)
                    if delta.is_last:
                        last = delta
                    elif came or delta.finish is not None:
                        yield delta
        target.engine.tell("ready", model)
        notes = [*last.notes, *self._left_out(model, parameters)]
        yield replace(last, notes=notes, **completed(last, asked, loaded, first, monotonic()))

    def _left_out(self, model: Model, parameters: Mapping[str, Any]) -> list[str]:
        """What of the model's description and of the request probably does not count; told once."""
        lines = [warning for warning in model.warnings if warning.endswith(IGNORED)]
        lines += filter(None, map(unknown, parameters))
        fresh = [line for line in lines if (model.path, line) not in self._told]
        self._told.update((model.path, line) for line in fresh)
        return fresh

    async def embed(
        self, texts: Sequence[Embeddable], name: str | Model | None = None, **parameters: Any
    ) -> Embeddings:
        """A vector for each text, or for the tokens of one."""
        model, engine = await asyncio.to_thread(self._usable, name)
        check_embeddable(texts)
        parameters = plain_json(parameters)
        async with self._asking(model, engine) as asked:
            return await asked.embed(model, texts, parameters)

    async def rerank(
        self,
        query: str,
        documents: Sequence[str],
        name: str | Model | None = None,
        **parameters: Any,
    ) -> Ranking:
        """The documents by how well they answer the query; the best `top_n`, if that is given."""
        model, engine = await asyncio.to_thread(self._usable, name)
        parameters = plain_json(parameters)
        check_ranking(query, documents, parameters)
        async with self._asking(model, engine) as asked:
            return await asked.rerank(model, query, documents, parameters)

    async def count(self, request: ChatRequest, target: Target) -> int:
        """How many tokens a request that `prepare` gave is read as; where its engine does not count
        them, about how many."""
        async with self._asking(target.model, target.engine) as asked:
            return await asked.count(target.model, request)

    async def count_now(self, request: ChatRequest, target: Target) -> int | None:
        """The same where its engine counts at once, without loading a model; else `None`."""
        async with self.registry.using(target.engine) as asked:
            return await asked.count_now(target.model, request)

    async def speak(self, text: str, name: str | Model | None, **parameters: Any) -> Audio:
        """The text spoken."""
        model, engine = await asyncio.to_thread(self._usable, name)
        if not isinstance(sendable(text, "The text"), str) or not text.strip():
            raise errors.UsageError("There is no text to speak.")
        parameters = plain_json(parameters)
        async with self._asking(model, engine) as asked:
            return await asked.speak(model, text, parameters)

    async def running(self) -> list[Running]:
        """What is loaded on this machine, whoever loaded it."""
        engines = await asyncio.to_thread(self.registry.local_engines, self.notify)
        found: list[Running] = []
        for engine in engines:
            try:
                found += await engine.running()
            except Exception:
                row = engine.options.row
                if row is not None and row.kind == "local":
                    raise  # ours; one of another package does not take the others down
        return found

    async def close(self) -> None:
        await self.pulls.close()
        await self.registry.close()


def _check_choices(target: Target, request: ChatRequest) -> None:
    """Several answers (`n`) are asked of an engine that gives them, or not at all."""
    asked = request.parameters.get("n")
    if asked is not None and (isinstance(asked, bool) or not isinstance(asked, int) or asked < 1):
        raise errors.UsageError(
            f"`n` says how many answers {target.who} shall give: it is a whole"
            f" number from 1 on, not {asked!r:.80}."
        )
    if request.choices > 1 and not target.engine.gives_choices(target.model):
        raise errors.BadRequest(
            f"{target.who} gives one answer to a request, not {asked} (`n`):"
            " ask several times, or another engine; `%jan engines` lists them.",
            model=target.model.id,
            engine=target.engine.options.name,
        )


def _levels(engine: Engine, model: Model) -> Iterator[Level]:
    """What holds below a request, the strongest first: model, engine file, built-in default."""
    options, row = engine.options, engine.options.row
    yield Level("model", model.settings, model.parameters)
    settings, parameters = (row.settings, row.parameters) if row else (EMPTY, EMPTY)
    yield Level(
        "engine", _other(options.settings, settings), _other(options.parameters, parameters)
    )
    yield Level("default", settings, parameters)


def _other(written: Mapping[str, Any], default: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values that an engine's files have set: those that are not its default."""
    return {k: v for k, v in written.items() if k not in default or default[k] != v}


def _tuned(model: Model, values: Values) -> Model:
    """The model with the settings of all levels above its engine, which adds its own itself."""
    above = {k: v for k, v in values.settings.items() if v.level not in ("engine", "default")}
    settings = plain(above)
    return model if settings == model.settings else replace(model, settings=settings)
