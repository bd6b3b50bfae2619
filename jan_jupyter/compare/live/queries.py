"""What a view asks, which is answered at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from ... import assets
from ...errors import JanError, UsageError
from ..keeping import written
from ..running.compose import Composer
from ..session import Session
from ..values import Call
from . import plain

MOST = 200
"""Texts of one answer."""


class Queries:
    """The `Queries` of `protocol.ts`, and the parts of the front end."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def answer(self, asked: Mapping[str, Any]) -> Any:
        """Raises `UsageError` for what nobody asks."""
        kind = asked.get("type")
        if kind == "texts":
            return self.texts(asked.get("calls"))
        if kind == "request":
            return await asyncio.to_thread(self.request, asked.get("call"))
        if kind == "part":
            return await asyncio.to_thread(part, asked.get("name"))
        raise UsageError(f"A comparison knows no {kind!r:.80}.")

    def texts(self, calls: Any) -> list[str]:
        rows = self._session.rows
        found = [rows.get(call_of(call)) for call in list(calls or ())[:MOST]]
        return [plain.text(row.text) if row else "" for row in found]

    def request(self, call: Any) -> str:
        """The exact request of a call as its engine would send it, without keys."""
        session, place = self._session, call_of(call)
        composer = Composer(session.grid, session.workspace.router)
        row = session.rows.get(place)
        asked = row.reply.request if row and row.reply else None
        try:
            composed, target, _ = composer.keyed(place.case, place.contestant, (place.repeat,))
            asked = asked or composed
            return plain.request(target.engine.preview(target.model, asked))
        except JanError:  # the model is gone; what was asked is known all the same
            if asked is None:
                raise
            return plain.request(written.request_json(asked))


def part(name: object) -> str:
    """A part of the front end that is fetched when it is needed."""
    if name not in assets.PARTS:
        raise UsageError(f"The front end has no part {name!r:.80}.")
    return assets.source(str(name))


def call_of(given: Any) -> Call:
    """Raises `UsageError` for what is no place."""
    if isinstance(given, list | tuple) and len(given) == 3 and all(type(n) is int for n in given):
        return Call(*given)
    raise UsageError(f"No call is {given!r:.80}.")
