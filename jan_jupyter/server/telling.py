"""Telling a page: in order, as fast as it reads."""

from __future__ import annotations

import asyncio
from collections import deque

from tornado.websocket import WebSocketClosedError, WebSocketHandler

BEHIND = 20_000
"""Texts that wait for a page at most; one that reads no more is left, and may come back."""
AGAIN = 1013
"""The code of WebSocket for: come back later."""


class Teller:
    """What waits for one page. On the server's loop."""

    def __init__(self, socket: WebSocketHandler) -> None:
        self._socket = socket
        self._waiting: deque[str] = deque()
        self._sender: asyncio.Task[None] | None = None

    def tell(self, text: str) -> None:
        if len(self._waiting) >= BEHIND:
            self._waiting.clear()
            self._socket.close(AGAIN, "This page reads too slowly.")
            return
        self._waiting.append(text)
        if self._sender is None:
            self._sender = asyncio.ensure_future(self._send())

    async def _send(self) -> None:
        try:
            while self._waiting:
                await self._socket.write_message(self._waiting.popleft())
        except WebSocketClosedError:
            self._waiting.clear()
        finally:
            self._sender = None
