"""The model of a worker of intel-bigdl's back ends `ipex-llm` and `bigdl-llm`: for `serve.py`.

Settings: `package` (`ipex_llm` or `bigdl.llm`), `folder` (of PyTorch or safetensors files), and
perhaps `low_bit`, `context` (tokens), `threads`, `chat_template`.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment
from transformers import AutoTokenizer, StoppingCriteria, StoppingCriteriaList

if TYPE_CHECKING:
    from .serve import Asked, Finish, Sink

_NAMES = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "typical_p": "typical_p",
    "repeat_penalty": "repetition_penalty",
}


def load(settings: dict[str, Any]) -> IpexLlm:
    return IpexLlm(**settings)


class IpexLlm:
    """A model of transformers whose matrices are kept in few bits."""

    constrains = False
    cached = 0

    def __init__(
        self,
        package: str,
        folder: str,
        low_bit: str = "sym_int4",
        context: int | None = None,
        threads: int | None = None,
        chat_template: str | None = None,
    ) -> None:
        if threads:
            torch.set_num_threads(threads)
        models = importlib.import_module(f"{package}.transformers")
        # Code that comes with a model is never run, and nothing is fetched.
        safe = {"trust_remote_code": False, "local_files_only": True}
        self._tokenizer = AutoTokenizer.from_pretrained(folder, **safe)
        if (Path(folder) / "bigdl_config.json").exists():  # it was saved in few bits
            self._model = models.AutoModelForCausalLM.load_low_bit(folder, trust_remote_code=False)
        else:
            self._model = models.AutoModelForCausalLM.from_pretrained(
                folder, load_in_low_bit=low_bit, use_cache=True, **safe
            )
        self._model.eval()
        trained = getattr(self._model.config, "max_position_embeddings", None) or 2048
        self.context = context or trained
        self._template = _template(folder, chat_template or _template_of(self._tokenizer, folder))
        ends = self._model.generation_config.eos_token_id
        self._ends = {*(ends if isinstance(ends, list) else [ends]), self._tokenizer.eos_token_id}

    def encode(self, messages: Sequence[Mapping[str, Any]]) -> list[int]:
        prompt = self._template.render(
            messages=messages,
            add_generation_prompt=True,
            bos_token=self._tokenizer.bos_token or "",
            eos_token=self._tokenizer.eos_token or "",
        )
        tokens: list[int] = self._tokenizer(prompt, add_special_tokens=False)["input_ids"]
        return tokens

    def decode(self, tokens: list[int]) -> str:
        text: str = self._tokenizer.decode(
            tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text

    def generate(self, prompt: list[int], asked: Asked, answer: Sink) -> Finish:
        given = asked.parameters
        chosen = {theirs: given[ours] for ours, theirs in _NAMES.items() if ours in given}
        if chosen.get("temperature") == 0:
            chosen = {"do_sample": False, "repetition_penalty": given.get("repeat_penalty", 1.0)}
        elif "temperature" in chosen:
            chosen["do_sample"] = True
        if given.get("seed", -1) >= 0:
            torch.manual_seed(given["seed"])
        tokens = torch.tensor([prompt])
        streamer = _Streamer(answer, ends=set() if given.get("ignore_eos") else self._ends)
        with torch.inference_mode():
            self._model.generate(
                tokens,
                attention_mask=torch.ones_like(tokens),
                max_new_tokens=asked.limit,
                streamer=streamer,
                stopping_criteria=StoppingCriteriaList([streamer]),
                pad_token_id=self._tokenizer.eos_token_id,
                **({"eos_token_id": -1} if given.get("ignore_eos") else {}),
                **chosen,
            )
        return "stop" if streamer.ended else "length"

    def embed(self, texts: Sequence[str]) -> tuple[list[list[float]], int]:
        raise ValueError("intel-bigdl gives no embeddings")


class _Streamer(StoppingCriteria):  # type: ignore[misc]
    """Takes the tokens as they come, and says when there are enough."""

    def __init__(self, answer: Sink, ends: set[int]) -> None:
        self.ended = False
        self._answer = answer
        self._ends = ends
        self._in_prompt = True

    def put(self, tokens: Any) -> None:
        if self._in_prompt:
            self._in_prompt = False
            return
        for token in tokens.flatten().tolist():
            self.ended = not self._answer.put(token) or token in self._ends

    def end(self) -> None:
        """Nothing is held back here."""

    def __call__(self, tokens: Any, scores: Any, **more: Any) -> bool:
        return self.ended


def _template(folder: str, text: str | None) -> Any:
    if not text:
        raise ValueError(
            f"{folder} has no chat template: set `prompt_template` in the settings of the model"
        )
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
    )
    environment.globals["raise_exception"] = _refuse
    return environment.from_string(text)


def _refuse(message: str) -> None:
    raise ValueError(message)


def _template_of(tokenizer: Any, folder: str) -> str | None:
    """The model's own template; transformers of before 4.34 do not read it."""
    found = getattr(tokenizer, "chat_template", None)
    if not found:
        file = Path(folder) / "tokenizer_config.json"
        found = json.loads(file.read_text("utf-8")).get("chat_template") if file.exists() else None
    if isinstance(found, list):  # several, by name
        found = next((row["template"] for row in found if row.get("name") == "default"), None)
    return found or getattr(tokenizer, "default_chat_template", None)
