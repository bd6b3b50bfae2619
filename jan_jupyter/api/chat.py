"""Answers to conversations, as OpenAI's `/chat/completions`."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from .. import errors
from ..ask import Stream, drained
from ..types import Delta
from ..wire import bodies, sse
from ..wire import openai as wire
from ..wire.errors import write_error
from .exchange import Call, Response, Route, as_json
from .shapes import CHAT
from .streams import streamed

_counter = itertools.count(1)


async def _chat(call: Call) -> Response:
    body = call.body
    request = wire.read_request(body)
    request, target = await asyncio.to_thread(call.prepare, request, body.get("model"))
    answer = Stream(call.router, request, target)
    if not body.get("stream"):
        reply = await drained(answer)
        return as_json(wire.write_reply(reply, _head("chat.completion", answer)), made=reply)
    usage = bool((body.get("stream_options") or {}).get("include_usage"))
    timed = bool(body.get("timings_per_token"))
    return await streamed(_events(answer, usage, timed), failed, answer.reply_so_far)


def failed(error: errors.JanError) -> bytes:
    """An error in a stream, after which it ends without its end mark."""
    return sse.written(write_error(error))


def new_id(prefix: str) -> str:
    return f"{prefix}-jan-{os.getpid()}-{next(_counter)}"


def _head(kind: str, answer: Stream) -> dict[str, Any]:
    model = answer.target.model.id
    return {"id": new_id("chatcmpl"), "object": kind, "created": int(time.time()), "model": model}


async def _events(answer: Stream, usage: bool, timed: bool) -> AsyncGenerator[bytes, None]:
    head = _head("chat.completion.chunk", answer)
    chunks = wire.Chunks(head, timed=timed)
    last = Delta()
    async with aclosing(answer.deltas()) as deltas:
        async for delta in deltas:
            last = delta
            yield chunks.written(delta)
    if usage:
        yield sse.written(wire.write_usage(last, head))
    yield sse.ENDED


ROUTES = (
    Route(
        "POST",
        "/chat/completions",
        _chat,
        "The answer to a conversation; with `stream`, as it comes.",
        "execute",
        bodies.Chat,
        answers=("application/json", "text/event-stream"),
        shape=CHAT,
    ),
)
