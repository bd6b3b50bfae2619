"""A real server that speaks OpenAI's chat API and misbehaves on request.

    python tests/support/server.py --port 0        prints {"port": N}, then serves
    with StreamingServer() as server: ...          the same as a process of its own

How a request is answered stands in its model name: `NAME:option=value,flag,…` with the options of
`Behaviour`, for example `stream:n=2000,delay=0.005`. Where a name cannot hold that, give the name
a behaviour with `server.behave(name, "n=20,cut=3")`.

Routes: `…/chat/completions` and `…/models` under any prefix, `/health`, and for the tests
`/journal` (GET, DELETE) and `/behaviour` (PUT).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import itertools
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict, dataclass, fields
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

NEVER = -1
FORMS = ("openai", "string", "detail", "html", "empty")

WORDS = (
    *("the", "of", "model", "token", "stream", "cell", "output", "kernel", "and", "a", "to", "is"),
    *("that", "for", "with", "as", "on", "code", "`x = 1`", "**bold**", "list", "item", "value"),
    *("returns", "function"),
)
FOREIGN = ("naïve", "Größe", "日本語", "🙂", "e\u0301", "👩‍🔬", "Ωμέγα", "שלום")

# code -> (status, type, message)
ERRORS = {
    "context_length_exceeded": (
        400,
        "invalid_request_error",
        "This model's maximum context length is 4096 tokens. However, your messages resulted in"
        " 5000 tokens. Please reduce the length of the messages.",
    ),
    "invalid_request": (400, "invalid_request_error", "We could not parse your request."),
    "content_filter": (400, "invalid_request_error", "The prompt triggered the content filter."),
    "invalid_api_key": (401, "invalid_request_error", "Incorrect API key provided: sk-…."),
    "forbidden": (403, "permission_error", "You are not allowed to use this model."),
    "model_not_found": (404, "invalid_request_error", "The model does not exist."),
    "rate_limit_exceeded": (429, "requests", "Rate limit reached. Please try again later."),
    "insufficient_quota": (429, "insufficient_quota", "You exceeded your current quota."),
    "server_error": (500, "server_error", "The server had an error while processing."),
    "loading": (503, "unavailable_error", "Loading model"),
    "server_is_overloaded": (503, "service_unavailable_error", "The server is overloaded."),
}


@dataclass(frozen=True)
class Behaviour:
    """How a request is answered. `K` counts chunks of the answer, -1 means never."""

    n: int = 8
    """Chunks of text; see `tokens`."""
    delay: float = 0.0
    """Seconds from chunk to chunk, on an absolute schedule."""
    headers: float = 0.0
    """Seconds before the status line."""
    first: float = 0.0
    """Seconds from the headers to the first chunk."""
    echo: bool = False
    """Answer with the JSON text of the last user message's content."""
    foreign: bool = False
    """Words of several bytes a character."""
    reasoning: int = 0
    """So many chunks of reasoning come before the text."""
    reasoning_field: str = "reasoning_content"
    tools: int = 0
    """So many tool calls come instead of the text, their arguments in pieces."""
    finish: str = "stop"
    usage: str = "asked"
    """`asked` (by `stream_options`), `always`, `never`, or `finish` (in the chunk that ends)."""
    cached: int = 0
    """Prompt tokens that are said to come from a cache."""

    cut: int = NEVER
    """Close the connection without an end mark after K chunks."""
    reset: int = NEVER
    """Reset the connection after K chunks."""
    stall: int = NEVER
    """After K chunks send nothing more, and keep the connection."""
    rubbish: int = NEVER
    """Send an event that is not JSON after K chunks (not streaming: an HTML page)."""
    error_at: int = NEVER
    """Send the error as an event after K chunks, and end (not streaming: with status 200)."""
    hangup: bool = False
    """Close the connection without any answer."""
    noend: bool = False
    """End cleanly without finish reason and without `[DONE]`."""
    nofinish: bool = False
    """End without finish reason, but with `[DONE]`."""
    nodone: bool = False
    """End without `[DONE]`."""

    status: int = 0
    """Answer with this HTTP status and an error."""
    error: str = ""
    """Answer with this error of `ERRORS`."""
    form: str = "openai"
    """How the error is written: `openai`, `string`, `detail`, `html` or `empty`."""
    retry_after: float = -1.0
    """Seconds, sent as `retry-after` (and `retry-after-ms` if they are no whole number)."""
    times: int = NEVER
    """Only so many first requests to this model name misbehave; then the answer is whole."""

    crlf: bool = False
    """Lines end with CR LF."""
    tight: bool = False
    """No space after `data:`."""
    comments: bool = False
    """A comment as keep-alive before every event."""
    multiline: bool = False
    """The JSON of an event over many `data:` lines."""
    split: int = 0
    """Write so many bytes at a time, whatever they cut through."""

    @classmethod
    def read(cls, text: str) -> Self:
        """`n=3,cut=1,crlf` as a behaviour; `ValueError` for what is not known."""
        kinds: dict[str, Any] = {option.name: type(option.default) for option in fields(cls)}
        values: dict[str, Any] = {}
        for part in filter(None, text.split(",")):
            name, given, value = part.partition("=")
            if name not in kinds or (kinds[name] is bool) == bool(given):
                raise ValueError(f"unknown option {part!r}")
            values[name] = True if kinds[name] is bool else kinds[name](value)
        behaviour = cls(**values)
        if behaviour.error and behaviour.error not in ERRORS:
            raise ValueError(f"unknown error {behaviour.error!r}")
        if behaviour.form not in FORMS:
            raise ValueError(f"unknown form {behaviour.form!r}")
        return behaviour

    @property
    def refuses(self) -> bool:
        """Whether the request is answered with an error instead of an answer."""
        return bool(self.status or self.error) and self.error_at == NEVER

    @property
    def failure(self) -> tuple[int, dict[str, Any]]:
        """The HTTP status and the error object."""
        by_status = (c for c, (status, *_) in ERRORS.items() if status == self.status)
        code = self.error or next(by_status, "server_error")
        status, kind, message = ERRORS[code]
        error = {"message": message, "type": kind, "param": None, "code": code}
        return self.status or status, error


