"""Engine `nitro`: llama.cpp, each model in a worker process that all kernels of a user share."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from .. import errors, units
from ..engine_options.options import EngineOptions
from ..models import fit, gguf
from ..models.machine import memory
from ..models.model import Model
from ..models.prompts import PromptTemplate
from ..types import ChatRequest, Delta, Embeddable, Embeddings, Event, Priority, Ranking
from ..wire.errors import Complaint
from ..wire.sse import ServerEvent
from . import between, infill
from .base import unheard
from .http import client as http
from .http.endpoint import Endpoint
from .local import llama_options, llama_raw, runtimes, supervisor
from .local.engine import LocalEngine
from .local.worker import Launch, ModelFile, Worker, WorkerFailed, WorkerSpec
from .openai import OpenAIParser, beside

SMALL_MODEL = 20 * 10**6
"""Bytes below which one thread is as fast as many, and is not held up when the others must wait.

The bundled model is so small; the smallest that people use (100 MB) is faster with every core."""


LARGEST_VOCABULARY = 300_000
"""Words of the largest known models: a server has room for the weight of each, for each token."""


EMBEDS = {"embedding": True, "only_embeds": True}
"""Options of a worker that embeds and does not chat. Each token of a text looks at all the others,
so that a text as long as the context fits into one of its steps, however short the first one is."""


class Nitro(LocalEngine):
    """Chats with llama.cpp servers that it finds or starts."""

    name: ClassVar[str] = "nitro"

    def __init__(self, options: EngineOptions, notify: Callable[[Event], None] = unheard) -> None:
        super().__init__(options, notify)
        self._filler = infill.Filler()
        self._no_texts: set[Path | None] = set()
        """Files of models whose worker goes on with no text."""

    def spec(self, model: Model) -> WorkerSpec:
        if model.file is None:
            raise errors.ModelNotReady(
                f"Model {model.id} ({self.options.name}) has no file here: {model.reason}"
            )
        runtime_path = self.program(model, "runtime_path")
        merged = {**self.options.settings, **model.settings}
        options, left_out = self._options(model, merged)
        try:
            files = tuple(ModelFile.of(path) for path in gguf.split_parts(model.file))
            adapters = [ModelFile.of(Path(path)) for path in options.get("lora", ())]
            if _made_to_embed(files[0]):
                options |= EMBEDS
        except OSError as error:
            raise errors.ModelNotReady(
                f"Model {model.id} ({self.options.name}): {error.filename} cannot be read"
                f" ({error.strerror}). Download or import it again."
            ) from error
        runtime, program = str(merged.get("runtime") or ""), runtime_path
        folders = [model.data_folder] if model.data_folder else []

        def launch() -> Launch:
            found = runtimes.choose(runtime, program, folders, runtimes.uses_gpu)
            return _launch(found, files, options)

        return WorkerSpec(
            model=model.id,
            engine=self.options.name,
            files=(*files, *adapters),
            options={**options, "runtime": runtime, "runtime_path": program},
            launch=launch,
            keep_alive=self.keep_alive(model),
            notes=llama_options.told(left_out),
        )

    def _options(self, model: Model, merged: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """What llama.cpp is set to for a model, and what of its settings is left out."""
        raw, left_out = llama_raw.read_raw(self.options.own(llama_options.RAW))
        options, more = llama_options.read_settings(
            {name: value for name, value in merged.items() if name != llama_options.RAW}
        )
        left_out += more
        if raw:
            options[llama_options.RAW] = raw
        if adapters := options.get("lora"):
            options["lora"] = [_adapter(model, name) for name in adapters]
        if name := merged.get("chat_template_file"):
            try:
                options["chat_template"] = _text_beside(model, str(name))
            except ValueError as error:
                left_out.append(f"chat_template_file {error}")
        try:
            if template := PromptTemplate.of(merged):
                options["chat_template"] = template.jinja
        except ValueError as error:
            left_out.append(f"prompt_template {error}")
        if model.projector is not None:
            options["mmproj"] = str(model.projector)
        return options, left_out

    def body(self, model: Model, request: ChatRequest) -> dict[str, Any]:
        if model.projector is None and any(message.has_images for message in request.messages):
            raise errors.BadRequest(
                f"{model.id} ({self.options.name}) sees no images: it has no projector (`mmproj` in"
                " its settings, or beside its file). Choose a model that does.",
                model=model.id,
                engine=self.options.name,
            )
        more = {"verbose": True} if request.parameters.get("stop") else {}  # it tells which
        return {"return_progress": True, **more, **super().body(model, request)}

    def parser(self, model: Model, request: ChatRequest) -> http.Parser:
        def tell(share: float, message: str) -> None:
            self.tell("reading", model, progress=share, message=message)

        return ProgressParser(request.choices, tell)

    def check(self, model: Model, request: ChatRequest, worker: Worker) -> None:
        if worker.runtime != "llama-cpp-python" and request.choices > worker.slots:
            raise errors.BadRequest(
                f"{model.id} ({self.options.name}) gives {worker.slots} at once, not"
                f" {request.choices} answers (`n`): set `n_parallel` to {request.choices} in its"
                " settings.",
                model=model.id,
                engine=self.options.name,
            )

    async def complete(
        self,
        model: Model,
        prefix: str,
        suffix: str,
        parameters: Mapping[str, Any],
        priority: Priority = "person",
    ) -> AsyncGenerator[Delta, None]:
        typing = priority == "completion"
        spaces, prompt = "", None
        if suffix or typing:
            prefix, spaces = infill.healed(prefix)
            slots = ("ctx_len", "n_parallel", "kv_unified")  # what the context of one depends on
            known = model.file, *(self.setting(model, name) for name in slots)
            ask = functools.partial(self._said, model)
            prompt = await self._filler.prompt(known, prefix, suffix, parameters, ask)
        goes_on = prompt is None and (typing or not suffix.strip())
        if prompt is not None:
            request = between.asking(prefix, suffix, parameters, priority)
            found = self._written(model, request, "/completion", {"prompt": prompt})
        elif goes_on and model.file not in self._no_texts:
            found = self._gone_on(model, prefix, suffix, parameters, priority)
        else:
            found = super().complete(model, prefix + spaces, suffix, parameters, priority)
            spaces = ""
        try:
            async with aclosing(infill.without(spaces, found)) as deltas:
                async for delta in deltas:
                    yield delta
            return
        except errors.EngineError as error:
            if not goes_on or error.http_status not in infill.HAS_NONE:
                raise
            self._no_texts.add(model.file)
        asked = super().complete(model, prefix + spaces, suffix, parameters, priority)
        async with aclosing(asked) as deltas:
            async for delta in deltas:
                yield delta

    async def _gone_on(
        self,
        model: Model,
        prefix: str,
        suffix: str,
        parameters: Mapping[str, Any],
        priority: Priority,
    ) -> AsyncGenerator[Delta, None]:
        """What a text goes on with, until what follows it begins."""
        if priority == "completion":
            prefix = "".join(infill.latest(prefix, infill.MOST_SIGNS))
            parameters = infill.until(suffix, parameters)
        request = between.asking(prefix, "", parameters, priority)
        body = {"prompt": prefix, "stream_options": {"include_usage": True}}
        async with aclosing(self._written(model, request, "/v1/completions", body)) as deltas:
            async for delta in deltas:
                if delta.is_last and suffix.strip():
                    delta = replace(delta, notes=(*delta.notes, infill.WENT_ON))
                yield delta

    def _written(
        self, model: Model, request: ChatRequest, path: str, body: Mapping[str, Any]
    ) -> AsyncGenerator[Delta, None]:
        """What goes on from a prompt: text, or tokens."""

        def build(model: Model, request: ChatRequest, endpoint: Endpoint) -> http.HttpRequest:
            sent, _ = self.rules(model).apply(request.parameters)
            url = beside(endpoint.url, path, root=True)
            asked = {**body, "stream": True, **sent}
            return http.HttpRequest(url, asked, self.headers(endpoint), endpoint.read_timeout)

        def parser(model: Model, request: ChatRequest) -> http.Parser:
            return OpenAIParser() if path.startswith("/v1") else infill.InfillParser()

        return self.answer(model, request, build, parser)

    async def _said(self, model: Model, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """What a model's server answers to another request than one for an answer."""
        await self.load(model)
        request, party = await self._beside(model, path, body or {}, root=True)
        if body is None:
            request = replace(request, method="GET", body=None)
        return await self.client.fetch_json(request, party, self._tell_wait(model))

    async def embed(
        self, model: Model, texts: Sequence[Embeddable], parameters: Mapping[str, Any]
    ) -> Embeddings:
        return await super().embed(_embedding(model), texts, parameters)

    async def rerank(
        self, model: Model, query: str, documents: Sequence[str], parameters: Mapping[str, Any]
    ) -> Ranking:
        if not await asyncio.to_thread(self._ranks, model):
            raise errors.BadRequest(
                f"{model.id} ({self.options.name}) cannot rank texts: that takes a model made for"
                " it (a reranker, whose GGUF has the pooling type `rank`).",
                model=model.id,
                engine=self.options.name,
            )
        return await super().rerank(_embedding(model), query, documents, parameters)

    def _ranks(self, model: Model) -> bool:
        said = self.setting(model, "pooling_type")
        if said is not None or model.file is None:
            return str(said).lower() == "rank"
        return gguf.read_brief(model.file).ranks

    def too_long(self, model: Model, said: Complaint) -> str:
        trained = gguf.read_header(model.file).context_length if model.file else None
        limit = said.fields.get("n_ctx") or 0
        if trained and limit >= trained:
            return "Shorten it, or choose another model: this one was trained for no more."
        return super().too_long(model, said)

    def decisive(self, log: str) -> str:
        return decisive(log)

    def unusable(self, model: Model, failure: WorkerFailed) -> errors.JanError | None:
        if not _FILE.search(failure.log):
            return None
        return errors.ModelBroken(
            f"{model.id} ({self.options.name}) cannot be loaded: {decisive(failure.log)}. Is"
            f" {model.file} whole? Download it again, or update llama.cpp (`pip install -U"
            " xllamacpp`)."
        )


