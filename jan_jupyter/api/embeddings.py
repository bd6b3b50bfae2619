"""Vectors of texts, and documents by how well they answer a query."""

from __future__ import annotations

import asyncio

from ..wire import bodies
from ..wire import openai as wire
from .exchange import Call, Response, Route, as_json
from .shapes import RANKING, VECTORS

_OURS = {"model", "input", "encoding_format"}


async def _embed(call: Call) -> Response:
    body = call.body
    given = body["input"]
    one = isinstance(given, str) or isinstance(given[0], int)  # a text, or the tokens of one
    texts = [given] if one else given
    model = await asyncio.to_thread(call.model, body.get("model"))
    rest = {k: v for k, v in body.items() if k not in _OURS and v is not None}
    found = await call.router.embed(texts, model, **rest)
    packed = body.get("encoding_format") == "base64"
    return as_json(wire.write_embeddings(found, packed=packed), made=found)


async def _rank(call: Call) -> Response:
    body = call.body
    documents = [one if isinstance(one, str) else one["text"] for one in body["documents"]]
    model = await asyncio.to_thread(call.model, body.get("model"))
    most = {} if body.get("top_n") is None else {"top_n": body["top_n"]}
    found = await call.router.rerank(body["query"], documents, model, **most)
    whole = bool(body.get("return_documents"))
    return as_json(wire.write_ranking(found, documents, whole=whole), made=found)


ROUTES = (
    Route(
        "POST",
        "/rerank",
        _rank,
        "Documents by how well they answer a query.",
        "execute",
        bodies.Ranked,
        shape=RANKING,
    ),
    Route(
        "POST",
        "/embeddings",
        _embed,
        "A vector for each text.",
        "execute",
        bodies.Embeddings,
        shape=VECTORS,
    ),
)
