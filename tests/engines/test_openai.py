"""Engine `openai` against a real server that misbehaves on request."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jan_jupyter import errors
from jan_jupyter.engine_options.engine_rows import known_engines
from jan_jupyter.engine_options.options import EngineOptions
from jan_jupyter.engines.base import Engine
from jan_jupyter.engines.http.failures import Party, error_of
from jan_jupyter.engines.openai import OpenAI, parse
from jan_jupyter.models.model import Model
from jan_jupyter.models.store import ModelStore
from jan_jupyter.router import Router
from jan_jupyter.types import ChatRequest, Delta, Event, Message, Timings, Usage
from jan_jupyter.wire.sse import ServerEvent
from support.jan import engine_options, write_json
from support.server import StreamingServer, tokens


def model(name: str, **settings: Any) -> Model:
    return Model(name, name, "openai", "ready", "json", Path("model.json"), settings=settings)


def options(server: StreamingServer, **more: Any) -> EngineOptions:
    return engine_options("openai", server.base_url, "sk-canary-123", **more)


def ask(
    server: StreamingServer, name: str, events: list[Event] | None = None, **parameters: Any
) -> list[Delta]:
    """The deltas of one answer, gathered in a loop of their own."""

    async def gather() -> list[Delta]:
        engine = OpenAI(options(server), (events if events is not None else []).append)
        request = ChatRequest([Message("user", "hi")], parameters)
        try:
            return [delta async for delta in engine.chat(model(name), request)]
        finally:
            await engine.close()

    return asyncio.run(gather())


HI = ChatRequest([Message("user", "hi")])


def text(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas)


def test_an_answer_with_its_usage_on_the_last_delta(server: StreamingServer) -> None:
    deltas = ask(server, "stream:n=20")
    assert text(deltas) == "".join(tokens(20))
    last = deltas[-1]
    assert last.finish == "stop"
    assert last.usage is not None
    assert last.usage.completion == 20
    assert all(delta.finish is None for delta in deltas[:-1])


@pytest.mark.parametrize(
    "style", ["crlf", "tight", "comments", "multiline", "split=1", "split=7", "foreign", "nodone"]
)
def test_every_style_of_stream(server: StreamingServer, style: str) -> None:
    expected = "".join(tokens(30, foreign=style == "foreign"))
    assert text(ask(server, f"stream:n=30,{style}")) == expected


def test_reasoning_is_kept_apart(server: StreamingServer) -> None:
    deltas = ask(server, "stream:n=3,reasoning=2")
    assert "".join(delta.reasoning for delta in deltas)
    assert text(deltas) == "".join(tokens(3))


def test_only_what_is_set_is_sent_and_the_key_only_in_its_header(server: StreamingServer) -> None:
    ask(server, "stream:n=1", temperature=0.5)
    (entry,) = server.journal()
    assert entry.headers["authorization"] == "Bearer sk-canary-123"
    body = entry.body
    assert set(body) == {"model", "messages", "stream", "stream_options", "temperature"}
    assert "canary" not in json.dumps(body)


@pytest.mark.parametrize("end", ["cut=5", "reset=5", "noend"])
def test_a_stream_without_its_end_mark_is_an_error_that_keeps_the_text(
    server: StreamingServer, end: str
) -> None:
    with pytest.raises(errors.StreamBroken) as caught:
        ask(server, f"stream:n=10,{end}")
    expected = "".join(tokens(10 if end == "noend" else 5))
    assert caught.value.partial == expected
    assert "stream:" in str(caught.value)


def test_no_retry_after_the_first_token(server: StreamingServer) -> None:
    with pytest.raises(errors.StreamBroken):
        ask(server, "stream:n=10,cut=5")
    assert len(server.journal()) == 1


def test_a_429_is_waited_out_and_told(server: StreamingServer) -> None:
    events: list[Event] = []
    deltas = ask(server, "busy:n=3,status=429,retry_after=0,times=2", events)
    assert text(deltas) == "".join(tokens(3))
    assert len(server.journal()) == 3
    assert [event.state for event in events] == ["queued", "queued"]


def test_who_asks_for_a_long_wait_is_not_asked_again(server: StreamingServer) -> None:
    with pytest.raises(errors.RateLimited, match="10 min") as caught:
        ask(server, "busy:n=3,status=429,retry_after=600")
    assert caught.value.retry_after == 600
    assert len(server.journal()) == 1


@pytest.mark.usefixtures("no_pauses")
def test_a_server_that_starts_is_waited_for_and_told(server: StreamingServer) -> None:
    events: list[Event] = []
    deltas = ask(server, "starting:n=3,error=loading,times=5", events)
    assert text(deltas) == "".join(tokens(3))
    assert {event.state for event in events} == {"loading"}
    assert "please wait" in events[0].message


def test_rules_rename_and_drop_parameters_and_tell_it_once(server: StreamingServer) -> None:
    async def go() -> list[Delta]:
        engine = OpenAI(options(server, settings={"rename": {"max_tokens": "limit"}}))
        strict = model("stream:n=1", drop=["stop", "stream_options"])
        request = ChatRequest([Message("user", "hi")], {"max_tokens": 5, "stop": ["x"]})
        last = []
        for _ in range(2):
            last.append([delta async for delta in engine.chat(strict, request)][-1])
        await engine.close()
        return last

    first, second = asyncio.run(go())
    assert first.notes == ["not sent: stop"]
    assert second.notes == []
    body = server.journal()[-1].body
    assert set(body) == {"model", "messages", "stream", "limit"}


def test_reasoning_models_of_openai_get_what_they_take() -> None:
    row = known_engines()["openai"]
    engine = OpenAI(EngineOptions("openai", "openai", base_url=row.base_url))
    request = ChatRequest([Message("user", "hi")], {"temperature": 0.5, "max_tokens": 5})
    for name, sent in (("gpt-4o", {"temperature"}), ("o3-mini", set()), ("gpt-5.2", set())):
        body = engine.body(model(name), request)
        known = {"model", "messages", "stream", "stream_options", "max_completion_tokens"}
        assert set(body) == known | sent
    elsewhere = OpenAI(EngineOptions("openai", "openai", base_url="http://localhost:1/v1"))
    assert {"temperature", "max_tokens"} <= set(elsewhere.body(model("o3-mini"), request))


def test_a_redirect_is_not_followed_with_the_key() -> None:
    error = error_of(307, {"location": "https://evil.invalid/"}, b"", Party("m", "openai"))
    assert isinstance(error, errors.NotFoundRemotely)
    assert "evil.invalid" in str(error)


def test_an_answer_that_is_not_streamed_is_read_too() -> None:
    whole = {
        "choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2},
    }
    delta = parse(ServerEvent(json.dumps(whole), "json"))
    assert isinstance(delta, Delta)
    assert (delta.text, delta.finish, delta.usage) == ("hi", "stop", Usage(1, 2))


def test_choices_that_come_together_are_told_apart() -> None:
    whole = {
        "choices": [
            {"index": 1, "message": {"content": "b"}, "finish_reason": "length"},
            {"index": 0, "message": {"content": "a"}, "finish_reason": "stop"},
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2},
    }
    deltas = parse(ServerEvent(json.dumps(whole), "json"))
    assert isinstance(deltas, list)
    assert [(d.choice, d.text, d.finish) for d in deltas] == [(1, "b", "length"), (0, "a", "stop")]
    assert deltas[0].usage == Usage(1, 2)


@pytest.mark.usefixtures("never_waits")
@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        ("error=context_length_exceeded", errors.ContextOverflow),
        ("status=401", errors.AuthenticationFailed),
        ("status=404", errors.NotFoundRemotely),
        ("error=invalid_request", errors.BadRequest),
        ("error=insufficient_quota", errors.BillingRefused),
        ("error=content_filter", errors.ContentFiltered),
        ("error=loading", errors.StillLoading),
        ("status=500", errors.ServerFailed),
        ("status=402", errors.BillingRefused),
        ("status=403", errors.PermissionRefused),
        ("rubbish=2", errors.Malformed),
        ("error_at=2", errors.EngineError),
        ("status=401,form=string", errors.AuthenticationFailed),
        ("status=401,form=detail", errors.AuthenticationFailed),
        ("status=401,form=empty", errors.AuthenticationFailed),
        ("status=422,form=html", errors.BadRequest),
    ],
)
def test_what_a_server_refuses_is_one_line(
    server: StreamingServer,
    behaviour: str,
    kind: type[errors.EngineError],
) -> None:
    with pytest.raises(kind) as caught:
        ask(server, f"bad:n=5,{behaviour}")
    message = str(caught.value)
    assert "\n" not in message
    assert "openai" in message
    assert "canary" not in message
    assert caught.value.model.startswith("bad:")


@pytest.mark.parametrize(
    ("body", "status", "kind", "says"),
    [
        (
            {"message": "no n_ctx", "code": "context_length_exceeded"},
            400,
            "context",
            "ask a model that takes more",
        ),
        (
            {"message": "long", "type": "exceed_context_size_error", "n_ctx": 9},
            400,
            "context",
            "ask a model that takes more",
        ),
        ({"message": "no embeddings", "type": "not_supported_error"}, 501, "bad", "Leave out"),
        ({"message": "image input is not supported"}, 500, "bad", "Leave out"),
        ({"message": "timed out"}, 408, "timeout", "max_tokens"),
        ({"message": "in use"}, 409, "bad", "Wait a moment"),
        ({"message": "gateway"}, 504, "timeout", "max_tokens"),
    ],
)
def test_the_mend_fits_what_was_refused(
    body: dict[str, Any], status: int, kind: str, says: str
) -> None:
    error = error_of(status, {}, {"error": body}, Party("m", "openai"))
    assert error.kind.startswith(kind)
    assert says in str(error)
    assert "m (openai)" in str(error)
    assert "operators" not in str(error)
    assert "ctx_len" not in str(error)
    assert error.retryable == (kind == "timeout")


@pytest.mark.usefixtures("no_pauses")
def test_a_silent_server_is_told_with_seconds_tries_and_setting(server: StreamingServer) -> None:
    async def go() -> None:
        engine = OpenAI(options(server))
        silent = model("silent:headers=30", timeout=0.1)
        try:
            async for _ in engine.chat(silent, ChatRequest([Message("user", "hi")])):
                pass
        finally:
            await engine.close()

    with pytest.raises(errors.TimedOut, match=r"nothing for 0\.1 s.*`timeout`.*asked 3 times"):
        asyncio.run(go())


def test_a_time_that_is_none_is_told(server: StreamingServer) -> None:
    engine = OpenAI(options(server))
    values: list[Any] = ["long", -1, float("nan"), []]
    for value in values:
        with pytest.raises(errors.BadRequest, match=r"timeout: .* of m \(openai\) is no number"):
            engine.endpoint(model("m", timeout=value))
    assert engine.endpoint(model("m", timeout="300")).read_timeout == 300


@pytest.mark.usefixtures("no_pauses")
def test_a_stream_that_is_cut_before_its_first_token_is_asked_for_again(
    server: StreamingServer,
) -> None:
    assert text(ask(server, "cut:n=3,cut=0,times=2")) == "".join(tokens(3))
    assert len(server.journal()) == 3


def test_rubbish_in_mid_stream_shows_itself_and_blames_no_address(server: StreamingServer) -> None:
    with pytest.raises(errors.Malformed, match=r"mid-stream.*this is not JSON") as caught:
        ask(server, "bad:n=5,rubbish=2")
    assert "base_url" not in str(caught.value)
    with pytest.raises(errors.Malformed, match="base_url"):
        ask(server, "bad:n=5,rubbish=0")


@pytest.mark.usefixtures("no_pauses")
def test_nobody_listening(server: StreamingServer) -> None:
    async def go() -> None:
        engine = OpenAI(EngineOptions("openai", "openai", base_url="http://127.0.0.1:9/v1"))
        async for _ in engine.chat(model("x"), ChatRequest([Message("user", "hi")])):
            pass

    with pytest.raises(errors.ConnectionFailed, match=r"127\.0\.0\.1:9"):
        asyncio.run(go())


def test_closing_the_iterator_closes_the_socket(server: StreamingServer) -> None:
    async def go() -> None:
        engine = OpenAI(options(server))
        deltas = engine.chat(model("stream:n=1000,delay=0.01"), ChatRequest([Message("user", "x")]))
        async with aclosing(deltas):
            async for _ in deltas:
                break
        await asyncio.to_thread(server.wait, "closed")
        await engine.close()

    asyncio.run(go())
    (entry,) = server.journal()
    assert not entry.complete
    assert entry.chunks < 500


def test_the_address_of_a_model_wins_and_a_missing_one_is_told(server: StreamingServer) -> None:
    engine = OpenAI(EngineOptions("mine", "openai"))
    assert (
        engine.endpoint(model("m", base_url="http://x/v1/")).url == "http://x/v1/chat/completions"
    )
    with pytest.raises(errors.EngineUnavailable, match=r"engines/mine/engine\.json"):
        engine.endpoint(model("m"))
    full = "https://x/chat?api-version=1"
    whole = OpenAI(EngineOptions("azure", "openai", full_url=full, base_url="https://x"))
    assert whole.endpoint(model("m")).url == full


def answers(*contents: str, stays_open: bool = False) -> list[Delta]:
    """What is made of chunks with these contents, from a server of one answer."""
    chunks = [{"choices": [{"delta": {"content": content}}]} for content in contents]
    end = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in [*chunks, end])

    async def go() -> list[Delta]:
        left = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(f"HTTP/1.1 200 OK\r\n\r\n{body}data: [DONE]\n\n".encode())
            while stays_open and await reader.read(4096):  # until the client closes
                pass
            writer.close()
            asyncio.get_running_loop().call_soon(left.set)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
            engine = OpenAI(EngineOptions("openai", "openai", base_url=url))
            request = ChatRequest([Message("user", "hi")])
            async with asyncio.timeout(20):  # the read timeout is 60 s
                deltas = [delta async for delta in engine.chat(model("m"), request)]
                await left.wait()
            await engine.close()
        return deltas

    return asyncio.run(go())


def test_a_server_that_stays_open_after_the_end_mark_is_not_waited_for() -> None:
    deltas = answers("hi", stays_open=True)
    assert text(deltas) == "hi"
    assert deltas[-1].finish == "stop"


def test_reasoning_between_tags_is_no_text() -> None:
    deltas = answers("<thi", "nk>a pl", "an</think>\n\nTh", "e answer")
    assert text(deltas) == "The answer"
    assert "".join(delta.reasoning for delta in deltas) == "a plan"


def test_tool_calls_and_llama_cpp_timings_are_read() -> None:
    chunk = {"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "c"}]}}]}
    delta = parse(ServerEvent(json.dumps(chunk)))
    assert isinstance(delta, Delta)
    assert delta.tool_calls[0]["id"] == "c"
    measured = {"predicted_per_second": 12.5, "prompt_per_second": 50.0, "prompt_n": 100}
    measured |= {"cache_n": 30, "prompt_ms": 2000.0, "predicted_n": 25, "predicted_ms": 2000.0}
    measured |= {"draft_n": 20, "draft_n_accepted": 15}
    timed = {"choices": [], "timings": measured}
    delta = parse(ServerEvent(json.dumps(timed)))
    assert isinstance(delta, Delta)
    assert delta.timings == Timings(
        tokens_per_second=12.5,
        prompt_tokens_per_second=50.0,
        prompt=2.0,
        prompt_tokens=100,
        cached_tokens=30,
        decode=2.0,
        decode_tokens=25,
        drafted_tokens=20,
        accepted_tokens=15,
    )


def write_key(data_folder: Path, server: StreamingServer, key: str) -> None:
    """The file of engine `openai`, edited."""
    written = {"base_url": server.base_url, "api_key": key}
    write_json(data_folder / "engines" / "openai" / "engine.json", written)


def http_client(engine: Engine) -> Any:
    """The one that an engine has opened."""
    assert isinstance(engine, OpenAI)
    (client,) = engine.client._clients.values()
    return client


def test_an_edited_engine_file_closes_what_it_replaces(
    server: StreamingServer, tmp_path: Path
) -> None:
    """But not while a request is at it."""

    async def both() -> None:
        router = Router(ModelStore(tmp_path))
        asked = replace(model("stream:n=20"), written_engine="openai")
        write_key(tmp_path, server, "sk-x")
        async with aclosing(router.chat(*router.prepare(HI, asked))) as first:
            await anext(first)
            old = router.registry.engine(asked, router.notify)
            client = http_client(old)
            write_key(tmp_path, server, "sk-y")
            assert [delta async for delta in router.chat(*router.prepare(HI, asked))]
            assert router.registry.engine(asked, router.notify) is not old
            closed = [client.is_closed]
            assert [delta async for delta in first][-1].finish == "stop"
        assert [*closed, client.is_closed] == [False, True]
        await router.close()

    asyncio.run(both())


def test_an_engine_that_is_closed_before_its_turn_answers_and_is_closed_again(
    server: StreamingServer, tmp_path: Path
) -> None:
    async def late() -> None:
        router = Router(ModelStore(tmp_path))
        asked = replace(model("stream:n=20"), written_engine="openai")
        write_key(tmp_path, server, "sk-x")
        assert [delta async for delta in router.chat(*router.prepare(HI, asked))]
        request, early = router.prepare(HI, asked)
        replaced = http_client(early.engine)
        write_key(tmp_path, server, "sk-y")
        assert [delta async for delta in router.chat(*router.prepare(HI, asked))]
        assert replaced.is_closed
        async with aclosing(router.chat(request, early)) as answer:
            await anext(answer)
            (used,) = router.registry._uses
            client = http_client(used)
            assert [delta async for delta in answer][-1].finish == "stop"
        assert client.is_closed
        assert not http_client(router.registry.engine(asked, router.notify)).is_closed
        await router.close()

    asyncio.run(late())
    keys = [entry.headers["authorization"].split("-")[1] for entry in server.journal()]
    assert keys == ["x", "y", "x"]
