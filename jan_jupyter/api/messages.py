"""Anthropic's Messages API: its clients run on any engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from ..ask import Stream, drained
from ..types import Delta
from ..wire import messages as wire
from .chat import new_id
from .exchange import Call, Response, Route, as_json
from .shapes import MESSAGE, WHOLE, holds
from .streams import streamed


async def _create(call: Call) -> Response:
    asked = wire.read_request(call.body)
    request, target = await asyncio.to_thread(call.prepare, asked, call.body.get("model"))
    answer = Stream(call.router, request, target)
    if not call.body.get("stream"):
        reply = await drained(answer)
        return as_json(wire.write_reply(reply, new_id("msg")), made=reply)
    return await streamed(_events(answer), wire.write_failure, answer.reply_so_far)


async def _events(answer: Stream) -> AsyncGenerator[bytes, None]:
    events = wire.Events(new_id("msg"), answer.target.model.id)
    begun = False
    last = Delta()
    async with aclosing(answer.deltas()) as deltas:
        async for delta in deltas:
            if delta.is_last:
                last = delta
            # Not before something has come: until then an error is a status.
            head, begun = (b"" if begun else events.begin()), True
            if piece := head + events.add(delta):
                yield piece
    yield events.end(last)


async def _count(call: Call) -> Response:
    asked = wire.read_request(call.body)
    request, target = await asyncio.to_thread(call.prepare, asked, call.body.get("model"))
    return as_json({"input_tokens": await call.router.count(request, target)})


ROUTES = (
    Route(
        "POST",
        "/messages/count_tokens",
        _count,
        "How many tokens a conversation has, an estimate where nobody counts.",
        "execute",
        wire.Counted,
        dialect="anthropic",
        shape=holds(input_tokens=WHOLE),
    ),
    Route(
        "POST",
        "/messages",
        _create,
        "The answer to a conversation, as Anthropic's Messages API has it.",
        "execute",
        wire.Asked,
        answers=("application/json", "text/event-stream"),
        dialect="anthropic",
        shape=MESSAGE,
    ),
)
