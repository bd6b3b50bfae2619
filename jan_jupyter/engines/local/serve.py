"""A server for one model that a Python library runs: OpenAI's API on loopback, for a worker.

    JAN_WORKER_KEY=… python -P serve.py BACKEND.py --port N < settings.json

BACKEND.py has a function `load(settings) -> Backend`; the first line of the input is its settings.
The server ends when its input does: its parent is gone then. One request works at a time, the
others wait in order; a client that closes its socket ends its own.

Only the standard library is imported, and nothing of jan_jupyter: this runs with the interpreter
of another environment.
"""

from __future__ import annotations

import hmac
import importlib.util
import json
import os
import selectors
import socket
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal, Protocol

LARGEST_REQUEST = 2**28
NEVER = 2**31 - 1

Finish = Literal["stop", "length"]


class Backend(Protocol):
    """A loaded model. `generate` and `embed` are called by one thread at a time."""

    context: int
    """Tokens that prompt and answer share."""
    cached: int
    """How many tokens of the last prompt were still known."""
    constrains: bool
    """Whether answers can be bound to a JSON schema or a grammar."""

    def encode(self, messages: Sequence[Mapping[str, Any]]) -> list[int]:
        """The tokens of a conversation, ready for the answer. Raises `ValueError`."""

    def decode(self, tokens: list[int]) -> str:
        """The text of tokens; of those that only steer, none."""

    def generate(self, prompt: list[int], asked: Asked, answer: Sink) -> Finish:
        """Give the tokens of the answer to `answer`, and return why it ends.

        Not more than `asked.limit` (at least 1), and none after `put` has returned `False`. Raises
        `ValueError` before the first one if it cannot do what is asked.
        """

    def embed(self, texts: Sequence[str]) -> tuple[list[list[float]], int]:
        """A vector for each text, and the tokens read. Raises `ValueError`."""


class Sink(Protocol):
    """Where a backend puts an answer. Neither of both raises."""

    def put(self, token: int) -> bool:
        """Show a token; whether there shall be more."""

    @property
    def stopped(self) -> bool:
        """Whether nobody wants any more; to be asked during long work."""


@dataclass(frozen=True)
class Asked:
    """What a request wants besides its messages. Only what is set is in `parameters`."""

    limit: int
    parameters: Mapping[str, Any] = field(default_factory=dict)
    stop: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None
    """A JSON schema; an empty one means any JSON."""
    grammar: str = ""
    stream: bool = False
    usage: bool = False


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, kind: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"code": status, "type": kind, "message": message, **more}


def bad(message: str) -> Refused:
    return Refused(400, "invalid_request_error", message)


# Reading a request --------------------------------------------------------------------------------

_NUMBERS: Mapping[str, tuple[type[float] | type[int], float]] = {
    "temperature": (float, 0),
    "top_p": (float, 0),
    "min_p": (float, 0),
    "typical_p": (float, 0),
    "top_k": (int, 0),
    "repeat_penalty": (float, 0),
    "repeat_last_n": (int, -1),
    "frequency_penalty": (float, -2),
    "presence_penalty": (float, -2),
    "mirostat": (int, 0),
    "mirostat_tau": (float, 0),
    "mirostat_eta": (float, 0),
    "seed": (int, -1),
}
"""Parameters that are numbers, with the least that makes sense."""
_NOT_OFFERED = ("tools", "functions", "logprobs", "top_logprobs", "audio")


