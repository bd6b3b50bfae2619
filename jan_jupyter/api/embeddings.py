"""Vectors of texts, and documents by how well they answer a query."""

from __future__ import annotations

import asyncio

from ..wire import bodies
from ..wire import openai as wire
from .exchange import Call, Response, Route, as_json

_OURS = {"model", "input", "encoding_format"}


async def _embed(call: Call) -> Response:
    body = call.body
    given = body["input"]
    texts = [given] if isinstance(given, str) else given
    model = await asyncio.to_thread(call.model, body.get("model"))
    rest = {k: v for k, v in body.items() if k not in _OURS and v is not None}
    found = await call.router.embed(texts, model, **rest)
    packed = body.get("encoding_format") == "base64"
    return as_json(wire.write_embeddings(found, packed=packed), made=found)


ROUTES = (
    Route("POST", "/embeddings", _embed, "A vector for each text.", "execute", bodies.Embeddings),
)
