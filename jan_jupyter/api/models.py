"""Which models there are."""

from __future__ import annotations

import asyncio
from typing import Any

from .exchange import Call, Response, Route, as_json


async def _list(call: Call) -> Response:
    return as_json(await asyncio.to_thread(_listed, call))


def _listed(call: Call) -> dict[str, Any]:
    usable = [model for model in call.router.store.list() if model.state == "ready"]
    if (allowed := call.request.models) is not None:
        usable = [model for model in usable if {model.id, model.reference} & {*allowed}]
    return {
        "object": "list",
        "data": [_described(m.reference, m.engine, m.created) for m in usable],
    }


async def _get(call: Call) -> Response:
    return as_json(await asyncio.to_thread(_model, call, call.names["model"]))


def _model(call: Call, name: str) -> dict[str, Any]:
    model, _ = call.router.model(call.model(name))
    return _described(name, model.engine, model.created)


def _described(name: str, engine: str, created: float | None) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": int(created or 0), "owned_by": engine}


ROUTES = (
    Route("GET", "/models", _list, "The models that can be asked."),
    Route("GET", "/models/{model...}", _get, "One model."),
)
