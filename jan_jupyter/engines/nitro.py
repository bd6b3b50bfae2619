"""Engine `nitro`: llama.cpp, each model in a worker process that all kernels of a user share."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any, ClassVar

from .. import errors, settings
from ..models import fit, gguf
from ..models.engine_files import EngineOptions
from ..models.model import Model
from ..models.prompts import PromptTemplate
from ..types import Audio, ChatRequest, Delta, Embeddings, Event, Message, Running, Timings
from . import runtimes
from .base import unheard
from .failures import Party
from .openai import OpenAI, OpenAIParser
from .remote import Endpoint
from .workers import (
    Launch,
    ModelFile,
    NoMemory,
    Unloaded,
    Worker,
    WorkerFailed,
    Workers,
    WorkerSpec,
)

SMALL_MODEL = 100 * 10**6
"""Bytes below which one thread is as fast as many, and is not held up when the others must wait."""


class Nitro(OpenAI):
    """Chats with llama.cpp servers that it finds or starts; speaks to them as to any other."""

    name: ClassVar[str] = "nitro"
    local: ClassVar[bool] = True

    def __init__(self, options: EngineOptions, notify: Callable[[Event], None] = unheard) -> None:
        super().__init__(options, notify)
        self.workers = Workers(settings.runtime_folder)
        self._used: dict[str, Worker] = {}
        self._queues: dict[str, _Queue] = {}
        self._told: set[tuple[str, str]] = set()

    async def load(self, model: Model) -> None:
        await self._ready(model)

    async def unload(self, model: Model) -> None:
        self._used.pop(model.id, None)
        await self.workers.unload(model.id, self.options.name, model.file)

    async def running(self) -> list[Running]:
        return await self.workers.running(self.options.name)

    async def models(self) -> list[str]:
        return []  # it has those of the data folder

    async def chat(self, model: Model, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        text: list[str] = []
        for attempt in (1, 2):
            worker = await self._ready(model)
            async with self._place(worker, model) as waited:
                try:
                    async with aclosing(self._stream(worker, model, request)) as deltas:
                        async for delta in deltas:
                            text.append(delta.text)
                            yield _with_wait(delta, waited) if delta.finish else delta
                    return
                except (errors.ConnectionFailed, errors.StreamBroken) as error:
                    # It may have left between load and request: then it is started once more.
                    if text or attempt == 2:
                        if not await self.workers.gone(worker):
                            raise
                        reason = await self.workers.why(worker)
                        raise _died(model, self.options.name, reason, "".join(text)) from error

    async def embed(
        self, model: Model, texts: Sequence[str], parameters: Mapping[str, Any]
    ) -> Embeddings:
        # A worker that chats is not one that embeds: another is started beside it if need be.
        ready = replace(model, settings={**model.settings, "embedding": True})
        worker = await self._ready(ready)
        async with self._place(worker, model):
            return await super().embed(ready, texts, parameters)

    async def speak(self, model: Model, text: str, parameters: Mapping[str, Any]) -> Audio:
        raise self._cannot(model, "speak")

    def endpoint(self, model: Model) -> Endpoint:
        worker = self._used.get(model.id)
        if worker is None:
            raise errors.EngineUnavailable(
                f"Model {model.id} ({self.options.name}) is not loaded: load it first.",
                model=model.id,
                engine=self.options.name,
            )
        return _endpoint(worker)

    def body(self, model: Model, request: ChatRequest) -> dict[str, Any]:
        body = super().body(model, request)
        if before := model.settings.get("pre_prompt"):
            body["messages"] = _with_text_before(before, request.messages)
        return body

    def preview(self, model: Model, request: ChatRequest) -> Mapping[str, Any]:
        return {"url": "(its worker)/v1/chat/completions", "body": self.body(model, request)}

    def spec(self, model: Model) -> WorkerSpec:
        """The worker that a model wants, by its settings over the engine's. Cheap."""
        if model.file is None:
            raise errors.ModelNotReady(
                f"Model {model.id} ({self.options.name}) has no file here: {model.reason}"
            )
        merged = {**self.options.settings, **model.settings}
        options, left_out = runtimes.read_settings(merged)
        try:
            if template := PromptTemplate.of(merged):
                options["chat_template"] = template.jinja
        except ValueError as error:
            left_out.append(f"prompt_template {error}")
        if left_out:
            self._tell_once(model, f"Settings of {model.id} left out: {'; '.join(left_out)}.")
        if model.projector is not None:
            options["mmproj"] = str(model.projector)
        try:
            files = tuple(ModelFile.of(path) for path in gguf.split_parts(model.file))
        except OSError as error:
            raise errors.ModelNotReady(
                f"Model {model.id} ({self.options.name}): {error.filename} cannot be read"
                f" ({error.strerror}). Download or import it again."
            ) from error
        runtime, program = (str(merged.get(n) or "") for n in ("runtime", "runtime_path"))
        folders = [model.data_folder] if model.data_folder else []

        def launch() -> Launch:
            found = runtimes.choose(runtime, program, folders, runtimes.uses_gpu)
            return _launch(found, files, options)

        return WorkerSpec(
            model=model.id,
            engine=self.options.name,
            files=files,
            options={**options, "runtime": runtime, "runtime_path": program},
            launch=launch,
            slots=int(options["n_parallel"]),
            keep_alive=_seconds(merged.get("keep_alive"), settings.settings().keep_alive),
        )

    async def _ready(self, model: Model) -> Worker:
        """A worker that can answer now, started if there is none."""

        def say(progress: float | None, message: str) -> None:
            self.tell("loading", model, progress=progress, message=message)

        spec = self.spec(model)
        try:
            worker = await self.workers.ensure(spec, say)
        except WorkerFailed as failure:
            raise _unavailable(model, self.options.name, failure) from failure
        except errors.ModelBroken as error:
            raise errors.ModelBroken(
                f"{model.id} ({self.options.name}) cannot be loaded: {error}. Download it again."
            ) from error
        self._used[model.id] = worker
        return worker

    @asynccontextmanager
    async def _place(self, worker: Worker, model: Model) -> AsyncIterator[float]:
        """A slot of the worker, in the order of asking. Gives the seconds waited for it."""
        queue = self._queues.setdefault(worker.key, _Queue(asyncio.Semaphore(worker.slots)))
        asked = monotonic()
        queue.waiting += 1
        try:
            if queue.places.locked():
                self.tell("queued", model, message=f"{model.id}: {queue.waiting} in line.")
            await queue.places.acquire()
        finally:
            queue.waiting -= 1
        try:
            yield monotonic() - asked
        finally:
            queue.places.release()

    def _stream(
        self, worker: Worker, model: Model, request: ChatRequest
    ) -> AsyncGenerator[Delta, None]:
        endpoint = _endpoint(worker)

        def no_second_try(seconds: float, error: errors.EngineError) -> None:
            raise error  # a worker that does not answer is replaced, not asked again

        return self.client.stream(
            self.build(model, request, endpoint),
            OpenAIParser,
            Party(model.id, self.options.name, secret=endpoint.key),
            no_second_try,
        )

    def _tell_once(self, model: Model, message: str) -> None:
        if (model.id, message) not in self._told:
            self._told.add((model.id, message))
            self.tell("loading", model, message=message)


