"""What local engines share: each model in a worker process that all kernels of a user share.

An engine adds `spec` (which worker a model wants) and says what its programs' logs mean.
"""

from __future__ import annotations

import asyncio
import json
import re
from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any, ClassVar

from ... import errors, settings
from ...engine_options.options import EngineOptions
from ...models.model import Model
from ...parameters import names_program
from ...types import (
    Audio,
    ChatRequest,
    Delta,
    Embeddable,
    Embeddings,
    Event,
    Message,
    Ranking,
    Running,
    Timings,
)
from ...wire.errors import Complaint
from ...wire.retry import Wait
from ..base import unheard
from ..http import client as http
from ..http.endpoint import Build, Endpoint, MakeParser
from ..http.failures import Hints, Partial, Party, unsent
from ..openai import OpenAI
from . import pool
from .places import Places
from .pool import in_order
from .room import Room, Share
from .worker import FOR_EVER, NoMemory, Unloaded, Worker, WorkerFailed, WorkerSpec


class LocalEngine(OpenAI):
    """Chats with workers that it finds or starts; speaks to them as to any OpenAI server."""

    local: ClassVar[bool] = True

    def __init__(self, options: EngineOptions, notify: Callable[[Event], None] = unheard) -> None:
        super().__init__(options, notify)
        self.workers = pool.SHARED
        self._used: dict[str, Worker] = {}  # by the key of what was wanted
        self._queues: dict[str, _Queue] = {}
        self._loading: set[str] = set()  # keys of what was told to be loading

    # What an engine adds --------------------------------------------------------------------------

    @abstractmethod
    def spec(self, model: Model) -> WorkerSpec:
        """The worker that a model wants, by its settings over the engine's. It looks at files: not
        on an event loop."""

    def decisive(self, log: str) -> str:
        """What the log of a worker says was wrong; by default the last exception of Python's."""
        found = _CANNOT_START.findall(log)
        _, traceback, raised = f"\n{log}".rpartition("\nTraceback (most recent call last):\n")
        if traceback:
            # Its frames are indented; what was raised may have several lines.
            found = re.findall(r"(?ms)^[\w.]+(?::.*|$)", raised)
        return " ".join(found[-1].split())[:300] if found else ""

    def unusable(self, model: Model, failure: WorkerFailed) -> errors.JanError | None:
        """The error for a worker that did not come up because of the model itself."""
        return None

    def check(self, model: Model, request: ChatRequest, worker: Worker) -> None:
        """Raise `BadRequest` for what this worker cannot be asked."""

    # What they share ------------------------------------------------------------------------------

    async def load(self, model: Model) -> None:
        await self._ready(model, await in_order(lambda: self.spec(model)))

    async def unload(self, model: Model) -> None:
        self._used = {k: w for k, w in self._used.items() if w.model != model.id}
        await self.workers.unload(model.id, self.options.name, model.file)

    async def running(self) -> list[Running]:
        return await self.workers.running(self.options.name)

    async def models(self) -> list[str]:
        return []  # it has those of the data folder

    async def answer(
        self, model: Model, request: ChatRequest, build: Build, parser: MakeParser
    ) -> AsyncGenerator[Delta, None]:
        partial = Partial()
        alone = False
        for attempt in (1, 2):
            async with self._place(model, request, alone=alone) as (worker, share, waited):
                try:
                    deltas = self._asked(model, request, build, parser, _endpoint(worker))
                    if request.priority == "completion":
                        deltas = self._queues[worker.key].places.completion(deltas)
                    async with aclosing(deltas):
                        async for delta in deltas:
                            partial.add("" if delta.choice else delta.text)
                            if share and not delta.finish and not share.grows():
                                raise self._full(model, worker, partial.text)
                            if delta.is_last:
                                notes = (*self._new_notes(model, worker.notes), *delta.notes)
                                delta = replace(_with_wait(delta, waited), notes=notes)
                            yield delta
                    return
                except (errors.ConnectionFailed, errors.StreamBroken) as error:
                    # It may have left between load and request: then it is started once more. One
                    # that died of the request would die of it again.
                    again = unsent(error) or await self.workers.left(worker)
                    if partial.begun or attempt == 2 or not again:
                        if not await self.workers.gone(worker):
                            raise
                        reason = await self.workers.why(worker)
                        raise self._died(model, reason, partial.text) from error
                except errors.ServerFailed as error:
                    if not share or _FULL not in str(error):
                        raise
                    if partial.begun or attempt == 2:
                        raise self._full(model, worker, partial.text) from None
                    alone = True  # the others do not fit beside it after all

    async def embed(
        self, model: Model, texts: Sequence[Embeddable], parameters: Mapping[str, Any]
    ) -> Embeddings:
        async with self._place(model, None):
            return await super().embed(model, texts, parameters)

    async def rerank(
        self, model: Model, query: str, documents: Sequence[str], parameters: Mapping[str, Any]
    ) -> Ranking:
        async with self._place(model, None):
            return await super().rerank(model, query, documents, parameters)

    async def speak(self, model: Model, text: str, parameters: Mapping[str, Any]) -> Audio:
        raise self._cannot(model, "speak")

    async def reach(self, model: Model) -> Endpoint:
        spec = await asyncio.to_thread(self.spec, model)
        worker = self._used.get(spec.key)
        if worker is None:
            raise errors.EngineUnavailable(
                f"Model {model.id} ({self.options.name}) is not loaded: load it first.",
                model=model.id,
                engine=self.options.name,
            )
        return _endpoint(worker)

    def party(self, model: Model, key: str | None = None) -> Party:
        overflow: Hints = {errors.ContextOverflow: lambda said: self.too_long(model, said)}
        return Party(model.id, self.options.name, secret=key, hints=overflow)

    def too_long(self, model: Model, said: Complaint) -> str:
        """How to mend a prompt that is too long for the model as it is set here."""
        return "Shorten it, or give the model a larger `ctx_len` in its settings."

    def body(self, model: Model, request: ChatRequest) -> dict[str, Any]:
        body = super().body(model, request)
        if before := model.settings.get("pre_prompt"):
            body["messages"] = _with_text_before(before, request.messages)
        return body

    def preview(self, model: Model, request: ChatRequest) -> Mapping[str, Any]:
        return {"url": "(its worker)/v1/chat/completions", "body": self.body(model, request)}

    def program(self, model: Model, setting: str) -> str:
        """What the user's own engine file says is to be run; nothing else may name it."""
        if wrong := names_program(
            f"What is set for {model.id} ({self.options.name})", model.settings
        ):
            raise errors.BadRequest(f"{wrong}.", model=model.id, engine=self.options.name)
        return self.options.program(setting)

    def keep_alive(self, model: Model) -> float:
        """Seconds that its worker stays without a request; below 0 it stays."""
        default = settings.settings().keep_alive
        try:
            wanted = float(self.setting(model, "keep_alive", default))
        except (TypeError, ValueError):
            wanted = default
        return wanted if 0 <= wanted < FOR_EVER else FOR_EVER

    async def _ready(self, model: Model, spec: WorkerSpec) -> Worker:
        """A worker that can answer now, started if there is none; its notes are for this model."""

        def say(progress: float | None, message: str) -> None:
            self._loading.add(spec.key)
            self.tell("loading", model, progress=progress, message=message)

        try:
            worker = await self.workers.ensure(spec, say)
        except asyncio.CancelledError:
            if spec.key in self._loading and not self.workers.brings_up(spec.key):
                self._loading.discard(spec.key)
                self.tell("unloaded", model)  # else who watches sees it loading for ever
            raise
        except WorkerFailed as failure:
            raise self._unavailable(model, failure) from failure
        except errors.ModelBroken as error:
            raise errors.ModelBroken(
                f"{model.id} ({self.options.name}) cannot be loaded: {error}. Download it again."
            ) from error
        self._loading.discard(spec.key)
        self._used[spec.key] = worker
        return replace(worker, notes=(*spec.notes, *worker.notes))

    @asynccontextmanager
    async def _place(
        self, model: Model, request: ChatRequest | None, *, alone: bool = False
    ) -> AsyncIterator[tuple[Worker, Share | None, float]]:
        """A worker that can answer now and a slot of it, in the order of asking.

        Also the room in the context that it shares (`alone`: all of it), and the seconds waited for
        both.
        """
        spec = await in_order(lambda: self.spec(model))
        with self.workers.using(spec.key):
            worker = await self._ready(model, spec)
            if request is not None:
                self.check(model, request, worker)
            queue = self._queues.setdefault(worker.key, _Queue.of(worker))
            asked = monotonic()
            if queue.places.full:
                line = queue.places.waiting + 1
                self.tell("queued", model, message=f"{model.id}: {line} in line.")
            async with queue.places.taken(request.priority if request else "person"):
                if request is None or queue.room is None:
                    yield worker, None, monotonic() - asked
                    return
                async with self._room(model, request, worker, queue.room, alone) as share:
                    yield worker, share, monotonic() - asked

    @asynccontextmanager
    async def _room(
        self, model: Model, request: ChatRequest, worker: Worker, room: Room, alone: bool
    ) -> AsyncIterator[Share]:
        """Room for a request in the context that all at its worker share."""
        prompt = await self._prompt_tokens(model, request, worker, room)
        limit = request.parameters.get("max_tokens")
        needed = room.needed(prompt, request.choices, limit if isinstance(limit, int) else None)

        def waits(others: int) -> None:
            message = f"{model.id}: waiting for room beside {others} in its context."
            self.tell("queued", model, message=message)

        async with room.take(prompt, room.tokens if alone else needed, waits) as share:
            yield share

    async def _prompt_tokens(
        self, model: Model, request: ChatRequest, worker: Worker, room: Room
    ) -> int:
        """Tokens of a prompt: not more than bytes if it is short, else as its server counts."""
        written = self.body(model, request)
        read = [written["messages"], written.get("tools")]
        size = len(json.dumps(read, ensure_ascii=False).encode())
        images = any(message.has_images for message in request.messages)
        if size > room.fair // 2 or images:
            counted = await self._counted(model, written, worker)
            return size // 3 if counted is None else counted
        return size

    async def _counted(
        self, model: Model, written: Mapping[str, Any], worker: Worker
    ) -> int | None:
        """Tokens of a prompt, as its server counts; one of before 2026 does not."""
        endpoint = _endpoint(worker)
        asked = http.HttpRequest(
            f"{endpoint.url}/input_tokens", written, self.headers(endpoint), None
        )
        with suppress(errors.EngineError, LookupError, TypeError, ValueError):
            answer = await self.client.fetch_json(
                asked, self.party(model, worker.secret), self._tell_wait(model)
            )
            return int(answer["input_tokens"])
        return None

    async def count(self, model: Model, request: ChatRequest) -> int:
        spec = await in_order(lambda: self.spec(model))
        with self.workers.using(spec.key):
            worker = await self._ready(model, spec)
            found = await self._counted(model, self.body(model, request), worker)
        return await super().count(model, request) if found is None else found

    async def count_now(self, model: Model, request: ChatRequest) -> int | None:
        spec = await in_order(lambda: self.spec(model))
        worker = await self.workers.ready(spec.key)
        if worker is None:
            return None
        return await self._counted(model, self.body(model, request), worker)

    def _tell_wait(self, model: Model) -> Wait:
        def no_second_try(seconds: float, error: errors.EngineError) -> None:
            raise error  # a worker that does not answer is replaced, not asked again

        return no_second_try

    # What went wrong ------------------------------------------------------------------------------

    def _unavailable(self, model: Model, failure: WorkerFailed) -> errors.JanError:
        """The error for a worker that did not come up."""
        if isinstance(failure, Unloaded):
            mend = "Ask again to load it."
        elif isinstance(failure, NoMemory) or _MEMORY.search(failure.log) or failure.exit == -9:
            mend = (
                "Choose a smaller model or quantisation, or a smaller ctx_len, or unload another."
            )
        elif error := self.unusable(model, failure):
            return error
        else:
            mend = (
                f"Its settings and engines/{self.options.name}/engine.json say how it is started."
            )
        return errors.EngineUnavailable(
            f"{model.id} ({self.options.name}) cannot be loaded: {self._reason(failure)}. {mend}",
            model=model.id,
            engine=self.options.name,
        )

    def _full(self, model: Model, worker: Worker, partial: str) -> errors.ContextOverflow:
        """The error for an answer that was ended because others needed the context, too."""
        return errors.ContextOverflow(
            f"{model.id} ({self.options.name}) had no room for more: what it answers at once has"
            f" filled the {worker.shared:,} tokens of its context. Ask for less at once, or"
            " give it a larger `ctx_len`, a smaller `n_parallel`, or `kv_unified: false` (a context"
            " for each request, with memory for all) in its settings.",
            model=model.id,
            engine=self.options.name,
            partial=partial,
        )

    def _died(self, model: Model, failure: WorkerFailed, partial: str) -> errors.WorkerDied:
        """The error for a worker that ended while it was answering."""
        mend = (
            "It took more memory than the model needs: simplify the request (its schema, its"
            " grammar, its length)."
            if _MEMORY.search(failure.log)
            else "What had come is kept; run the cell again, and it is started anew."
        )
        return errors.WorkerDied(
            f"The worker of {model.id} ({self.options.name}) ended in mid-answer:"
            f" {self._reason(failure)}. {mend}",
            model=model.id,
            engine=self.options.name,
            partial=partial,
        )

    def _reason(self, failure: WorkerFailed) -> str:
        status = failure.exit
        if status is None:
            ended = ""
        else:
            ended = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
        return "; ".join(filter(None, (str(failure), ended, self.decisive(failure.log))))


_FULL = "Context size has been exceeded"
"""What llama.cpp says to all requests at once when a context that they share is full."""
_CANNOT_START = re.compile(r"(?m)^cannot start .*$")
_MEMORY = re.compile(
    r"(?i)failed to allocate|unable to allocate|out of memory|cannot allocate|not enough memory"
    r"|MemoryError|bad_alloc"
)


@dataclass(slots=True)
class _Queue:
    """The places of a worker in this process; its server itself queues across processes."""

    places: Places
    room: Room | None = None

    @classmethod
    def of(cls, worker: Worker) -> _Queue:
        room = Room(worker.shared, worker.slots) if worker.shared else None
        return cls(Places(worker.slots), room)


def _with_text_before(before: str, messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The setting `pre_prompt`: in front of the system text, or as one."""
    first, *rest = messages
    if first.role == "system":
        messages = (replace(first, content=before + first.text), *rest)
    else:
        messages = (Message("system", before), *messages)
    return [message.json() for message in messages]


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
