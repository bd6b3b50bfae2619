"""What happens to models, as it happens: loading, ready, unloading, downloads."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import asdict
from typing import Any

from .. import lookout
from ..lookout import News
from ..types import Event
from ..wire import sse
from .chat import failed
from .exchange import Call, Response, Route
from .streams import streamed

MOST = 1000
"""Events that wait for one who reads slowly; older ones are gone then."""


async def _events(call: Call) -> Response:
    return await streamed(_pieces(call), failed)


async def _pieces(call: Call) -> AsyncGenerator[bytes, None]:
    """First a comment, since nothing may happen for long, then what is so now, then what happens.

    What this process does is heard of at once, and what others do is looked at while one listens.
    """
    waiting: deque[Event] = deque(maxlen=MOST)
    come = asyncio.Event()

    def tell(news: News) -> None:
        waiting.extend(news.events)
        come.set()

    leave = lookout.of(call.router).listen(tell)
    try:
        yield b": jan\n\n"
        while True:
            await come.wait()
            come.clear()
            while waiting:
                event = waiting.popleft()
                if await asyncio.to_thread(call.sees, event.model):
                    yield sse.written(written(event), event.state)
    finally:
        leave()


def written(event: Event) -> dict[str, Any]:
    """An event without the fields that say nothing; in a stream it has the name of its state, so
    that a page may listen to one alone."""
    return {name: value for name, value in asdict(event).items() if value not in (None, "")}


ROUTES = (
    Route(
        "GET",
        "/events",
        _events,
        "What happens to models, as it happens; first what is in memory now.",
        answers=("text/event-stream",),
    ),
)
