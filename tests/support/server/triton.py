"""Triton's generate extension, with a model whose tensors are TensorRT-LLM's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from .dialect import Dialect, Event, Part, joined

INPUTS = {
    "text_input": "BYTES",
    "max_tokens": "INT32",
    "stream": "BOOL",
    "temperature": "FP32",
    "top_k": "INT32",
    "return_num_input_tokens": "BOOL",
    "return_num_output_tokens": "BOOL",
}


def metadata(name: str) -> dict[str, Any]:
    """What `GET /v2/models/NAME` says."""
    inputs = [{"name": n, "datatype": kind, "shape": [1]} for n, kind in INPUTS.items()]
    outputs = [{"name": "text_output", "datatype": "BYTES", "shape": [1]}]
    return {"name": name, "versions": ["1"], "inputs": inputs, "outputs": outputs}


def config(name: str) -> dict[str, Any]:
    return {"name": name, "model_transaction_policy": {"decoupled": True}, "max_batch_size": 0}


class Triton(Dialect):
    """It has no end mark: the end of the body is the end."""

    names: ClassVar = {
        "context_length_exceeded": (
            400,
            "",
            'Traceback (most recent call last):\n  File "model.py", line 1, in execute\n\n'
            "RuntimeError: Prompt length (5000) exceeds maximum input length (4096).",
        ),
        "invalid_request": (
            500,
            "",
            "Unable to parse 'data': attempt to access JSON non-string as string",
        ),
        "model_not_found": (404, "", "Request for unknown model: 'nope' is not found"),
        "forbidden": (403, "", "This API is restricted, expecting header 'api-key'"),
        "server_is_overloaded": (503, "", "Exceeds maximum queue size"),
        "server_error": (400, "", "Stub process 'x_0_0' is not healthy."),
        "loading": (400, "", "Request for unknown model: 'x' has no available versions"),
    }

    @property
    def streams(self) -> bool:
        return True

    @property
    def asked(self) -> Any:
        return self.body["text_input"]

    def chunk(self, part: Part) -> Sequence[Event]:
        text = part.get("content", "")
        counted = {"num_output_tokens": self.entry.chunks + 1} if self._counts else {}
        return [("", {"model_name": "x", "model_version": "1", "text_output": text, **counted})]

    def closing(self, parts: Sequence[Part]) -> Sequence[Event]:
        return []

    def whole(self, parts: Sequence[Part]) -> Any:
        return {"model_name": "x", "model_version": "1", "text_output": joined(parts)}

    def refusal(self) -> Any:
        return {"error": self.failure()[1]["message"]}

    @property
    def _counts(self) -> bool:
        return bool(self.body.get("return_num_output_tokens"))
