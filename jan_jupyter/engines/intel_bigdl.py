"""Engine `intel-bigdl`: Intel's libraries, in workers with an environment of their own.

Its back ends: `ipex-llm` (folders of PyTorch files, in few bits), its elder `bigdl-llm`, and
`openvino`, their living successor (an exported folder). With a `base_url` it is a client of
Intel's serving instead.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from .. import errors, settings
from ..engine_options.options import EngineOptions
from ..models.model import Model
from ..models.prompts import PromptTemplate
from ..types import Audio, ChatRequest, Delta, Embeddable, Embeddings, Event, Priority, Ranking
from .base import unheard
from .install.environments import EngineEnvironment, Recipe
from .local import llama_options, runtimes
from .local.engine import LocalEngine
from .local.worker import Launch, ModelFile, WorkerSpec
from .openai import OpenAI
from .rules import Rules

_TORCH = ("torch==2.13.0",)
_OF_BOTH = (
    *("mpmath==1.3.0", "sentencepiece", "py-cpuinfo", "protobuf", "tabulate", "setuptools<81"),
    "intel-openmp",
)
_ARCHIVED = "archived upstream in January 2026, with known security issues"

# The sets of versions that were seen to work together; the packages' own extras cannot be resolved.
RECIPES = {
    "ipex-llm": Recipe(
        "ipex-llm",
        pythons=("3.11",),
        steps=(
            _TORCH,
            (
                *("ipex-llm==2.2.0", "transformers==4.37.0", "tokenizers==0.15.2"),
                *("accelerate==0.23.0", "numpy==1.26.4", *_OF_BOTH),
            ),
        ),
        size=1_300_000_000,
        check="import ipex_llm.transformers",
        remark=f"some minutes; {_ARCHIVED}",
    ),
    "bigdl-llm": Recipe(
        "bigdl-llm",
        pythons=("3.11",),
        steps=(
            _TORCH,
            (
                *("bigdl-llm==2.4.0", "transformers==4.31.0", "tokenizers==0.13.3"),
                *("accelerate==0.21.0", "numpy==1.26.4", *_OF_BOTH),
            ),
        ),
        size=1_300_000_000,
        check="import bigdl.llm.transformers",
        remark=f"some minutes; {_ARCHIVED}",
    ),
    "openvino": Recipe(
        "openvino",
        pythons=("3.13", "3.12", "3.11"),
        steps=(("openvino-genai==2026.4.1.0", "numpy"),),
        size=400_000_000,
        # Without what would tell Intel and Google about it.
        check="import sys; sys.modules['openvino_telemetry'] = None; import openvino_genai",
        remark="a minute; recommended",
    ),
}
_PACKAGES = {"ipex-llm": "ipex_llm", "bigdl-llm": "bigdl.llm"}
_NOT_TAKEN = frozenset({"min_p", "frequency_penalty", "presence_penalty", "repeat_last_n"})
"""Parameters that transformers of that time does not know."""
_OVERHEAD = {"openvino": 5 * 10**8}
"""Bytes a worker needs beside the weights; with PyTorch three times as many."""
_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "KMP_BLOCKTIME": "1",  # milliseconds that a thread of Intel's OpenMP spins
}
"""What is on this machine is all there is: nothing is looked up, and nobody is told."""


class IntelBigdl(LocalEngine):
    """Chats with workers around Intel's libraries, or with Intel's serving."""

    name: ClassVar[str] = "intel-bigdl"
    installs: ClassVar[Mapping[str, str]] = {name: r.cost for name, r in RECIPES.items()}

    def __init__(self, options: EngineOptions, notify: Callable[[Event], None] = unheard) -> None:
        super().__init__(options, notify)
        self._serving = OpenAI(options, notify)

    @classmethod
    def missing(cls, options: EngineOptions) -> str:
        if options.address or any(_environment(backend).ready for backend in RECIPES):
            return ""
        return f"`%jan engines install {cls.name}[openvino]` (or ipex-llm, bigdl-llm)"

    @classmethod
    async def install(
        cls, options: EngineOptions, say: Callable[[str], None], part: str = ""
    ) -> None:
        backend = _known(part or str(options.settings.get("backend") or "ipex-llm"))
        recipe = RECIPES[backend]
        say(f"{backend}: {recipe.cost}.")
        await _environment(backend).install(say)

    # Here, or Intel's serving elsewhere -----------------------------------------------------------

    def _is_served(self, model: Model) -> bool:
        return bool(model.settings.get("base_url") or self.options.address)

    def gives_choices(self, model: Model) -> bool:
        return self._is_served(model)

    async def chat(self, model: Model, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        if self._is_served(model):
            asked = self._serving.chat(model, request)
        else:
            asked = super().chat(model, request)
        async with aclosing(asked) as deltas:
            async for delta in deltas:
                yield delta

    def complete(
        self,
        model: Model,
        prefix: str,
        suffix: str,
        parameters: Mapping[str, Any],
        priority: Priority = "person",
    ) -> AsyncGenerator[Delta, None]:
        if self._is_served(model):
            return self._serving.complete(model, prefix, suffix, parameters, priority)
        return super().complete(model, prefix, suffix, parameters, priority)

    async def embed(
        self, model: Model, texts: Sequence[Embeddable], parameters: Mapping[str, Any]
    ) -> Embeddings:
        if self._is_served(model):
            return await self._serving.embed(model, texts, parameters)
        raise self._cannot(model, "embed texts")

    async def rerank(
        self, model: Model, query: str, documents: Sequence[str], parameters: Mapping[str, Any]
    ) -> Ranking:
        if self._is_served(model):
            return await self._serving.rerank(model, query, documents, parameters)
        raise self._cannot(model, "rank texts")

    async def speak(self, model: Model, text: str, parameters: Mapping[str, Any]) -> Audio:
        raise self._cannot(model, "speak")

    async def load(self, model: Model) -> None:
        if not self._is_served(model):
            await super().load(model)

    async def models(self) -> list[str]:
        return await self._serving.models()

    async def close(self) -> None:
        await self._serving.close()
        await super().close()

    def preview(self, model: Model, request: ChatRequest) -> Mapping[str, Any]:
        if self._is_served(model):
            return self._serving.preview(model, request)
        return super().preview(model, request)

    # The worker -----------------------------------------------------------------------------------

    def rules(self, model: Model) -> Rules:
        rules = super().rules(model)
        if self.backend(model) in _PACKAGES:
            return replace(rules, drop=rules.drop | _NOT_TAKEN)
        return rules

    def backend(self, model: Model) -> str:
        """The back end that is asked for, else the one that can read the folder."""
        chosen = self.setting(model, "backend")
        if not chosen and model.file is not None and (model.file / _EXPORTED).exists():
            return "openvino"
        return _known(str(chosen or "ipex-llm"), model.id)

    def spec(self, model: Model) -> WorkerSpec:
        folder, backend = self._folder(model), self.backend(model)
        options, notes = self._worker_settings(model, folder, backend)
        python = self._python(model, backend)
        files = tuple(ModelFile.of(path) for path in sorted(folder.iterdir()) if path.is_file())
        if backend in _PACKAGES:
            notes.append(
                f"{backend} is {_ARCHIVED}; `backend: openvino` (with an exported model) is the"
                " living way"
            )

        def launch() -> Launch:
            backend_file = "serve_openvino.py" if backend == "openvino" else "serve_ipex_llm.py"
            programs = (str(runtimes.HERE / name) for name in ("serve.py", backend_file))
            weights = sum(file.size for file in files)
            return Launch(
                backend,
                (str(python), "-I", *programs),
                json.dumps(options),
                {**_OFFLINE, **runtimes.calm()},
                memory=weights + _OVERHEAD.get(backend, 15 * 10**8),
                ceiling=3 * weights + 8 * 10**9,  # weights are converted, and compiled for the CPU
                watched=True,
            )

        return WorkerSpec(
            model=model.id,
            engine=self.options.name,
            files=(ModelFile.of(folder), *files),
            options={**options, "backend": backend, "python": str(python)},
            launch=launch,
            keep_alive=self.keep_alive(model),
            notes=notes,
        )

    def _folder(self, model: Model) -> Path:
        """The folder of the model's files; a path, never a name to be looked up somewhere."""
        who = f"Model {model.id} ({self.options.name})"
        if model.file is None:
            raise errors.ModelNotReady(f"{who} has no files here: {model.reason}")
        folder = model.file if model.file.is_dir() else model.file.parent
        if not (folder / "config.json").exists():
            raise errors.ModelBroken(f"{who}: {folder} is no model folder, it has no config.json.")
        if self.backend(model) == "openvino" and not (folder / _EXPORTED).exists():
            raise errors.ModelBroken(
                f"{who}: {folder} has no {_EXPORTED}. Export the model for OpenVINO: `optimum-cli"
                f" export openvino --model {folder} --task text-generation-with-past NEW_FOLDER`."
            )
        return folder.absolute()

    def _python(self, model: Model, backend: str) -> Path:
        """The interpreter of the back end's environment."""
        if own := self.program(model, "python"):
            return Path(own).expanduser()
        environment = _environment(backend)
        if not environment.ready:
            raise errors.EngineUnavailable(
                f"{self.options.name} needs {backend} for {model.id}, which is not installed: run"
                f" `%jan engines install {self.name}[{backend}]` ({RECIPES[backend].cost}).",
                model=model.id,
                engine=self.options.name,
            )
        return environment.python

    def _worker_settings(
        self, model: Model, folder: Path, backend: str
    ) -> tuple[dict[str, Any], list[str]]:
        """What its server reads, and lines about what is left out."""
        merged = {**self.options.settings, **model.settings}
        given = {"folder": str(folder)}
        given |= {"package": _PACKAGES[backend]} if backend in _PACKAGES else {}
        options, left_out = _read_settings(merged, _SETTINGS[backend])
        try:
            if template := PromptTemplate.of(merged):
                options["chat_template"] = template.jinja
        except ValueError as error:
            left_out.append(f"prompt_template {error}")
        return given | options, llama_options.told(left_out)


