"""What a conversation needs of the place it is shown in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from .protocol import Context, Send


@dataclass
class Surroundings:
    send: Send
    """Send an event to the front end; from any thread, without waiting."""
    changed: Callable[[], None] = lambda: None
    """The model, the thread, or whether an answer is on its way may have changed."""
    context: Callable[[str], Future[list[Context]]] | None = None
    """What the references of a question stand for, found out in the notebook's own thread."""
    complete: Callable[[str], Sequence[Any]] = lambda text: ()
    """What may stand for a reference that has begun: named tuples of `insert, label, detail`."""
    on_keys: str = ""
    """What is said of a model whose key is not known here, beside how it can be given one."""

    async def references(self, text: str) -> list[Context]:
        """What the `@…` of a text stand for; nothing where no place knows."""
        if self.context is None or "@" not in text:
            return []
        return await asyncio.wrap_future(self.context(text))