def _embedding(model: Model) -> Model:
    """A worker that chats is not one that embeds: another is started beside it if need be."""
    return replace(model, settings={**model.settings, **EMBEDS})


def _launch(
    runtime: runtimes.Runtime, files: Sequence[ModelFile], options: Mapping[str, Any]
) -> Launch:
    """How to start a server, and what memory it will need. Reads the header of the model."""
    header = gguf.read_header(files[0].path)
    size = sum(file.size for file in files)
    chosen: dict[str, Any] = {} if size >= SMALL_MODEL else {"cpu_threads": 1}
    chosen["ctx_len"] = fit.default_context(header)
    chosen |= options
    if header.ranks:
        chosen.setdefault("pooling_type", "rank")  # its server wants to be told
    elif chosen.get("embedding") and not header.pooling:
        chosen.setdefault("pooling_type", "mean")
    if chosen.get("only_embeds") and "n_ubatch" not in chosen:
        step = _step_for_texts(header, chosen["ctx_len"])
        chosen |= {"n_ubatch": step, "n_batch": step}
    slots = runtime.slots(chosen)
    if slots > 1:
        # Of a list of texts each is read in a slot of its own: none may crowd out the others.
        shares = runtime.shares_context and not chosen.get("only_embeds")
        chosen["kv_unified"] = chosen.get("kv_unified", True) and shares
    else:
        chosen.pop("kv_unified", None)  # there is nobody to share with
    on_gpu = runtimes.in_gpu_memory(runtime, chosen)
    if not on_gpu and "mmproj" not in chosen:
        # llama.cpp tells its progress, and hears of a stop, between two such: on processors that
        # are seconds. A GPU has no use for it, and a picture wants to be read as a whole.
        chosen.setdefault("n_batch", max(fit.USUAL_STEP, chosen.get("n_ubatch", 0)))
    whole = {**chosen, "ctx_len": fit.contexts(chosen) * chosen["ctx_len"]}
    command, text, environment = runtime.command(files[0].path, whole)
    needed = fit.memory_needed(header, size, chosen)
    return Launch(
        runtime.name,
        command,
        text,
        environment,
        secret_variable=runtime.secret_variable,
        slots=slots,
        shared=chosen["ctx_len"] if slots > 1 and chosen["kv_unified"] else 0,
        memory=0 if on_gpu else needed,  # llama.cpp itself fits a model into what the GPU has
        ceiling=ceiling(needed, header, chosen, os.cpu_count() or 1),
        # Also where no layer goes there: the GPU's runtime starts all the same.
        watched=on_gpu or runtimes.in_gpu_memory(runtime, {**chosen, "ngl": None}),
        notes=(*_notes(chosen["ctx_len"], header.context_length), *runtime.notes(chosen)),
    )


