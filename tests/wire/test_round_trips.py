"""What we write in OpenAI's API we read back: requests, chunks, whole answers, errors."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from jan_jupyter import errors
from jan_jupyter.engines.http.client import Refusal
from jan_jupyter.engines.http.failures import Party, error_of
from jan_jupyter.engines.openai import parse
from jan_jupyter.types import ChatRequest, Delta, Message, Reply, Timings, Usage
from jan_jupyter.wire import bodies, openai
from jan_jupyter.wire.errors import CODES, headers_of, write_error
from jan_jupyter.wire.sse import EventDecoder, ServerEvent, written

words = st.text(max_size=20)
count = st.integers(0, 2**40)
speed = st.none() | st.floats(0.1, 1e6)
seconds = st.none() | st.integers(0, 2**20).map(lambda ticks: ticks / 64)  # exact in milliseconds
timings = st.builds(
    Timings,
    tokens_per_second=speed,
    prompt_tokens_per_second=speed,
    prompt=seconds,
    prompt_tokens=st.none() | count,
    cached_tokens=st.none() | count,
    decode=seconds,
    decode_tokens=st.none() | count,
    drafted_tokens=st.none() | count,
    accepted_tokens=st.none() | count,
)
called = st.fixed_dictionaries(
    {"index": st.integers(0, 3), "id": words, "function": st.fixed_dictionaries({"name": words})}
)
parts = st.lists(
    st.fixed_dictionaries({"type": st.just("text"), "text": words})
    | st.fixed_dictionaries(
        {"type": st.just("image_url"), "image_url": st.fixed_dictionaries({"url": words})}
    ),
    min_size=1,
    max_size=3,
)
requests = st.builds(
    ChatRequest,
    st.lists(
        st.builds(
            Message,
            st.sampled_from(["system", "user", "assistant", "tool"]),
            words | parts,
            st.fixed_dictionaries({}, optional={"name": words, "tool_call_id": words}),
        ),
        min_size=1,
        max_size=4,
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "temperature": st.floats(0, 2),
            "max_tokens": st.integers(1, 2**40),
            "n": st.integers(1, 4),
            "stop": words | st.lists(words, max_size=3),
            "of_no_api": words,
        },
    ),
    st.just(())
    | st.lists(
        st.fixed_dictionaries(
            {"type": st.just("function"), "function": st.fixed_dictionaries({"name": words})}
        ),
        min_size=1,
        max_size=2,
    ),
    st.none()
    | st.fixed_dictionaries(
        {"type": st.sampled_from(["object", "string"])},
        optional={"title": words | st.just("answer")},
    ),
)
deltas = st.builds(
    Delta,
    words,
    words,
    st.lists(called, max_size=2),
    st.sampled_from([None, "stop", "length", "tool_calls", "content_filter"]),
    st.builds(Usage, count, count, count),
    st.none() | timings,
    st.lists(words, max_size=2),
    st.lists(st.fixed_dictionaries({"token": words}), max_size=2),
    choice=st.integers(0, 3),
    stop=words,
)


def sent(value: Any) -> Any:
    """What comes out of the event at the other end."""
    (event,) = EventDecoder().feed(written(value))
    return json.loads(event.data)


@given(requests)
def test_a_request(request: ChatRequest) -> None:
    body = openai.write_request(request, "m", request.parameters)
    read = bodies.read(json.dumps(body).encode(), bodies.Chat)
    assert openai.read_request(read) == replace(request, parameters=dict(request.parameters))


def test_a_form_without_a_schema_goes_on_as_it_is() -> None:
    asked = ChatRequest([Message("user", "hi")], extra={"response_format": {"type": "json_object"}})
    assert openai.read_request(openai.write_request(asked, "m", {})) == asked


@pytest.mark.parametrize("title", ["An answer, in Zürich", "x" * 99, "…", "", None])
def test_the_name_of_a_schema_is_one_that_openai_takes(title: str | None) -> None:
    schema = {"type": "object", **({} if title is None else {"title": title})}
    request = ChatRequest([Message("user", "hi")], schema=schema)
    body = openai.write_request(request, "m", {})
    name = body["response_format"]["json_schema"]["name"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name)
    assert openai.read_request(body).schema == schema


@given(deltas)
def test_a_delta(delta: Delta) -> None:
    assume(delta.text or delta.reasoning or delta.tool_calls or delta.finish)
    came = openai.read_chunk(sent(openai.write_chunk(delta, {"id": "x"}, first=True)))
    counted = openai.read_chunk(sent(openai.write_usage(delta, {"id": "x"})))
    assert isinstance(came, Delta)
    assert isinstance(counted, Delta)
    known = delta.timings if delta.timings != Timings() else None
    assert counted == Delta(usage=delta.usage, timings=known)
    whole = replace(came, usage=counted.usage, timings=counted.timings, notes=[*came.notes])
    assert whole == replace(delta, timings=known)


@given(st.lists(deltas | st.builds(Delta, words), max_size=6), words)
@example([Delta("a"), Delta("b", stop="c")], "m")
def test_the_short_way_of_a_chunk_gives_the_same(answer: list[Delta], model: str) -> None:
    head = {"id": "x", "model": model}
    chunks = openai.Chunks(head)
    begun = set[int]()
    for delta in answer:
        first = delta.choice not in begun
        begun.add(delta.choice)
        same = written(openai.write_chunk(delta, head, first=first))
        assert chunks.written(delta) == same


def test_half_a_character_stays_an_escape() -> None:
    chunks = openai.Chunks({})
    for _ in range(2):
        assert sent_text(chunks.written(Delta("\ud83d"))) == "\ud83d"


def sent_text(event: bytes) -> str:
    text: str = json.loads(event.removeprefix(b"data: "))["choices"][0]["delta"]["content"]
    return text


@given(st.lists(deltas, min_size=1, max_size=3))
def test_a_whole_answer(choices: list[Delta]) -> None:
    replies = [
        Reply(
            choice.text,
            "m",
            "e",
            [Message("assistant", choice.text, {"tool_calls": choice.tool_calls})],
            choice.usage or Usage(),
            choice.timings or Timings(),
            choice.finish or "stop",
            choice.reasoning,
            notes=choice.notes,
            logprobs=choice.logprobs,
        )
        for choice in choices
    ]
    first = replace(replies[0], others=replies[1:])
    read = openai.read_chunk(sent(openai.write_reply(first, {"object": "chat.completion"})))
    found = read if isinstance(read, list) else [read]
    assert [
        (d.choice, d.text, d.reasoning, d.finish, d.tool_calls, d.logprobs) for d in found if d
    ] == [
        (i, r.text, r.reasoning, r.finish, c.tool_calls, r.logprobs)
        for i, (r, c) in enumerate(zip(replies, choices, strict=True))
    ]
    assert found[0] is not None
    assert (found[0].usage, [*found[0].notes]) == (first.usage, first.notes)


KINDS = sorted(
    (
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.EngineError)
    ),
    key=lambda kind: kind.__name__,
)
PARTY = Party("m", "openai")


def read_back(status: int, headers: Mapping[str, str], body: Any) -> errors.EngineError:
    return error_of(status, headers, json.dumps(body).encode(), PARTY)


@given(
    st.sampled_from(KINDS),
    st.sampled_from(["", "its context window, maximum context length; not supported"]) | words,
    st.none() | st.sampled_from([*CODES]) | words,
    st.none() | st.floats(0, math.inf),
    st.booleans(),
)
def test_an_error(
    kind: type[errors.EngineError],
    message: str,
    code: str | None,
    wait: float | None,
    again: bool,
) -> None:
    error = kind(message, code=code, retry_after=wait)
    error.retryable = kind.retryable and again
    found = read_back(error.status, headers_of(error), write_error(error))
    assert type(found) is kind
    assert found.retryable == error.retryable
    assert (found.retry_after is None) == (wait is None)
    assert wait is None or found.retry_after == math.ceil(min(wait, 10**9))
    with pytest.raises(Refusal) as within:
        parse(ServerEvent(json.dumps(write_error(error))))
    assert type(read_back(within.value.status, {}, within.value.body)) is kind


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (errors.UsageError("The prompt is empty."), errors.BadRequest, "prompt is empty"),
        (errors.ModelNotFound("There is no x."), errors.NotFoundRemotely, "no x"),
        (errors.ModelNotReady("It has no key."), errors.EngineUnavailable, r"no key\)\.$"),
        (errors.ModelBroken("It cannot be read."), errors.EngineUnavailable, r"read\)\.$"),
    ],
)
def test_what_is_wrong_at_the_server_is_told_as_such(
    error: errors.JanError, kind: type[errors.EngineError], says: str
) -> None:
    found = read_back(error.status, headers_of(error), write_error(error))
    assert type(found) is kind
    assert not found.retryable
    assert re.search(says, str(found))
