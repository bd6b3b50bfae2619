"""What people know of llama.cpp's own server, asked of a model that runs here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from jan_jupyter import bridge
from jan_jupyter.engine_options.engine_rows import DATA
from jan_jupyter.workspace import Workspace
from support.random_model import write_embedder

from .conftest import Client

CHAT: dict[str, Any] = {"messages": [{"role": "user", "content": "What is 12 + 7?"}]}
ANSWER = "12 + 7 = **19**"
MESSAGES = {**CHAT, "max_tokens": 30}
OBJECT = {"type": "object", "properties": {"a": {"const": "b"}}, "required": ["a"]}
COUNTED = "predicted_n"


@pytest.fixture
def mini(workspace: Workspace) -> Iterator[Workspace]:
    workspace.models.import_(next(DATA.rglob("*.gguf")), id="mini")
    yield workspace
    bridge.wait(workspace.router.unload("mini"))


def said(answer: Any) -> tuple[str, str]:
    (choice,) = answer["choices"]
    return choice["message"]["content"], choice["finish_reason"]


def described(client: Client, path: str, answer: Any) -> None:
    """Raises unless the answer is what the description says."""
    told = client.get("openapi.json")
    content = told["paths"][path]["post"]["responses"]["200"]["content"]
    jsonschema.validate(answer, {**told, **content["application/json"]["schema"]})


CHATS: list[tuple[dict[str, Any], int, Callable[[Any], object]]] = [
    ({}, 200, lambda a: said(a) == (ANSWER, "stop")),
    ({"max_tokens": 2}, 200, lambda a: said(a) == ("12", "length")),
    ({"n_predict": 2}, 200, lambda a: said(a) == ("12", "length")),
    ({"max_completion_tokens": 2}, 200, lambda a: a["usage"]["completion_tokens"] == 2),
    ({"max_tokens": -1}, 200, lambda a: said(a) == (ANSWER, "stop")),
    ({"stop": "9"}, 200, lambda a: said(a) == ("12 + 7 = **1", "stop")),
    ({"stop": "= "}, 200, lambda a: a["choices"][0]["stop_reason"] == "= "),
    ({"stop": ["none", "= "]}, 200, lambda a: a["choices"][0]["stop_reason"] == "= "),
    ({"stop": []}, 200, lambda a: said(a) == (ANSWER, "stop")),
    ({"stop": ["", "9"]}, 200, lambda a: said(a)[0] == "12 + 7 = **1"),
    ({"stop": ""}, 200, lambda a: said(a)[0] == ANSWER),
    ({"stop": "1"}, 200, lambda a: said(a) == ("", "stop")),
    ({"ignore_eos": True, "max_tokens": 15}, 200, lambda a: said(a)[1] == "length"),
    ({"cache_prompt": False}, 200, lambda a: a["timings"]["cache_n"] == 0),
    ({"cache_prompt": True}, 200, lambda a: a["timings"]["cache_n"] > 0),
    ({"logit_bias": {"21": -100}}, 200, lambda a: not said(a)[0].startswith("1")),
    ({"logit_bias": [["1", -100]]}, 200, lambda a: not said(a)[0].startswith("1")),
    ({"grammar": 'root ::= "a"{5,5}'}, 200, lambda a: said(a)[0] == "aaaaa"),
    ({"grammar": 'root ::= "a'}, 400, lambda a: "grammar" in a["error"]["message"]),
    ({"json_schema": {"const": "42"}}, 200, lambda a: said(a)[0] == '"42"'),
    (
        {"response_format": {"type": "json_object", "schema": OBJECT}},
        200,
        lambda a: json.loads(said(a)[0]) == {"a": "b"},
    ),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"schema": OBJECT}}},
        200,
        lambda a: json.loads(said(a)[0]) == {"a": "b"},
    ),
    ({"response_format": {"type": "text"}}, 200, lambda a: said(a)[0] == ANSWER),
    ({"response_format": {"type": "sound"}}, 400, lambda a: "sound" in a["error"]["message"]),
    ({"response_format": {"type": "json_object", "schema": 123}}, 400, lambda a: a["error"]),
    ({"response_format": {"type": "json_schema"}}, 400, lambda a: a["error"]),
    ({"n": 0}, 400, lambda a: a["error"]),
    ({"model": "nobody"}, 404, lambda a: a["error"]["code"] == "model_not_found"),
    (
        {"messages": [{"role": "user", "content": "a " * 4000}]},
        400,
        lambda a: a["error"]["code"] == "exceed_context_size_error",
    ),
    (
        {"messages": [*CHAT["messages"], {"role": "assistant", "content": "12 + 7 = **"}]},
        200,
        lambda a: said(a)[0] == "19**",  # it goes on with what it is said to have said
    ),
]


def test_chats(mini: Workspace, client: Client) -> None:
    for more, status, fits in CHATS:
        body = {"model": "mini", "temperature": 0, **CHAT, **more}
        answer = client.ask("POST", "chat/completions", body)
        assert answer.status == status, (more, answer.body)
        assert fits(answer.json), (more, answer.body)
        if status == 200:
            described(client, "/chat/completions", answer.json)


def test_probabilities_and_measurements(mini: Workspace, client: Client) -> None:
    for more in ({"logprobs": True, "top_logprobs": 2}, {"n_probs": 2}):
        body = {"model": "mini", **CHAT, "max_tokens": 2, **more}
        found = client.post("chat/completions", body)["choices"][0]["logprobs"]["content"]
        assert [token["token"] for token in found] == ["1", "2"]
        assert all(len(token["top_logprobs"]) == 2 for token in found)
    body = {"model": "mini", **CHAT, "max_tokens": 3, "stream": True}
    timed = client.ask("POST", "chat/completions", {**body, "timings_per_token": True}).events
    *_, (_, last), (_, end) = timed
    assert [event["timings"][COUNTED] for _, event in timed[:-2]] == [1, 2, 3]
    assert (last["choices"][0]["finish_reason"], last["timings"][COUNTED]) == ("length", 3)
    assert end == "[DONE]"
    counted = {**body, "stream_options": {"include_usage": True}}
    *_, (_, last), _ = client.ask("POST", "chat/completions", counted).events
    assert (last["choices"], last["usage"]["completion_tokens"]) == ([], 3)
    assert last["timings"][COUNTED] == 3


def test_a_response_ends_with_the_probabilities_of_all_of_it(
    mini: Workspace, client: Client
) -> None:
    body = {"model": "mini", "input": CHAT["messages"][0]["content"], "max_output_tokens": 3}
    asked = {**body, "include": ["message.output_text.logprobs"], "stream": True}
    events = client.ask("POST", "responses", asked).events
    said: dict[str, list[Any]] = {"delta": [], "done": []}
    for name, event in events:
        if name.startswith("response.output_text."):
            said[name.rpartition(".")[2]] += event["logprobs"]
    assert len(said["delta"]) == 3
    assert said["done"] == said["delta"]


def test_a_text_goes_on(mini: Workspace, client: Client) -> None:
    """It is no question to somebody who chats: its tokens are all that is read."""
    body = {"model": "mini", "temperature": 0, "max_tokens": 4}
    one = client.post("completions", {**body, "prompt": "12 + 7 = **"})
    assert one["usage"]["prompt_tokens"] < 12
    text = one["choices"][0]["text"]
    assert text
    two = client.post("completions", {**body, "prompt": ["12 + 7 = **", "The sky"]})
    assert [choice["index"] for choice in two["choices"]] == [0, 1]
    first, second = (choice["text"] for choice in two["choices"])
    assert first == text != second
    assert two["usage"]["completion_tokens"] > one["usage"]["completion_tokens"]
    events = client.ask(
        "POST", "completions", {**body, "prompt": ["a", "b"], "stream": True}
    ).events
    assert {event["choices"][0]["index"] for _, event in events[:-1]} == {0, 1}
    bad = {**body, "prompt": "a" * 30_000}
    assert client.ask("POST", "completions", bad).json["error"]["type"] == "context_length"


def test_vectors(mini: Workspace, client: Client) -> None:
    def vectors(given: Any) -> list[list[float]]:
        answer = client.post("embeddings", {"model": "mini", "input": given})
        described(client, "/embeddings", answer)
        return [row["embedding"] for row in answer["data"]]

    text, tokens, other = vectors(["hello", [21, 22], "a"])
    assert sum(x * x for x in text) == pytest.approx(1)
    assert vectors([21, 22]) == [pytest.approx(tokens, abs=1e-3)]
    assert vectors([[21, 22], [21]])[0] == pytest.approx(tokens, abs=1e-3)
    assert text != other
    for bad, status in (
        ("", 400),
        ([], 400),
        ([[]], 400),
        ([-1], 400),
        ([2**31 - 1], 400),
        ([True], 400),
        ([1, "a"], 400),
        ("This is a test " * 2000, 400),
    ):
        answer = client.ask("POST", "embeddings", {"model": "mini", "input": bad})
        assert answer.status == status, (str(bad)[:50], answer.body)


def test_messages_tell_the_stop_sequence(mini: Workspace, client: Client) -> None:
    body = {"model": "mini", **MESSAGES, "stop_sequences": ["none", " ="]}
    whole = client.post("messages", body)
    assert (whole["stop_reason"], whole["stop_sequence"]) == ("stop_sequence", " =")
    assert whole["content"] == [{"type": "text", "text": "12 + 7"}]
    events = client.ask("POST", "messages", {**body, "stream": True}).events
    told = dict(events)["message_delta"]["delta"]
    assert told == {"stop_reason": "stop_sequence", "stop_sequence": " ="}
    natural = client.post("messages", {**body, "stop_sequences": ["none"]})
    assert (natural["stop_reason"], natural["stop_sequence"]) == ("end_turn", None)


def test_a_ranking(workspace: Workspace, client: Client, isolated: Path) -> None:
    workspace.models.import_(write_embedder(isolated / "ranks.gguf", pooling=4), id="ranks")
    body = {"model": "ranks", "query": "a b", "documents": ["a", {"text": "b c"}, "a b"]}
    found = client.post("rerank", body)
    described(client, "/rerank", found)
    scores = [row["relevance_score"] for row in found["results"]]
    assert scores == sorted(scores, reverse=True)
    assert sorted(row["index"] for row in found["results"]) == [0, 1, 2]
    assert found["usage"]["prompt_tokens"] > 0
    for most, count in ((1, 1), (99, 3)):
        assert len(client.post("rerank", {**body, "top_n": most})["results"]) == count
    for bad in ([], None, 123, [1, 2], "a"):
        assert client.ask("POST", "rerank", {**body, "documents": bad}).status == 400
    bridge.wait(workspace.router.unload("ranks"))
