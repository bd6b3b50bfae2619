"""Models that are fetched in the background, whoever looks or leaves: begun, listed, stopped."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from .. import errors
from ..models.hub.pull import Progress
from ..models.hub.unfinished import Unfinished, discard, is_fetched, unfinished
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
    pulls = call.router.pulls
    rows = {one.now.id: _under_way(one.source, one.now) for one in pulls if one.now is not None}
    failed = {**pulls.failed}
    for one, fetched in await asyncio.to_thread(_on_disk, call.router.store.writable):
        here = _row(one.id, one.source, "fetching" if fetched else "stopped", one.done, one.total)
        rows.setdefault(one.id, {**here, "message": one.here})
    for name, ended in failed.items():
        row = rows.setdefault(name, _row(name, ended.source, "stopped"))
        if row["state"] == "stopped":
            row |= {"state": "failed", "message": ended.why}
    return as_json(wire.listed([*rows.values()]))


def _row(id: str, source: str, state: str, done: int = 0, total: int = 0) -> dict[str, Any]:
    known = {"id": id, "object": "pull", "source": source, "state": state}
    return {**known, "done": done, "total": total, "speed": None, "left": None, "message": ""}


def _under_way(source: str, now: Progress) -> dict[str, Any]:
    state = "fetching" if now.model is None else "done"
    row = _row(now.id, source, state, now.done, now.total or 0)
    return {**row, "speed": now.speed, "left": now.left, "message": str(now)}


def _on_disk(folder: Path) -> list[tuple[Unfinished, bool]]:
    """Those of all processes, and whether anybody fetches each of them now."""
    return [(one, is_fetched(one.folder)) for one in unfinished(folder)]


async def begin(call: Call) -> dict[str, Any]:
    """Fetch in the background what a body wants; how far it is. Raises what is in the way."""
    source, pulls = call.body["model"], call.router.pulls
    for one in pulls:  # asked twice, it is fetched once
        if one.is_meant(source) and one.now is not None:
            return _under_way(one.source, one.now)
    return _under_way(
        source, await pulls.begin(source, call.router.pull(source, id=call.body.get("id")))
    )


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
