"""Answers as they come, in both servers: awake, many at once, and stopped with those who asked."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest

from support.hosts import Alone, Host
from support.jan import add_remote
from support.marks import LONG
from support.server import StreamingServer, tokens
from support.streams import Asked, ask_all, watched

CHANGE = """
from jan_jupyter.server import handling
handling.SILENCE = 0.1
"""


def _added(host: Host, server: StreamingServer, **behaviours: str) -> None:
    add_remote(host.data_folder, server, **behaviours)


def _events(body: bytes) -> list[Any]:
    """What a stream holds, its comments left out; it ends as it has to."""
    assert body.endswith(b"\n\n")
    *events, end = [part for part in body.decode().split("\n\n") if part and part[0] != ":"]
    assert end == "data: [DONE]"
    return [json.loads(event.removeprefix("data: ")) for event in events]


def _text(events: list[Any]) -> str:
    deltas = [event["choices"][0]["delta"] for event in events if event["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


def test_an_answer_is_whole_or_comes_in_pieces(host: Host, server: StreamingServer) -> None:
    _added(host, server, pieces="n=40,delay=0.002")
    whole = host.ask("POST", "/chat/completions", host.chat("pieces"))
    assert whole.json["choices"][0]["message"]["content"] == "".join(tokens(40))
    streamed = host.ask("POST", "/chat/completions", host.chat("pieces", stream=True))
    assert streamed.headers["Content-Type"] == "text/event-stream"
    assert streamed.headers["Cache-Control"] == "no-cache"
    assert streamed.headers["X-Accel-Buffering"] == "no"
    assert _text(_events(streamed.body)) == "".join(tokens(40))


def test_a_silent_stream_is_kept_awake(host: Host, server: StreamingServer) -> None:
    _added(host, server, silent="n=9,stall=2")
    body = host.chat("silent", stream=True)
    with host.asking("POST", "/chat/completions", body) as response:
        assert response.status == 200
        lines = iter(response.readline, b"")
        comments = 0
        for line in lines:
            comments += line == b": \n"
            if comments == 3:
                break
    server.wait("closed")


def test_who_leaves_stops_the_answer(host: Host, server: StreamingServer) -> None:
    for name, behaviour in (("running", "n=100000,delay=0.001"), ("waiting", "first=60")):
        _added(host, server, **{name: behaviour})
        for stream in (True, False):
            server.clear()
            _added(host, server, **{name: behaviour})
            head = (
                f"POST {host.prefix}/chat/completions HTTP/1.1\nHost: localhost\n"
                f"Authorization: Bearer {host.key}\nContent-Length: "
            )
            body = json.dumps(host.chat(name, stream=stream)).encode()
            with host.raw(f"{head}{len(body)}\n\n", body):
                server.wait("received")
            server.wait("closed")
    if isinstance(host, Alone):
        assert host.wait_for(re.compile(r"POST /chat/completions left").search)


def test_an_error_is_a_status_early_and_an_event_late(host: Host, server: StreamingServer) -> None:
    _added(host, server, long="error=context_length_exceeded", broken="n=9,cut=4")
    early = host.ask("POST", "/chat/completions", host.chat("long", stream=True))
    assert early.status == 400
    assert early.json["error"]["code"] == "context_length_exceeded"
    assert early.headers["Content-Type"] == "application/json"
    late = host.ask("POST", "/chat/completions", host.chat("broken", stream=True))
    assert late.status == 200
    *_, last = late.body.decode().strip().split("\n\n")
    assert json.loads(last.removeprefix("data: "))["error"]["type"] == "stream_broken"


def _through(host: Host, model: str) -> Asked:
    return Asked(host.port, f"{host.prefix}/chat/completions", model, host.headers)


def test_many_streams_at_once(host: Host, server: StreamingServer) -> None:
    _added(host, server, many="n=30,delay=0.02")
    answers = asyncio.run(ask_all(_through(host, "many"), 50))
    assert [answer.text for answer in answers] == ["".join(tokens(30))] * 50


@pytest.mark.parametrize(
    "seconds", [pytest.param(25, marks=pytest.mark.slow), pytest.param(60, marks=LONG)]
)
def test_many_streams_leave_the_memory_flat(
    host: Host, server: StreamingServer, seconds: int
) -> None:
    _added(host, server, long=f"n={20 * seconds},delay=0.05", quick="n=3")
    asyncio.run(ask_all(_through(host, "quick"), 3))  # all is imported
    work = watched(_through(host, "long"), 200, host.process.pid)
    answers, memory = asyncio.run(work)
    assert [answer.text for answer in answers] == ["".join(tokens(20 * seconds))] * 200
    assert memory.strayed <= 0.05, memory


def test_requests_follow_each_other_on_one_connection(host: Host, server: StreamingServer) -> None:
    server.behave("quick", "n=3")
    body = json.dumps(host.chat("quick", stream=True)).encode()
    head = (
        f"POST {host.prefix}/chat/completions HTTP/1.1\nHost: localhost\n"
        f"Authorization: Bearer {host.key}\nContent-Length: {len(body)}\n\n"
    )
    with host.raw(head, body) as connection:
        for _ in range(2):
            read = b""
            while not read.endswith(b"0\r\n\r\n"):
                piece = connection.recv(2**16)
                assert piece, read
                read += piece
            assert b"[DONE]" in read
            connection.sendall(head.replace("\n", "\r\n").encode() + body)