def read_messages(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The messages with their texts put together. Raises `Refused`."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise bad("`messages` must be a list of messages")
    return [_message(message) for message in messages]


def _message(message: Any) -> dict[str, Any]:
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        raise bad("each message must be an object with a `role`")
    content = message.get("content")
    if isinstance(content, list):
        kinds = {part.get("type") if isinstance(part, dict) else None for part in content}
        if kinds - {"text"}:
            raise bad("this model takes text only, no images or other parts")
        content = "\n".join(str(part.get("text", "")) for part in content)
    if content is not None and not isinstance(content, str):
        raise bad("the `content` of a message must be a text")
    return {**message, "content": content or ""}


def read_asked(body: Mapping[str, Any], room: int, constrains: bool) -> Asked:
    """What is asked for; `room` is how many tokens are left for the answer. Raises `Refused`."""
    if refused := [name for name in _NOT_OFFERED if body.get(name)]:
        raise bad(f"this runtime does not offer {', '.join(refused)}")
    if body.get("n") not in (None, 1):
        raise bad("this runtime gives one answer to a request (`n`)")
    schema, grammar = _schema(body.get("response_format")), body.get("grammar") or ""
    if (schema is not None or grammar) and not constrains:
        raise bad("this runtime cannot bind an answer to a schema or a grammar")
    stop = body.get("stop") or ()
    words = [stop] if isinstance(stop, str) else stop
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        raise bad("`stop` must be a text or a list of texts")
    wanted = _number(body, "max_completion_tokens", int, 0) or _number(body, "max_tokens", int, -1)
    options = body.get("stream_options")
    numbers = {name: _number(body, name, kind, least) for name, (kind, least) in _NUMBERS.items()}
    return Asked(
        limit=min(room, wanted if wanted is not None and wanted >= 0 else NEVER),
        parameters={
            **{name: value for name, value in numbers.items() if value is not None},
            "ignore_eos": bool(body.get("ignore_eos")),
        },
        stop=tuple(word for word in words if word),
        schema=schema,
        grammar=str(grammar),
        stream=bool(body.get("stream")),
        usage=isinstance(options, dict) and bool(options.get("include_usage")),
    )


def _number(body: Mapping[str, Any], name: str, kind: Callable[[Any], Any], least: float) -> Any:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or kind(value) < least:
        raise bad(f"`{name}` cannot be {value!r}")
    return kind(value)


def _schema(wanted: Any) -> Mapping[str, Any] | None:
    """The schema in a `response_format` of OpenAI's or of llama.cpp's."""
    if not isinstance(wanted, dict) or wanted.get("type") in (None, "text"):
        return None
    inside = wanted.get("json_schema") if wanted["type"] == "json_schema" else wanted
    if wanted["type"] not in ("json_schema", "json_object") or not isinstance(inside, dict):
        raise bad(f"`response_format` cannot be {wanted!r}")
    schema = inside.get("schema", {})
    if not isinstance(schema, dict):
        raise bad("the schema in `response_format` must be an object")
    return schema


class StopWords:
    """Ends a text before a stop word, also one that comes in pieces."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._held = ""

    def feed(self, text: str) -> tuple[str, str]:
        """What may be shown now, and the stop word that has come."""
        text = self._held + text
        if found := [(at + len(w), at, w) for w in self._words if (at := text.find(w)) >= 0]:
            self._held = ""
            _, begin, word = min(found)  # whatever the pieces, the one that ends first
            return text[:begin], word
        longest = max(map(len, self._words), default=1) - 1
        # The first place from which on all may be the beginning of a stop word.
        start = next(
            at
            for at in range(max(0, len(text) - longest), len(text) + 1)
            if at == len(text) or any(word.startswith(text[at:]) for word in self._words)
        )
        self._held = text[start:]
        return text[:start], ""

    def rest(self) -> str:
        """What was held back and is no stop word after all."""
        held, self._held = self._held, ""
        return held


# Taking turns -------------------------------------------------------------------------------------


class Gone(Exception):
    """The client has closed its socket: nobody wants the answer any more."""


class Turns:
    """One request at a time, in the order of asking; who has gone loses its place."""

    def __init__(self) -> None:
        self.task = -1
        """The number of the request that works or has worked last."""
        self._line: deque[object] = deque()
        self._changed = threading.Condition()

    @property
    def busy(self) -> bool:
        return bool(self._line)

    @contextmanager
    def turn(self, client: Client) -> Iterator[None]:
        """Wait, then work. Raises `Gone`."""
        place = object()
        with self._changed:
            self._line.append(place)
        try:
            client.when_gone(self._wake)
            with self._changed:
                self._changed.wait_for(lambda: client.gone or self._line[0] is place)
                client.look()
                if client.gone:
                    raise Gone
                self.task += 1
            yield
        finally:
            with self._changed:
                self._line.remove(place)
                self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


class Client:
    """Notices when the other end closes its socket."""

    def __init__(self, connection: socket.socket) -> None:
        self.gone = False
        self._connection = connection

    def when_gone(self, call: Callable[[], None]) -> None:
        """Watch from now on, in a thread that ends with the connection."""
        threading.Thread(target=self._watch, args=(call,), daemon=True).start()

    def look(self) -> None:
        """See at once what the watching thread may not have had time to see."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._connection, selectors.EVENT_READ)
            if selector.select(0):
                self.gone = self.gone or self._closed()

    def _watch(self, call: Callable[[], None]) -> None:
        if self._closed():
            self.gone = True
            call()

    def _closed(self) -> bool:
        """Wait until something comes, or the end of all."""
        try:
            return not self._connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True


# Answering ----------------------------------------------------------------------------------------


class Answer:
    """An answer on its way: tokens become text, which is shown up to a stop word."""

    def __init__(
        self,
        backend: Backend,
        prompt: list[int],
        asked: Asked,
        client: Client,
        show: Callable[[str], None],
    ) -> None:
        self.backend, self.prompt, self.asked, self.client = backend, prompt, asked, client
        self.finish: Finish = "length"
        self.tokens: list[int] = []
        self._show = show
        self._words = StopWords(asked.stop)
        self._stop_word = ""
        self._decoded = slice(0, 0)
        """The last tokens whose text was shown: what follows is read together with them."""
        self._began = time.monotonic()
        self._first = 0.0

    def run(self) -> None:
        """Generate it. Raises `Gone`."""
        if self.asked.limit > 0:
            self.finish = self.backend.generate(self.prompt, self.asked, self)
        if self.client.gone:
            raise Gone
        if self._stop_word:
            self.finish = "stop"
        else:
            self._feed(self._new_text(whole=True))
            self._send(self._words.rest())

    def put(self, token: int) -> bool:
        self._first = self._first or time.monotonic()
        self.tokens.append(token)
        self._feed(self._new_text())
        return not self.stopped

    @property
    def stopped(self) -> bool:
        return self.client.gone or bool(self._stop_word)

    def _new_text(self, whole: bool = False) -> str:
        """What the last tokens add; nothing if a character is not complete (unless `whole`)."""
        begin, end = self._decoded.start, self._decoded.stop
        known = self.backend.decode(self.tokens[begin:end])
        text = self.backend.decode(self.tokens[begin:])
        if len(text) <= len(known) or (text.endswith("\ufffd") and not whole):
            return ""
        self._decoded = slice(end, len(self.tokens))
        return text[len(known) :]

    def _feed(self, text: str) -> None:
        text, self._stop_word = self._words.feed(text)
        self._send(text)

    def _send(self, text: str) -> None:
        if text and not self.client.gone:
            try:
                self._show(text)
            except OSError:
                self.client.gone = True

    def ended(self) -> dict[str, Any]:
        """How, as a choice tells it; the stop word as vLLM does."""
        word = {"stop_reason": self._stop_word} if self._stop_word else {}
        return {"finish_reason": self.finish, **word}

    def usage(self) -> dict[str, Any]:
        return {
            "prompt_tokens": len(self.prompt),
            "completion_tokens": len(self.tokens),
            "total_tokens": len(self.prompt) + len(self.tokens),
            "prompt_tokens_details": {"cached_tokens": self.backend.cached},
        }

    def timings(self) -> dict[str, Any]:
        """What took how long, in the words of llama.cpp's server."""
        now = time.monotonic()
        first = self._first or now
        read, spent = max(1e-6, first - self._began), max(1e-6, now - first)
        new = len(self.prompt) - self.backend.cached
        return {
            "cache_n": self.backend.cached,
            "prompt_n": new,
            "prompt_ms": read * 1000,
            "prompt_per_second": new / read,
            "predicted_n": len(self.tokens),
            "predicted_ms": spent * 1000,
            "predicted_per_second": len(self.tokens) / spent,
        }


_GOES_ON: Mapping[str, Any] = {"finish_reason": None}
_ShownBy = Callable[[Callable[[str], None]], Answer]
"""Makes the answer that shows itself by a call for each piece of text."""


class Server(ThreadingHTTPServer):
    """Loopback only, and only for who knows the secret."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, secret: str) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.authorization = f"Bearer {secret}".encode()
        self.backend: Backend | None = None
        """`None` while it loads."""
        self.turns = Turns()
        self.encoding = threading.Lock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is no error."""


class Handler(BaseHTTPRequestHandler):
    """One request on one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        self._serve({"/slots": self._slots, "/v1/models": self._models})

    def do_POST(self) -> None:
        self._serve({"/v1/chat/completions": self._chat, "/v1/embeddings": self._embeddings})

    def _serve(self, routes: Mapping[str, Callable[[Backend], None]]) -> None:
        self.begun = False
        self.close_connection = True
        try:
            self._route(routes)
        except Gone:
            pass
        except Refused as refused:
            self._refuse(refused)
        except OSError:
            pass  # the client has gone
        except ValueError as error:
            self._refuse(bad(str(error)))
        except Exception as error:
            traceback.print_exc()
            self._refuse(Refused(500, "server_error", f"{type(error).__name__}: {error}"))
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)  # which also ends who watches it

    def _route(self, routes: Mapping[str, Callable[[Backend], None]]) -> None:
        path = self.path.partition("?")[0]
        if path != "/health":
            given = self.headers.get("Authorization", "").encode("utf-8", "replace")
            if not hmac.compare_digest(given, self.server.authorization):
                raise Refused(401, "authentication_error", "Invalid API Key")
        backend = self.server.backend
        if backend is None:
            raise Refused(503, "unavailable_error", "Loading model")
        if path == "/health":
            self._json({"status": "ok"})
        elif path in routes:
            routes[path](backend)
        else:
            raise Refused(404, "not_found_error", f"there is no {path} here")

    def _slots(self, backend: Backend) -> None:
        turns = self.server.turns
        slot = {"id": 0, "id_task": turns.task, "n_ctx": backend.context}
        self._json([{**slot, "is_processing": turns.busy}])

    def _models(self, backend: Backend) -> None:
        self._json({"object": "list", "data": [{"id": "model", "object": "model"}]})

    def _embeddings(self, backend: Backend) -> None:
        given = self._body().get("input")
        texts = [given] if isinstance(given, str) else given
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise bad("`input` must be a text or a list of texts")
        with self.server.turns.turn(Client(self.connection)):
            vectors, tokens = backend.embed(texts)
        rows = [
            {"object": "embedding", "index": index, "embedding": vector}
            for index, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        self._json({"object": "list", "data": rows, "model": "model", "usage": usage})

    def _chat(self, backend: Backend) -> None:
        body = self._body()
        messages = read_messages(body)
        with self.server.encoding:
            prompt = backend.encode(messages)
        used, room = len(prompt), backend.context - len(prompt)
        if room <= 0:
            raise Refused(
                400,
                "exceed_context_size_error",
                f"request ({used} tokens) exceeds the available context size"
                f" ({backend.context} tokens)",
                n_prompt_tokens=used,
                n_ctx=backend.context,
            )
        asked = read_asked(body, room, backend.constrains)
        client = Client(self.connection)
        with self.server.turns.turn(client):
            answer_in = self._stream if asked.stream else self._whole
            answer_in(str(body.get("model", "")), partial(Answer, backend, prompt, asked, client))

    def _stream(self, model: str, shown_by: _ShownBy) -> None:
        always = {"id": f"chatcmpl-{os.urandom(12).hex()}", "created": int(time.time())}
        always |= {"object": "chat.completion.chunk", "model": model}

        def send(delta: Mapping[str, str], ended: Mapping[str, Any] = _GOES_ON) -> None:
            if not self.begun:  # till now it could still be refused
                self._begin(200, "text/event-stream")
                send({"role": "assistant", "content": ""})
            choice = {"index": 0, "delta": delta, **ended}
            self._event({**always, "choices": [choice]})

        answer = shown_by(lambda text: send({"content": text}))
        answer.run()
        send({}, answer.ended())
        if answer.asked.usage:
            more = {"usage": answer.usage(), "timings": answer.timings()}
            self._event({**always, "choices": [], **more})
        self.wfile.write(b"data: [DONE]\n\n")

    def _whole(self, model: str, shown_by: _ShownBy) -> None:
        texts: list[str] = []
        answer = shown_by(texts.append)
        answer.run()
        message = {"role": "assistant", "content": "".join(texts)}
        choice = {"index": 0, "message": message, **answer.ended()}
        self._json(
            {
                "id": f"chatcmpl-{os.urandom(12).hex()}",
                "object": "chat.completion",
                "created": int(time.time()),
                "model": model,
                "choices": [choice],
                "usage": answer.usage(),
                "timings": answer.timings(),
            }
        )

    def _body(self) -> dict[str, Any]:
        size = int(self.headers.get("Content-Length") or 0)
        if size > LARGEST_REQUEST:
            raise Refused(413, "invalid_request_error", "the request is too large")
        body = json.loads(self.rfile.read(size))
        if not isinstance(body, dict):
            raise bad("the request must be a JSON object")
        return body

    def _begin(self, status: int, kind: str) -> None:
        self.begun = True
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        self.end_headers()

    def _json(self, value: Any, status: int = 200) -> None:
        self._begin(status, "application/json")
        self.wfile.write(json.dumps(value, ensure_ascii=False).encode())

    def _event(self, value: Any) -> None:
        self.wfile.write(b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n")

    def _refuse(self, refused: Refused) -> None:
        with suppress(OSError):
            if self.begun:
                self._event({"error": refused.error})
            else:
                self._json({"error": refused.error}, refused.status)

    def log_message(self, format: str, *args: Any) -> None:
        """What is asked and answered is nobody's business."""


def load(file: Path, settings: dict[str, Any]) -> Backend:
    """The backend that a file makes of its settings."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    backend: Backend = module.load(settings)
    return backend


def main() -> None:
    port = int(sys.argv[sys.argv.index("--port") + 1])
    server = Server(port, os.environ.pop("JAN_WORKER_KEY"))
    settings = json.loads(sys.stdin.buffer.readline())

    def end_with_parent() -> None:
        while os.read(0, 1024):  # not through `sys.stdin`: a library that forks would wait for it
            pass
        os._exit(0)

    parent = threading.Thread(target=end_with_parent, daemon=True)
    parent.start()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        server.backend = load(Path(sys.argv[1]), settings)
    except Exception:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)  # whatever threads the library has left
    parent.join()


if __name__ == "__main__":
    main()
