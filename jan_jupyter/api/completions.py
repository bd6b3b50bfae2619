"""What goes on from a text, or stands between two (`suffix`): for code that is being written."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..fold import Fold
from ..precedence import plain
from ..router import Target
from ..types import ChatRequest, Delta, Reply
from ..wire import bodies, sse
from ..wire import openai as wire
from .chat import failed, new_id
from .exchange import Call, Response, Route, as_json
from .shapes import COMPLETION, TEXT, holds, one_of
from .streams import streamed

if TYPE_CHECKING:
    from ..compare.keeping.store import Store

_OURS = {"model", "prompt", "suffix", "stream", "stream_options", "best_of", "echo", "n", "user"}
_WHILE_TYPING = {"max_tokens": 128}
"""What holds for what an editor offers, unless its request says otherwise."""


class _Gap:
    """One gap that is being filled."""

    def __init__(self, call: Call, prefix: str, place: int) -> None:
        self._call = call
        self._prefix = prefix
        self._key = f"{place} {call.body.get('key') or ''}"
        self._suffix = call.body.get("suffix") or ""
        self._while_typing = call.body.get("priority") == "completion"
        self._error: BaseException | None = None

    def prepare(self) -> None:
        """Looks at files. Raises what is in the way."""
        body = self._call.body
        ours = {*_OURS, "key", "priority"} if self._while_typing else _OURS
        parameters = {k: v for k, v in body.items() if k not in ours and v is not None}
        if self._while_typing:
            parameters = _WHILE_TYPING | parameters
        name = self._call.model(body.get("model"))
        self.target: Target = self._call.router.target(name, (), parameters)
        asked = ChatRequest((), plain(self.target.values.parameters))
        self._fold = Fold(asked, self.target)

    async def deltas(self) -> AsyncGenerator[Delta, None]:
        complete = self._call.router.complete
        if self._while_typing:
            asked = complete(
                self._prefix, self._suffix, self.target, priority="completion", key=self._key
            )
        else:
            asked = complete(self._prefix, self._suffix, self.target)
        try:
            async with aclosing(asked) as deltas:
                async for delta in deltas:
                    self._fold.add(delta)
                    yield delta
        except BaseException as error:
            self._error = error
            raise

    async def whole(self) -> None:
        async with aclosing(self.deltas()) as deltas:
            async for _ in deltas:
                pass

    def reply(self) -> Reply:
        """As far as it has come."""
        return self._fold.reply(self._error)


class _Gaps:
    """Those of one request, a choice for each prompt."""

    def __init__(self, call: Call) -> None:
        prompt = call.body["prompt"]
        prompts = [prompt] if isinstance(prompt, str) else prompt
        self._gaps = [_Gap(call, one, place) for place, one in enumerate(prompts)]

    def prepare(self) -> dict[str, Any]:
        """What all answers begin with. Looks at files; raises what is in the way."""
        for gap in self._gaps:
            gap.prepare()
        model = self._gaps[0].target.model.id
        head = {"id": new_id("cmpl"), "object": "text_completion", "created": int(time.time())}
        return {**head, "model": model}

    async def whole(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for gap in self._gaps:
                    group.create_task(gap.whole())
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None

    async def deltas(self) -> AsyncGenerator[tuple[int, Delta], None]:
        """One after the other."""
        for place, gap in enumerate(self._gaps):
            async with aclosing(gap.deltas()) as deltas:
                async for delta in deltas:
                    yield place, delta

    def reply(self) -> Reply:
        """As far as it has come; usage is that of all."""
        first, *others = (gap.reply() for gap in self._gaps)
        usage = sum((other.usage for other in others), first.usage)
        return replace(first, usage=usage, others=others)


async def _complete(call: Call) -> Response:
    gaps = _Gaps(call)
    head = await asyncio.to_thread(gaps.prepare)
    if call.body.get("stream"):
        usage = bool((call.body.get("stream_options") or {}).get("include_usage"))
        return await streamed(_events(gaps, head, usage), failed, gaps.reply)
    await gaps.whole()
    reply = gaps.reply()
    return as_json(wire.write_completion(reply, head), made=reply)


async def _events(gaps: _Gaps, head: dict[str, Any], usage: bool) -> AsyncGenerator[bytes, None]:
    async with aclosing(gaps.deltas()) as deltas:
        async for place, delta in deltas:
            yield sse.written(wire.write_completion_chunk(delta, head, place))
    if usage:
        yield sse.written(wire.write_usage(gaps.reply(), head))
    yield sse.ENDED


async def _taken(call: Call) -> Response:
    """Comparing is imported by who counts."""

    def store() -> Store:
        from ..compare import keystrokes
        from ..compare.comparison import runs

        keystrokes.check(call.body)
        return runs(call.workspace).store

    hour = time.strftime("%Y-%m-%dT%H", time.gmtime())
    await (await asyncio.to_thread(store)).count(hour, call.body)
    return as_json({"object": "completions.counted", "run": "completions"})


ROUTES = (
    Route(
        "POST",
        "/completions",
        _complete,
        "What goes on from a text, or stands between two (`suffix`).",
        "execute",
        bodies.Completions,
        answers=("application/json", "text/event-stream"),
        shape=COMPLETION,
    ),
    Route(
        "POST",
        "/completions/taken",
        _taken,
        "Count whose text was shown at the cursor, and taken: numbers, no text.",
        "write",
        bodies.Taken,
        shape=holds(object=one_of("completions.counted"), run=TEXT),
    ),
)
