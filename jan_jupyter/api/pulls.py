"""Models that are fetched in the background, whoever looks or leaves: begun, listed, stopped."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

from .. import errors
from ..models.hub.unfinished import all_parts, discard, unfinished
from ..pulls import Pull
from ..wire import resources as wire
from .exchange import Call, Response, Route, as_json
from .shapes import DELETED, FLAG, TEXT, WHOLE, holds, listing, one_of

PULL = holds(
    id=TEXT,
    object=one_of("pull"),
    source=TEXT,
    state=one_of("fetching", "stopped", "failed", "done"),
    done=WHOLE,
    total=WHOLE,
    message=TEXT,
)


async def _list(call: Call) -> Response:
    parts = await asyncio.to_thread(all_parts, call.router.store.writable)
    found = [*call.router.pulls.listed(parts)]
    seen = await asyncio.to_thread(lambda: [one for one in found if call.sees(one.id)])
    return as_json(wire.listed([*map(_row, seen)]))


def _row(pull: Pull) -> dict[str, Any]:
    return {"object": "pull", **asdict(pull)}


async def begin(call: Call) -> dict[str, Any]:
    """Fetch in the background what a body wants; how far it is. Raises what is in the way."""
    source, pulls = call.body["model"], call.router.pulls
    for one in pulls:  # asked twice, it is fetched once
        if one.is_meant(source) and one.now is not None:
            return _row(Pull.of(one.source, one.now))
    return _row(await pulls.begin(source, call.router.pull(source, id=call.body.get("id"))))


async def _stop(call: Call) -> Response:
    name, pulls = call.names["pull"], call.router.pulls
    stopped = await pulls.stop(name)
    if not (pulls.forget(name) or stopped):
        known = await asyncio.to_thread(unfinished, call.router.store.writable)
        if not any(name in (one.id, one.source) for one in known):
            raise errors.ModelNotFound(f"There is no pull of {name!r:.200}.")
    return as_json({"id": name, "object": "pull", "stopped": stopped})


async def _discard(call: Call) -> Response:
    name, pulls = call.names["pull"], call.router.pulls
    stopped = await pulls.stop(name)
    stopped = pulls.forget(name) or stopped
    try:
        await asyncio.to_thread(discard, call.router.store.writable, name)
    except errors.ModelNotFound:
        if not stopped:  # else it was, before anything had come
            raise
    return as_json(wire.deleted("pull", name))


ROUTES = (
    Route(
        "GET",
        "/pulls",
        _list,
        "The models that are being fetched, and those of which a part is here.",
        shape=listing(PULL),
    ),
    Route(
        "POST",
        "/pulls/{pull...}/stop",
        _stop,
        "Stop fetching a model, however that was begun here; what has come is kept.",
        "write",
        shape=holds(id=TEXT, object=one_of("pull"), stopped=FLAG),
    ),
    Route(
        "DELETE",
        "/pulls/{pull...}",
        _discard,
        "Stop fetching a model, and delete what has come.",
        "write",
        shape=DELETED,
    ),
)
