"""Records what the peers say on the wire, for `test_recordings.py`.

    PYTHONPATH=tests .venv/bin/python -m contract.record [NAME …]

Writes `recordings/NAME.sse` (the body of a streamed answer, byte for byte) and, in `expected.json`,
the text that the same request gives without streaming. The words are those of our own model or of
our own scripts. Needs the environments of `make test-peers` and `make test-slow`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from peers.llmock import LLMock
from peers.process import Peer
from peers.triton import Triton

from .house import House

FOLDER = Path(__file__).with_name("recordings")
EXPECTED = FOLDER / "expected.json"
PROMPT = "<|user|>hi<|end|><|assistant|>"
TOOL = {
    "name": "get_weather",
    "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


@dataclass(frozen=True)
class Recording:
    """A request to a peer: `body` without its switch for streaming, which `streamed` adds."""

    peer: str
    path: str
    body: Mapping[str, Any]
    text: Callable[[Any], str]
    """The text of the answer that is not streamed."""
    streamed: Mapping[str, Any] = field(default_factory=lambda: {"stream": True})
    whole_path: str = ""
    """Where the answer that is not streamed comes from, if it is another address."""


def chat(
    peer: str, model: str, said: str, path: str = "/v1/chat/completions", **more: Any
) -> Recording:
    messages = [{"role": "user", "content": said}]
    return Recording(
        peer,
        "/v1/chat/completions",
        {"model": model, "messages": messages, "temperature": 0, **more},
        lambda answer: answer["choices"][0]["message"].get("content") or "",
        {"stream": True, "stream_options": {"include_usage": True}},
    )


def messages(
    peer: str, model: str, said: str, path: str = "/v1/messages", **more: Any
) -> Recording:
    turns = [{"role": "user", "content": said}]
    return Recording(
        peer,
        path,
        {"model": model, "messages": turns, "max_tokens": 64, **more},
        lambda answer: "".join(b.get("text", "") for b in answer["content"]),
    )


def generate(model: str, switch: str, **more: Any) -> Recording:
    return Recording(
        "triton",
        f"/v2/models/{model}/generate_stream",
        {"text_input": PROMPT, **more},
        lambda answer: str(answer["text_output"]).removeprefix(PROMPT),
        {switch: True},
        f"/v2/models/{model}/generate",
    )


CLASSIC: dict[str, Any] = {
    "max_tokens": 64,
    "temperature": 0,
    "return_num_input_tokens": True,
    "return_num_output_tokens": True,
}
LLMAPI: dict[str, Any] = {
    "sampling_param_max_tokens": 64,
    "sampling_param_temperature": 0,
    "return_finish_reason": True,
}
OPENAI_TOOLS = [{"type": "function", "function": TOOL}]
CLAUDE_TOOLS = [
    {"name": TOOL["name"], "description": TOOL["description"], "input_schema": TOOL["parameters"]}
]

# The name begins with the engine whose parser reads it.
RECORDINGS: Mapping[str, Recording] = {
    "openai.llama.cpp": chat("llama.cpp", "jan-mini", "count to five"),
    "openai.vllm": chat("vllm", "jan-mini", "count to five"),
    "openai.transformers": chat("transformers", "jan-mini", "count to five", max_tokens=64),
    "openai.litellm": chat("litellm", "jan-mini", "count to five"),
    "openai.aimock": chat("aimock", "gpt-4o", "hello"),
    "openai.aimock.reasoning": chat("aimock", "o3", "think first"),
    "openai.aimock.tools": chat("aimock", "gpt-4o", "what is the weather", tools=OPENAI_TOOLS),
    "openai.aimock.filtered": chat("aimock", "gpt-4o", "filter my answer"),
    "openai.llmock": chat("llmock", "gpt-4o", "hello"),
    "openai.misbehaving": chat("misbehaving", "x:n=8,foreign,crlf,comments", "hello"),
    "openai.misbehaving.odd": chat("misbehaving", "x:n=8,tight,multiline,usage=finish", "hello"),
    "claude.llama.cpp": messages("llama.cpp", "jan-mini", "count to five", temperature=0),
    "claude.vllm": messages("vllm", "jan-mini", "count to five", temperature=0),
    "claude.litellm": messages("litellm", "jan-mini", "count to five", temperature=0),
    "claude.aimock": messages("aimock", "claude-opus-4-5", "hello"),
    "claude.aimock.thinking": messages("aimock", "claude-opus-4-5", "think first"),
    "claude.aimock.tools": messages(
        "aimock", "claude-opus-4-5", "what is the weather", tools=CLAUDE_TOOLS
    ),
    "claude.aimock.refused": messages("aimock", "claude-opus-4-5", "refuse me"),
    "claude.llmock": messages("llmock", "claude-opus-4-5", "hello", "/anthropic/v1/messages"),
    "nvidia-triton-trt-llm.ensemble": generate("ensemble", "stream", **CLASSIC),
    "nvidia-triton-trt-llm.tensorrt_llm_bls": generate("tensorrt_llm_bls", "stream", **CLASSIC),
    "nvidia-triton-trt-llm.tensorrt_llm": generate("tensorrt_llm", "streaming", **LLMAPI),
}


def record(house: House, name: str) -> str:
    """Write the bytes; returns the text of the same answer without streaming."""
    recording = RECORDINGS[name]
    peer = house[recording.peer]
    if isinstance(peer, LLMock):
        peer.script({"type": "reply", "text": "Hello! I say what I was told to say.", "times": 2})
    status, body = say(peer, recording.path, {**recording.body, **recording.streamed})
    assert status == 200, body
    (FOLDER / f"{name}.sse").write_bytes(body)
    if isinstance(peer, Triton):
        about = recording.path.removesuffix("/generate_stream")
        told = [
            peer.call("GET", about + more, **{"api-key": peer.key})[1] for more in ("", "/config")
        ]
        text = json.dumps(dict(zip(("metadata", "config"), told, strict=True)))
        (FOLDER / f"{name}.model.json").write_text(text + "\n", "utf-8")
    status, body = say(peer, recording.whole_path or recording.path, recording.body)
    assert status == 200, body
    return recording.text(json.loads(body))


def say(peer: Peer, path: str, body: Mapping[str, Any]) -> tuple[int, bytes]:
    return peer.bytes("POST", path, body, **peer.authorization, **{"api-key": peer.key})


def main(names: list[str]) -> None:
    expected = json.loads(EXPECTED.read_text("utf-8")) if EXPECTED.exists() else {}
    with tempfile.TemporaryDirectory() as folder, House(Path(folder)) as house:
        for name in names or RECORDINGS:
            expected[name] = record(house, name)
            print(f"{name}: {expected[name]!r}")
    text = json.dumps(dict(sorted(expected.items())), ensure_ascii=False, indent=2)
    EXPECTED.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
