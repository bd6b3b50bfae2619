"""What happens to models, as it happens: loading, ready, unloading, downloads."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import asdict

from ..models.hub.unfinished import Unfinished, unfinished
from ..router import Router
from ..types import Event, Running
from ..wire import sse
from .chat import failed
from .exchange import Call, Response, Route
from .streams import streamed

LOOK = 2.0
"""Seconds between two looks at what other processes load and fetch."""
MOST = 1000
"""Events that wait for one who reads slowly; older ones are gone then."""

Seen = Mapping[tuple[str, str], Event]
"""What is in memory or on its way, by kind and name."""


async def _events(call: Call) -> Response:
    return await streamed(_pieces(call), failed)


async def _pieces(call: Call) -> AsyncGenerator[bytes, None]:
    """First a comment, since nothing may happen for long, then what is so now, then what happens.

    What this process does is heard of at once, and what others do is looked at while one listens.
    """
    router = call.router
    waiting: deque[Event] = deque(maxlen=MOST)
    news = asyncio.Event()

    def tell(event: Event) -> None:
        waiting.append(event)
        news.set()

    unwatch = router.watch(tell)
    try:
        yield b": jan\n\n"
        seen: Seen = {}
        while True:
            now = await _now(router)
            own = {(event.model, event.state) for event in waiting}
            for event in _changes(seen, now):
                if (event.model, event.state) not in own:
                    waiting.append(event)
            seen = now
            while waiting:
                event = waiting.popleft()
                if await _is_seen(call, event.model):
                    yield _written(event)
            news.clear()
            try:
                async with asyncio.timeout(LOOK):
                    await news.wait()
            except TimeoutError:
                pass
    finally:
        unwatch()


async def _is_seen(call: Call, id: str) -> bool:
    allowed = call.request.models
    if allowed is None or id in allowed:  # what is being fetched is no model yet
        return True
    seen = await asyncio.to_thread(call.store.list)
    return any(model.id == id for model in seen)


async def _now(router: Router) -> Seen:
    found: dict[tuple[str, str], Event] = {}
    for running in await router.running():
        found["model", running.model] = _of_running(running)
    for pull in await asyncio.to_thread(unfinished, router.store.writable):
        found["pull", pull.id] = _of_pull(pull)
    return found


def _of_running(running: Running) -> Event:
    return Event(running.state, running.model, running.engine, running.progress)


def _of_pull(pull: Unfinished) -> Event:
    share = min(1.0, pull.done / pull.total) if pull.total else None
    return Event("downloading", pull.id, "", share, pull.here)


def _changes(before: Seen, now: Seen) -> Iterator[Event]:
    for name, event in now.items():
        if before.get(name) != event:
            yield event
    for (kind, model), event in before.items():
        if (kind, model) not in now:
            # A pull that is gone has ended, or was given up: the list of models tells which.
            yield Event("unloaded", model, event.engine)


def _written(event: Event) -> bytes:
    """`event:` is its state, so that a page may listen to one alone."""
    told = {name: value for name, value in asdict(event).items() if value not in (None, "")}
    return sse.written(told, event.state)


ROUTES = (
    Route(
        "GET",
        "/events",
        _events,
        "What happens to models, as it happens; first what is in memory now.",
        answers=("text/event-stream",),
    ),
)
