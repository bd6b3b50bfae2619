"""Bodies of OpenAI's API that somebody has damaged: the same ones for the same number."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Sequence
from typing import Any

PICTURE = "data:image/png;base64,iVBORw0KGgo="
FULL: dict[str, Any] = {
    "model": "",
    "messages": [
        {"role": "developer", "content": "Be brief."},
        {
            "role": "user",
            "name": "ada",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": PICTURE, "detail": "low"}},
                {"type": "file", "file": {"filename": "a.txt", "file_data": "data:;base64,aGk="}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "look", "arguments": '{"at": "it"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "a square"},
        {"role": "user", "content": "And now?"},
    ],
    "temperature": 0.5,
    "top_p": 0.9,
    "top_k": 40,
    "max_completion_tokens": 20,
    "n": 1,
    "seed": 7,
    "stop": ["END", "###"],
    "presence_penalty": 0.1,
    "frequency_penalty": -0.1,
    "logprobs": True,
    "top_logprobs": 2,
    "logit_bias": {"50256": -100},
    "user": "u",
    "tool_choice": {"type": "function", "function": {"name": "look"}},
    "parallel_tool_calls": False,
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "look",
                "description": "Looks.",
                "parameters": {
                    "type": "object",
                    "properties": {"at": {"type": "string", "enum": ["it", "that"]}},
                    "required": ["at"],
                },
                "strict": True,
            },
        }
    ],
    "response_format": {
        "type": "json_schema",
        "json_schema": {
            "name": "seen",
            "schema": {
                "type": "object",
                "properties": {
                    "what": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "sizes": {"type": "array", "items": {"type": "integer", "minimum": 1}},
                },
                "$defs": {"x": {"type": "string", "format": "date"}},
                "additionalProperties": False,
            },
        },
    },
    "stream": True,
    "stream_options": {"include_usage": True},
}
PLAIN: dict[str, Any] = {
    "model": "",
    "messages": [{"role": "user", "content": "hi"}],
    "temperature": 0,
    "max_tokens": 5,
    "stop": "END",
    "response_format": {"type": "json_object"},
    "tool_choice": "auto",
}
EMBED: dict[str, Any] = {
    "model": "",
    "input": ["one", "two"],
    "encoding_format": "base64",
    "dimensions": 64,
    "user": "u",
}
SPEAK: dict[str, Any] = {
    "model": "",
    "input": "hi",
    "voice": "alloy",
    "response_format": "mp3",
    "speed": 1.5,
}
MESSAGES: dict[str, Any] = {
    "model": "",
    "max_tokens": 20,
    "system": [{"type": "text", "text": "Be brief."}],
    "messages": [
        {
            "role": "user",
            "content": [
                {
                    "type": "image",
                    "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
                },
                {"type": "text", "text": "What is this?"},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "call_1", "name": "look", "input": {"at": "it"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "call_1",
                    "content": [{"type": "text", "text": "a square"}],
                }
            ],
        },
    ],
    "stop_sequences": ["END"],
    "temperature": 0.5,
    "tools": [{"name": "look", "input_schema": {"type": "object", "properties": {}}}],
    "tool_choice": {"type": "tool", "name": "look"},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "output_config": {"effort": "low"},
    "stream": True,
}
RESPONSES: dict[str, Any] = {
    "model": "",
    "instructions": "Be brief.",
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "What is this?"}]},
        {"role": "assistant", "content": "I look."},
        {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "a square"},
        {"type": "message", "role": "user", "content": "And now?"},
    ],
    "tools": [{"type": "function", "name": "look", "parameters": {"type": "object"}}],
    "tool_choice": {"type": "function", "name": "look"},
    "text": {"format": {"type": "json_schema", "name": "a", "schema": {"type": "object"}}},
    "reasoning": {"effort": "low"},
    "max_output_tokens": 20,
    "include": ["message.output_text.logprobs"],
    "store": False,
    "stream": True,
}
GAP: dict[str, Any] = {
    "model": "",
    "prompt": ["def f("],
    "suffix": "return x",
    "max_tokens": 5,
    "stop": "END",
    "stream": True,
    "stream_options": {"include_usage": True},
}
RANK: dict[str, Any] = {
    "model": "",
    "query": "a",
    "documents": ["b", {"text": "c"}],
    "top_n": 1,
    "return_documents": True,
}
THREAD: dict[str, Any] = {
    "title": "t",
    "assistants": [{"assistant_id": "jan", "model": {"id": "a", "parameters": {"top_k": 3}}}],
    "messages": [{"role": "user", "content": [{"type": "text", "text": {"value": "hi"}}]}],
}
MODEL: dict[str, Any] = {
    "id": "made",
    "engine": "openai",
    "settings": {"ctx_len": 512},
    "parameters": {"temperature": 0.5, "stop": ["END"]},
    "sources": [{"url": "a.gguf"}],
}
ASSISTANT: dict[str, Any] = {"name": "a", "instructions": "b", "parameters": {"top_k": 3}}
SEEDS = (
    *[("chat/completions", FULL)] * 4,
    *[("chat/completions", PLAIN)] * 2,
    ("embeddings", EMBED),
    ("audio/speech", SPEAK),
    *[("messages", MESSAGES)] * 3,
    *[("responses", RESPONSES)] * 3,
    ("messages/count_tokens", MESSAGES),
    ("completions", GAP),
    ("rerank", RANK),
    ("threads", THREAD),
    ("models", MODEL),
    ("assistants", ASSISTANT),
)
ODD: Sequence[Any] = (
    *(None, True, False, 0, -1, 3, 1.5, 10**30, -(10**30), float("nan"), float("inf"), 1e308),
    *(
        "",
        " ",
        "a",
        "0",
        "\x00",
        "\ud800",
        "x" * 5000,
        "../..",
        "data:,",
        "data:image/png;base64,*",
    ),
    *([], {}, [[]], [None], [1, "a"], {"": None}, {"type": "text"}, {"type": 7}, [{}], [[{}]]),
    *({"url": 3}, {"role": "user"}, {"$ref": "#"}, [{"type": "image_url"}], {"function": {}}),
)
JUNK = (b"", b"null", b"[]", b"{", b"\xff\xfe", b"[" * 5000, b'{"a":' * 5000, b"1e999", b"\\ud800")


def damaged(number: int, models: Sequence[str]) -> tuple[str, bytes]:
    """The path and the body of a case; `models` are those that it may ask."""
    chance = random.Random(number)
    path, seed = chance.choice(SEEDS)
    body = copy.deepcopy(seed)
    if "model" in body:
        body["model"] = chance.choice(models)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        _damage(chance, body)
    data = json.dumps(body).encode()
    if chance.random() < 0.1:
        place = chance.randrange(len(data) + 1)
        data = data[:place] + chance.choice(JUNK) + data[place + chance.choice((0, 1, 9)) :]
    return path, data


def _damage(chance: random.Random, body: dict[str, Any]) -> None:
    """Change one place of it, however deep."""
    inside, key = chance.choice(_places(body))
    match chance.randrange(4):
        case 0:
            del inside[key]
        case 1:
            inside[key] = [inside[key]] if chance.random() < 0.5 else {"value": inside[key]}
        case _:
            inside[key] = copy.deepcopy(chance.choice(ODD))


def _places(value: Any) -> list[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found: list[tuple[Any, Any]] = []
    for key, inner in items:
        found.append((value, key))
        if isinstance(inner, dict | list):
            found += _places(inner)
    return found
