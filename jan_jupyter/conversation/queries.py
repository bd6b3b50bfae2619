"""What the front end asks, which is answered at once, beside the queue of actions."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from .. import assets, errors
from ..ask import Stream
from ..models.summary import facts
from ..threads.columns import branches
from ..types import Message
from . import brought
from .protocol import Context, Preview, ThreadRow
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

    async def answer_preview(
        self, text: str, images: int = 0, context: Sequence[Context] = ()
    ) -> Preview:
        """Of pictures only their number is told: they need not travel for every letter typed."""
        found = await brought.along(self._around, text, context)
        pictures = [{"type": "image_url", "image_url": {"url": "data:…"}}] * min(
            images, brought.MOST
        )
        stream = await asyncio.to_thread(self._unsent, question(text or " ", found, pictures))
        target = stream.target
        request = target.engine.preview(target.model, stream.request)
        tokens, counted = await self._tokens(stream) if text.strip() or found else (0, False)
        header = await asyncio.to_thread(self._selection.workspace.models.header, target.model)
        return {
            "request": json.dumps(request, ensure_ascii=False, indent=2, default=str),
            "tokens": tokens,
            "counted": counted,
            "length": facts(target.model, header).context or None,
            "context": found,
        }

    async def _tokens(self, stream: Stream) -> tuple[int, bool]:
        """How many tokens a request has, and whether its model has counted them: it does so where
        it is in memory, for texts alone."""
        request = stream.request
        if not any(message.has_images for message in request.messages):
            with contextlib.suppress(errors.JanError):
                exact = await self._selection.router.count_now(request, stream.target)
                if exact is not None:
                    return exact, True
        letters = sum(len(message.text) for message in request.messages)
        return brought.about_tokens(letters), False

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
