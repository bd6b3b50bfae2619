"""What the peers said on the wire (see `record.py`), through the decoder and the parsers.

However the bytes are cut the answer is the same; however they are spoiled it ends, in an answer or
in an error of ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jan_jupyter import errors
from jan_jupyter.engines.http import client as http
from jan_jupyter.engines.http.endpoint import Remote
from jan_jupyter.engines.http.failures import Party
from jan_jupyter.engines.registry import engine_class
from jan_jupyter.engines.triton.tensors import Signature, TritonParser
from jan_jupyter.fold import Fold
from jan_jupyter.models.model import Model
from jan_jupyter.router import Target
from jan_jupyter.types import ChatRequest, Delta, Message
from jan_jupyter.wire.sse import EventDecoder, ServerEvent
from support.jan import engine_options

from .pairs import PARSED
from .record import EXPECTED, FOLDER, PROMPT

NAMES = sorted(path.stem for path in FOLDER.glob("*.sse"))
MARKS = (b"\n\n", b"\r", b"data: ", b"null", b"[]", b"{")
MOST = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def readers() -> list[Any]:
    """(engine, recording): every engine over all that servers of its kind have said."""
    return [
        pytest.param(engine, name, id=f"{engine}-{name}")
        for engine, prefix in PARSED.items()
        for name in NAMES
        if name.startswith(f"{prefix}.")
    ]


@cache
def recorded(name: str) -> bytes:
    return (FOLDER / f"{name}.sse").read_bytes()


@cache
def expected() -> dict[str, str]:
    texts: dict[str, str] = json.loads(EXPECTED.read_text("utf-8"))
    return texts


@cache
def engine_of(name: str) -> tuple[Remote, Model]:
    """An engine that is never asked anything, and a model of it."""
    options = engine_options(name, "http://127.0.0.1:9", "none")
    engine = engine_class(name)(options)
    assert isinstance(engine, Remote)
    return engine, Model("m", "m", name, "ready", "json", FOLDER)


def events(pieces: Iterable[bytes]) -> list[ServerEvent]:
    decoder = EventDecoder()
    found = [event for piece in pieces for event in decoder.feed(piece)]
    return [*found, *decoder.end()]


def parser_of(name: str, recording: str) -> http.Parser:
    parameters = {"max_tokens": 64}
    about = FOLDER / f"{recording}.model.json"
    if about.exists():  # what the engine has asked the server before
        told = json.loads(about.read_text("utf-8"))
        signature = Signature.read(told["metadata"], told["config"])
        return TritonParser(signature, PROMPT, parameters)
    engine, model = engine_of(name)
    return engine.parser(model, ChatRequest([Message("user", "hi")], parameters))


def deltas(name: str, recording: str, found: Iterable[ServerEvent]) -> Iterator[Delta]:
    """What the client makes of the events, up to the end mark; raises only `EngineError`."""
    parser = parser_of(name, recording)
    party = Party("m", name)
    for event in found:
        parsed = http._parsed(parser, event, party)
        if isinstance(parsed, http.End):
            break
        yield from parsed
    last = http._parsed(parser, None, party)
    if not isinstance(last, http.End):
        yield from last


@pytest.mark.parametrize("name", NAMES)
def test_any_two_pieces_give_the_same_events(name: str) -> None:
    stream = recorded(name)
    whole = events([stream])
    assert whole
    for cut in range(len(stream) + 1):
        assert events([stream[:cut], stream[cut:]]) == whole, cut


@pytest.mark.parametrize("name", NAMES)
def test_single_bytes_give_the_same_events(name: str) -> None:
    stream = recorded(name)
    assert events(stream[i : i + 1] for i in range(len(stream))) == events([stream])


@pytest.mark.parametrize(("engine", "name"), readers())
def test_the_text_is_what_the_server_says_without_streaming(engine: str, name: str) -> None:
    found = [*deltas(engine, name, events([recorded(name)]))]
    assert "".join(delta.text for delta in found) == expected()[name]
    finish = [delta.finish for delta in found if delta.finish]
    reasoning = "".join(delta.reasoning for delta in found)
    if name.endswith(".tools"):
        calls = [call for delta in found for call in delta.tool_calls]
        assert {call.get("index", 0) for call in calls} == {0}
        assert calls[0]["function"]["name"] == "get_weather"
        arguments = "".join(call["function"].get("arguments") or "" for call in calls)
        assert json.loads(arguments) == {"city": "Zürich"}
        assert finish[-1] == "tool_calls"
    elif name.endswith((".filtered", ".refused")):
        assert finish[-1] == "content_filter"
    else:
        assert finish[-1] == "stop"
    assert bool(reasoning) == name.endswith((".reasoning", ".thinking"))


def ends(name: str, recording: str, pieces: Iterable[bytes]) -> None:
    """It comes to a reply that shows itself; nothing but an error of ours comes out."""
    engine, model = engine_of(name)
    fold = Fold(ChatRequest([Message("user", "hi")]), Target(model, engine))
    with suppress(errors.EngineError):
        for delta in deltas(name, recording, events(pieces)):
            fold.add(delta)
    reply = fold.reply()
    assert isinstance(reply._repr_markdown_(), str)
    json.dumps([reply.provenance(), [message.json() for message in reply.messages]])


@pytest.mark.parametrize("engine", PARSED)
@MOST
@given(data=st.data())
def test_spoiled_bytes_end_in_an_answer_or_an_error(engine: str, data: st.DataObject) -> None:
    names = [name for name in NAMES if name.startswith(f"{PARSED[engine]}.")]
    name = data.draw(st.sampled_from(names))
    stream = bytearray(recorded(name))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(stream)))
        length = data.draw(st.integers(0, 40))
        stream[at : at + length] = data.draw(
            st.binary(max_size=12)
            | st.sampled_from([b"\n\n", b"\r", b"data: ", b"null", b"[]", b"{"])
        )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    edges = [0, *cuts, len(stream)]
    pieces = [bytes(stream[a:b]) for a, b in pairwise(edges)]
    assert events(pieces) == events([bytes(stream)])
    ends(engine, name, pieces)


ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@pytest.mark.parametrize("engine", PARSED)
@MOST
@given(data=st.data())
def test_strange_values_end_in_an_answer_or_an_error(engine: str, data: st.DataObject) -> None:
    """JSON of the right form with a value that nobody expects there."""
    names = [name for name in NAMES if name.startswith(f"{PARSED[engine]}.")]
    name = data.draw(st.sampled_from(names))
    found = events([recorded(name)])
    at = data.draw(st.integers(0, len(found) - 1))
    if not found[at].data.startswith("{"):
        return
    value = json.loads(found[at].data)
    paths = [*_paths(value)]
    *parents, last = data.draw(st.sampled_from(paths))
    place = value
    for step in parents:
        place = place[step]
    place[last] = data.draw(ANYTHING)
    spoiled = ServerEvent(json.dumps(value), found[at].name)
    lines = [
        f"event: {event.name}\ndata: {event.data}\n\n".encode()
        for event in (*found[:at], spoiled, *found[at + 1 :])
        if "\n" not in event.data
    ]
    ends(engine, name, lines)


def _paths(value: Any) -> Iterator[tuple[Any, ...]]:
    """Where the values stand that are inside a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for step, inner in items:
        yield (step,)
        if isinstance(inner, dict | list):
            yield from ((step, *rest) for rest in _paths(inner))