def tokens(n: int, *, foreign: bool = False) -> list[str]:
    """The `n` chunks of an answer: about 5 characters each, with Markdown lists in between."""
    words = FOREIGN if foreign else WORDS
    # The prime mixes the words, and meets them all.
    return [words[i * 7919 % len(words)] + ("\n\n- " if i % 23 == 22 else " ") for i in range(n)]


@dataclass
class Entry:
    """What the server saw of one request. Times are `time.monotonic()` of this machine."""

    id: int
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    received: float
    status: int | None = None
    first: float | None = None
    """When the first chunk was written."""
    last: float | None = None
    """When the last chunk was written."""
    chunks: int = 0
    """How many chunks were written."""
    closed: float | None = None
    """When the client was seen to have gone, if it went before the answer was written."""
    complete: bool = False
    """Whether the answer was written whole, as its behaviour wants it."""


class HangUpError(Exception):
    """The server ends the connection now."""


class Reader(asyncio.StreamReader):
    """Knows when the client went, without anyone reading."""

    def __init__(self) -> None:
        super().__init__()
        self.gone = asyncio.Event()
        self.gone_at = 0.0

    def feed_eof(self) -> None:
        self._note()
        super().feed_eof()

    def set_exception(self, exc: Exception) -> None:
        self._note()
        super().set_exception(exc)

    def _note(self) -> None:
        if not self.gone.is_set():
            self.gone_at = time.monotonic()
            self.gone.set()


