"""A model for Triton's Python backend with the tensors of TensorRT-LLM and the words of jan-mini.

Runs inside Triton. The text comes from llama.cpp's raw completion at `LLAMA_CPP_URL`, so that it
is what every other engine gives. `parameters` of the model's `config.pbtxt`:

    vocabulary         `classic` (ensemble, tensorrt_llm_bls) or `llmapi`
    accumulate_tokens  `true`: each piece of a classic stream is the whole text so far
    fail_after         after so many pieces the model fails, as TensorRT-LLM does: with a traceback
"""

from __future__ import annotations

import http.client
import json
import os
import threading
import traceback
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import triton_python_backend_utils as pb

# What each vocabulary calls a sampling parameter of llama.cpp.
NAMES = {
    "classic": {
        "n_predict": "max_tokens",
        "stop": "stop_words",
        "temperature": "temperature",
        "top_k": "top_k",
        "top_p": "top_p",
        "seed": "seed",
        "repeat_penalty": "repetition_penalty",
        "presence_penalty": "presence_penalty",
        "frequency_penalty": "frequency_penalty",
    },
    "llmapi": {
        "n_predict": "sampling_param_max_tokens",
        "stop": "sampling_param_stop",
        "temperature": "sampling_param_temperature",
        "top_k": "sampling_param_top_k",
        "top_p": "sampling_param_top_p",
        "seed": "sampling_param_seed",
        "presence_penalty": "sampling_param_presence_penalty",
        "frequency_penalty": "sampling_param_frequency_penalty",
    },
}
STREAM = {"classic": "stream", "llmapi": "streaming"}
EXCLUDE = {
    "classic": "exclude_input_in_output",
    "llmapi": "sampling_param_exclude_input_from_output",
}


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        config = json.loads(args["model_config"])
        given = {k: v["string_value"] for k, v in config.get("parameters", {}).items()}
        self.vocabulary = given["vocabulary"]
        # The LLM API gives the text so far by nature, the others if they are told to.
        self.whole = self.vocabulary == "llmapi" or given.get("accumulate_tokens") == "true"
        self.fail_after = int(given.get("fail_after", -1))
        self.decoupled = config["model_transaction_policy"]["decoupled"]

    def execute(self, requests: list[Any]) -> Any:
        if not self.decoupled:
            return [self.one(request) for request in requests]
        for request in requests:
            threading.Thread(
                target=self.many, args=(request, request.get_response_sender())
            ).start()
        return None

    def one(self, request: Any) -> Any:
        try:
            if self.value(request, STREAM[self.vocabulary]):
                raise ValueError("Streaming is only supported in decoupled mode.")
            (response,) = self.responses(request, request.is_cancelled)
            return response
        except Exception:
            return failure()

    def many(self, request: Any, sender: Any) -> None:
        try:
            for response in self.responses(request, sender.is_cancelled):
                sender.send(response)
        except Exception:
            sender.send(failure())
        finally:
            sender.send(flags=pb.TRITONSERVER_RESPONSE_COMPLETE_FINAL)

    def responses(self, request: Any, cancelled: Any) -> Iterator[Any]:
        prompt = self.value(request, "text_input").decode()
        streamed = self.value(request, STREAM[self.vocabulary])
        text = ""
        for count, event in enumerate(completion(prompt, self.sampling(request))):
            if cancelled():
                return
            if count == self.fail_after:
                raise RuntimeError("Executor worker returned error: out of KV cache blocks")
            text += event["content"]
            done = event["stop"]
            if streamed and (event["content"] or done):
                piece = text if self.whole else event["content"]
                yield self.response(request, piece, event)
            elif done and not streamed:
                whole = text if self.value(request, EXCLUDE[self.vocabulary]) else prompt + text
                yield self.response(request, whole, event)

    def response(self, request: Any, text: str, event: dict[str, Any]) -> Any:
        tensors = [texts("text_output", text)]
        if self.vocabulary == "llmapi":
            if self.value(request, "return_finish_reason"):
                reason = "None"
                if event["stop"]:
                    reason = "length" if event["stop_type"] == "limit" else "stop"
                tensors.append(texts("finish_reason", reason))
        else:
            if self.value(request, "return_num_input_tokens"):
                tensors.append(number("num_input_tokens", event.get("tokens_evaluated", 0)))
            if self.value(request, "return_num_output_tokens"):
                tensors.append(number("num_output_tokens", event.get("tokens_predicted", 0)))
        return pb.InferenceResponse(tensors)

    def sampling(self, request: Any) -> dict[str, Any]:
        given = {
            name: self.value(request, tensor, many=name == "stop")
            for name, tensor in NAMES[self.vocabulary].items()
        }
        return {name: value for name, value in given.items() if value is not None}

    def value(self, request: Any, name: str, *, many: bool = False) -> Any:
        tensor = pb.get_input_tensor_by_name(request, name)
        if tensor is None:
            return None
        values = tensor.as_numpy().reshape(-1).tolist()
        if many:
            return [value.decode() for value in values if value]
        return values[0]


def completion(prompt: str, sampling: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The pieces of llama.cpp's raw completion; leaving the iteration ends it there."""
    url = urlsplit(os.environ["LLAMA_CPP_URL"])
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=120)
    body = {"prompt": prompt, "stream": True, "timings_per_token": False, **sampling}
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {os.environ['LLAMA_CPP_KEY']}",
    }
    try:
        connection.request("POST", "/completion", json.dumps(body), headers)
        response = connection.getresponse()
        if response.status != 200:
            error = json.loads(response.read())["error"]
            if error.get("type") == "exceed_context_size_error":  # in TensorRT-LLM's words
                raise RuntimeError(
                    f"Prompt length ({error['n_prompt_tokens']}) exceeds maximum input length"
                    f" ({error['n_ctx']}). Set log level to info and check TRTGptModel logs for how"
                    " maximum input length is set"
                )
            raise RuntimeError(error["message"])
        for line in response:
            if line.startswith(b"data: "):
                event = json.loads(line[6:])
                if "error" in event:
                    raise RuntimeError(event["error"]["message"])
                yield event
    finally:
        connection.close()


def texts(name: str, text: str) -> Any:
    return pb.Tensor(name, np.array([text.encode()], dtype=np.object_))


def number(name: str, value: int) -> Any:
    return pb.Tensor(name, np.array([value], dtype=np.int32))


def failure() -> Any:
    return pb.InferenceResponse(error=pb.TritonError(traceback.format_exc()))
