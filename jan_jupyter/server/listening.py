"""What happens to models, for pages: the events of `GET /events` over a WebSocket, and an overview.

A browser opens six connections to a host at most, and each page would keep one of them for good;
WebSockets are not among the six. Whoever listens makes no workspace: a page does so at its start.

What is told, as JSON: once `{"type": "snapshot", "state": Overview}` (`lookout.Overview`), then
`{"type": "state", "state": {…}}` with the fields that have changed, and `{"type": "event", "event":
{"state", "model", "engine", "progress", "message"}}` for each event, without what is not known.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tornado.websocket import WebSocketHandler

from .. import bridge
from .handling import Plain
from .telling import Teller

if TYPE_CHECKING:
    from ..lookout import Lookout, News
    from .talking import Place


def _lookout() -> Lookout:
    from .. import lookout

    return lookout.OWN


class EventsSocket(Plain, WebSocketHandler):
    """One page's ear; who may connect is the host's to say. What it says is not heard."""

    def initialize(self, house: Place) -> None:
        self.house = house
        self._teller = Teller(self)
        self._loop = asyncio.get_running_loop()
        self._leave: Callable[[], None] | None = None
        self._left = False
        self._begun = False
        self._allowed: Collection[str] | None = None
        """Ids of the models that may be heard of; `None`: all."""

    async def open(self, *args: str, **kwargs: str) -> None:
        opened: Any = super().open(*args, **kwargs)
        if opened is not None:
            await opened
        lookout = await asyncio.to_thread(_lookout)  # its first import takes its time
        if self.house.models is not None:
            seen = (await self.house.workspace()).only(self.house.models).models
            ids = {model.id for model in await asyncio.to_thread(seen.list)}
            self._allowed = ids | self.house.models
        bridge.loop().call_soon_threadsafe(self._join, lookout)

    def on_message(self, message: str | bytes) -> None:
        """Nothing is asked here."""

    def on_close(self) -> None:
        super().on_close()
        bridge.loop().call_soon_threadsafe(self._part)

    # On the background loop -----------------------------------------------------------------------

    def _join(self, lookout: Lookout) -> None:
        if not self._left:
            self._leave = lookout.listen(self._tell)

    def _part(self) -> None:
        self._left = True
        if self._leave is not None:
            self._leave()

    def _tell(self, news: News) -> None:
        texts = [json.dumps(told, ensure_ascii=False) for told in self._written(news)]
        try:
            self._loop.call_soon_threadsafe(self._send, texts)
        except RuntimeError:  # the server has ended
            return

    def _written(self, news: News) -> list[dict[str, Any]]:
        allowed = self._allowed
        if not self._begun:  # what happened before stands in it
            if not news.state:
                return []
            self._begun = True
            return [{"type": "snapshot", "state": _seen(news.state, allowed)}]
        told: list[dict[str, Any]] = []
        if news.state:
            told.append({"type": "state", "state": _seen(news.state, allowed)})
        for event in news.events:
            if allowed is None or event.model in allowed:
                known = {k: v for k, v in asdict(event).items() if v not in (None, "")}
                told.append({"type": "event", "event": known})
        return told

    def _send(self, texts: list[str]) -> None:
        for text in texts:
            self._teller.tell(text)


def _seen(state: Mapping[str, Any], allowed: Collection[str] | None) -> dict[str, Any]:
    """The same for somebody who may know of these models alone (`None`: all)."""
    if allowed is None:
        return dict(state)
    return {
        name: [row for row in value if (row.get("model") or row["id"]) in allowed]
        if isinstance(value, list)
        else value
        for name, value in state.items()
    }