class Response:
    """Writes one HTTP/1.1 answer in chunked encoding, in pieces of `split` bytes if given."""

    def __init__(self, writer: asyncio.StreamWriter, entry: Entry, split: int = 0) -> None:
        self.writer, self.entry, self.split = writer, entry, split

    async def start(self, status: int, kind: str, headers: dict[str, str] | None = None) -> None:
        self.entry.status = status
        lines = [
            f"HTTP/1.1 {status} {http.client.responses.get(status, 'Unknown')}",
            f"content-type: {kind}",
            "transfer-encoding: chunked",
            f"x-request-id: req-{self.entry.id}",
            *(f"{name}: {value}" for name, value in (headers or {}).items()),
        ]
        self.writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        await self.writer.drain()

    async def send(self, data: bytes) -> None:
        for at in range(0, len(data), self.split or len(data) or 1):
            piece = data[at : at + self.split] if self.split else data
            self.writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await self.writer.drain()
            if self.split:
                await asyncio.sleep(0)

    async def end(self) -> None:
        self.writer.write(b"0\r\n\r\n")
        self.entry.complete = True
        await self.writer.drain()

    async def whole(
        self, status: int, kind: str, data: bytes, headers: dict[str, str] | None = None
    ) -> None:
        await self.start(status, kind, headers)
        await self.send(data)
        await self.end()

    async def json(self, value: Any, status: int = 200) -> None:
        await self.whole(status, "application/json", dump(value).encode())


def dump(value: Any, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=False, **options)


class Server:
    """Answers requests and keeps the journal."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.journal: list[Entry] = []
        self.behaviours: dict[str, str] = {}
        self.asked: dict[str, int] = {}
        self.numbers = itertools.count(1)

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert isinstance(reader, Reader)
        try:
            while request := await read_request(reader):
                await self.route(request, reader, writer)
        except (HangUpError, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def route(self, entry: Entry, reader: Reader, writer: asyncio.StreamWriter) -> None:
        url = urlsplit(entry.path)
        response = Response(writer, entry)
        match entry.method, url.path:
            case "GET", "/journal":
                await self.wait(dict(parse_qsl(url.query)))
                await response.json([asdict(e) for e in self.journal])
            case "DELETE", "/journal":
                self.clear()
                await response.json({})
            case "PUT", "/behaviour":
                try:
                    Behaviour.read(entry.body["behaviour"])
                except ValueError as wrong:
                    await response.json({"error": str(wrong)}, 400)
                else:
                    self.behaviours[entry.body["model"]] = entry.body["behaviour"]
                    await response.json({})
            case "GET", "/health":
                await response.json({"status": "ok"})
            case "GET", path if path.endswith("/models"):
                self.keep(entry)
                names = self.behaviours or {"stream": ""}
                models = [{"id": n, "object": "model", "owned_by": "tests"} for n in names]
                await response.json({"object": "list", "data": models})
            case "POST", path if path.endswith("/chat/completions"):
                self.keep(entry)
                await self.completion(entry, reader, writer)
            case _:
                self.keep(entry)
                error = {"message": f"No route {entry.method} {url.path}", "code": "not_found"}
                await response.json({"error": error}, 404)

    def keep(self, entry: Entry) -> None:
        entry.id = next(self.numbers)
        self.journal.append(entry)

    async def wait(self, query: dict[str, str]) -> None:
        """Until `count` entries have a value in the field `until`, or `timeout` seconds passed."""
        name, count = query.get("until"), int(query.get("count", 1))
        if name is None:
            return
        end = time.monotonic() + float(query["timeout"])
        # Any field of any entry may be meant, so this looks instead of being told.
        while sum(bool(getattr(entry, name)) for entry in self.journal) < count:
            if time.monotonic() > end:
                break
            await asyncio.sleep(0.005)

    async def completion(self, entry: Entry, reader: Reader, writer: asyncio.StreamWriter) -> None:
        """Answer, unless the client goes first."""
        answering = asyncio.create_task(self.answer(entry, writer))
        gone = asyncio.create_task(reader.gone.wait())
        try:
            await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                await answering
            else:
                entry.closed = reader.gone_at
                raise HangUpError
        except ConnectionError:
            entry.closed = reader.gone_at or time.monotonic()
            raise
        finally:
            answering.cancel()
            gone.cancel()

    async def answer(self, entry: Entry, writer: asyncio.StreamWriter) -> None:
        body = entry.body if isinstance(entry.body, dict) else {}
        name = str(body.get("model") or deployment(entry.path))
        try:
            behaviour = Behaviour.read(self.behaviours.get(name, name.partition(":")[2]))
        except ValueError as error:
            await Response(writer, entry).json({"error": {"message": str(error)}}, 400)
            return
        self.asked[name] = self.asked.get(name, 0) + 1
        if 0 <= behaviour.times < self.asked[name]:
            behaviour = Behaviour(n=behaviour.n, delay=behaviour.delay, echo=behaviour.echo)
        response = Response(writer, entry, behaviour.split)
        await asyncio.sleep(behaviour.headers)
        if behaviour.hangup:
            raise HangUpError
        if behaviour.refuses:
            await refuse(response, behaviour)
        elif body.get("stream"):
            await stream(response, behaviour, body)
        else:
            await whole(response, behaviour, body)


async def read_request(reader: asyncio.StreamReader) -> Entry | None:
    """The next request of a connection; `None` if the client has ended it."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, path, _ = first.split(" ")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    data = await reader.readexactly(int(headers.get("content-length", 0)))
    try:
        body = json.loads(data) if data else None
    except ValueError:
        body = data.decode("utf-8", "replace")
    return Entry(0, method, path, headers, body, time.monotonic())


