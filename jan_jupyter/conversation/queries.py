"""What the front end asks and is answered at once, beside the order in which things are done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from .. import errors
from ..ask import Stream
from ..types import Message
from . import assets as front_end
from .protocol import Context, ThreadRow
from .selection import Choices
from .turns import with_context

Find = Callable[[str], Awaitable[Sequence[Context]]]
"""What the references of a text stand for."""


class Asked:
    """One method for each question of `Asks` in `protocol.ts`."""

    def __init__(
        self, choices: Choices, context: Find, complete: Callable[[str], Sequence[Any]]
    ) -> None:
        self._choices = choices
        self._context = context
        self._candidates = complete

    async def answer(self, kind: str, question: Mapping[str, Any]) -> Any:
        """Raises `UsageError` for a question that is none."""
        asks: Mapping[str, Callable[..., Awaitable[Any]]] = {
            "threads": self._threads,
            "complete": self._complete,
            "preview": self._preview,
            "export": self._export,
            "part": self._part,
        }
        if kind not in asks:
            raise errors.UsageError(f"The panel knows no {kind!r}.")
        return await asks[kind](**question)

    async def _threads(self, pattern: str) -> list[ThreadRow]:
        return await asyncio.to_thread(self._found, pattern)

    def _found(self, pattern: str) -> list[ThreadRow]:
        store = self._choices.store
        found = {listed.id: (listed, "") for listed in store.list(pattern)}
        if pattern.strip():
            for hit in store.search(pattern):
                found.setdefault(hit.thread.id, (hit.thread, hit.excerpt))
        return [
            {
                "id": listed.id,
                "title": listed.title,
                "updated": listed.updated,
                "excerpt": excerpt or listed.last_message,
                "own": listed.own,
                "state": listed.state,
                "reason": listed.reason,
            }
            for listed, excerpt in found.values()
        ]

    async def _complete(self, text: str) -> list[dict[str, str]]:
        found = await asyncio.to_thread(self._candidates, text)
        return [candidate._asdict() for candidate in found]

    async def _preview(self, text: str, images: int = 0) -> dict[str, Any]:
        context = await self._context(text)
        prompt = with_context(text, context) or " "
        pictures = [{"type": "image_url", "image_url": {"url": "data:…"}}] * images
        content: Any = [{"type": "text", "text": prompt}, *pictures] if pictures else prompt
        stream = await asyncio.to_thread(self._unsent, content)
        request = stream.target.engine.preview(stream.target.model, stream.request)
        letters = sum(len(message.text) for message in stream.request.messages)
        return {
            "request": json.dumps(request, ensure_ascii=False, indent=2, default=str),
            "tokens": round(letters / 4) if text.strip() else 0,
            "context": context,
        }

    def _unsent(self, content: Any) -> Stream:
        """The answer to a question, which is not asked for."""
        return self._choices.chat(self._choices.reference).stream(Message("user", content))

    async def _export(self, format: str) -> dict[str, str]:
        thread = self._choices.thread
        if thread is None:
            raise errors.UsageError("Nothing has been said in this thread yet.")
        text = await asyncio.to_thread(thread.export, format)
        title = thread.seen.head.title
        name = "".join(c if c.isalnum() else "-" for c in title).strip("-")[:60]
        suffix = {"markdown": "md", "jsonl": "jsonl", "ipynb": "ipynb"}[format]
        return {"name": f"{name or 'thread'}.{suffix}", "text": text}

    async def _part(self, name: str) -> str:
        if name not in front_end.PARTS:
            raise errors.UsageError(f"The panel has no part {name!r}.")
        return await asyncio.to_thread(front_end.source, name)