@dataclass(slots=True)
class _Queue:
    """The places of a worker in this process; llama.cpp itself queues across processes."""

    places: asyncio.Semaphore
    waiting: int = 0


def _endpoint(worker: Worker) -> Endpoint:
    return Endpoint(
        f"{worker.url}/v1/chat/completions",
        # llama.cpp has few threads for connections, and an idle one would hold one of them.
        {"Connection": "close"},
        worker.secret,
        # A long prompt on a slow machine takes its time; if the worker dies, the connection breaks.
        read_timeout=None,
    )


def _with_wait(last: Delta, waited: float) -> Delta:
    return replace(last, timings=replace(last.timings or Timings(), queue=waited))


def _with_text_before(before: str, messages: Sequence[Message]) -> list[dict[str, Any]]:
    """`pre_prompt` (spec §4.1): in front of the system text, or as one."""
    first, *rest = messages
    if first.role == "system":
        messages = (replace(first, content=before + first.text), *rest)
    else:
        messages = (Message("system", before), *messages)
    return [message.json() for message in messages]


def _seconds(written: Any, default: float) -> float:
    try:
        return max(0.0, float(written))
    except (TypeError, ValueError):
        return default


def _launch(
    runtime: runtimes.Runtime, files: Sequence[ModelFile], options: Mapping[str, Any]
) -> Launch:
    """How to start a server, and what memory it will need. Reads the header of the model."""
    header = gguf.read_header(files[0].path)
    size = sum(file.size for file in files)
    chosen: dict[str, Any] = {} if size >= SMALL_MODEL else {"cpu_threads": 1}
    chosen["ctx_len"] = fit.default_context(header)
    chosen |= options
    command, text, environment = runtime.command(files[0].path, chosen)
    if runtimes.in_gpu_memory(runtime, chosen):
        needed = 0  # llama.cpp itself fits the model into what the GPU has
    else:
        needed = fit.memory_needed(header, size, chosen)
    return Launch(
        runtime.name,
        command,
        text,
        environment,
        notes=_notes(chosen["ctx_len"], header.context_length),
        memory=needed,
    )