def deployment(path: str) -> str:
    """The model name in an address of Azure's old kind, else `""`."""
    _, found, rest = path.partition("/deployments/")
    return rest.partition("/")[0] if found else ""


async def refuse(response: Response, behaviour: Behaviour) -> None:
    status, error = behaviour.failure
    headers = {}
    if behaviour.retry_after >= 0:
        headers["retry-after"] = str(round(behaviour.retry_after))
        if behaviour.retry_after % 1:
            headers["retry-after-ms"] = str(round(behaviour.retry_after * 1000))
    kind, text = {
        "openai": ("application/json", dump({"error": error})),
        "string": ("application/json", dump({"error": error["message"]})),
        "detail": ("application/json", dump({"detail": {"error": error}})),
        "html": ("text/html", f"<html><body><h1>{status}</h1></body></html>"),
        "empty": ("text/plain", ""),
    }[behaviour.form]
    await response.whole(status, kind, text.encode(), headers)


def pieces(behaviour: Behaviour, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The deltas of the answer."""
    parts: list[dict[str, Any]] = [
        {behaviour.reasoning_field: token} for token in tokens(behaviour.reasoning)
    ]
    if behaviour.tools:
        offered = [tool["function"]["name"] for tool in body.get("tools") or ()] or ["lookup"]
        for index in range(behaviour.tools):
            function = {"name": offered[index % len(offered)], "arguments": ""}
            call = {"index": index, "id": f"call_{index}", "type": "function", "function": function}
            parts.append({"tool_calls": [call]})
            for piece in ('{"que', 'ry": "', f'Zürich {index}"', "}"):
                call = {"index": index, "function": {"arguments": piece}}
                parts.append({"tool_calls": [call]})
    elif behaviour.echo:
        asked = [m["content"] for m in body.get("messages", ()) if m.get("role") == "user"]
        text = dump(asked[-1] if asked else None)
        parts += [{"content": text[i : i + 5]} for i in range(0, len(text), 5)]
    else:
        parts += [{"content": token} for token in tokens(behaviour.n, foreign=behaviour.foreign)]
    return parts


def envelope(response: Response, body: dict[str, Any], kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{response.entry.id}",
        "object": kind,
        "created": int(time.time()),
        "model": body.get("model"),
    }


def usage(behaviour: Behaviour, body: dict[str, Any], completion: int) -> dict[str, Any]:
    """Words of the conversation, and chunks of the answer."""
    prompt = sum(len(str(m.get("content")).split()) for m in body.get("messages", ()))
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": behaviour.cached},
    }


async def paced(
    parts: Sequence[dict[str, Any]], delay: float
) -> AsyncGenerator[dict[str, Any], None]:
    """Each part when its time has come, counted from the first one: late parts are caught up."""
    start = time.monotonic()
    for i, part in enumerate(parts):
        # Sleeping, if only for no time, lets the loop see that a client went.
        await asyncio.sleep(max(0.0, start + i * delay - time.monotonic()))
        yield part


async def stream(response: Response, behaviour: Behaviour, body: dict[str, Any]) -> None:
    entry = response.entry
    base = envelope(response, body, "chat.completion.chunk")
    parts = pieces(behaviour, body)
    end = "\r\n" if behaviour.crlf else "\n"
    mark = "data:" if behaviour.tight else "data: "

    async def event(value: Any) -> None:
        text = value if isinstance(value, str) else dump(value)
        if behaviour.multiline and not isinstance(value, str):
            text = dump(value, indent=1)
        lines = [mark + line for line in text.split("\n")]
        if behaviour.comments:
            lines = [": keep-alive", "", *lines]
        await response.send(end.join([*lines, "", ""]).encode())

    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    async def mishaps() -> bool:
        """What goes wrong at this chunk; whether the stream is over by that."""
        if behaviour.rubbish == entry.chunks:
            await event("{this is not JSON")
        if behaviour.error_at == entry.chunks:
            await event({"error": behaviour.failure[1]})
            await response.end()
            return True
        if behaviour.cut == entry.chunks:
            raise HangUpError
        if behaviour.reset == entry.chunks:
            # With no time to linger the system says "reset" instead of "end".
            linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
            connection = response.writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            response.writer.transport.abort()
            raise HangUpError
        if behaviour.stall == entry.chunks:
            await asyncio.Event().wait()
        return False

    await response.start(200, "text/event-stream", {"cache-control": "no-cache"})
    await asyncio.sleep(behaviour.first)
    if await mishaps():
        return
    async with contextlib.aclosing(paced(parts, behaviour.delay)) as due:
        async for part in due:
            await event(chunk(part if entry.chunks else {"role": "assistant", **part}))
            entry.last = time.monotonic()
            entry.first = entry.first or entry.last
            entry.chunks += 1
            if await mishaps():
                return

    if not behaviour.noend:
        counted = usage(behaviour, body, len(parts))
        if not behaviour.nofinish:
            finish = chunk({}, "tool_calls" if behaviour.tools else behaviour.finish)
            await event({**finish, "usage": counted} if behaviour.usage == "finish" else finish)
        asked = (body.get("stream_options") or {}).get("include_usage")
        if behaviour.usage == "always" or (behaviour.usage == "asked" and asked):
            await event({**base, "choices": [], "usage": counted})
        if not behaviour.nodone:
            await event("[DONE]")
    await response.end()


async def whole(response: Response, behaviour: Behaviour, body: dict[str, Any]) -> None:
    """The answer in one piece, after the time that its chunks would take."""
    parts = pieces(behaviour, body)
    await asyncio.sleep(behaviour.first + behaviour.delay * max(0, len(parts) - 1))
    if behaviour.stall != NEVER:
        await asyncio.Event().wait()
    if behaviour.rubbish != NEVER:
        await response.whole(200, "text/html", b"<html><body>It works!</body></html>")
        return
    if behaviour.error_at != NEVER:
        await response.json({"error": behaviour.failure[1]})
        return

    def joined(name: str) -> str:
        return "".join(part.get(name, "") for part in parts)

    message: dict[str, Any] = {"role": "assistant", "content": joined("content")}
    if behaviour.reasoning:
        message[behaviour.reasoning_field] = joined(behaviour.reasoning_field)
    if behaviour.tools:
        calls: list[dict[str, Any]] = []
        for part in (part["tool_calls"][0] for part in parts if "tool_calls" in part):
            if "id" in part:
                calls.append({k: v for k, v in part.items() if k != "index"})
            else:
                calls[-1]["function"]["arguments"] += part["function"]["arguments"]
        message |= {"content": None, "tool_calls": calls}
    finish = "tool_calls" if behaviour.tools else behaviour.finish
    value = envelope(response, body, "chat.completion")
    value["choices"] = [{"index": 0, "message": message, "finish_reason": finish}]
    if behaviour.usage != "never":
        value["usage"] = usage(behaviour, body, len(parts))
    data = dump(value).encode()
    response.entry.first = response.entry.last = time.monotonic()
    if behaviour.cut != NEVER or behaviour.reset != NEVER:
        await response.start(200, "application/json")
        await response.send(data[: len(data) // 2])
        raise HangUpError
    response.entry.chunks = len(parts)
    await response.whole(200, "application/json", data)


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = Server()

    def protocol() -> asyncio.StreamReaderProtocol:
        return asyncio.StreamReaderProtocol(Reader(), server.connection)

    listener = await loop.create_server(protocol, "127.0.0.1", port)
    print(json.dumps({"port": listener.sockets[0].getsockname()[1]}), flush=True)
    await listener.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument(
        "--until-stdin-ends", action="store_true", help="leave when the parent process is gone"
    )
    options = parser.parse_args()
    if options.until_stdin_ends:

        def leave() -> None:
            sys.stdin.buffer.read()
            os._exit(0)

        threading.Thread(target=leave, daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(options.port))


# For the tests ----------------------------------------------------------------------------------


class StreamingServer:
    """The server as a process of its own, so that its pace does not depend on ours.

    `url` is its root, `base_url` the address that an OpenAI engine is given (`…/v1`).
    """

    def __enter__(self) -> Self:
        command = [sys.executable, "-I", __file__, "--port", "0", "--until-stdin-ends"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise RuntimeError(f"the server ended at once ({self.process.returncode})")
        self.port: int = json.loads(line)["port"]
        self.url = f"http://127.0.0.1:{self.port}"
        self.base_url = f"{self.url}/v1"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def journal(self) -> list[Entry]:
        """All chat and model requests since the last `clear`, oldest first."""
        return [Entry(**entry) for entry in self.call("GET", "/journal")]

    def wait(self, until: str, *, count: int = 1, timeout: float = 10) -> list[Entry]:
        """The journal, as soon as `count` of its entries have the field `until` set.

        `server.wait("closed")` returns when a client was seen to go, `server.wait("complete")`
        when an answer was written to its end, `server.wait("received")` when a request is there.
        """
        path = f"/journal?until={until}&count={count}&timeout={timeout}"
        entries = [Entry(**entry) for entry in self.call("GET", path, timeout=timeout + 10)]
        if sum(bool(getattr(entry, until)) for entry in entries) < count:
            raise TimeoutError(f"not {count} × {until!r} within {timeout} s: {entries}")
        return entries

    def clear(self) -> None:
        """Forget the journal, the behaviours and how often a model was asked."""
        self.call("DELETE", "/journal")

    def behave(self, model: str, behaviour: str) -> None:
        """Answer requests for `model` so; see `Behaviour`."""
        self.call("PUT", "/behaviour", {"model": model, "behaviour": behaviour})

    def call(self, method: str, path: str, body: Any = None, *, timeout: float = 10) -> Any:
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        ) as connection:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            value = json.loads(response.read())
        if response.status != 200:
            raise ValueError(value["error"])
        return value


if __name__ == "__main__":
    main()
