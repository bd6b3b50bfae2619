"""Which models there are, and what changes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

from ..models.model import Model
from ..wire import resources as wire
from ..wire import sse
from . import pulls
from .chat import failed
from .details import details
from .exchange import Call, Response, Route, as_json
from .shapes import DELETED, MODEL, PULLED, listing
from .streams import streamed

# Looking ------------------------------------------------------------------------------------------


async def _list(call: Call) -> Response:
    found = await asyncio.to_thread(_found, call)
    rows = [_brief(model, model.reference) for model in found]
    if call.flag("details"):
        more = await details(call, found)
        rows = [{**row, **told} for row, told in zip(rows, more, strict=True)]
    return as_json(wire.listed(rows))


def _found(call: Call) -> list[Model]:
    found = call.store.list()
    if not call.flag("all"):
        found = [model for model in found if model.state == "ready"]
    return found


async def _get(call: Call) -> Response:
    return as_json(await asyncio.to_thread(_described, call, call.names["model"]))


def _described(call: Call, name: str) -> dict[str, Any]:
    model, _ = call.router.model(call.model(name))
    return whole(model, name)


def _brief(model: Model, name: str) -> dict[str, Any]:
    """As OpenAI, Jan and Anthropic each want to read it."""
    return {
        "id": name,
        "object": "model",
        "created": int(model.created or 0),
        "owned_by": model.engine,
        "name": model.name,
        "engine": model.engine,
        "state": model.state,
        "type": "model",
        "display_name": model.name,
        "created_at": wire.moment(model.created),
        "lifecycle": "active",
    }


def whole(model: Model, name: str) -> dict[str, Any]:
    """All that is known of a model, under the name that was asked for."""
    return {
        **_brief(model, name),
        "reason": model.reason,
        "source": model.source,
        "format": model.format,
        "version": model.version,
        "description": model.description,
        "size": model.size,
        "settings": wire.public(model.settings),
        "parameters": wire.public(model.parameters),
        "metadata": wire.public(model.metadata),
        "sources": wire.public(model.sources),
        "warnings": [*model.warnings],
    }


# Changing -----------------------------------------------------------------------------------------


async def _create(call: Call) -> Response:
    model = await asyncio.to_thread(call.router.store.create, call.body)
    return as_json(whole(model, model.reference), 201)


async def _update(call: Call) -> Response:
    values: dict[str, Any] = {}
    for name, value in call.body.items():
        if name in ("settings", "parameters", "metadata") and isinstance(value, Mapping):
            values |= {f"{name}.{inner}": given for inner, given in value.items()}
        elif name not in ("id", "object"):
            values[name] = value

    def update() -> Model:
        return call.router.store.update(_one(call), values)

    model = await asyncio.to_thread(update)
    return as_json(whole(model, model.reference))


def _one(call: Call) -> Model:
    return call.router.model(call.model(call.names["model"]))[0]


async def _delete(call: Call) -> Response:
    store = call.router.store
    model = await asyncio.to_thread(lambda: store.owned(_one(call), "removed"))
    if model.id in {running.model for running in await call.router.running()}:
        await call.router.unload(model)  # some systems delete no file that is in use
    left = await asyncio.to_thread(store.remove, model)
    return as_json(wire.deleted("model", model.id, left=[path.name for path in left]))


async def _import(call: Call) -> Response:
    body = call.body

    def bring() -> Model:
        source = body["source"]
        return call.router.store.import_(
            Path(source) if Path(source).is_absolute() else source,
            id=body.get("id"),
            how=body.get("how") or "refer",
            trust_address=bool(body.get("trust_address")),
        )

    model = await asyncio.to_thread(bring)
    return as_json(whole(model, model.reference), 201)


async def _pull(call: Call) -> Response:
    if call.body.get("background"):
        return as_json(await pulls.begin(call))
    steps = _steps(call)
    if call.body.get("stream") is not False:
        return await streamed(_events(steps), failed)
    last: dict[str, Any] = {}
    async with aclosing(steps):
        async for step in steps:
            last = step
    return as_json(last)


async def _steps(call: Call) -> AsyncGenerator[dict[str, Any], None]:
    async with aclosing(call.router.pull(call.body["model"], id=call.body.get("id"))) as steps:
        async for now in steps:
            made = {} if now.model is None else {"model": whole(now.model, now.model.reference)}
            yield {
                "id": now.id,
                "object": "model.pull",
                "done": now.done,
                "total": now.total,
                "share": now.share,
                "speed": now.speed,
                "left": now.left,
                "message": str(now),
                **made,
            }


async def _events(steps: AsyncGenerator[dict[str, Any], None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(steps):
        async for step in steps:
            yield sse.written(step)
    yield sse.ENDED


# In memory ----------------------------------------------------------------------------------------


async def _load(call: Call) -> Response:
    name = await asyncio.to_thread(call.model, call.names["model"])
    return as_json(_brief(await call.router.load(name), call.names["model"]))


async def _unload(call: Call) -> Response:
    name = await asyncio.to_thread(call.model, call.names["model"])
    return as_json(_brief(await call.router.unload(name), call.names["model"]))


ROUTES = (
    Route(
        "GET",
        "/models",
        _list,
        "The models that can be asked.",
        shape=listing(MODEL),
        query={
            "all": "`true`: also those that are not ready",
            "details": "`true`: with sizes, contexts, origin, and whether it fits into memory",
        },
    ),
    Route(
        "POST",
        "/models",
        _create,
        "A model from what its model.json shall say.",
        "write",
        wire.NewModel,
        shape=MODEL,
        status=201,
    ),
    Route(
        "POST",
        "/models/pull",
        _pull,
        "Fetch a model; its progress as it comes, at last with the model. In the `background`: how"
        " far it is now.",
        "write",
        wire.Pull,
        answers=("text/event-stream", "application/json"),
        shape=PULLED,
    ),
    Route(
        "POST",
        "/models/import",
        _import,
        "A model from files of this machine, or of another program.",
        "write",
        wire.Import,
        shape=MODEL,
        status=201,
    ),
    Route(
        "POST",
        "/models/{model...}/load",
        _load,
        "Load a model, so that it can answer at once.",
        "execute",
        shape=MODEL,
    ),
    Route(
        "POST",
        "/models/{model...}/unload",
        _unload,
        "Give back the memory of a model.",
        "execute",
        shape=MODEL,
    ),
    Route("GET", "/models/{model...}", _get, "One model.", shape=MODEL),
    Route(
        "PATCH",
        "/models/{model...}",
        _update,
        "Set fields of a model's description.",
        "write",
        wire.Edit,
        shape=MODEL,
    ),
    Route(
        "DELETE",
        "/models/{model...}",
        _delete,
        "Remove a model and its files.",
        "write",
        shape=DELETED,
    ),
)
