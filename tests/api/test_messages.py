"""Anthropic's Messages API over our router: its own client, on engines that are not theirs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from support.server import StreamingServer, tokens

from .conftest import Client

PICTURE = "iVBORw0KGgo="
TOOL: dict[str, Any] = {
    "name": "look",
    "description": "Looks.",
    "input_schema": {"type": "object", "properties": {"at": {"type": "string"}}},
}


@pytest.fixture
def claude(address: str) -> Iterator[anthropic.Anthropic]:
    base = address.removesuffix("/v1")
    with anthropic.Anthropic(base_url=base, api_key="none", max_retries=0) as client:
        yield client


def ask(client: anthropic.Anthropic, model: str, content: Any = "hi", **more: Any) -> Any:
    messages = [{"role": "user", "content": content}] if isinstance(content, str) else content
    return client.messages.create(
        **{"model": model, "max_tokens": 50, "messages": messages, **more}
    )


def test_a_whole_answer(claude: anthropic.Anthropic, server: StreamingServer) -> None:
    said = ask(claude, "short", system="Be brief.", stop_sequences=["END"], extra_body={"top_k": 3})
    assert [block.text for block in said.content] == ["".join(tokens(20))]
    assert (said.role, said.stop_reason, said.model) == ("assistant", "end_turn", "short")
    assert said.usage.output_tokens == 20
    (entry,) = server.journal()
    assert entry.body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert entry.body["max_tokens"] == 50
    assert entry.body["stop"] == ["END"]
    assert entry.body["top_k"] == 3


def test_a_stream_is_the_same_message(claude: anthropic.Anthropic) -> None:
    with claude.messages.stream(
        model="thinker", max_tokens=50, messages=[{"role": "user", "content": "hi"}]
    ) as stream:
        pieces = [*stream.text_stream]
        streamed = stream.get_final_message()
    whole = ask(claude, "thinker")
    assert len(pieces) == 3
    assert [block.type for block in streamed.content] == ["thinking", "text"]
    kinds = [(b.type, getattr(b, "thinking", getattr(b, "text", ""))) for b in streamed.content]
    assert kinds == [
        (b.type, getattr(b, "thinking", getattr(b, "text", ""))) for b in whole.content
    ]
    assert streamed.usage == whole.usage
    assert streamed.stop_reason == whole.stop_reason == "end_turn"


def test_events_come_in_their_order(client: Client) -> None:
    body = {
        "model": "thinker",
        "max_tokens": 9,
        "stream": True,
        "messages": [{"role": "user", "content": "a"}],
    }
    names = [name for name, _ in client.ask("POST", "messages", body).events]
    block = ["content_block_start", "content_block_delta", "content_block_stop"]
    assert [*dict.fromkeys(names)] == ["message_start", *block, "message_delta", "message_stop"]
    assert names.count("content_block_start") == names.count("content_block_stop") == 2


def test_functions_are_asked_for_and_answered(
    claude: anthropic.Anthropic, server: StreamingServer
) -> None:
    with claude.messages.stream(
        model="caller",
        max_tokens=50,
        messages=[{"role": "user", "content": "look"}],
        tools=[TOOL],  # type: ignore[list-item]
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
    ) as stream:
        streamed = stream.get_final_message()
    said = ask(claude, "caller", "look", tools=[TOOL])
    calls = [block for block in said.content if block.type == "tool_use"]
    assert said.stop_reason == streamed.stop_reason == "tool_use"
    assert len(calls) == 2
    assert all(isinstance(call.input, dict) for call in calls)
    assert [b.input for b in streamed.content if b.type == "tool_use"] == [c.input for c in calls]
    results = [{"type": "tool_result", "tool_use_id": c.id, "content": "seen"} for c in calls]
    ask(
        claude,
        "short",
        [
            {"role": "user", "content": "look"},
            {"role": "assistant", "content": [block.model_dump() for block in said.content]},
            {"role": "user", "content": [*results, {"type": "text", "text": "And?"}]},
        ],
    )
    first, *_, last = server.journal()
    assert first.body["tool_choice"] == "required"
    assert first.body["parallel_tool_calls"] is False
    assert first.body["tools"][0]["function"]["parameters"] == TOOL["input_schema"]
    sent = last.body["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "tool", "tool", "user"]
    assert [call["id"] for call in sent[1]["tool_calls"]] == [call.id for call in calls]
    assert sent[2]["tool_call_id"] == calls[0].id


def test_pictures_and_papers_come_along(
    claude: anthropic.Anthropic, server: StreamingServer
) -> None:
    data = {"type": "base64", "media_type": "image/png", "data": PICTURE}
    text = {"type": "text", "media_type": "text/plain", "data": "A paper."}
    blocks = [
        {"type": "image", "source": data},
        {"type": "document", "source": text},
        {"type": "text", "text": "What is it?"},
    ]
    ask(claude, "short", [{"role": "user", "content": blocks}])
    picture, paper, words = server.journal()[0].body["messages"][0]["content"]
    assert picture["image_url"]["url"] == f"data:image/png;base64,{PICTURE}"
    assert (paper["text"], words["text"]) == ("A paper.", "What is it?")


def test_an_answer_of_a_given_shape(claude: anthropic.Anthropic, server: StreamingServer) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    ask(claude, "short", output_config={"format": {"type": "json_schema", "schema": schema}})
    sent = server.journal()[0].body["response_format"]
    assert sent["json_schema"]["schema"]["properties"] == schema["properties"]


def test_tokens_are_counted(claude: anthropic.Anthropic) -> None:
    few = claude.messages.count_tokens(
        model="short", messages=[{"role": "user", "content": "hi"}], system="Be brief."
    )
    many = claude.messages.count_tokens(
        model="short", messages=[{"role": "user", "content": "hi " * 1000}]
    )
    assert 1 <= few.input_tokens < 50 < many.input_tokens


@pytest.mark.parametrize(
    ("model", "raised", "kind"),
    [
        ("refused", anthropic.AuthenticationError, "authentication_error"),
        ("limited", anthropic.RateLimitError, "rate_limit_error"),
        ("nobody", anthropic.NotFoundError, "not_found_error"),
    ],
)
def test_a_refusal_is_theirs(
    claude: anthropic.Anthropic, model: str, raised: type[anthropic.APIStatusError], kind: str
) -> None:
    with pytest.raises(raised) as caught:
        ask(claude, model)
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["type"] == "error"
    assert caught.value.body["error"]["type"] == kind
    with pytest.raises(raised):
        ask(claude, model, stream=True)


def test_what_breaks_off_is_an_error_in_the_stream(client: Client) -> None:
    body = {
        "model": "cut",
        "max_tokens": 9,
        "stream": True,
        "messages": [{"role": "user", "content": "a"}],
    }
    answer = client.ask("POST", "messages", body)
    name, said = answer.events[-1]
    assert (answer.status, name, said["type"]) == (200, "error", "error")
    assert said["error"]["type"] == "api_error"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "tool", "content": "a"}]}, "role"),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "source"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "needs `text`"),
        ({"messages": [{"role": "user", "content": [{"type": "video"}]}]}, "type video"),
        ({"tool_choice": {"type": "tool"}}, "needs `name`"),
        ({"tools": [{"name": "a", "input_schema": {"type": 7}}]}, "no JSON schema"),
    ],
)
def test_what_is_wrong_is_named(client: Client, changed: dict[str, Any], says: str) -> None:
    body = {"model": "short", "max_tokens": 5, "messages": [{"role": "user", "content": "a"}]}
    answer = client.ask("POST", "messages", {**body, **changed})
    assert answer.status == 400
    assert answer.json["error"]["type"] == "invalid_request_error"
    assert says in answer.json["error"]["message"]
