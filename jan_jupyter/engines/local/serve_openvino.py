"""The model of a worker of intel-bigdl's back end `openvino`: for `serve.py`.

Settings: `folder` (an exported IR with its tokenizer), and perhaps `device` (`CPU`, `GPU`, `NPU`),
`context` (tokens), `threads`, `chat_template`.
"""

from __future__ import annotations

import json
import re
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # it tells on import

import numpy as np  # noqa: E402
from openvino import Tensor  # noqa: E402
from openvino_genai import (  # noqa: E402
    LLMPipeline,
    StreamerBase,
    StreamingStatus,
    StructuredOutputConfig,
)

if TYPE_CHECKING:
    from .serve import Asked, Finish, Sink

_NAMES = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "min_p": "min_p",
    "repeat_penalty": "repetition_penalty",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "ignore_eos": "ignore_eos",
}


def load(settings: dict[str, Any]) -> OpenVino:
    return OpenVino(**settings)


class OpenVino:
    """A pipeline of OpenVINO GenAI."""

    constrains = True
    cached = 0

    def __init__(
        self,
        folder: str,
        device: str = "CPU",
        context: int | None = None,
        threads: int | None = None,
        chat_template: str | None = None,
    ) -> None:
        hints = {"INFERENCE_NUM_THREADS": threads} if threads else {}
        self._pipe = LLMPipeline(folder, device, **hints)
        self._tokenizer = self._pipe.get_tokenizer()
        if chat_template:
            self._tokenizer.set_chat_template(chat_template)
        if not self._tokenizer.chat_template:
            raise ValueError(
                f"{folder} has no chat template: set `prompt_template` in the settings of the model"
            )
        about = json.loads((Path(folder) / "config.json").read_text("utf-8"))
        self.context = context or about.get("max_position_embeddings") or 2048

    def encode(self, messages: Sequence[Mapping[str, Any]]) -> list[int]:
        prompt = self._tokenizer.apply_chat_template(list(messages), add_generation_prompt=True)
        found = self._tokenizer.encode(prompt, add_special_tokens=False).input_ids
        return [int(token) for token in found.data[0]]

    def decode(self, tokens: list[int]) -> str:
        text: str = self._tokenizer.decode(tokens) if tokens else ""
        return text

    def generate(self, prompt: list[int], asked: Asked, answer: Sink) -> Finish:
        config = self._pipe.get_generation_config()  # a copy, with what the folder says
        given = asked.parameters
        for ours, theirs in _NAMES.items():
            if ours in given:
                setattr(config, theirs, given[ours])
        if "temperature" in given:
            config.do_sample = given["temperature"] > 0
        seed = given.get("seed", -1)
        config.rng_seed = seed if seed >= 0 else secrets.randbits(32)
        config.max_new_tokens = asked.limit
        if asked.grammar:
            config.structured_output_config = StructuredOutputConfig(grammar=asked.grammar)
        elif asked.schema is not None:
            schema = json.dumps(asked.schema)
            config.structured_output_config = StructuredOutputConfig(json_schema=schema)
        streamer = _Streamer(answer, set() if config.ignore_eos else config.stop_token_ids)
        try:
            self._pipe.generate(Tensor(np.array([prompt], np.int64)), config, streamer)
        except RuntimeError as error:
            if config.structured_output_config is None or streamer.begun:
                raise
            reason = re.sub(r"^\[.*?\] \S+: ", "", str(error).strip())  # time and place of xgrammar
            raise ValueError(f"the schema or grammar cannot be used: {reason}") from error
        return "stop" if streamer.ended else "length"

    def embed(self, texts: Sequence[str]) -> tuple[list[list[float]], int]:
        raise ValueError("intel-bigdl gives no embeddings")


class _Streamer(StreamerBase):  # type: ignore[misc]
    """Takes the tokens as they come, and says when there are enough."""

    def __init__(self, answer: Sink, ends: set[int]) -> None:
        super().__init__()
        self.begun = self.ended = False
        self._answer = answer
        self._ends = ends

    def write(self, tokens: int | list[int]) -> Any:
        self.begun = True
        for token in [tokens] if isinstance(tokens, int) else tokens:
            if not self._answer.put(token):
                self.ended = True
                return StreamingStatus.CANCEL
            self.ended = token in self._ends
        return StreamingStatus.RUNNING

    def end(self) -> None:
        """Nothing is held back here."""
