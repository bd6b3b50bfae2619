"""What is made of texts without a conversation: gaps filled, vectors, rankings, speech."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from support.server import StreamingServer, tokens

from .conftest import Client


def test_a_gap_is_filled(client: Client, server: StreamingServer) -> None:
    body = {"model": "short", "prompt": "def f(", "suffix": "    return x", "max_tokens": 30}
    said = client.post("completions", body)
    assert said["object"] == "text_completion"
    assert said["choices"][0]["text"].strip() == "".join(tokens(20)).strip()
    assert said["usage"]["completion_tokens"] == 20
    assert server.journal()[0].body["max_tokens"] == 30


def test_it_is_streamed_to_the_openai_package(address: str) -> None:
    with openai.OpenAI(base_url=address, api_key="none") as client:
        chunks = [*client.completions.create(model="short", prompt=["a"], stream=True)]
    text = "".join(chunk.choices[0].text for chunk in chunks)
    assert text.strip() == "".join(tokens(20)).strip()
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_several_prompts_are_several_choices(client: Client, server: StreamingServer) -> None:
    said = client.post("completions", {"model": "short", "prompt": ["a", "b"]})
    assert [choice["index"] for choice in said["choices"]] == [0, 1]
    assert said["usage"]["completion_tokens"] == 40
    assert len(server.journal()) == 2
    cut = client.ask("POST", "completions", {"model": "cut", "prompt": ["a", "b"]})
    assert cut.status == 502


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("completions", {"prompt": ["a"] * 21}, "prompt"),
        ("completions", {"prompt": [1, 2]}, "prompt"),
        ("completions", {"prompt": "a", "n": 2}, "n"),
        ("completions", {"prompt": "a", "echo": True}, "echo"),
        ("completions", {}, "prompt"),
        ("rerank", {"query": "a", "documents": []}, "documents"),
        ("rerank", {"query": "a", "documents": [7]}, "documents.0"),
        ("rerank", {"query": "a", "documents": ["b"], "top_n": 0}, "top_n"),
    ],
)
def test_what_is_wrong_is_named(client: Client, path: str, body: dict[str, Any], says: str) -> None:
    answer = client.ask("POST", path, {"model": "short", **body})
    assert (answer.status, answer.json["error"]["type"]) == (400, "usage")
    assert says in answer.json["error"]["message"]


@pytest.mark.parametrize("path", ["chat/completions", "completions", "embeddings", "messages"])
def test_no_key_goes_on_in_a_body(client: Client, server: StreamingServer, path: str) -> None:
    """Jupyter AI's `--api-key-name` writes it there, and others are asked with what we are."""
    asked = {"messages": [{"role": "user", "content": "a"}], "prompt": "a", "input": "a"}
    for name in ("api_key", "api_key_name"):
        body = {"model": "short", "max_tokens": 5, **asked, name: "sk-canary"}
        answer = client.ask("POST", path, body)
        assert answer.status == 400
        assert name in answer.json["error"]["message"]
        assert "sk-canary" not in answer.json["error"]["message"]
    assert server.journal() == []