_EXPORTED = "openvino_model.xml"


def _known(backend: str, model: str = "") -> str:
    backend = backend.lower().replace("_", "-")
    if backend not in RECIPES:
        raise errors.EngineUnavailable(
            f"intel-bigdl has no back end {backend!r}{f' for {model}' if model else ''}: set"
            f" `backend` in engines/intel-bigdl/engine.json to one of {', '.join(RECIPES)}.",
            model=model,
            engine="intel-bigdl",
        )
    return backend


def _environment(backend: str) -> EngineEnvironment:
    folder = settings.own_data_folder() / "engines" / "intel-bigdl" / backend
    return EngineEnvironment(folder.absolute(), RECIPES[backend])


_OF_ALL: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "ctx_len": (
        "context",
        lambda written: llama_options.count(written) if float(written) else None,
    ),
    "cpu_threads": ("threads", llama_options.count),
}
_SETTINGS: Mapping[str, Mapping[str, tuple[str, Callable[[Any], Any]]]] = {
    **{name: {**_OF_ALL, "low_bit": ("low_bit", str)} for name in _PACKAGES},
    "openvino": {**_OF_ALL, "device": ("device", lambda written: str(written).upper())},
}
"""For each back end the settings that it knows, under its own names, and how they are read."""
_READ_ELSEWHERE = {
    "backend",
    "python",
    *llama_options.BOOKKEEPING,
    *llama_options.TABLE,
    "rename",
    "drop",
    "allow",
}


def _read_settings(
    written: Mapping[str, Any], known: Mapping[str, tuple[str, Callable[[Any], Any]]]
) -> tuple[dict[str, Any], list[str]]:
    """The settings that a back end knows, and a line for each that is left out."""
    options: dict[str, Any] = {}
    left_out = []
    for name, value in written.items():
        if name in known:
            theirs, read = known[name]
            try:
                options[theirs] = read(value)
            except (ValueError, TypeError):
                left_out.append(f"{name}={value!r} does not fit")
        elif name not in _READ_ELSEWHERE:
            left_out.append(f"{name} is not known")
    return options, left_out
