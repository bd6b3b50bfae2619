"""Engine `claude`: what it sends, and a server that speaks the Messages API and misbehaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import jan_jupyter as jan
from jan_jupyter import errors
from jan_jupyter.engines.claude import ClaudeParser
from jan_jupyter.engines.claude_messages import closed, tool_choice
from jan_jupyter.engines.http.client import END
from jan_jupyter.types import ChatRequest, Delta, Message, Usage
from jan_jupyter.wire.sse import ServerEvent
from support.jan import add_model, write_json
from support.server import StreamingServer, tokens

from .asking import KEY, ask, body, engine, model, text

M = model("claude-x")
OLD = {"anthropic_version": "2023-06-01"}
PNG = "data:image/png;base64,iVBORw0K"


def sent(messages: Any, settings: Any = None, **more: Any) -> Any:
    asked = engine("claude", "https://api.anthropic.com", settings=settings or {})
    return body(asked, M, messages, **more)


def test_system_texts_are_merged_and_so_are_turns_in_a_row() -> None:
    messages = [
        Message("system", "Be brief."),
        Message("user", "One."),
        Message("user", "Two."),
        Message("system", "Be kind."),
        Message("assistant", "So "),
    ]
    found = sent(messages)
    assert found["system"] == "Be brief.\n\nBe kind."
    assert found["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": t} for t in ("One.", "Two.")]},
        {"role": "assistant", "content": "So"},  # white space at the end is refused
    ]


def test_the_newest_api_takes_no_sampling_and_the_user_is_told_once(
    server: StreamingServer,
) -> None:
    parameters = {"temperature": 0.0, "top_p": 1, "stop": ["x"], "max_tokens": 5}
    asked = engine("claude", server.url)
    found = body(asked, M, "hi", parameters=parameters)
    assert set(found) == {"model", "max_tokens", "messages", "stream", "stop_sequences"}
    assert (found["max_tokens"], found["stop_sequences"]) == (5, ["x"])
    first = ask(asked, model("c:n=1"), temperature=0)
    second = ask(asked, model("c:n=1"), temperature=0)
    assert "not sent: temperature" in first[-1].notes[0]
    assert "2026-10-21" in first[-1].notes[0]
    assert second[-1].notes == []
    older = sent("hi", OLD, parameters=parameters)
    assert (older["temperature"], older["top_p"]) == (0.0, 1)


def test_what_it_has_no_words_for_is_left_out_and_told(server: StreamingServer) -> None:
    more: dict[str, Any] = {
        "user": "u",
        "store": True,
        "logit_bias": {},
        "metadata": {"a": "b"},
        "seed": 7,
    }
    asked = engine("claude", server.url, settings=OLD)
    found = body(asked, M, "hi", parameters={"temperature": 0.5, "speed": "fast", **more})
    assert set(found) == {"model", "max_tokens", "messages", "stream", "temperature", "speed"}
    (note,) = ask(asked, model("c:n=1"), **more)[-1].notes
    assert note == "not sent: user, store, logit_bias, seed, metadata"
    assert body(asked, M, "hi", parameters={"metadata": {"user_id": "u"}})["metadata"]
    assert "output_config" not in body(asked, M, "hi", parameters={"reasoning_effort": "none"})
    chosen = engine("claude", server.url, settings={"allow": ["store"]})
    assert body(chosen, M, "hi", parameters=more)["store"] is True
    with pytest.raises(errors.BadRequest, match=r"mine.* json_object without a schema"):
        body(asked, M, "hi", extra={"response_format": {"type": "json_object"}})


def test_headers(server: StreamingServer) -> None:
    ask(engine("claude", server.url), model("c:n=1"))
    ask(engine("claude", server.url, settings={"auth_header": "x-api-key", **OLD}), model("c:n=1"))
    bearer, header = (entry.headers for entry in server.journal())
    assert bearer["authorization"] == f"Bearer {KEY}"
    assert bearer["anthropic-version"] == "2026-10-21"
    assert "authorization" not in header
    assert (header["x-api-key"], header["anthropic-version"]) == (KEY, "2023-06-01")


def test_a_limit_is_always_sent_and_leaves_room_for_thinking() -> None:
    assert sent("hi")["max_tokens"] == 4096
    thinking = sent("hi", {"thinking": 2000})
    assert thinking["thinking"] == {"type": "enabled", "budget_tokens": 2000}
    assert thinking["max_tokens"] > 4096
    assert sent("hi", parameters={"thinking": "adaptive"})["thinking"] == {"type": "adaptive"}
    effort = sent("hi", parameters={"reasoning_effort": "low"}, schema={"type": "object"})
    assert effort["output_config"]["effort"] == "low"
    assert effort["output_config"]["format"]["type"] == "json_schema"


def test_pictures_and_documents_are_blocks() -> None:
    content: list[dict[str, Any]] = [
        {"type": "image_url", "image_url": {"url": PNG}},
        {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
        {
            "type": "file",
            "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QQ=="},
        },
        {"type": "text", "text": "What is it?"},
        {"type": "text", "text": " "},
    ]
    picture, linked, document, asked = sent([Message("user", content)])["messages"][0]["content"]
    assert picture["source"] == {"type": "base64", "media_type": "image/png", "data": "iVBORw0K"}
    assert linked["source"] == {"type": "url", "url": "https://x/y.png"}
    assert (document["type"], document["title"]) == ("document", "a.pdf")
    assert document["source"]["media_type"] == "application/pdf"
    assert asked == {"type": "text", "text": "What is it?"}
    with pytest.raises(errors.BadRequest, match=r"claude .*mine.* input_audio"):
        sent([Message("user", [{"type": "input_audio"}])])


def test_tools_go_there_and_back() -> None:
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    told = Message("tool", "42", {"tool_call_id": "c1"})
    answer = Message("assistant", "", {"tool_calls": [call], "thinking_blocks": [thought]})
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    tool = {"type": "function", "function": {"name": "f", "description": "d", "parameters": schema}}
    found = sent(
        [Message("user", "hi"), answer, told, Message("user", "and?")],
        tools=[tool],
        parameters={"tool_choice": "required", "parallel_tool_calls": False},
    )
    assert found["tools"] == [{"name": "f", "description": "d", "input_schema": schema}]
    assert found["tool_choice"] == {"type": "any", "disable_parallel_tool_use": True}
    _, assistant, user = found["messages"]
    used = {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}}
    assert assistant["content"] == [thought, used]
    result = {"type": "tool_result", "tool_use_id": "c1", "content": "42"}
    assert user["content"] == [result, {"type": "text", "text": "and?"}]
    assert "thinking_blocks" not in answer.json()  # OpenAI's servers refuse what they do not know


def test_the_choice_of_a_tool() -> None:
    named = {"type": "function", "function": {"name": "f"}}
    assert tool_choice(named, True) == {"type": "tool", "name": "f"}
    assert tool_choice("none", False) == {"type": "none"}
    assert tool_choice(None, True) is None


def test_a_schema_is_closed_and_its_bounds_are_told() -> None:
    inner = {"type": "integer", "minimum": 1, "description": "How many."}
    found = closed({"type": "object", "properties": {"n": inner}, "additionalProperties": True})
    assert found["additionalProperties"] is False
    assert found["properties"]["n"] == {
        "type": "integer",
        "description": "How many.\n\n{minimum: 1}",
    }
    assert closed({"anyOf": [True, {"items": False}]}) == {"anyOf": [True, {"items": False}]}


def test_an_answer(server: StreamingServer) -> None:
    deltas = ask(engine("claude", server.url), model("c:n=20,cached=3,crlf,comments,split=7"))
    assert text(deltas) == "".join(tokens(20))
    assert deltas[-1].finish == "stop"
    assert deltas[-1].usage == Usage(4, 20, 3)


def test_thinking_is_reasoning_and_goes_back_with_the_results_of_tools(
    server: StreamingServer,
) -> None:
    asked = engine("claude", server.url)
    thinking = ask(asked, model("c:n=2,reasoning=3"))
    assert "".join(d.reasoning for d in thinking) == "".join(tokens(3))
    assert text(thinking) == "".join(tokens(2))
    assert not thinking[-1].extra
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    request = ChatRequest([Message("user", "hi")], tools=[tool])
    calling = ask(asked, model("c:reasoning=3,tools=2"), request)
    assert calling[-1].finish == "tool_calls"
    (thought,) = calling[-1].extra["thinking_blocks"]
    assert thought["thinking"] == "".join(tokens(3))
    assert thought["signature"]
    pieces = [call for delta in calling for call in delta.tool_calls]
    assert [p["id"] for p in pieces if "id" in p] == ["call_0", "call_1"]
    second = "".join(p["function"]["arguments"] for p in pieces if p["index"] == 1)
    assert json.loads(second) == {"query": "Zürich 1"}


def test_what_else_ends_an_answer(server: StreamingServer) -> None:
    asked = engine("claude", server.url)
    assert ask(asked, model("c:finish=length"))[-1].finish == "length"
    assert ask(asked, model("c:finish=content_filter"))[-1].finish == "content_filter"
    paused = ask(asked, model("c:finish=pause_turn"))[-1]
    assert paused.finish == "stop"
    assert "continue" in paused.notes[0]
    with pytest.raises(errors.ContextOverflow, match="context window") as caught:
        ask(asked, model("c:n=3,finish=model_context_window_exceeded"))
    assert caught.value.partial == "".join(tokens(3))


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        ("status=401", errors.AuthenticationFailed),
        ("status=402", errors.BillingRefused),
        ("error=forbidden", errors.PermissionRefused),
        ("error=model_not_found", errors.NotFoundRemotely),
        ("error=context_length_exceeded", errors.ContextOverflow),
        ("status=413", errors.ContextOverflow),
        ("error=insufficient_quota", errors.BillingRefused),
        ("error=rate_limit_exceeded", errors.RateLimited),
        ("error=server_is_overloaded", errors.Overloaded),
        ("error=server_is_overloaded,error_at=2", errors.Overloaded),
        ("error=server_error,error_at=0", errors.ServerFailed),
        ("error=invalid_request", errors.BadRequest),
        ("cut=2", errors.StreamBroken),
        ("noend", errors.StreamBroken),
        ("nodone", errors.StreamBroken),
        ("rubbish=2", errors.Malformed),
    ],
)
def test_what_it_refuses_is_one_line(
    server: StreamingServer,
    behaviour: str,
    kind: type[errors.EngineError],
) -> None:
    with pytest.raises(kind) as caught:
        ask(engine("claude", server.url), model(f"c:n=5,{behaviour}"))
    assert type(caught.value) is kind
    assert "mine" in str(caught.value)
    assert KEY not in str(caught.value)
    assert len(server.journal()) == (3 if kind.retryable and "error_at=2" not in behaviour else 1)


def test_unknown_events_and_blocks_are_skipped() -> None:
    parser = ClaudeParser()
    said: list[Any] = [
        {"type": "message_start", "message": {"usage": {"input_tokens": 2}}},
        {"type": "brand_new"},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "server_tool_use"}},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": "{}"},
        },
        {"type": "content_block_delta", "index": 1, "delta": {"type": "citations_delta"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
    ]
    assert [parser.parse(ServerEvent(json.dumps(data))) for data in said] == [None] * len(said)
    assert parser.end() is None
    assert parser.parse(ServerEvent('{"type": "message_stop"}')) is END
    assert parser.end() == Delta(finish="stop", usage=Usage(2, 0))


def test_the_word_that_ended_it() -> None:
    parser = ClaudeParser()
    ended = {"stop_reason": "stop_sequence", "stop_sequence": "END"}
    parser.parse(ServerEvent(json.dumps({"type": "message_delta", "delta": ended})))
    parser.parse(ServerEvent('{"type": "message_stop"}'))
    assert parser.end() == Delta(finish="stop", stop="END")


def test_an_answer_that_is_not_streamed() -> None:
    answer = {
        "type": "message",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "s"},
            {"type": "text", "text": "Hi."},
            {"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}},
        ],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }
    delta = ClaudeParser().parse(ServerEvent(json.dumps(answer), "json"))
    assert isinstance(delta, Delta)
    assert (delta.text, delta.reasoning, delta.finish) == ("Hi.", "Hm.", "tool_calls")
    assert delta.tool_calls[0]["function"] == {"name": "f", "arguments": '{"a": 1}'}
    assert delta.extra["thinking_blocks"][0]["signature"] == "s"


def test_a_tool_is_run_and_what_was_thought_goes_back(
    server: StreamingServer, isolated: Path
) -> None:
    def lookup(query: str) -> str:
        """Look something up."""
        return f"found {query}"

    data = isolated / "jan"
    write_json(data / "engines/claude/engine.json", {"base_url": server.url, "api_key": KEY})
    add_model(data, "c", engine="claude")
    server.behave("c", "n=2,reasoning=2,tools=1,times=1")
    reply = jan.chat("hi", "c", tools=[lookup], approve=True)
    assert reply.text == "".join(tokens(2))
    _, second = server.journal()
    asked, called, result = second.body["messages"]
    assert asked == {"role": "user", "content": "hi"}
    thought, used = called["content"]
    assert (thought["type"], thought["thinking"]) == ("thinking", "".join(tokens(2)))
    assert thought["signature"]
    assert used["input"] == {"query": "Zürich 0"}
    assert result["content"][0]["content"] == "found Zürich 0"
    assert result["content"][0]["tool_use_id"] == used["id"]
