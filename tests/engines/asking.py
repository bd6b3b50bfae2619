"""One question to an engine that is made for it, in a loop of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jan_jupyter.engine_options.engine_rows import known_engines
from jan_jupyter.engines.http.endpoint import Remote
from jan_jupyter.engines.registry import engine_class
from jan_jupyter.models.model import Model
from jan_jupyter.types import ChatRequest, Delta, Event, Message
from support.jan import engine_options

KEY = "sk-canary-123"


def model(name: str, **settings: Any) -> Model:
    settings = {"model": name, **settings}
    return Model("mine", name, "any", "ready", "json", Path("model.json"), settings=settings)


def engine(kind: str, base_url: str, events: list[Event] | None = None, **more: Any) -> Remote:
    """An engine as its built-in row and a file with this address, a key and `settings` make it."""
    row = known_engines()[kind]
    settings = {**row.settings, **more.pop("settings", {})}
    key = more.pop("api_key", KEY)
    options = engine_options(kind, base_url, key, settings=settings, **more)
    heard: list[Event] = [] if events is None else events
    made = engine_class(kind)(options, heard.append)
    assert isinstance(made, Remote)
    return made


def ask(asked: Remote, about: Model, request: ChatRequest | str = "hi", **more: Any) -> list[Delta]:
    """The deltas of one answer; `more` are parameters."""
    if isinstance(request, str):
        request = ChatRequest([Message("user", request)], more)

    async def gather() -> list[Delta]:
        try:
            return [delta async for delta in asked.chat(about, request)]
        finally:
            await asked.close()

    return asyncio.run(gather())


def body(asked: Remote, about: Model, messages: Sequence[Message] | str, **more: Any) -> Any:
    """What would be sent; `more` are fields of the request."""
    if isinstance(messages, str):
        messages = [Message("user", messages)]
    return asked.preview(about, ChatRequest(messages, **more))["body"]


def text(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas)
