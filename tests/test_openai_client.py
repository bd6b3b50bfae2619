"""`jan.openai()`: code written for the `openai` package, over our router, in this process."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path

import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

import jan_jupyter as jan
from jan_jupyter import bridge
from support.jan import KEY, add_model, add_remote, write_json
from support.server import StreamingServer, tokens

HI: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hi"}]
MODELS = {
    "short": "n=20",
    "slow": "n=2000,delay=0.01",
    "refused": "status=401",
    "cut": "n=10,cut=5",
    "limited": "status=429,retry_after=600",
    "caller": "tools=2,finish=tool_calls",
    "thinker": "n=3,reasoning=2",
    "late": "n=3,first=60",
    "stalls": "n=10,stall=3",
}


@pytest.fixture
def client(isolated: Path, server: StreamingServer) -> Iterator[openai.OpenAI]:
    add_remote(isolated / "jan", server, **MODELS)
    write_json(
        isolated / "jan" / "engines" / "claude" / "engine.json",
        {"base_url": server.base_url, "api_key": KEY},
    )
    add_model(isolated / "jan", "elsewhere", engine="claude")
    with jan.openai() as client:
        yield client
    bridge.wait(jan.router.close())


def test_a_whole_answer(client: openai.OpenAI, server: StreamingServer) -> None:
    answer = client.chat.completions.create(
        model="short", messages=HI, temperature=0.5, max_completion_tokens=9
    )
    assert answer.choices[0].message.content == "".join(tokens(20))
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 20
    (entry,) = server.journal()
    assert entry.body["temperature"] == 0.5
    assert entry.body["max_tokens"] == 9


def test_a_stream(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="short", messages=HI, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == "".join(tokens(20))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 20


def test_leaving_a_stream_stops_the_server(client: openai.OpenAI, server: StreamingServer) -> None:
    with client.chat.completions.create(model="slow", messages=HI, stream=True) as stream:
        next(iter(stream))
    (entry,) = server.wait("closed")
    assert not entry.complete


def test_the_async_client(client: openai.OpenAI, server: StreamingServer) -> None:
    async def go() -> tuple[str, str]:
        async with jan.async_openai() as other:
            whole = await other.chat.completions.create(model="short", messages=HI)
            text = ""
            async for chunk in await other.chat.completions.create(
                model="short", messages=HI, stream=True
            ):
                text += chunk.choices[0].delta.content or ""
            async with await other.chat.completions.create(
                model="slow", messages=HI, stream=True
            ) as stream:
                async for _ in stream:
                    break
        return whole.choices[0].message.content or "", text

    whole, text = asyncio.run(go())
    assert whole == text == "".join(tokens(20))
    server.wait("closed")


def test_errors_are_those_of_the_package(client: openai.OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError, match="refused"):
        client.chat.completions.create(model="refused", messages=HI)
    with pytest.raises(openai.NotFoundError, match="no model"):
        client.chat.completions.create(model="nowhere", messages=HI)
    with pytest.raises(openai.BadRequestError, match=r"claude.*one answer .*`n`"):
        client.chat.completions.create(model="elsewhere", messages=HI, n=2)
    with pytest.raises(openai.APIError, match="cut off"):
        list(client.chat.completions.create(model="cut", messages=HI, stream=True))
    with pytest.raises(openai.RateLimitError, match="10 min") as limited:
        client.chat.completions.create(model="limited", messages=HI)
    assert limited.value.code == "rate_limit_exceeded"
    assert limited.value.response.headers["retry-after"] == "600"


def test_several_answers(client: openai.OpenAI) -> None:
    text = "".join(tokens(20))
    answer = client.chat.completions.create(model="short", messages=HI, n=2)
    found = [(choice.index, choice.message.content) for choice in answer.choices]
    assert found == [(0, f"0:{text}"), (1, f"1:{text}")]
    pieces = ["", ""]
    ends = []
    stream = client.chat.completions.create(model="short", messages=HI, n=2, stream=True)
    for choice in (choice for chunk in stream for choice in chunk.choices):
        pieces[choice.index] += choice.delta.content or ""
        ends += [choice.index] if choice.finish_reason else []
    assert pieces == [f"0:{text}", f"1:{text}"]
    assert sorted(ends) == [0, 1]


def test_a_time_that_was_set_is_kept(client: openai.OpenAI, server: StreamingServer) -> None:
    assert client.timeout is None  # a model may load for long
    hasty = client.with_options(timeout=0.5)
    with pytest.raises(openai.APITimeoutError):
        hasty.chat.completions.create(model="late", messages=HI)
    server.wait("closed")
    stream = client.chat.completions.create(
        model="stalls", messages=HI, stream=True, timeout=openai.Timeout(None, read=1.5)
    )
    pieces = (chunk.choices[0].delta.content or "" for chunk in stream)
    assert "".join(itertools.islice(pieces, 3)) == "".join(tokens(3))
    with pytest.raises((openai.APITimeoutError, httpx2.ReadTimeout)):
        next(pieces)
    server.wait("closed", count=2)

    async def go() -> None:
        async with jan.async_openai(timeout=0.2) as other:
            with pytest.raises(openai.APITimeoutError):
                await other.chat.completions.create(model="late", messages=HI)

    asyncio.run(go())


def test_what_was_left_out_is_in_the_answer(client: openai.OpenAI, server: StreamingServer) -> None:
    server.behave("elsewhere", "n=2")
    answer = client.chat.completions.create(model="elsewhere", messages=HI, user="ada", store=True)
    assert (answer.model_extra or {})["notes"] == ["not sent: store, user"]
    with pytest.raises(openai.BadRequestError, match="json_object without a schema"):
        client.chat.completions.create(
            model="elsewhere", messages=HI, response_format={"type": "json_object"}
        )


def test_tool_calls_and_reasoning_come_through(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="caller", messages=HI)
    calls = answer.choices[0].message.tool_calls
    assert calls is not None
    assert len(calls) == 2
    assert answer.choices[0].finish_reason == "tool_calls"
    with client.chat.completions.stream(model="caller", messages=HI) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.tool_calls is not None
    assert [c.id for c in final.choices[0].message.tool_calls] == [c.id for c in calls]
    thought = client.chat.completions.create(model="thinker", messages=HI)
    assert thought.choices[0].message.model_dump()["reasoning_content"]


def test_models_are_listed(client: openai.OpenAI) -> None:
    found = {model.id: model.owned_by for model in client.models.list()}
    assert found["short"] == "openai"
    assert found["jan-mini"] == "nitro"
    assert client.models.retrieve("jan-mini").id == "jan-mini"


def test_the_bundled_model_answers_and_embeds(isolated: Path) -> None:
    with jan.openai() as client:
        answer = client.chat.completions.create(
            model="jan-mini",
            messages=[{"role": "user", "content": "What is the capital of Italy?"}],
            temperature=0,
        )
        assert "Rome" in (answer.choices[0].message.content or "")
        first, second = client.embeddings.create(model="jan-mini", input=["one", "two"]).data
    assert len(first.embedding) == len(second.embedding) > 10
    assert first.embedding != second.embedding
    for model in ("jan-mini",):
        bridge.wait(jan.router.unload(model))
    bridge.wait(jan.router.close())


def test_its_other_apis_work_as_well(client: openai.OpenAI) -> None:
    with client.responses.stream(model="short", input="hi", store=False) as stream:
        assert stream.get_final_response().output_text == "".join(tokens(20))
    assert client.completions.create(model="short", prompt="a").choices[0].text
    assert "short" in {model.id for model in client.models.list()}
