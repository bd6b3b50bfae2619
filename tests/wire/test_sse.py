"""The event decoder: whatever the pieces, the same events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jan_jupyter import errors
from jan_jupyter.wire import sse
from jan_jupyter.wire.sse import EventDecoder, ServerEvent

RECORDED = [
    (b'data: {"a": 1}\n\ndata: [DONE]\n\n', ['{"a": 1}', "[DONE]"]),
    (b'data:{"a": 1}\r\n\r\ndata:[DONE]\r\n\r\n', ['{"a": 1}', "[DONE]"]),
    (b"data: one\r\rdata: two\r\r", ["one", "two"]),
    (b": keep-alive\n\ndata: x\n\n:\n\n", ["x"]),
    (b"data: first line\ndata: second line\n\n", ["first line\nsecond line"]),
    ("data: grün € 😀\n\n".encode(), ["grün € 😀"]),
    (b"data: no blank line at the end", ["no blank line at the end"]),
    (b"id: 7\nretry: 10\nevent: ping\n\ndata: x\n\n", ["x"]),
    (b"\xef\xbb\xbfdata: after a byte-order mark\n\n", ["after a byte-order mark"]),
    (b"data\n\ndata: y\n\n", ["", "y"]),
    (b"data:\r\n\r\n\r\ndata: z\n\n\n", ["", "z"]),
]


def decoded(pieces: list[bytes]) -> list[ServerEvent]:
    decoder = EventDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return [*events, *decoder.end()]


@pytest.mark.parametrize(("stream", "data"), RECORDED)
def test_split_at_every_byte(stream: bytes, data: list[str]) -> None:
    assert [event.data for event in decoded([stream])] == data
    for cut in range(len(stream) + 1):
        assert [e.data for e in decoded([stream[:cut], stream[cut:]])] == data, cut
    assert [e.data for e in decoded([stream[i : i + 1] for i in range(len(stream))])] == data


def test_the_name_of_an_event() -> None:
    events = decoded([b"event: message_stop\ndata: {}\n\ndata: {}\n\n"])
    assert [event.name for event in events] == ["message_stop", "message"]


@given(st.lists(st.binary(max_size=30), max_size=20))
def test_rubbish_in_any_pieces_gives_the_same_events(pieces: list[bytes]) -> None:
    assert decoded(pieces) == decoded([b"".join(pieces)])


def test_an_endless_event_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "LARGEST_EVENT", 1000)
    decoder = EventDecoder()
    pieces = (event for _ in range(100) for event in decoder.feed(b"data: " + b"x" * 50))
    with pytest.raises(errors.Malformed):
        list(pieces)
