"""Conversations with pages, over WebSockets: what `conversation` says and hears, as JSON.

`?thread=ID` opens a thread, `?model=ID` chooses who answers, `?panel=NAME` names the conversation:
several pages of that name share it, and one that comes back within a minute finds it going on.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler

from .handling import LARGEST, Plain
from .telling import Teller

if TYPE_CHECKING:
    from ..conversation import Conversation
    from ..workspace import Workspace

LINGER = 60.0
"""Seconds that a conversation with a name goes on without a page."""
ON_KEYS = "A key that only a notebook's kernel has is unknown to this server."


class Place(Protocol):
    """Where sockets are at home."""

    talks: Talks

    @property
    def models(self) -> frozenset[str] | None:
        """The models that may be asked; `None`: all."""

    def enter(self, handler: RequestHandler) -> object: ...
    async def workspace(self) -> Workspace: ...


class Talk:
    """A conversation and the pages that show it. On the server's loop, but for `send`."""

    def __init__(self) -> None:
        self.sockets: set[PanelSocket] = set()
        self.conversation: Conversation | None = None
        self.made = asyncio.Lock()
        self.end: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def send(self, event: Mapping[str, Any]) -> None:
        """From any thread."""
        text = json.dumps(event, ensure_ascii=False)
        try:
            self._loop.call_soon_threadsafe(self._spread, text)
        except RuntimeError:  # the server has ended
            return

    def _spread(self, text: str) -> None:
        for socket in [*self.sockets]:
            socket.tell(text)


class Talks:
    """The conversations under way, by name."""

    def __init__(self) -> None:
        self._named: dict[str, Talk] = {}

    async def enter(self, name: str, socket: PanelSocket, make: Callable[[Talk], Any]) -> Talk:
        """The conversation of that name, made by `make` (in a thread) if there is none."""
        talk = self._named.setdefault(name, Talk()) if name else Talk()
        if talk.end is not None:
            talk.end.cancel()
            talk.end = None
        talk.sockets.add(socket)
        try:
            async with talk.made:
                if talk.conversation is None:
                    talk.conversation = await asyncio.to_thread(make, talk)
        except BaseException:
            self.leave(name, socket, talk)
            raise
        return talk

    def leave(self, name: str, socket: PanelSocket, talk: Talk) -> None:
        talk.sockets.discard(socket)
        if talk.sockets:
            return
        if name and talk.conversation is not None:
            loop = asyncio.get_running_loop()
            talk.end = loop.call_later(LINGER, self._close, name, talk)
        else:
            self._close(name, talk)

    def _close(self, name: str, talk: Talk) -> None:
        if self._named.get(name) is talk:
            del self._named[name]
        if talk.conversation is not None:
            talk.conversation.close()

    def close(self) -> None:
        """End all."""
        for name, talk in [*self._named.items()]:
            self._close(name, talk)


class PanelSocket(Plain, WebSocketHandler):
    """One page's end; who may connect is the host's to say."""

    def initialize(self, house: Place) -> None:
        self.house = house
        self._talk: Talk | None = None
        self._name = ""
        self._teller = Teller(self)

    @property
    def max_message_size(self) -> int:
        return LARGEST

    async def open(self, *args: str, **kwargs: str) -> None:
        opened: Any = super().open(*args, **kwargs)
        if opened is not None:
            await opened
        self._name = self.get_query_argument("panel", "")[:200]
        thread, model = (self.get_query_argument(name, "") for name in ("thread", "model"))
        workspace = await self.house.workspace()
        if self.house.models is not None:
            workspace = workspace.only(self.house.models)

        def make(talk: Talk) -> Conversation:
            from ..conversation import Conversation, Surroundings

            if model:
                workspace.router.model(model)  # an error now, not with the first question
            opened = workspace.threads.get(thread) if thread else None
            around = Surroundings(talk.send, on_keys=ON_KEYS)
            return Conversation(around, workspace, model=model, thread=opened)

        from .. import errors

        try:
            self._talk = await self.house.talks.enter(self._name, self, make)
        except errors.JanError as error:
            self.close(4000 + error.status, str(error).encode()[:120].decode(errors="ignore"))
            return
        if self.ws_connection is None:  # it left meanwhile
            self.on_close()

    def on_message(self, message: str | bytes) -> None:
        if self._talk is None or self._talk.conversation is None:
            return
        try:
            found = json.loads(message)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            self.close(1007, "This is no JSON object.")
            return
        self._talk.conversation.take(found)

    def on_close(self) -> None:
        super().on_close()
        if (talk := self._talk) is not None:
            self._talk = None
            self.house.talks.leave(self._name, self, talk)

    def tell(self, text: str) -> None:
        """Send what is told in its order, as fast as the page takes it."""
        self._teller.tell(text)
