"""The server in front of a Python library: a real process, with a backend that spells."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jan_jupyter.engines.local import serve
from serve.spelling import Spelling

PROGRAM = Path(serve.__file__)
BACKEND = Path(__file__).with_name("spelling.py")
SECRET = "s3cret"


class Server:
    def __init__(self, log: Path, settings: dict[str, Any]) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = log
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-I", str(PROGRAM), str(BACKEND), "--port", str(self.port)],
                stdin=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "JAN_WORKER_KEY": SECRET},
            )
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(settings).encode() + b"\n")
        self.process.stdin.flush()

    def ask(
        self, path: str, body: Any = None, key: str | None = SECRET, method: str = ""
    ) -> tuple[int, Any]:
        """Status, and the body: JSON, or a list of the events of a stream."""
        connection = self.send(path, body, key, method)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        if response.getheader("Content-Type") == "text/event-stream":
            events = [event.removeprefix("data: ") for event in text.split("\n\n") if event]
            return response.status, [e if e == "[DONE]" else json.loads(e) for e in events]
        return response.status, json.loads(text)

    def send(
        self, path: str, body: Any = None, key: str | None = SECRET, method: str = ""
    ) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        content = json.dumps(body) if body is not None else None
        connection.request(
            method or ("POST" if body is not None else "GET"), path, content, headers
        )
        return connection

    def chat(self, text: str, **more: Any) -> tuple[int, Any]:
        return self.ask("/v1/chat/completions", question(text, **more))

    def until(self, reached: Any) -> None:
        deadline = time.monotonic() + 20
        while not reached():
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.005)

    def health(self) -> int:
        with suppress(OSError):
            return self.ask("/health", key=None)[0]
        return 0

    def busy(self) -> bool:
        (slot,) = self.ask("/slots")[1]
        return bool(slot["is_processing"])


def question(text: str, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], **more}


@contextmanager
def serving(log: Path, **settings: Any) -> Iterator[Server]:
    server = Server(log, settings)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.communicate()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "log") as found:
        found.until(lambda: found.health() == 200)
        yield found


@pytest.fixture
def slow_server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "log", pause=0.02, context=10**6) as found:
        found.until(lambda: found.health() == 200)
        yield found


# Coming and going ---------------------------------------------------------------------------------


def test_it_says_that_it_is_loading(tmp_path: Path) -> None:
    with serving(tmp_path / "log", loading=1.0) as server:
        server.until(server.health)
        status, body = server.chat("hi")
        assert (status, body["error"]["type"]) == (503, "unavailable_error")
        server.until(lambda: server.health() == 200)
        assert server.chat("hi")[0] == 200


def test_a_model_that_cannot_be_loaded_ends_it_with_the_reason(tmp_path: Path) -> None:
    with serving(tmp_path / "log", fault="no such model") as server:
        assert server.process.wait(20) == 1
        assert server.log.read_text().splitlines()[-1] == "RuntimeError: no such model"


@pytest.mark.parametrize("loading", [0, 60])
def test_it_ends_with_its_parent(tmp_path: Path, loading: float) -> None:
    with serving(tmp_path / "log", loading=loading) as server:
        server.until(server.health)
        assert server.process.stdin is not None
        server.process.stdin.close()
        assert server.process.wait(20) == 0
        server.process.stdin = None


@pytest.mark.parametrize(
    "key", [None, "", "wrong", SECRET + "x", "ключ".encode().decode("latin-1")]
)
def test_nobody_is_served_without_the_secret(server: Server, key: str | None) -> None:
    for path, body in (("/slots", None), ("/v1/chat/completions", question("hi")), ("/x", None)):
        status, answer = server.ask(path, body, key)
        assert (status, answer["error"]["type"]) == (401, "authentication_error")


def test_nothing_of_ours_is_needed_to_run_it(server: Server) -> None:
    """It runs with the interpreter of another environment."""
    text = Path(f"/proc/{server.process.pid}/cmdline").read_bytes().decode()
    assert "-I" in text.split("\0")
    code = "import sys, runpy; runpy.run_path(sys.argv[1]); print(*sys.modules)"
    command = [sys.executable, "-I", "-S", "-c", code, str(PROGRAM)]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert {name.partition(".")[0] for name in loaded} <= {"__main__", *sys.stdlib_module_names}


# Answering ----------------------------------------------------------------------------------------


def test_a_stream(server: Server) -> None:
    asked = {"stream": True, "stream_options": {"include_usage": True}, "model": "spell"}
    status, (*events, done) = server.chat("Grüße", **asked)
    assert (status, done) == (200, "[DONE]")
    *deltas, last, usage = events
    texts = [event["choices"][0]["delta"]["content"] for event in deltas]
    assert texts == ["", *"Grüße"]
    assert deltas[0]["choices"][0]["delta"]["role"] == "assistant"
    assert last["choices"][0] == {"index": 0, "delta": {}, "finish_reason": "stop"}
    assert usage["choices"] == []
    assert usage["usage"]["prompt_tokens"] == usage["usage"]["completion_tokens"] == 7
    assert usage["timings"]["predicted_per_second"] > 0
    assert {(event["object"], event["model"]) for event in events} == {
        ("chat.completion.chunk", "spell")
    }
    status, events = server.chat("hi", stream=True)
    assert not any("usage" in event for event in events[:-1])


def test_an_answer_in_one_piece(server: Server) -> None:
    _, answer = server.chat("Grüße", max_tokens=3)
    (choice,) = answer["choices"]
    assert choice["message"] == {"role": "assistant", "content": "Gr\ufffd"}  # as far as it came
    assert choice["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 3
    assert server.chat("Grüße", max_tokens=0)[1]["choices"][0]["message"]["content"] == ""


def test_a_stop_word_that_comes_in_pieces(server: Server) -> None:
    _, answer = server.chat("one two three", stop=["twist", "two t"])
    (choice,) = answer["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("one ", "stop")
    assert server.log.read_bytes() == b"one two t"  # and not a letter more
    _, answer = server.chat("one tw", stop="two")
    assert answer["choices"][0]["message"]["content"] == "one tw"


def test_a_prompt_that_does_not_fit_is_refused_before_it_streams(server: Server) -> None:
    for stream in (True, False):
        status, body = server.chat("x" * 1000, stream=stream)
        error = body["error"]
        assert (status, error["type"]) == (400, "exceed_context_size_error")
        assert (error["n_prompt_tokens"], error["n_ctx"]) == (1000, 1000)
    status, answer = server.chat("x" * 990)  # ten tokens of room
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 10


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([], "JSON object"),
        ({}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": ["hi"]}, "role"),
        ({"messages": [{"role": "robot", "content": "hi"}]}, "robots are not served"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "text only"),
        (question("hi", temperature="hot"), "`temperature` cannot be 'hot'"),
        (question("hi", temperature=-1), "temperature"),
        (question("hi", max_tokens=True), "max_tokens"),
        (question("hi", stop=[1]), "stop"),
        (question("hi", n=2), "one answer"),
        (question("hi", tools=[{"type": "function"}]), "tools"),
        (question("hi", response_format={"type": "json_object"}), "schema"),
        (question("hi", response_format={"type": "yaml"}), "response_format"),
        (question("hi", grammar="root ::= [a-z]"), "grammar"),
    ],
)
def test_a_request_that_makes_no_sense(server: Server, body: Any, says: str) -> None:
    status, answer = server.ask("/v1/chat/completions", body)
    assert (status, answer["error"]["type"]) == (400, "invalid_request_error")
    assert says in answer["error"]["message"]
    assert server.ask("/v1/nothing", {})[0] == 404


def test_texts_in_parts(server: Server) -> None:
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    body = {"messages": [{"role": "user", "content": parts}]}
    _, answer = server.ask("/v1/chat/completions", body)
    assert answer["choices"][0]["message"]["content"] == "one\ntwo"


def test_embeddings(server: Server) -> None:
    _, answer = server.ask("/v1/embeddings", {"input": ["one", "three"]})
    assert [row["embedding"] for row in answer["data"]] == [[3.0], [5.0]]
    assert server.ask("/v1/embeddings", {"input": 3})[0] == 400


def test_a_failure_in_mid_answer_is_told_in_the_stream(server: Server) -> None:
    status, events = server.chat("ab!c", stream=True)
    assert status == 200
    assert events[-1]["error"]["message"] == "RuntimeError: it fell over"
    status, answer = server.chat("!", stream=True)
    assert (status, answer["error"]["type"]) == (500, "server_error")
    assert server.chat("hi")[0] == 200


# Turns --------------------------------------------------------------------------------------------


def begun(server: Server, letter: str) -> http.client.HTTPResponse:
    """A long answer on its way, as long as the response is held."""
    connection = server.send("/v1/chat/completions", question(letter * 10**5, stream=True))
    response = connection.getresponse()  # it holds the socket from here on
    response.readline()
    return response


def test_a_client_that_leaves_stops_the_generation(slow_server: Server) -> None:
    response = begun(slow_server, "x")
    assert slow_server.busy()
    response.close()
    slow_server.until(lambda: not slow_server.busy())
    written = slow_server.log.stat().st_size
    time.sleep(0.2)
    assert slow_server.log.stat().st_size == written


def test_requests_are_answered_in_order_without_those_that_left(slow_server: Server) -> None:
    first = begun(slow_server, "a")
    second = slow_server.send("/v1/chat/completions", question("b" * 5))
    answers: list[str] = []

    def ask(text: str) -> None:
        _, answer = slow_server.chat(text)
        answers.append(answer["choices"][0]["message"]["content"])

    asking: list[threading.Thread] = []
    for text in ("c" * 5, "d" * 5):
        time.sleep(0.3)
        asking.append(threading.Thread(target=ask, args=(text,)))
        asking[-1].start()
    time.sleep(0.3)
    second.close()
    first.close()
    for thread in asking:
        thread.join(20)
    assert answers == ["ccccc", "ddddd"]
    assert b"b" not in slow_server.log.read_bytes()


# The parts ----------------------------------------------------------------------------------------


@given(st.lists(st.text("abc", max_size=4)), st.lists(st.text("abc", min_size=1, max_size=3)))
def test_stop_words_in_any_pieces(pieces: Sequence[str], words: Sequence[str]) -> None:
    stopper = serve.StopWords(words)
    shown = ""
    for piece in pieces:
        text, stopped = stopper.feed(piece)
        shown += text
        if stopped:
            break
    else:
        stopped = ""
        shown += stopper.rest()
    whole = "".join(pieces)
    assert whole.startswith(shown)
    assert not any(word in shown for word in words)
    if not stopped:
        assert shown == whole


class _Client:
    gone = False


@given(st.text(min_size=1))
def test_characters_of_several_tokens_come_whole(text: str) -> None:
    encoded = text.encode("utf-8", "replace")
    shown: list[str] = []
    client: Any = _Client()
    asked = serve.Asked(limit=len(encoded))
    answer = serve.Answer(Spelling({}), [], asked, client, shown.append)
    for byte in encoded:
        answer.put(byte)
    answer.backend = _Silent({})
    answer.run()
    assert "".join(shown) == encoded.decode()
    assert all(len(piece) == 1 for piece in shown)


class _Silent(Spelling):
    def generate(self, prompt: list[int], asked: serve.Asked, answer: serve.Sink) -> serve.Finish:
        return "stop"
