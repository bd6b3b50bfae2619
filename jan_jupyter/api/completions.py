"""What goes on from a text, or stands between two (`suffix`): for code that is being written."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from ..fold import Fold
from ..precedence import plain
from ..router import Target
from ..types import ChatRequest, Delta, Reply
from ..wire import bodies, sse
from ..wire import openai as wire
from .chat import failed, new_id
from .exchange import Call, Response, Route, as_json
from .streams import streamed

_OURS = {"model", "prompt", "suffix", "stream", "stream_options", "best_of", "echo", "n", "user"}


class _Gap:
    """One gap that is being filled."""

    def __init__(self, call: Call) -> None:
        prompt = call.body["prompt"]
        self._call = call
        self._prefix = prompt if isinstance(prompt, str) else prompt[0]
        self._suffix = call.body.get("suffix") or ""
        self._error: BaseException | None = None

    def prepare(self) -> None:
        """Looks at files. Raises what is in the way."""
        body = self._call.body
        parameters = {k: v for k, v in body.items() if k not in _OURS and v is not None}
        name = self._call.model(body.get("model"))
        self.target: Target = self._call.router.target(name, (), parameters)
        asked = ChatRequest((), plain(self.target.values.parameters))
        self._fold = Fold(asked, self.target)

    async def deltas(self) -> AsyncGenerator[Delta, None]:
        asked = self._call.router.complete(self._prefix, self._suffix, self.target)
        try:
            async with aclosing(asked) as deltas:
                async for delta in deltas:
                    self._fold.add(delta)
                    yield delta
        except BaseException as error:
            self._error = error
            raise

    def reply(self) -> Reply:
        """As far as it has come."""
        return self._fold.reply(self._error)


async def _complete(call: Call) -> Response:
    gap = _Gap(call)
    await asyncio.to_thread(gap.prepare)
    head = {
        "id": new_id("cmpl"),
        "object": "text_completion",
        "created": int(time.time()),
        "model": gap.target.model.id,
    }
    if call.body.get("stream"):
        usage = bool((call.body.get("stream_options") or {}).get("include_usage"))
        return await streamed(_events(gap, head, usage), failed, gap.reply)
    async with aclosing(gap.deltas()) as deltas:
        async for _ in deltas:
            pass
    reply = gap.reply()
    return as_json(wire.write_completion(reply, head), made=reply)


async def _events(gap: _Gap, head: dict[str, Any], usage: bool) -> AsyncGenerator[bytes, None]:
    last = Delta()
    async with aclosing(gap.deltas()) as deltas:
        async for delta in deltas:
            last = delta
            yield sse.written(wire.write_completion_chunk(delta, head))
    if usage:
        yield sse.written(wire.write_usage(last, head))
    yield sse.ENDED


ROUTES = (
    Route(
        "POST",
        "/completions",
        _complete,
        "What goes on from a text, or stands between two (`suffix`).",
        "execute",
        bodies.Completions,
        answers=("application/json", "text/event-stream"),
    ),
)
