"""Texts spoken."""

from __future__ import annotations

import asyncio

from ..wire import bodies
from .exchange import Call, Response, Route


async def _speak(call: Call) -> Response:
    body = call.body
    model = await asyncio.to_thread(call.model, body.get("model"))
    rest = {k: v for k, v in body.items() if k not in ("model", "input") and v is not None}
    audio = await call.router.speak(body["input"], model, **rest)
    return Response(200, {"content-type": audio.content_type}, audio.data)


ROUTES = (
    Route(
        "POST",
        "/audio/speech",
        _speak,
        "A text spoken.",
        "execute",
        bodies.Speech,
        answers=("audio/*",),
    ),
)
