"""The tensors of TensorRT-LLM's models in Triton, whose names differ by version. Pure.

Three vocabularies are about: that of `ensemble` and `tensorrt_llm_bls`, an older one of the same,
and that of the LLM API (`sampling_param_…`). What a model has is read from its metadata.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from ...types import Delta, Finish, Usage
from ...wire.sse import ServerEvent
from ..http import client as http
from ..stops import StopWords, may_be_cut

MAX_TOKENS = 1024
"""The models demand a limit (or have one of 32 tokens); this is sent where nobody sets any."""

_NAMES: Mapping[str, Sequence[str]] = {
    "prompt": ("text_input", "prompt"),
    "stream": ("stream", "streaming"),
    "exclude": (
        "exclude_input_in_output",
        "sampling_param_exclude_input_from_output",
        "exclude_input_from_output",
    ),
    "max_tokens": ("max_tokens", "request_output_len"),
    "min_tokens": ("min_tokens", "min_length"),
    "stop": ("stop_words",),
    "seed": ("seed", "random_seed"),
    "top_k": ("top_k", "runtime_top_k"),
    "top_p": ("top_p", "runtime_top_p"),
    "repeat_penalty": ("repetition_penalty",),
}
"""Our name -> what it is called, newest first; `sampling_param_<name>` is tried for each too."""
_ASKED = ("return_finish_reason", "return_num_input_tokens", "return_num_output_tokens")
_KINDS: Mapping[str, type] = {"BYTES": str, "BOOL": bool, "FP16": float, "FP32": float}


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input: its data type in Triton's words, and its dimensions (-1: any)."""

    kind: str
    shape: tuple[int, ...] = (1,)

    def fit(self, value: Any) -> Any:
        """A value as JSON has it for this type. Raises `ValueError`, `TypeError`."""
        make = _KINDS.get(self.kind, int)
        return [*map(make, value)] if isinstance(value, list | tuple) else make(value)


@dataclass(frozen=True, slots=True)
class Signature:
    """What a model takes and gives.

    `streams`: it may answer in several pieces. `cumulative`: each piece is the whole text so far;
    `None`: nobody says. `batched`: its tensors have a first dimension for a batch.
    """

    inputs: Mapping[str, Tensor]
    streams: bool = True
    cumulative: bool | None = False
    batched: bool = False

    @classmethod
    def read(cls, metadata: Mapping[str, Any], config: Mapping[str, Any]) -> Self:
        """From `/v2/models/<m>` and its `/config`. Raises `ValueError` if it takes no text."""
        inputs = {
            row["name"]: Tensor(row["datatype"], tuple(map(int, row.get("shape") or (1,))))
            for row in metadata.get("inputs") or ()
        }
        policy = config.get("model_transaction_policy") or {}
        told = (config.get("parameters") or {}).get("accumulate_tokens") or {}
        written = str(told.get("string_value", "")).lower()
        by_nature = None if "sampling_param_max_tokens" in inputs else False
        cumulative = {"true": True, "false": False}.get(written, by_nature)
        streams = bool(policy.get("decoupled", not config))  # which protobuf leaves out if false
        batched = int(config.get("max_batch_size") or 0) > 0
        found = cls(inputs, streams, cumulative, batched)
        if found.input("prompt") is None:
            named = ", ".join(inputs) or "none"
            raise ValueError(f"it has no input `text_input` (its inputs: {named})")
        return found

    def input(self, name: str) -> str | None:
        """What the model calls a thing; `None` if it has no such input."""
        names = (*_NAMES.get(name, ()), name)
        every = (*names, *(f"sampling_param_{n}" for n in (name, *names)))
        # `stop` is a flag there that ends a generation, and no word.
        return next((n for n in every if n in self.inputs and n != "stop"), None)

    def tensors(
        self, prompt: str, parameters: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[str]]:
        """Name -> value of each input, and the parameters that the model has no input for.

        Raises `ValueError` for a value that does not fit.
        """
        given = {"max_tokens": MAX_TOKENS, **parameters}
        if given.get("temperature") == 0:  # greedy, in the words of every version
            given = {k: v for k, v in given.items() if k not in ("temperature", "top_p")}
            given["top_k"] = 1
        if isinstance(stop := given.get("stop"), str):
            given["stop"] = [stop]
        given |= {"prompt": prompt, "stream": self.streams, "exclude": True}
        given |= dict.fromkeys(_ASKED, True)
        found: dict[str, Any] = {}
        left_out: list[str] = []
        for name, value in given.items():
            if (target := self.input(name)) is not None:
                try:
                    found[target] = self.inputs[target].fit(value)
                except (ValueError, TypeError) as error:
                    raise ValueError(f"{name}: {value!r} is not of its type") from error
            elif name in parameters and name != "stop":  # which is looked for on our side
                left_out.append(name)
        return found, left_out


