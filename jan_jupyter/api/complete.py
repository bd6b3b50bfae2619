"""What the Tab key offers in a line of `%jan` or `%%jan`, for pages whose kernel is busy."""

from __future__ import annotations

from typing import Any

from ..wire import resources as wire
from .exchange import Call, Route, beside
from .shapes import FLAG, TEXT, WHOLE, holds, one_of, several

_WORD = holds(text=TEXT, type=TEXT, documentation=TEXT)


def _complete(call: Call) -> dict[str, Any]:
    """The words fit between `start` and `end`, characters of the line."""
    from ..commands.offering import offered

    line = call.body["line"]
    cursor = call.body.get("cursor")
    before = line if cursor is None else line[:cursor]
    found = offered(before)
    words = found.described() if found is not None else []
    start = len(before) - (len(found.current) if found is not None else 0)
    return {
        "object": "words",
        "ours": found is not None,
        "start": start,
        "end": len(before),
        "data": [
            {"text": word.text, "type": word.kind, "documentation": word.about}
            for word in words
            if word.kind != "path" or word.text[:1] in "/~"  # others are where the kernel is
        ],
    }


ROUTES = (
    Route(
        "POST",
        "/complete",
        beside(_complete),
        "What the Tab key offers in a line of `%jan`, with what it means; no names of a notebook.",
        "read",
        wire.Line,
        shape=holds(object=one_of("words"), ours=FLAG, start=WHOLE, end=WHOLE, data=several(_WORD)),
    ),
)
