"""What every peer can refuse or break, and the one line that comes of it."""

from __future__ import annotations

import pytest

import jan_jupyter as jan
from jan_jupyter import errors
from jan_jupyter.types import Event
from peers.llmock import LLMock
from peers.process import KEY

from .conftest import TESTED, User
from .pairs import PAIRS, WRONG_KEY, Case, Pair, cases, parameters


@pytest.mark.parametrize(("pair", "case"), cases(PAIRS))
def test_it_is_one_line_of_the_right_kind(
    user: User, pair: Pair, case: Case, request: pytest.FixtureRequest
) -> None:
    user.has(pair, case)
    if case.behaviours:
        user.house.peer(pair.peer, LLMock).script(*case.behaviours)
    else:
        request.getfixturevalue("no_pauses")
    pieces: list[str] = []
    with pytest.raises(errors.JanError) as caught:
        pieces.extend(user.asks(case.prompt, **case.parameters))
    error = caught.value
    assert type(error) is case.kind, error
    line = str(error)
    assert "\n" not in line
    assert TESTED in line
    assert case.says in line
    assert KEY not in line
    assert WRONG_KEY not in line
    if isinstance(error, errors.EngineError):
        assert pair.engine in line
        assert (error.model, error.engine) == (TESTED, pair.engine)
        assert bool(error.partial) == case.partial
        assert error.partial == "".join(pieces)
    if case.behaviours:
        _judged(user, pair, case)


def _judged(user: User, pair: Pair, case: Case) -> None:
    """LLMock's verdict: retry-after was honoured, nothing hopeless tried again, no cut accepted."""
    llmock = user.house.peer(pair.peer, LLMock)
    if case.kind is errors.StreamBroken:
        # The line has said so; the user runs the cell again, and has a whole answer.
        assert user.asks(case.prompt, **case.parameters).reply.finish == "stop"
    verdict = llmock.verdict()
    assert verdict["passed"], verdict["findings"]
    assert verdict["faults_injected"] > 0


@pytest.mark.parametrize("pair", parameters([p for p in PAIRS if p.peer == "llmock"]))
def test_a_busy_server_is_asked_again_when_it_said(user: User, pair: Pair) -> None:
    user.has(pair)
    llmock = user.house.peer(pair.peer, LLMock)
    llmock.script(
        {"type": "fail", "status": 429, "retry_after": 1.0, "times": 1},
        {"type": "fail", "status": 500, "times": 1},
    )
    assert user.asks("hi").reply.finish == "stop"
    first, second, third = llmock.requests()
    assert (first["status"], second["status"], third["status"]) == (429, 500, 200)
    verdict = llmock.verdict()
    assert verdict["findings"] == []


# Elsewhere no answer says that a model is on its way.
LOADING = {"openai", "azure-openai", "hf-endpoints"}


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize(
    "pair", parameters([p for p in PAIRS if p.peer == "misbehaving" and p.engine in LOADING])
)
def test_a_server_that_is_loading_is_waited_for(user: User, pair: Pair) -> None:
    user.has(pair, model=f"loads-{pair.id}:error=loading,times=5")
    events: list[Event] = []
    unwatch = jan.router.watch(events.append)
    try:
        assert user.asks("hi").reply.finish == "stop"
    finally:
        unwatch()
    told = [event.message for event in events if event.state == "loading" and event.message]
    assert len(told) == 5
    assert all(TESTED in message and "wait" in message for message in told)
