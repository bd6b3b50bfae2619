"""OpenAI's Responses API over our router, with its own client; what it keeps is a thread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest

from jan_jupyter.workspace import Workspace
from support.server import StreamingServer, tokens

from .conftest import Client

TEXT = "".join(tokens(20))
TOOL: Any = {
    "type": "function",
    "name": "look",
    "description": "Looks.",
    "parameters": {"type": "object", "properties": {"at": {"type": "string"}}},
    "strict": False,
}


@pytest.fixture
def responses(address: str) -> Iterator[Any]:
    with openai.OpenAI(base_url=address, api_key="none", max_retries=0) as client:
        yield client.responses


def test_a_whole_answer(responses: Any, server: StreamingServer) -> None:
    said = responses.create(
        model="short", input="hi", instructions="Be brief.", max_output_tokens=30, temperature=0.5
    )
    assert said.output_text == TEXT
    assert (said.status, said.model, said.error) == ("completed", "short", None)
    assert said.usage.output_tokens == 20
    (entry,) = server.journal()
    assert [m["content"] for m in entry.body["messages"]] == ["Be brief.", "hi"]
    assert (entry.body["max_tokens"], entry.body["temperature"]) == (30, 0.5)


def test_a_stream_is_the_same_response(responses: Any) -> None:
    with responses.stream(model="thinker", input="hi") as stream:
        events = [*stream]
        streamed = stream.get_final_response()
    whole = responses.create(model="thinker", input="hi")
    numbers = [event.sequence_number for event in events]
    assert numbers == [*range(len(events))]
    assert [event.type for event in events][:2] == ["response.created", "response.in_progress"]
    assert events[-1].type == "response.completed"
    assert streamed.output_text == whole.output_text
    assert [item.type for item in streamed.output] == ["reasoning", "message"]
    assert [item.type for item in whole.output] == ["reasoning", "message"]
    assert streamed.usage == whole.usage


def test_it_goes_on_from_an_earlier_one(
    responses: Any, workspace: Workspace, server: StreamingServer
) -> None:
    first = responses.create(model="short", input="one", instructions="Be brief.")
    second = responses.create(model="short", input="two", previous_response_id=first.id)
    third = responses.create(model="short", input="three", previous_response_id=second.id)
    sent = server.journal()[2].body["messages"]
    assert [m["content"] for m in sent] == ["one", TEXT, "two", TEXT, "three"]
    (listed,) = workspace.threads.list()
    thread = workspace.threads.get(listed.id)
    assert [m.text for m in thread.messages] == ["one", TEXT, "two", TEXT, "three", TEXT]
    assert responses.retrieve(third.id).output_text == TEXT
    otherwise = responses.create(model="short", input="2", previous_response_id=first.id)
    assert [m.text for m in thread.messages] == ["one", TEXT, "2", TEXT]
    again = responses.create(model="short", input="four", previous_response_id=third.id)
    assert [m.text for m in thread.messages][::2] == ["one", "two", "three", "four"]
    assert len({otherwise.id, again.id, first.id, second.id, third.id}) == 5
    responses.delete(again.id)
    assert [m.text for m in thread.messages][::2] == ["one", "two", "three"]
    with pytest.raises(openai.NotFoundError):
        responses.retrieve(again.id)


def test_what_is_not_to_be_kept_is_not(responses: Any, workspace: Workspace) -> None:
    said = responses.create(model="short", input="hi", store=False)
    assert not workspace.threads.list()
    with pytest.raises(openai.NotFoundError):
        responses.create(model="short", input="on", previous_response_id=said.id)


def test_functions_are_asked_for_and_answered(responses: Any, server: StreamingServer) -> None:
    with responses.stream(model="caller", input="look", tools=[TOOL]) as stream:
        events = {event.type for event in stream}
        streamed = stream.get_final_response()
    said = responses.create(
        model="caller", input="look", tools=[TOOL], tool_choice={"type": "function", "name": "look"}
    )
    calls = [item for item in said.output if item.type == "function_call"]
    assert len(calls) == 2
    assert "response.function_call_arguments.done" in events
    assert [i.arguments for i in streamed.output if i.type == "function_call"] == [
        call.arguments for call in calls
    ]
    results = [
        {"type": "function_call_output", "call_id": call.call_id, "output": "seen"}
        for call in calls
    ]
    responses.create(model="short", input=results, previous_response_id=said.id)
    asked, *_, last = server.journal()[1:]
    assert asked.body["tool_choice"]["function"] == {"name": "look"}
    roles = [message["role"] for message in last.body["messages"]]
    assert roles == ["user", "assistant", "tool", "tool"]
    assert [c["id"] for c in last.body["messages"][1]["tool_calls"]] == [c.call_id for c in calls]


def test_a_history_may_come_along(responses: Any, server: StreamingServer) -> None:
    items = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "input_text", "text": "look"}]},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "a square"},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "And this?"},
                {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="},
            ],
        },
    ]
    responses.create(model="short", input=items, store=False)
    sent = server.journal()[0].body["messages"]
    assert [m["role"] for m in sent] == ["system", "user", "assistant", "tool", "user"]
    assert sent[4]["content"][1]["type"] == "image_url"


def test_an_answer_of_a_given_shape(responses: Any, server: StreamingServer) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    form = {"type": "json_schema", "name": "found", "schema": schema}
    responses.create(model="short", input="hi", text={"format": form}, reasoning={"effort": "low"})
    body = server.journal()[0].body
    assert body["response_format"]["json_schema"]["name"] == "found"
    assert body["reasoning_effort"] == "low"


def test_a_refusal_is_a_status(responses: Any) -> None:
    for stream in (False, True):
        with pytest.raises(openai.AuthenticationError):
            responses.create(model="refused", input="hi", stream=stream)


def test_what_breaks_off_is_told_in_the_stream(responses: Any) -> None:
    events = [*responses.create(model="cut", input="hi", stream=True)]
    failed = events[-1]
    assert failed.type == "response.failed"
    assert failed.response.status == "failed"
    assert failed.response.error.message
    assert failed.response.output[0].content[0].text


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"input": []}, "asks nothing"),
        ({"input": [{"role": "user"}]}, "needs `content`"),
        ({"input": [{"type": "item_reference", "id": "a"}]}, "type item_reference"),
        ({"tools": [{"type": "web_search"}]}, "type web_search"),
        ({"background": True}, "background"),
        ({"previous_response_id": "resp_x_../../etc"}, "no response"),
        ({"previous_response_id": "what"}, "no response"),
    ],
)
def test_what_is_wrong_is_named(client: Client, changed: dict[str, Any], says: str) -> None:
    answer = client.ask("POST", "responses", {"model": "short", "input": "a", **changed})
    assert answer.status in (400, 404)
    assert says in answer.json["error"]["message"]
