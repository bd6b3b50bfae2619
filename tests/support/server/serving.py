"""The server: from an address to the API that is spoken there, and its journal."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import sys
import threading
import time
from collections import Counter, defaultdict
from dataclasses import asdict, replace
from urllib.parse import parse_qsl, unquote, urlsplit

from . import triton
from .answers import refuse, stream, whole
from .behaviour import Behaviour
from .between import Completions, FillIn, Rerank
from .claude import Claude
from .dialect import Dialect
from .openai import OpenAI
from .tgi import TGI, Toolkit
from .wire import Entry, HangUpError, Reader, Response, read_request


class Server:
    """Answers requests and keeps the journal."""

    def __init__(self) -> None:
        self.answering: Counter[str] = Counter()
        """How many requests are answered, by model name."""
        self.clear()

    def clear(self) -> None:
        self.journal: list[Entry] = []
        self.behaviours: dict[str, str] = {}
        self.asked: dict[str, int] = {}
        self.told: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
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
                    self.told.pop(entry.body["model"], asyncio.Event()).set()
                    await response.json({})
            case "GET", "/health":
                await response.json({"status": "ok"})
            case "GET", path if path.endswith("/models"):
                self.keep(entry)
                names = self.behaviours or {"stream": ""}
                models = [{"id": n, "object": "model", "owned_by": "tests"} for n in names]
                await response.json({"object": "list", "data": models})
            case "GET", path if "/v2/models/" in path:
                self.keep(entry)
                name = unquote(path.partition("/v2/models/")[2].removesuffix("/config"))
                asked = triton.config if path.endswith("/config") else triton.metadata
                await response.json(asked(name))
            case "POST", path if (dialect := dialect_of(path)) is not None:
                self.keep(entry)
                await self.completion(entry, dialect, reader, writer)
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

    async def completion(
        self,
        entry: Entry,
        dialect: type[Dialect],
        reader: Reader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Answer, unless the client goes first."""
        answering = asyncio.create_task(self.answer(entry, dialect, writer))
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

    async def answer(
        self, entry: Entry, dialect: type[Dialect], writer: asyncio.StreamWriter
    ) -> None:
        body = entry.body if isinstance(entry.body, dict) else {}
        name = str(body.get("model") or name_in(entry.path))
        try:
            behaviour = Behaviour.read(self.behaviours.get(name, name.partition(":")[2]))
        except ValueError as error:
            await Response(writer, entry).json({"error": {"message": str(error)}}, 400)
            return
        self.asked[name] = self.asked.get(name, 0) + 1
        if 0 <= behaviour.times < self.asked[name] or self.asked[name] <= behaviour.after:
            behaviour = Behaviour(n=behaviour.n, delay=behaviour.delay, echo=behaviour.echo)
        if 0 <= behaviour.most <= self.answering[name]:
            behaviour = replace(behaviour, error="rate_limit_exceeded")
        self.answering[name] += 1
        try:
            said = dialect(entry, behaviour, body)
            said.told = self.told[name]
            await spoken(entry, said, writer)
        finally:
            self.answering[name] -= 1


async def spoken(entry: Entry, said: Dialect, writer: asyncio.StreamWriter) -> None:
    """Write what a behaviour says."""
    response = Response(writer, entry, said.behaviour.split)
    await asyncio.sleep(said.behaviour.headers)
    if said.behaviour.hangup:
        raise HangUpError
    if said.behaviour.refuses:
        await refuse(response, said)
    elif said.streams:
        await stream(response, said)
    else:
        await whole(response, said)


DIALECTS = (
    ("/chat/completions", OpenAI),
    ("/fim/completions", FillIn),
    ("/completions", Completions),
    ("/rerank", Rerank),
    ("/messages", Claude),
    ("/generate_stream", TGI),
    ("/", Toolkit),
)


def dialect_of(path: str) -> type[Dialect] | None:
    """What is spoken at an address, by its end."""
    if "/v2/models/" in path:
        return triton.Triton
    return next((dialect for end, dialect in DIALECTS if path.endswith(end)), None)


def name_in(path: str) -> str:
    """The model that an address names: the part before the last, or Azure's deployment."""
    path = urlsplit(path).path.replace("/chat/completions", "/")
    return unquote(path.split("/")[-2])


async def serve(host: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    server = Server()

    def protocol() -> asyncio.StreamReaderProtocol:
        return asyncio.StreamReaderProtocol(Reader(), server.connection)

    listener = await loop.create_server(protocol, host, port)
    print(json.dumps({"port": listener.sockets[0].getsockname()[1]}), flush=True)
    await listener.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
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
        asyncio.run(serve(options.host, options.port))
