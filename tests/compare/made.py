"""Grids and rows for tests of what keeps them."""

from __future__ import annotations

from typing import Any

from jan_jupyter.compare.grids.grid import grid
from jan_jupyter.compare.values import Call, Grid, Row
from jan_jupyter.types import ChatRequest, Finish, Message, Reply, Timings, Usage


def small_grid(prompts: int = 2, models: int = 2, **options: Any) -> Grid:
    texts = [f"question {number}" for number in range(prompts)]
    return grid(texts, [f"model-{number}" for number in range(models)], **options)


def answer(
    call: Call = Call(0, 0),  # noqa: B008
    text: str = "an answer",
    *,
    finish: Finish | None = "stop",
    error: str = "",
    key: str = "",
    at: float = 1000.0,
    **more: Any,
) -> Row:
    """A row as a call leaves it."""
    request = ChatRequest(
        (Message("user", f"question {call.case}"),), {"temperature": 0.5}, priority="grid"
    )
    reply = Reply(
        text,
        f"model-{call.contestant}",
        "openai",
        messages=(*request.messages, Message("assistant", text)),
        usage=Usage(3, 5, 1),
        timings=Timings(queue=0.0, load=0.5, first_token=0.7, total=1.25, decode_tokens=5),
        finish=finish,
        request=request,
    )
    name = key or f"key-{call.case}-{call.contestant}-{call.repeat}"
    return Row(call, name, None if error else reply, error, at=at, **more)