CLASSIC = Signature(
    {
        "text_input": Tensor("BYTES"),
        "max_tokens": Tensor("INT32"),
        "stream": Tensor("BOOL"),
        "stop_words": Tensor("BYTES", (-1,)),
        "temperature": Tensor("FP32"),
        "top_k": Tensor("INT32"),
        "top_p": Tensor("FP32"),
        "seed": Tensor("UINT64"),
        "repetition_penalty": Tensor("FP32"),
        "presence_penalty": Tensor("FP32"),
        "frequency_penalty": Tensor("FP32"),
    },
    cumulative=None,
)
"""What is assumed as long as the model has not been asked."""


class TritonParser(http.Parser):
    """The outputs of one answer. Triton has no end mark: a clean end of the stream is the end."""

    def __init__(self, signature: Signature, prompt: str, parameters: Mapping[str, Any]) -> None:
        stop = parameters.get("stop") or ()
        self._stop = StopWords([stop] if isinstance(stop, str) else [*stop])
        self._obeys = signature.input("stop") is not None
        self._prompt = prompt
        self._limit: int = parameters.get("max_tokens", MAX_TOKENS)
        self._cumulative = signature.cumulative
        self._pieces = 0
        self._given: list[str] = []
        self._seen = ""  # of a text that grows: what has been given of it
        self._reason = ""
        self._counts: list[int] = []
        self._prompt_tokens = 0

    def parse(self, event: ServerEvent) -> Delta | http.End | None:
        if self._stop.found and not self._obeys:
            return http.END  # else it would go on to its limit
        data = json.loads(event.data)
        if "error" in data:
            raise http.Refusal(200, data)
        self._count(data)
        new = self._new(_first(data["text_output"]))
        text = self._stop.feed(new)
        self._given.append(new)
        self._pieces += 1
        return Delta(text) if text else None

    def end(self) -> Delta | None:
        if not self._pieces:
            return None
        finish: Finish = "length" if self._reason == "length" else "stop"
        completion = completed(self._counts)
        if not self._reason and not self._stop.found and self._reached(completion):
            finish = "length"
        usage = Usage(self._prompt_tokens, completion) if self._counts else None
        return Delta(self._stop.rest(), finish=finish, usage=usage, stop=self._stop.found)

    def _reached(self, completion: int) -> bool:
        """Whether the limit has ended the text; where nobody counts, a piece is a token."""
        if self._counts:
            return completion >= self._limit
        if self._pieces > 1:
            return self._pieces >= self._limit
        return may_be_cut("".join(self._given), self._limit)

    def _new(self, text: str) -> str:
        """What an output adds to the text."""
        if not self._pieces or self._cumulative is not False:
            text = text.removeprefix(self._prompt)
        if self._cumulative is False:
            return text
        whole = text.rstrip("\ufffd")  # the beginning of a character whose end comes later
        if self._cumulative is None and not whole.startswith(self._seen):
            self._cumulative = False  # so these are pieces
            return text
        new = whole[len(self._seen) :]
        self._seen = max(self._seen, whole, key=len)
        return new

    def _count(self, data: Mapping[str, Any]) -> None:
        if (reason := str(_first(data.get("finish_reason", "")))) not in ("", "None", "null"):
            self._reason = reason
        if (count := _first(data.get("num_output_tokens"))) is not None:
            self._counts.append(int(count))
        if (count := _first(data.get("num_input_tokens"))) is not None:
            self._prompt_tokens = int(count)


def completed(counts: Sequence[int]) -> int:
    """Tokens of an answer from the count of each piece: by version its own, or all so far."""
    grows = list(counts) == sorted(counts) and len(set(counts)) > 1
    return counts[-1] if grows else sum(counts)


def _first(value: Any) -> Any:
    """An output of one element comes as it is, one of several as a list."""
    return (value[0] if value else None) if isinstance(value, list) else value
