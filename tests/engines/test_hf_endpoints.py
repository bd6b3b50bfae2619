"""Engine `hf-endpoints` in its three formats, against a server that misbehaves on request."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote

import pytest

from jan_jupyter import errors
from jan_jupyter.engines.hf_endpoints import TGIParser, sampling
from jan_jupyter.engines.http.endpoint import Remote
from jan_jupyter.engines.http.failures import error_of
from jan_jupyter.types import ChatRequest, Delta, Event, Message, Usage
from jan_jupyter.wire.errors import Complaint
from jan_jupyter.wire.sse import ServerEvent
from support.server import StreamingServer, tokens

from .asking import KEY, ask, body, engine, model, text

TEMPLATE = "<s>{system_message}<u>{prompt}<a>"
M = model("m")


def at(server: StreamingServer, behaviour: str, form: str, **more: Any) -> Remote:
    """An endpoint of that format: its address names how it behaves."""
    events = more.pop("events", None)
    settings = {"format": form, "prompt_template": TEMPLATE, **more}
    address = f"{server.url}/{quote(f'm:{behaviour}')}"
    return engine("hf-endpoints", address, events, settings=settings)


def test_openai_is_the_default(server: StreamingServer) -> None:
    for base in (server.url, f"{server.url}/v1/"):
        assert text(ask(engine("hf-endpoints", base), model("m:n=3"))) == "".join(tokens(3))
    first, second = server.journal()
    assert first.path == second.path == "/v1/chat/completions"
    assert first.headers["x-scale-up-timeout"] == "600"
    assert first.headers["authorization"] == f"Bearer {KEY}"


def test_tgi(server: StreamingServer) -> None:
    request = ChatRequest(
        [Message("system", "Be."), Message("user", "hi")],
        {"temperature": 0, "top_p": 0.9, "max_tokens": 30, "min_p": 0.1},
        schema={"type": "object"},
    )
    deltas = ask(at(server, "n=20", "tgi"), M, request)
    assert text(deltas) == "".join(tokens(20))  # and not the special token at its end
    assert deltas[-1].finish == "stop"
    assert deltas[-1].usage == Usage(1, 20)
    assert deltas[-1].notes == ["not sent: min_p"]
    (entry,) = server.journal()
    assert entry.body == {
        "inputs": "<s>Be.<u>hi<a>",
        "parameters": {
            "max_new_tokens": 30,
            "do_sample": False,
            "details": True,
            "return_full_text": False,
            "grammar": {"type": "json", "value": {"type": "object"}},
        },
    }


def test_stop_words_and_the_limit(server: StreamingServer) -> None:
    whole = "".join(tokens(20))
    stopped = ask(at(server, "n=20", "tgi"), M, stop=["model"])
    assert text(stopped) == whole.partition("model")[0]
    assert stopped[-1].finish == "stop"
    assert stopped[-1].usage is not None  # the rest is read, though it is not shown
    cut = ask(at(server, "n=20", "tgi"), M, max_tokens=5)
    assert (text(cut), cut[-1].finish) == ("".join(tokens(5)), "length")


def test_the_toolkit_answers_in_one_piece(server: StreamingServer) -> None:
    deltas = ask(at(server, "n=20", "toolkit"), M, stop="model")
    assert text(deltas) == "".join(tokens(20)).partition("model")[0]
    assert deltas[-1].finish == "stop"
    (entry,) = server.journal()
    cut = ask(at(server, "n=20", "toolkit"), M, max_tokens=5)
    assert (text(cut), cut[-1].finish) == ("".join(tokens(5)), "length")
    assert ask(at(server, "n=5", "toolkit"), M, max_tokens=99)[-1].finish == "stop"
    assert entry.path.endswith("/")
    assert entry.body["parameters"] == {"return_full_text": False}


def test_sampling_as_tgi_takes_it() -> None:
    assert sampling({"temperature": 0.7, "top_p": 1, "top_k": 0}) == {
        "temperature": 0.7,
        "do_sample": True,
    }
    assert sampling({"temperature": 0, "top_k": 5}) == {"do_sample": False}
    assert sampling({}) == {}


def test_without_a_template_the_text_goes_as_it_is_and_that_is_told(
    server: StreamingServer,
) -> None:
    plain = at(server, "n=1", "tgi", prompt_template="")
    assert "plain text" in ask(plain, M)[-1].notes[0]
    assert server.journal()[0].body["inputs"] == "hi"
    turns = [Message("system", "S"), Message("user", "1"), Message("assistant", "2")]
    sent = body(plain, M, [*turns, Message("user", "3")])
    assert sent["inputs"] == "S\n\nUser: 1\nAssistant: 2\nUser: 3\nAssistant:"


def test_a_form_of_answer_that_is_openais_own_is_refused(server: StreamingServer) -> None:
    asked = {"response_format": {"type": "json_object"}}
    for form in ("tgi", "toolkit"):
        with pytest.raises(errors.BadRequest, match="json_object without a schema"):
            ask(at(server, "n=1", form), M, ChatRequest([Message("user", "hi")], extra=asked))
    assert server.journal() == []


def test_what_a_text_format_cannot_do_is_told(server: StreamingServer) -> None:
    picture = [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]
    for form, request in (
        ("tgi", ChatRequest([Message("user", picture)])),
        ("tgi", ChatRequest([Message("user", "hi")], tools=[{}])),
        ("toolkit", ChatRequest([Message("user", "hi")], schema={"type": "object"})),
        ("tgj", ChatRequest([Message("user", "hi")])),
    ):
        with pytest.raises(errors.BadRequest, match=r"hf-endpoints.*mine|mine.*hf-endpoints"):
            ask(at(server, "n=1", form), M, request)
    assert server.journal() == []


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize("form", ["openai", "tgi", "toolkit"])
def test_an_endpoint_that_was_scaled_to_zero_is_waited_for(
    server: StreamingServer, form: str
) -> None:
    events: list[Event] = []
    behaviour = "n=3,status=503,form=html,times=4"
    about = model(f"m:{behaviour}")
    deltas = ask(at(server, behaviour, form, events=events), about)
    assert text(deltas) == "".join(tokens(3))
    assert {event.state for event in events} == {"loading"}
    assert all("please wait" in event.message for event in events)


def test_a_request_that_the_proxy_holds_shows_that_it_waits(
    server: StreamingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jan_jupyter.engines.hf_endpoints.QUIET_SECONDS", 0.05)
    events: list[Event] = []
    asked = at(server, "n=3,headers=0.3", "tgi", events=events, timeout=0.01)
    assert text(ask(asked, M)) == "".join(tokens(3))
    assert "scaled to zero" in events[0].message


@pytest.mark.usefixtures("never_waits")
@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        ("status=401,form=empty", errors.AuthenticationFailed),
        ("error=forbidden", errors.PermissionRefused),
        ("status=404", errors.NotFoundRemotely),
        ("error=context_length_exceeded", errors.ContextOverflow),
        ("error=invalid_request", errors.BadRequest),
        ("error=server_is_overloaded", errors.Overloaded),
        ("error=server_error", errors.ServerFailed),
        ("error=server_error,error_at=2", errors.ServerFailed),
        ("error=loading", errors.StillLoading),
        ("cut=2", errors.StreamBroken),
        ("noend", errors.StreamBroken),
        ("nofinish", errors.StreamBroken),
        ("rubbish=2", errors.Malformed),
    ],
)
def test_what_tgi_refuses_is_one_line(
    server: StreamingServer,
    behaviour: str,
    kind: type[errors.EngineError],
) -> None:
    with pytest.raises(kind) as caught:
        ask(at(server, f"n=5,{behaviour}", "tgi"), M)
    assert type(caught.value) is kind
    assert "mine" in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize("form", ["openai", "string"])
def test_an_endpoint_that_is_too_busy_is_not_waited_for(server: StreamingServer, form: str) -> None:
    behaviour = f"error=server_is_overloaded,form={form}"
    with pytest.raises(errors.Overloaded, match="no capacity"):
        ask(at(server, behaviour, "openai"), model(f"m:{behaviour}"))
    assert len(server.journal()) == 3


@pytest.mark.parametrize(
    ("body", "starting"),
    [
        (b"", True),
        (b"<html><body>503 Service Temporarily Unavailable</body></html>", True),
        (b'{"error": "503 Service Unavailable"}', True),
        (b'{"error": "Model org/m is currently loading", "estimated_time": 20.0}', True),
        (b'{"error": {"message": "Loading model", "type": "unavailable_error"}}', True),
        (b'{"error": "The endpoint is scaled to zero"}', True),
        (b'{"error": "Too many requests in the queue"}', False),
        (b'{"error": {"message": "No worker is free", "type": "ServiceUnavailable"}}', False),
    ],
)
def test_which_503_says_that_an_endpoint_starts(body: bytes, starting: bool) -> None:
    asked = engine("hf-endpoints", "https://x.endpoints.huggingface.cloud")
    error = error_of(503, {}, body, asked.party(M, None))
    assert type(error) is (errors.StillLoading if starting else errors.Overloaded)


def test_the_router_is_never_starting() -> None:
    router = engine("hf-endpoints", "https://router.huggingface.co/v1")
    assert router.kind_of(503, Complaint("")) is None
    assert router.endpoint(M).url == "https://router.huggingface.co/v1/chat/completions"


def test_the_answer_of_the_compatible_route_is_a_list() -> None:
    details = {"finish_reason": "length", "generated_tokens": 2, "prefill": [{}, {}, {}]}
    answer = [{"generated_text": "Hi.", "details": details}]
    delta = TGIParser().parse(ServerEvent(json.dumps(answer), "json"))
    assert delta == Delta("Hi.", finish="length", usage=Usage(3, 2))


def test_closing_the_iterator_closes_the_socket(server: StreamingServer) -> None:
    async def go() -> None:
        asked = at(server, "n=1000,delay=0.01", "tgi")
        deltas = asked.chat(M, ChatRequest([Message("user", "hi")]))
        await anext(deltas)
        await deltas.aclose()
        await asyncio.to_thread(server.wait, "closed")
        await asked.close()

    asyncio.run(go())
    (entry,) = server.journal()
    assert not entry.complete