def _notes(context: int, trained: int | None) -> tuple[str, ...]:
    if trained and context > trained:
        return (f"ctx_len {context:,} is more than the model was trained for ({trained:,}).",)
    return ()


# What went wrong ----------------------------------------------------------------------------------

_MARKED = re.compile(r"^(?:[\d.]+ )?E (?P<said>.*)$|^(?P<old>.*\berror\b.*)$")
_HARMLESS = re.compile(r"^[\d.]+ [WIDT] ")
_WHERE = re.compile(r"^(?:\w+\s+)?\w+\s*: ")
_GENERAL = re.compile(
    r"failed to (load model|create context)|exiting due to|encountered an error|Failed to init"
)
_MEMORY = re.compile(r"(?i)failed to allocate|unable to allocate|out of memory|cannot allocate")
_FILE = re.compile(r"error loading model|gguf_init")


def decisive(log: str) -> str:
    """What llama.cpp's log says was wrong: its first exact errors, else its last plain line."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    lines = [line for line in lines if not _HARMLESS.match(line)]
    marked = [found["said"] or found["old"] for line in lines if (found := _MARKED.match(line))]
    exact = [line for line in marked if not _GENERAL.search(line)] or marked
    said = dict.fromkeys(_WHERE.sub("", line) for line in exact)
    return "; ".join([*said][:2] or lines[-1:])[:300]


def _unavailable(model: Model, engine: str, failure: WorkerFailed) -> errors.JanError:
    """The error for a worker that did not come up."""
    who = f"{model.id} ({engine}) cannot be loaded"
    reason = _reason(failure)
    if isinstance(failure, Unloaded):
        mend = "Ask again to load it."
    elif isinstance(failure, NoMemory) or _MEMORY.search(failure.log) or failure.exit == -9:
        mend = "Choose a smaller model or quantisation, or a smaller ctx_len, or unload another."
    elif _FILE.search(failure.log):
        return errors.ModelBroken(
            f"{who}: {decisive(failure.log)}. Is {model.file} whole? Download it again, or update"
            " llama.cpp (`pip install -U xllamacpp`)."
        )
    else:
        mend = f"Its settings and engines/{engine}/engine.json say how it is started."
    return errors.EngineUnavailable(f"{who}: {reason}. {mend}", model=model.id, engine=engine)


def _died(model: Model, engine: str, failure: WorkerFailed, partial: str) -> errors.WorkerDied:
    """The error for a worker that ended while it was answering."""
    return errors.WorkerDied(
        f"The worker of {model.id} ({engine}) ended in mid-answer: {_reason(failure)}. What had"
        " come is kept; run the cell again, and it is started anew.",
        model=model.id,
        engine=engine,
        partial=partial,
    )


def _reason(failure: WorkerFailed) -> str:
    status = failure.exit
    if status is None:
        ended = ""
    else:
        ended = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
    return "; ".join(filter(None, (str(failure), ended, decisive(failure.log))))
