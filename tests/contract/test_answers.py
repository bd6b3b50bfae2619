"""What every engine does with every peer: the answer, its pieces, its usage, and stopping."""

from __future__ import annotations

import time
from typing import Any

import pytest

from jan_jupyter.types import Message

from .conftest import User
from .house import answer_of
from .pairs import PAIRS, Pair, parameters

SECONDS = 60.0
"""How long a server may take to see that its client has gone; only there to end a failing test."""


def truth(user: User, pair: Pair, *messages: tuple[str, str], **options: Any) -> Any:
    peer, model = pair.truth
    written = [{"role": role, "content": text} for role, text in messages]
    return answer_of(user.house[peer], model, written, **options)


def text_of(answer: Any) -> str:
    return str(answer["choices"][0]["message"]["content"])


@pytest.mark.parametrize("pair", parameters(PAIRS, "answer"))
def test_the_answer_is_what_the_server_says(user: User, pair: Pair) -> None:
    user.has(pair)
    reply = user.asks(pair.script.plain).reply
    assert reply.text == text_of(truth(user, pair, ("user", pair.script.plain)))
    assert reply.finish == "stop"
    assert reply.engine == pair.engine
    assert reply.error is None


@pytest.mark.parametrize("pair", parameters(PAIRS, "stream"))
def test_it_comes_in_pieces(user: User, pair: Pair) -> None:
    user.has(pair)
    stream = user.asks(pair.script.plain)
    pieces = list(stream)
    assert len(pieces) > 3
    assert "".join(pieces) == stream.reply.text
    timings = stream.reply.timings
    assert timings.first_token is not None
    assert timings.total is not None
    assert timings.first_token < timings.total


@pytest.mark.parametrize("pair", parameters(PAIRS, "usage"))
def test_tokens_are_counted(user: User, pair: Pair) -> None:
    user.has(pair)
    usage = user.asks(pair.script.plain).reply.usage
    if pair.counts:
        counted = truth(user, pair, ("user", pair.script.plain))["usage"]
        assert usage.prompt == counted["prompt_tokens"]
        assert usage.completion == counted["completion_tokens"]
    else:
        assert usage.prompt > 0
        assert usage.completion > 0


@pytest.mark.parametrize("pair", parameters(PAIRS, "stop"))
def test_stop_words_end_it(user: User, pair: Pair) -> None:
    user.has(pair)
    whole = text_of(truth(user, pair, ("user", pair.script.plain)))
    before, found, _ = whole.partition(pair.script.stop)
    assert found
    reply = user.asks(pair.script.plain, stop=[pair.script.stop, "never comes"]).reply
    assert reply.text.rstrip() == before.rstrip()
    assert reply.finish == "stop"


@pytest.mark.parametrize("pair", parameters(PAIRS, "length"))
def test_max_tokens_ends_it_and_says_so(user: User, pair: Pair) -> None:
    user.has(pair)
    reply = user.asks(pair.script.plain, max_tokens=5).reply
    whole = text_of(truth(user, pair, ("user", pair.script.plain)))
    assert reply.finish == "length"
    assert reply.text
    assert whole.startswith(reply.text)
    assert len(reply.text) < len(whole)


@pytest.mark.parametrize("pair", parameters(PAIRS, "system"))
def test_a_system_text_counts(user: User, pair: Pair) -> None:
    user.has(pair)
    script = pair.script
    asked = ("system", script.system), ("user", script.with_system)
    reply = user.asks(script.with_system, system=script.system).reply
    assert reply.text == text_of(truth(user, pair, *asked))


@pytest.mark.parametrize("pair", parameters(PAIRS, "turns"))
def test_it_hears_all_turns(user: User, pair: Pair) -> None:
    user.has(pair)
    turns = pair.script.turns
    reply = user.asks([{"role": role, "content": text} for role, text in turns]).reply
    assert reply.text == text_of(truth(user, pair, *turns))
    assert [m.role for m in reply.messages] == [*(role for role, _ in turns), "assistant"]
    assert reply.messages[-1] == Message("assistant", reply.text)


@pytest.mark.parametrize("pair", parameters([p for p in PAIRS if p.slow is not None], "cancel"))
def test_leaving_early_stops_the_server(user: User, pair: Pair) -> None:
    assert pair.slow is not None
    slow = pair.slow
    user.has(pair, model=slow.model or pair.model, peer=slow.peer)
    stream = user.asks(slow.prompt, max_tokens=slow.max_tokens, **slow.parameters)
    for piece in stream:
        assert slow.busy(user.house)
        if piece:
            break
    deadline = time.monotonic() + SECONDS
    while slow.busy(user.house):
        assert time.monotonic() < deadline, "the server still answers, to nobody"
        time.sleep(0.02)
    assert stream.reply.finish == "cancelled"
    assert stream.reply.text
