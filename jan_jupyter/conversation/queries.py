"""What the front end asks, which is answered at once, beside the queue of actions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from .. import assets, errors
from ..ask import Stream
from ..threads.columns import branches
from ..types import Message
from .protocol import ThreadRow
from .selection import Selection
from .surroundings import Surroundings
from .turns import question

Answer = Callable[..., Awaitable[Any]]


class Queries:
    """One method for each query of `Queries` in `protocol.ts`; parameters are its fields."""

    def __init__(self, selection: Selection, around: Surroundings) -> None:
        self._selection = selection
        self._around = around

    async def answer(self, kind: str, query: Mapping[str, Any]) -> Any:
        """Raises `UsageError` for a query that there is not."""
        found: Answer | None = getattr(self, f"answer_{kind}", None)
        if found is None:
            raise errors.UsageError(f"The panel knows no {kind!r}.")
        return await found(**query)

    async def answer_threads(self, pattern: str) -> list[ThreadRow]:
        return await asyncio.to_thread(self._matching, pattern)

    def _matching(self, pattern: str) -> list[ThreadRow]:
        store = self._selection.threads
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

    async def answer_complete(self, text: str) -> list[dict[str, str]]:
        found = await asyncio.to_thread(self._around.complete, text)
        return [candidate._asdict() for candidate in found]

    async def answer_preview(self, text: str, images: int = 0) -> dict[str, Any]:
        context = await self._around.references(text)
        pictures = [{"type": "image_url", "image_url": {"url": "data:…"}}] * images
        stream = await asyncio.to_thread(self._unsent, question(text or " ", context, pictures))
        request = stream.target.engine.preview(stream.target.model, stream.request)
        letters = sum(len(message.text) for message in stream.request.messages)
        return {
            "request": json.dumps(request, ensure_ascii=False, indent=2, default=str),
            "tokens": round(letters / 4) if text.strip() else 0,
            "context": context,
        }

    def _unsent(self, prompt: Message) -> Stream:
        """The answer to a question, which nobody asks for; of several columns that of the first
        which it is for."""
        selection = self._selection
        selection.refresh()
        chat, columns = selection.chat(selection.reference), selection.columns
        if columns is None or selection.thread is None:
            return chat.stream(prompt)
        found = branches(selection.thread.seen.tree, columns)
        asked = [one for one in found if one.column.name not in selection.left_out] or found
        return chat.once(prompt, after=asked[0].tip, column=asked[0].column)

    async def answer_export(self, format: str) -> dict[str, str]:
        thread = self._selection.thread
        if thread is None:
            raise errors.UsageError("Nothing has been said in this thread yet.")
        text = await asyncio.to_thread(thread.export, format)
        title = thread.seen.head.title
        name = "".join(c if c.isalnum() else "-" for c in title).strip("-")[:60]
        suffix = {"markdown": "md", "jsonl": "jsonl", "ipynb": "ipynb"}[format]
        return {"name": f"{name or 'thread'}.{suffix}", "text": text}

    async def answer_part(self, name: str) -> str:
        if name not in assets.PARTS:
            raise errors.UsageError(f"The panel has no part {name!r}.")
        return await asyncio.to_thread(assets.source, name)
