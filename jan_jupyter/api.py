"""OpenAI's API over our router: requests in their JSON, answers and errors in theirs.

Knows nothing of sockets: `respond` takes a method, a path and a body, and gives a status and a body
that is whole or a stream. `jan.openai()` puts it behind the `openai` package in this process.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import struct
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from . import errors
from .ask import Stream
from .router import Route, Router
from .types import ChatRequest, Delta, Message, Reply, Usage

JSON = "application/json"
SSE = "text/event-stream"

_NOT_PARAMETERS = {"model", "messages", "stream", "stream_options", "tools", "response_format"}
_RENAMED = {"max_completion_tokens": "max_tokens"}
_counter = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back: `body` is whole, or its pieces as they come."""

    status: int
    content_type: str
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
        return Response(error.status, JSON, _dump(envelope(error)))


def envelope(error: errors.JanError) -> dict[str, Any]:
    """An error as OpenAI's clients read it."""
    code = getattr(error, "code", None)
    return {
        "error": {"message": str(error), "type": error.kind, "param": None, "code": code},
    }


def _json(value: Any) -> Response:
    return Response(200, JSON, _dump(value))


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


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


def chat_request(body: Mapping[str, Any]) -> ChatRequest:
    """A `/chat/completions` body, which has been read, as our request."""
    messages = [
        Message(
            "system" if m["role"] == "developer" else m["role"],
            m.get("content") or "",
            {k: v for k, v in m.items() if k not in ("role", "content") and v is not None},
        )
        for m in body["messages"]
    ]
    given = {k: v for k, v in body.items() if k not in _NOT_PARAMETERS and v is not None}
    parameters = {_RENAMED.get(name, name): value for name, value in given.items()}
    schema, extra = _schema(body.get("response_format"))
    return ChatRequest(messages, parameters, body.get("tools") or (), schema, extra)


def _schema(form: Mapping[str, Any] | None) -> tuple[Mapping[str, Any] | None, Mapping[str, Any]]:
    if not form or form["type"] == "text":
        return None, {}
    if form["type"] == "json_schema":
        described = form.get("json_schema") or {}
        if (schema := described.get("schema")) is not None:
            return {"title": described.get("name") or "answer", **schema}, {}
    return None, {"response_format": form}


async def _chat(router: Router, body: Mapping[str, Any]) -> Response:
    request = chat_request(body)
    route = await asyncio.to_thread(router.route, request, body.get("model") or None)
    if not body.get("stream"):
        return _json(await _whole(router, route))
    usage = bool((body.get("stream_options") or {}).get("include_usage"))
    chunks = _chunks(router, route, usage)
    # The first piece is awaited before the status is sent: most errors come before it.
    try:
        first = await anext(chunks)
    except BaseException:
        await chunks.aclose()
        raise
    return Response(200, SSE, _events(first, chunks))


async def _events(
    first: dict[str, Any], chunks: AsyncGenerator[dict[str, Any], None]
) -> AsyncGenerator[bytes, None]:
    async with aclosing(chunks):
        try:
            yield _event(first)
            async for chunk in chunks:
                yield _event(chunk)
        except errors.JanError as error:
            yield _event(envelope(error))
            return
    yield b"data: [DONE]\n\n"


def _event(value: Any) -> bytes:
    return b"data: " + _dump(value) + b"\n\n"


def _head(kind: str, route: Route) -> dict[str, Any]:
    name = f"chatcmpl-jan-{os.getpid()}-{next(_counter)}"
    return {"id": name, "object": kind, "created": int(time.time()), "model": route.model.id}


async def _chunks(
    router: Router, route: Route, usage: bool
) -> AsyncGenerator[dict[str, Any], None]:
    head = _head("chat.completion.chunk", route)
    last = Delta()
    begun: set[int] = set()
    async with aclosing(router.chat(route.request, route)) as deltas:
        async for delta in deltas:
            role = {} if delta.choice in begun else {"role": "assistant"}
            begun.add(delta.choice)
            choice: dict[str, Any] = {
                "index": delta.choice,
                "delta": role | _delta(delta),
                "finish_reason": delta.finish,
            }
            if delta.logprobs:
                choice["logprobs"] = {"content": [*delta.logprobs]}
            last = delta
            yield {**head, "choices": [choice], **_notes(delta.notes)}
    if usage:
        yield {**head, "choices": [], "usage": _usage(last.usage)}


def _delta(delta: Delta) -> dict[str, Any]:
    found: dict[str, Any] = {"content": delta.text} if delta.text else {}
    if delta.reasoning:
        found["reasoning_content"] = delta.reasoning
    if delta.tool_calls:
        found["tool_calls"] = [{"index": i, **call} for i, call in enumerate(delta.tool_calls)]
    return {**found, **delta.extra}


def _notes(notes: Sequence[str]) -> dict[str, Any]:
    """What was left out of the request, for who looks: OpenAI has no place for it."""
    return {"notes": [*notes]} if notes else {}


def _usage(usage: Usage | None) -> dict[str, Any]:
    usage = usage or Usage()
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.total,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
    }


async def _whole(router: Router, route: Route) -> dict[str, Any]:
    answer = Stream(router, route.request, route)
    async with aclosing(answer.deltas()) as deltas:
        async for _ in deltas:
            pass
    reply = answer.reply_so_far()
    choices = [_choice(place, reply) for place, reply in enumerate(reply.choices)]
    head = _head("chat.completion", route)
    return {**head, "choices": choices, "usage": _usage(reply.usage), **_notes(reply.notes)}


def _choice(place: int, reply: Reply) -> dict[str, Any]:
    extra = reply.messages[-1].extra
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None, **extra}
    if reply.reasoning:
        message["reasoning_content"] = reply.reasoning
    choice: dict[str, Any] = {"index": place, "message": message, "finish_reason": reply.finish}
    if reply.logprobs:
        choice["logprobs"] = {"content": [*reply.logprobs]}
    return choice


# Embeddings and speech ----------------------------------------------------------------------------


async def _embed(router: Router, body: Mapping[str, Any]) -> dict[str, Any]:
    given = body["input"]
    texts = [given] if isinstance(given, str) else given
    rest = _rest(body, "encoding_format")
    found = await router.embed(texts, body.get("model") or None, **rest)
    packed = body.get("encoding_format") == "base64"  # what the `openai` package asks for
    rows = [
        {"object": "embedding", "index": i, "embedding": _packed(vector) if packed else [*vector]}
        for i, vector in enumerate(found.vectors)
    ]
    usage = {"prompt_tokens": found.usage.prompt, "total_tokens": found.usage.total}
    return {"object": "list", "data": rows, "model": found.model, "usage": usage}


def _rest(body: Mapping[str, Any], *ours: str) -> dict[str, Any]:
    """What is for the engine."""
    known = {"model", "input", *ours}
    return {k: v for k, v in body.items() if k not in known and v is not None}


def _packed(vector: Any) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


async def _speak(router: Router, body: Mapping[str, Any]) -> Response:
    audio = await router.speak(body["input"], body.get("model") or None, **_rest(body))
    return Response(200, audio.content_type, audio.data)