LARGEST_TEMPLATE = 2**20


def _adapter(model: Model, name: str) -> str:
    """The path of an adapter, by its own or from the model's folder. Raises `ModelNotReady`."""
    file = _folder(model) / Path(name).expanduser()
    if not file.is_file():
        raise errors.ModelNotReady(
            f"Model {model.id} ({model.engine}) is to be loaded with the adapter {name}, which is"
            " no file: correct `lora` in its settings."
        )
    return str(file)


def _folder(model: Model) -> Path:
    return (model.path if model.path.is_dir() else model.path.parent).resolve()


def _text_beside(model: Model, name: str) -> str:
    """The text of a file in the model's own folder. Raises `ValueError` for any other."""
    folder = _folder(model)
    file = (folder / name).resolve()
    if not file.is_relative_to(folder):
        raise ValueError(f"{name} is not in the model's folder")
    try:
        if not file.is_file() or file.stat().st_size > LARGEST_TEMPLATE:
            raise ValueError(f"{name} is no file of at most 1 MB")
        return file.read_text("utf-8")
    except OSError as error:
        raise ValueError(f"{name} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ValueError(f"{name} is no text in UTF-8") from None


@functools.lru_cache(1000)
def _made_to_embed(file: ModelFile) -> bool:
    try:
        return gguf.read_brief(file.path).embeds
    except errors.ModelBroken:
        return False  # its server will say what is wrong with it


def _step_for_texts(header: gguf.GGUFHeader, context: int) -> int:
    """Tokens of a step for texts as long as the context, if that takes no more than a quarter of
    this machine's memory."""
    _, total = memory()
    most = total // 4 // max(1, fit.step_bytes(header))
    return min(context, max(fit.USUAL_STEP, most))


def ceiling(
    needed: int, header: gguf.GGUFHeader, options: Mapping[str, Any], processors: int
) -> int:
    """Bytes that a server never takes unless it goes astray; 0 if nobody can say.

    Twice what the model needs and 2 GB more: buffers of a step depend on the model's build, and
    some kinds of weights are copied beside the mapped file. Each thread has a stack; there are
    some that compute for each processor, or as many as are set, and as many that take requests.
    """
    if options["cache_ram"] < 0:
        return 0
    words = (header.vocabulary or LARGEST_VOCABULARY) if header.causal else 0
    step = words * 4 * int(options.get("n_ubatch", fit.USUAL_STEP))
    threads = 4 * max(processors, options.get("cpu_threads", 1), options["n_parallel"])
    stacks = threads * supervisor.STACK
    return int(2 * needed + 2 * 10**9 + options["cache_ram"] * 2**20 + step + stacks)


def _notes(context: int, trained: int | None) -> tuple[str, ...]:
    if trained and context > trained:
        return (f"ctx_len {context:,} is more than the model was trained for ({trained:,})",)
    return ()


# How far a prompt is read -------------------------------------------------------------------------

QUIET_SECONDS = 1.0
"""A prompt that is read in less is not worth a word."""


class ProgressParser(OpenAIParser):
    """Also reads how far llama.cpp is with a prompt: `tell` takes 0 … 1, and a line for people."""

    def __init__(self, choices: int, tell: Callable[[float, str], None]) -> None:
        super().__init__(choices)
        self._tell = tell

    def parse(self, event: ServerEvent) -> http.Parsed:
        if '"prompt_progress":' in event.data:
            self._progress(**json.loads(event.data)["prompt_progress"])
        return super().parse(event)

    def _progress(self, total: int, cache: int, processed: int, time_ms: float, **_: Any) -> None:
        """`processed` of `total` tokens, `cache` of which were known before."""
        seconds, done = time_ms / 1000, processed - cache
        if seconds >= QUIET_SECONDS and done > 0 and processed < total:
            left = units.duration(seconds / done * (total - processed))
            share = processed / total
            self._tell(share, f"Reading the prompt: {share:.0%} of {total:,} tokens, {left} left …")


# What went wrong ----------------------------------------------------------------------------------

_MARKED = re.compile(r"^(?:[\d.]+ )?E (?P<said>.*)$|^(?P<old>.*\berror\b.*)$")
_HARMLESS = re.compile(r"^[\d.]+ [WIDT] ")
_WHERE = re.compile(r"^(?:\w+\s+)?\w+\s*: ")
_GENERAL = re.compile(
    r"failed to (load model|create context)|exiting due to|encountered an error|Failed to init"
)
_FILE = re.compile(r"error loading model|gguf_init")


def decisive(log: str) -> str:
    """What llama.cpp's log says was wrong: its first exact errors, else its last plain line."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    lines = [line for line in lines if not _HARMLESS.match(line)]
    marked = [found["said"] or found["old"] for line in lines if (found := _MARKED.match(line))]
    exact = [line for line in marked if not _GENERAL.search(line)] or marked
    said = dict.fromkeys(_WHERE.sub("", line) for line in exact)
    return "; ".join([*said][:2] or lines[-1:])[:300]
