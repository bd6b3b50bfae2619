"""Answers that this process has written for anybody: which there are, and how they are stopped."""

from __future__ import annotations

import asyncio
from typing import Any

from .. import errors
from ..wire import resources as wire
from .exchange import Call, Response, Route, as_json
from .shapes import TEXT, WHOLE, holds, listing, one_of

_ANSWER = holds(
    id=TEXT,
    object=one_of("generating"),
    model=TEXT,
    engine=TEXT,
    kind=one_of("chat", "completion"),
    created_at=WHOLE,
    tokens=WHOLE,
)


async def _list(call: Call) -> Response:
    rows: list[dict[str, Any]] = [
        {
            "id": str(one.id),
            "object": "generating",
            "model": one.model,
            "engine": one.engine,
            "kind": one.kind,
            "created_at": int(one.since),
            "tokens": one.tokens,
        }
        for one in call.router.underway
        if await asyncio.to_thread(call.sees, one.model)
    ]
    return as_json(wire.listed(rows))


async def _stop(call: Call) -> Response:
    name = call.names["model"]
    id = await asyncio.to_thread(_id, call, name)
    stopped = call.router.underway.stop(id)
    return as_json({"id": id, "object": "model.stop", "stopped": stopped})


def _id(call: Call, name: str) -> str:
    """The id by which its answers are known; also of one that was removed meanwhile."""
    try:
        return call.router.model(call.model(name))[0].id
    except errors.ModelNotFound:
        if not call.sees(name) or name not in {one.model for one in call.router.underway}:
            raise
        return name


ROUTES = (
    Route(
        "GET",
        "/generating",
        _list,
        "The answers that this process is writing.",
        shape=listing(_ANSWER),
    ),
    Route(
        "POST",
        "/models/{model...}/stop",
        _stop,
        "End the answers of a model that this process is writing; what has come is kept.",
        "execute",
        shape=holds(id=TEXT, object=one_of("model.stop"), stopped=WHOLE),
    ),
)
