"""A server of OpenAI's API whose answers a test writes as a function, over a real socket."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from jan_jupyter import bridge
from jan_jupyter.compare.values import Call, Case, Row
from jan_jupyter.types import Message, Reply
from jan_jupyter.workspace import Workspace
from support.jan import KEY, add_model, write_json

Body = dict[str, Any]
Said = str | tuple[int, Body]
"""The text of an answer, or a status and what goes with it."""


class Oracle:
    """`chat(body)` gives the text of an answer or a refusal; `embed(text)` a vector.

    `bodies` are those of all requests, in the order in which they came.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.bodies: list[Body] = []
        self.chat: Callable[[Body], Said] = lambda body: "yes"
        self.embed: Callable[[str], Sequence[float]] = lambda text: [len(text), 1.0]
        self.embed_refusal: Callable[[Body], Said | None] = lambda body: None

    def _embeddings(self, body: Body) -> Said | Body:
        if (refused := self.embed_refusal(body)) is not None:
            return refused
        data = [{"index": i, "embedding": [*self.embed(t)]} for i, t in enumerate(body["input"])]
        return {"object": "list", "model": body["model"], "data": data}


def _events(text: str) -> bytes:
    deltas: list[Any] = [({"role": "assistant", "content": text}, None), ({}, "stop")]
    chunks = [
        {"choices": [{"index": 0, "delta": delta, "finish_reason": end}]} for delta, end in deltas
    ]
    return "".join(f"data: {line}\n\n" for line in [*map(json.dumps, chunks), "[DONE]"]).encode()


@contextmanager
def oracle() -> Iterator[Oracle]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.bodies.append(body)
            if self.path.endswith("/embeddings"):
                said: Said | Body = asked._embeddings(body)
            else:
                said = asked.chat(body)
            if isinstance(said, str):
                self._send(200, "text/event-stream", _events(said))
            elif isinstance(said, tuple):
                self._send(said[0], "application/json", json.dumps({"error": said[1]}).encode())
            else:
                self._send(200, "application/json", json.dumps(said).encode())

        def _send(self, status: int, kind: str, data: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *what: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        asked = Oracle(f"http://127.0.0.1:{server.server_port}/v1")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield asked
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def workspace(folder: Path, asked: Oracle, *models: str) -> Iterator[Workspace]:
    """A workspace with these models of the oracle."""
    engine = {"base_url": asked.url, "api_key": KEY}
    write_json(folder / "engines" / "openai" / "engine.json", engine)
    for model in models:
        add_model(folder, model, engine="openai")
    place = Workspace(folder)
    try:
        yield place
    finally:
        bridge.wait(place.close())


def case(question: str = "What is the capital of France?", expected: Any = None) -> Case:
    return Case(question[:20], ((Message("user", question),),), expected=expected)


def row(text: str, contestant: int = 0, at: int = 0, model: str = "m", repeat: int = 0) -> Row:
    """A row that has been answered with this text."""
    reply = Reply(text, model, "openai")
    return Row(Call(at, contestant, repeat), f"{model}-{at}-{contestant}-{repeat}", reply)
