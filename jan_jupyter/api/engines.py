"""Which engines there are, and whether they can be asked."""

from __future__ import annotations

import asyncio
from typing import Any

from .. import errors
from ..addresses import is_this_machine
from ..engines.install.listing import Listed, described
from ..engines.install.listing import listing as look
from ..engines.listening import nobody
from ..redaction import without_secrets
from ..wire import resources as wire
from .exchange import Call, Response, Route, as_json, beside
from .shapes import ENGINE, WHOLE, holds, listing


async def _list(call: Call) -> Response:
    rows = await asyncio.to_thread(look, call.store)
    ready = [row.address for row in rows if row.state == "ready"]
    there = await call.workspace.servers.listening(ready)
    return as_json(wire.listed([written(row, there) for row in rows]))


def written(row: Listed, there: set[str]) -> dict[str, Any]:
    """An engine, and whether it can be asked; `there` are the addresses where a server listens."""
    silent = row.state == "ready" and is_this_machine(row.address) and row.address not in there
    return {
        "id": row.name,
        "object": "engine",
        "kind": row.kind,
        "state": "not running" if silent else row.state,
        "remark": nobody(row.address) if silent else row.remark,
        "package": row.package,
        "models": row.models,
        "address": without_secrets(row.address),
    }


def _get(call: Call) -> dict[str, Any]:
    name = call.names["engine"]
    if not name.strip():  # in a file it means the usual one
        raise errors.EngineNotFound("An engine has a name.")
    found = described(call.store, name)
    return {"id": found["engine"], "object": "engine", **found}


ROUTES = (
    Route(
        "GET",
        "/engines",
        _list,
        "All engines, and their states.",
        shape=listing(holds(**ENGINE["properties"], models=WHOLE)),
    ),
    Route(
        "GET",
        "/engines/{engine...}",
        beside(_get),
        "What is known of one engine.",
        shape=ENGINE,
    ),
)
