"""A client of ours that asks a server of ours, whose router asks a server that misbehaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import jan_jupyter as jan
from engines.asking import ask, engine, model, text
from jan_jupyter import bridge, errors
from jan_jupyter.workspace import shared
from support.jan import add_remote
from support.server import StreamingServer, tokens
from support.v1 import served


@pytest.fixture
def address(isolated: Path) -> Iterator[str]:
    with served(shared()) as address:
        yield address
    bridge.wait(jan.router.close())


@pytest.mark.usefixtures("never_waits")
@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        ("error=context_length_exceeded", errors.ContextOverflow),
        ("status=413,form=empty", errors.ContextOverflow),
        ("status=401", errors.AuthenticationFailed),
        ("status=402", errors.BillingRefused),
        ("status=403", errors.PermissionRefused),
        ("status=404", errors.NotFoundRemotely),
        ("error=content_filter", errors.ContentFiltered),
        ("error=invalid_request", errors.BadRequest),
        ("error=loading", errors.StillLoading),
        ("error=server_is_overloaded", errors.Overloaded),
        ("status=500", errors.ServerFailed),
        ("status=408", errors.TimedOut),
        ("status=429,retry_after=600", errors.RateLimited),
        ("rubbish=0", errors.Malformed),
        ("hangup", errors.ConnectionFailed),
        ("n=10,cut=5", errors.StreamBroken),
        ("n=10,rubbish=5", errors.Malformed),
        ("n=10,error=context_length_exceeded,error_at=5", errors.ContextOverflow),
        ("n=10,error=server_error,error_at=5", errors.ServerFailed),
    ],
)
def test_an_error_keeps_its_class(
    address: str,
    isolated: Path,
    server: StreamingServer,
    behaviour: str,
    kind: type[errors.EngineError],
) -> None:
    add_remote(isolated / "jan", server, m=behaviour)
    with pytest.raises(errors.EngineError) as caught:
        ask(engine("openai", address), model("m"))
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)
    assert caught.value.retry_after == (600 if kind is errors.RateLimited else None)
    assert caught.value.partial == ("".join(tokens(5)) if "n=10" in behaviour[:4] else "")


def test_what_no_repetition_mends_is_asked_once(
    address: str, isolated: Path, server: StreamingServer
) -> None:
    add_remote(isolated / "jan", server, m="rubbish=0")
    with pytest.raises(errors.Malformed):
        ask(engine("openai", address), model("m"))
    assert len(server.journal()) == 1


@pytest.mark.usefixtures("never_waits")
@pytest.mark.parametrize(
    ("behaviour", "times"),
    [("status=500", 3), ("error=server_is_overloaded", 3), ("hangup", 3), ("error=loading", 1)],
)
def test_what_the_server_has_tried_again_its_client_does_not(
    address: str, isolated: Path, server: StreamingServer, behaviour: str, times: int
) -> None:
    add_remote(isolated / "jan", server, m=behaviour)
    with pytest.raises(errors.EngineError) as caught:
        ask(engine("openai", address), model("m"))
    assert len(server.journal()) == times
    assert str(caught.value).count("was asked") == (times > 1)


@pytest.mark.usefixtures("no_pauses")
def test_what_can_still_succeed_is_tried_again_by_the_server_alone(
    address: str, isolated: Path, server: StreamingServer
) -> None:
    add_remote(isolated / "jan", server, m="n=3,status=500,times=2")
    assert text(ask(engine("openai", address), model("m"))) == "".join(tokens(3))
    assert len(server.journal()) == 3


def test_an_answer_comes_through_whole(
    address: str, isolated: Path, server: StreamingServer
) -> None:
    add_remote(isolated / "jan", server, m="n=5,reasoning=2,cached=1")
    strict = model("m")
    deltas = ask(engine("openai", address), strict, temperature=0.5, of_no_api=1)
    assert text(deltas) == "".join(tokens(5))
    assert "".join(delta.reasoning for delta in deltas)
    last = deltas[-1]
    assert last.finish == "stop"
    assert last.usage is not None
    assert (last.usage.prompt, last.usage.completion, last.usage.cached) == (1, 7, 1)
    assert last.timings is not None
    assert last.timings.tokens_per_second
    assert any("of_no_api" in note for note in last.notes)  # the server's own note


def test_several_answers_come_through_apart(
    address: str, isolated: Path, server: StreamingServer
) -> None:
    add_remote(isolated / "jan", server, m="n=5")
    deltas = ask(engine("openai", address), model("m"), n=2)
    for choice in (0, 1):
        found = "".join(delta.text for delta in deltas if delta.choice == choice)
        assert found == f"{choice}:{''.join(tokens(5))}"
    assert deltas[-1].usage is not None
    assert deltas[-1].usage.completion == 10


def test_a_prompt_that_is_too_long_for_a_local_model(address: str) -> None:
    with pytest.raises(errors.ContextOverflow, match=r"jan-mini"):
        ask(engine("openai", address), model("jan-mini"), "many words " * 5000)
    bridge.wait(jan.router.unload("jan-mini"))
