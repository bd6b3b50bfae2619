"""aimock (`@copilotkit/aimock`): the wire shapes of OpenAI, Azure and Anthropic, by script."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .process import HOST, KEY, Peer, environment_of

# What is asked (a part of the last user message) -> what is answered. The first match counts.
SCRIPT: Sequence[Mapping[str, Any]] = (
    {
        "match": {"userMessage": "think first"},
        "response": {
            "reasoning": "The user wants a thought. So I think about it, and then I answer.",
            "content": "I have thought about it. The answer is forty-two, as always.",
        },
    },
    {
        "match": {"userMessage": "what is the weather", "hasToolResult": False},
        "response": {
            "toolCalls": [{"id": "call_1", "name": "get_weather", "arguments": {"city": "Zürich"}}]
        },
    },
    {
        "match": {"userMessage": "what is the weather", "hasToolResult": True},
        "response": {"content": "It is 21 °C in Zürich, and the sun shines."},
    },
    {
        "match": {"userMessage": "cut me short"},
        "response": {"content": "This is an answer that ", "finishReason": "length"},
    },
    {
        "match": {"userMessage": "filter my answer"},
        "response": {"content": "I begin, and then ", "finishReason": "content_filter"},
    },
    {
        "match": {"userMessage": "refuse me"},  # Anthropic's own reason
        "response": {"content": "I will not ", "finishReason": "refusal"},
    },
    {
        "match": {"userMessage": "filter my prompt"},
        "response": {
            "error": {
                "message": "The response was filtered due to the prompt triggering the content"
                " management policy.",
                "type": "invalid_request_error",
                "code": "content_filter",
            },
            "status": 400,
        },
    },
    {
        "match": {"userMessage": "overflow"},
        "response": {
            "error": {
                "message": "prompt is too long: 250000 tokens > 200000 maximum",
                "type": "invalid_request_error",
                "code": "context_length_exceeded",
            },
            "status": 400,
        },
    },
    {
        "match": {"userMessage": "too many"},
        "response": {
            "error": {"message": "Rate limit reached.", "type": "rate_limit_error"},
            "status": 429,
            "retryAfter": 1,
        },
    },
    {
        "match": {"userMessage": "overloaded"},
        "response": {
            "error": {"message": "Overloaded", "type": "overloaded_error"},
            "status": 529,
        },
    },
    {
        "match": {"userMessage": "break down"},
        "response": {
            "error": {"message": "The server had an error.", "type": "server_error"},
            "status": 500,
        },
    },
    {
        "match": {"userMessage": "break off"},
        "response": {"content": "This answer of several pieces never comes to its end. " * 4},
        "truncateAfterChunks": 4,
        "latency": 20,
    },
    {
        "match": {"userMessage": "speak slowly"},
        "response": {"content": "So I take all the time in the world, word by word. " * 40},
        "latency": 50,
    },
    {
        "match": {"systemMessage": "pirate"},
        "response": {"content": "Arr, matey! I be aimock, and I speak as ye told me to."},
    },
    {
        "match": {"userMessage": "and again", "turnIndex": 1},
        "response": {"content": "You asked that before, and I answered it before."},
    },
    {
        "match": {"userMessage": "hello"},
        "response": {"content": "Hello! I am a script, and I say the same to everybody who asks."},
    },
)


class AIMock(Peer):
    """Answers `SCRIPT`, and 404 to what is not in it; keeps a journal of what it was asked."""

    name = "aimock"

    def __init__(self, folder: Path, key: str = KEY) -> None:
        super().__init__(folder)
        self.key = key

    def command(self) -> Sequence[str]:
        script = self.folder / "script.json"
        script.write_text(json.dumps({"fixtures": SCRIPT}), "utf-8")
        program = environment_of("light") / "node_modules/@copilotkit/aimock/dist/cli.js"
        node = shutil.which("node")
        assert node, "Node.js is not installed"
        options = ["--host", HOST, "--port", str(self.port), "--fixtures", str(script)]
        return [node, str(program), *options, "--chunk-size", "8"]

    def environment(self) -> Mapping[str, str]:
        return {"AIMOCK_API_KEYS": self.key}

    def journal(self) -> list[Mapping[str, Any]]:
        """What it was asked, oldest first."""
        status, entries = self.call("GET", "/__aimock/journal", **self.authorization)
        assert status == 200, entries
        return list(entries)
