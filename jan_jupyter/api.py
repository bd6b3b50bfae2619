"""OpenAI's API over our router: requests in their JSON, answers and errors in theirs.

Knows nothing of sockets: `respond` takes a method, a path and a body, and gives a status, headers
and a body that is whole or a stream. `jan.openai()` puts it behind the `openai` package, in this
process.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from . import errors
from .ask import Stream
from .router import Router
from .types import EMPTY, Delta
from .wire import openai as wire
from .wire import sse
from .wire.errors import headers_of, write_error

_counter = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back: `body` is whole, or its pieces as they come."""

    status: int
    headers: Mapping[str, str]
    body: bytes | AsyncGenerator[bytes, None]


async def respond(router: Router, method: str, path: str, body: bytes) -> Response:
    """Answer one request of OpenAI's API; `path` is what follows `/v1`. Never raises `JanError`."""
    from .wire import bodies

    try:
        match method, path.strip("/"):
            case "GET", "models":
                return _json(await asyncio.to_thread(_models, router))
            case "GET", path if path.startswith("models/"):
                name = path.removeprefix("models/")
                return _json(await asyncio.to_thread(_model, router, name))
            case "POST", "chat/completions":
                return await _chat(router, bodies.read(body, bodies.Chat))
            case "POST", "embeddings":
                return _json(await _embed(router, bodies.read(body, bodies.Embeddings)))
            case "POST", "audio/speech":
                return await _speak(router, bodies.read(body, bodies.Speech))
        raise errors.UsageError(f"There is no {method} {path} here.")
    except errors.JanError as error:
        return _json(write_error(error), error.status, headers_of(error))


def _json(value: Any, status: int = 200, headers: Mapping[str, str] = EMPTY) -> Response:
    body = json.dumps(value, ensure_ascii=False).encode()
    return Response(status, {"content-type": "application/json", **headers}, body)


# Models -------------------------------------------------------------------------------------------


def _models(router: Router) -> dict[str, Any]:
    usable = [model for model in router.store.list() if model.state == "ready"]
    return {
        "object": "list",
        "data": [_described(m.reference, m.engine, m.created) for m in usable],
    }


def _model(router: Router, name: str) -> dict[str, Any]:
    model, _ = router.model(name)
    return _described(name, model.engine, model.created)


def _described(name: str, engine: str, created: float | None) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": int(created or 0), "owned_by": engine}


# Chat ---------------------------------------------------------------------------------------------


async def _chat(router: Router, body: Mapping[str, Any]) -> Response:
    request = wire.read_request(body)
    request, target = await asyncio.to_thread(router.prepare, request, body.get("model") or None)
    answer = Stream(router, request, target)
    if not body.get("stream"):
        return _json(await _whole(answer))
    usage = bool((body.get("stream_options") or {}).get("include_usage"))
    chunks = _chunks(answer, usage)
    # The first piece is awaited before the status is sent: most errors come before it.
    try:
        first = await anext(chunks)
    except BaseException:
        await chunks.aclose()
        raise
    return Response(200, {"content-type": "text/event-stream"}, _events(first, chunks))


async def _events(
    first: dict[str, Any], chunks: AsyncGenerator[dict[str, Any], None]
) -> AsyncGenerator[bytes, None]:
    async with aclosing(chunks):
        try:
            yield sse.written(first)
            async for chunk in chunks:
                yield sse.written(chunk)
        except errors.JanError as error:
            yield sse.written(write_error(error))
            return
    yield sse.ENDED


def _head(kind: str, answer: Stream) -> dict[str, Any]:
    name = f"chatcmpl-jan-{os.getpid()}-{next(_counter)}"
    model = answer.target.model.id
    return {"id": name, "object": kind, "created": int(time.time()), "model": model}


async def _chunks(answer: Stream, usage: bool) -> AsyncGenerator[dict[str, Any], None]:
    head = _head("chat.completion.chunk", answer)
    last = Delta()
    begun: set[int] = set()
    async with aclosing(answer.deltas()) as deltas:
        async for delta in deltas:
            first = delta.choice not in begun
            begun.add(delta.choice)
            last = delta
            yield wire.write_chunk(delta, head, first=first)
    if usage:
        yield wire.write_usage(last, head)


async def _whole(answer: Stream) -> dict[str, Any]:
    async with aclosing(answer.deltas()) as deltas:
        async for _ in deltas:
            pass
    return wire.write_reply(answer.reply_so_far(), _head("chat.completion", answer))


# Embeddings and speech ----------------------------------------------------------------------------


async def _embed(router: Router, body: Mapping[str, Any]) -> dict[str, Any]:
    given = body["input"]
    texts = [given] if isinstance(given, str) else given
    rest = _rest(body, "encoding_format")
    found = await router.embed(texts, body.get("model") or None, **rest)
    return wire.write_embeddings(found, packed=body.get("encoding_format") == "base64")


def _rest(body: Mapping[str, Any], *ours: str) -> dict[str, Any]:
    """What is for the engine."""
    known = {"model", "input", *ours}
    return {k: v for k, v in body.items() if k not in known and v is not None}


async def _speak(router: Router, body: Mapping[str, Any]) -> Response:
    audio = await router.speak(body["input"], body.get("model") or None, **_rest(body))
    return Response(200, {"content-type": audio.content_type}, audio.data)
