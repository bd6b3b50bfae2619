"""What is made of texts without a conversation: gaps filled, vectors, rankings, speech."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import openai
import pytest

from support.jan import add_remote
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
        ("completions", {"prompt": "a", "priority": "soon"}, "priority"),
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


class Typing:
    """A completion that an editor has asked for, read as it comes; leave it to close it."""

    def __init__(self, address: str, model: str, key: str) -> None:
        body = {"model": model, "prompt": "def f(", "suffix": ")", "stream": True}
        asked = json.dumps({**body, "priority": "completion", "key": key}).encode()
        self._answer = urllib.request.urlopen(f"{address}/completions", asked)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._answer.close()

    def events(self) -> Iterator[Any]:
        for line in self._answer:
            if line.startswith(b"data: {"):
                yield json.loads(line[6:])

    def rest(self) -> tuple[str, str | None]:
        """The text that still comes, and the kind of the error that ends it."""
        events = [*self.events()]
        text = "".join(event["choices"][0]["text"] for event in events if "choices" in event)
        return text, events[-1].get("error", {}).get("type")


def test_of_one_cell_the_newest_goes_on_and_never_two(
    address: str, server: StreamingServer, isolated: Path
) -> None:
    add_remote(isolated / "api", server, held="n=20,hold=3")
    with Typing(address, "held", "a") as first, Typing(address, "held", "b") as beside:
        next(first.events())
        next(beside.events())
        with Typing(address, "held", "a") as second:
            assert first.rest()[1] == "replaced"
            next(second.events())
            (name,) = {entry.body["model"] for entry in server.journal()}
            server.behave(name, "n=20")
            assert second.rest() == ("".join(tokens(20)[1:]), None)
            assert beside.rest() == ("".join(tokens(20)[1:]), None)
    old, _, new = server.journal()
    assert old.closed is not None
    assert old.closed < new.received + 0.05  # it has left before, and was seen to a moment later
    assert not old.complete
    assert new.complete


def test_what_an_editor_offers_has_a_length(client: Client, server: StreamingServer) -> None:
    for asked, sent in (({}, 128), ({"max_tokens": 7}, 7)):
        body = {"model": "short", "prompt": "a", "priority": "completion", "key": "k", **asked}
        said = client.post("completions", body)
        assert said["notes"] == ["it was asked by a chat: it has not learnt to fill gaps"]
        told = server.journal()[-1].body
        assert told["max_tokens"] == sent
        assert not {"key", "priority"} & {*told}
    client.post("completions", {"model": "short", "prompt": "a", "priority": 3})
    assert server.journal()[-1].body["priority"] == 3  # vLLM's
