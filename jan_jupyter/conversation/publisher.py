"""What the front end is sent: everything at once (a snapshot), then what has changed."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any

from .. import __version__, errors
from ..types import Event
from . import views
from .error_cards import error_card
from .protocol import ModelRow, Turn
from .selection import Selection
from .surroundings import Surroundings
from .tasks import Tasks
from .timeline import Timeline

KEYS = 50
"""So many keys of what was typed are remembered, of all pages together."""

PAUSE = 0.25
"""Seconds at least between two lists of the models."""


@dataclass(eq=False)
class Publisher:
    """The events of `Event` in `protocol.ts`, but for those of one answer. On the loop alone."""

    around: Surroundings
    selection: Selection
    timeline: Timeline
    tasks: Tasks

    def __post_init__(self) -> None:
        self.follows_models = False
        """Whether somebody has done something here: before that nobody waits for models."""
        self._load_events: dict[str, Event] = {}
        """The latest of each model."""
        self._models_due = False
        self._notice = ""
        self._sent: dict[str, Turn] = {}
        """The turns as they were sent last."""
        self._in_thread: deque[str] = deque(maxlen=KEYS)
        """Keys of what was typed and stands in the thread."""
        self._threads_changed = 0
        """How many threads have been renamed or removed here."""

    # Everything, or what has changed --------------------------------------------------------------

    async def snapshot(self) -> None:
        """Everything, as it is now."""
        state = await self._slow_state()
        sent = [*self._in_thread]  # never one that the timeline does not show yet
        await self._refresh()
        path, turns = self.timeline.turns(self.selection.thread)  # last: all that came is in it
        self._sent = {turn["id"]: turn for turn in turns}
        state |= {"path": path, "notice": self._notice, "sent": sent, **self._quick_state()}
        version = __version__
        self.around.send({"type": "snapshot", "state": state, "turns": turns, "version": version})
        self.around.changed()

    async def turns(self) -> None:
        """The turns that have changed, then the path through them."""
        sent = [*self._in_thread]
        await self._refresh()
        path, turns = self.timeline.turns(self.selection.thread)
        by_id = {turn["id"]: turn for turn in turns}
        for id, turn in by_id.items():
            if self._sent.get(id) != turn:
                self.around.send({"type": "message", "turn": turn})
        self._sent = by_id
        self.update(path=path, sent=sent, **self._quick_state())

    async def turn(self, id: str) -> None:
        """One turn again, of which the front end has missed something."""
        await self._refresh()
        _, turns = self.timeline.turns(self.selection.thread)
        for turn in turns:
            if turn["id"] == id:
                self.around.send({"type": "message", "turn": turn})

    async def state(self) -> None:
        """All but the turns."""
        state = await self._slow_state()
        await self._refresh()
        self.update(**state, **self._quick_state())

    def update(self, **state: Any) -> None:
        """Some fields of the state."""
        self.around.send({"type": "state", "state": state})

    # What it is made of ---------------------------------------------------------------------------

    async def _refresh(self) -> None:
        """Read what is on the disk: what is sent then is as of now, and sent at once."""
        await asyncio.to_thread(self.selection.refresh)

    def _quick_state(self) -> dict[str, Any]:
        """What changes by itself, as of the last `_refresh`."""
        selection = self.selection
        thread, columns = selection.thread, selection.columns
        beside = (
            self.timeline.column_rows(thread, columns, selection.left_out)
            if thread is not None and columns is not None
            else []
        )
        compare = [row["name"] for row in beside[1:]] if beside else [*selection.compare]
        return {
            "columns": beside,
            "thread": {"id": thread.id, "title": thread.seen.head.title} if thread else None,
            "threads": self._threads_changed,
            "model": selection.reference,
            "compare": compare,
            "reload": selection.reload,
        }

    async def _slow_state(self) -> dict[str, Any]:
        state = await asyncio.to_thread(self.selection.state)
        return {**state, "models": await self._models()}

    async def _models(self) -> list[ModelRow]:
        try:
            running = await self.selection.router.running()
        except errors.JanError:
            running = []
        workspace, events = self.selection.workspace, {**self._load_events}
        silent = await workspace.servers.not_running()
        return await asyncio.to_thread(
            views.model_rows,
            workspace.models,
            running,
            events,
            silent,
            self.around.on_keys,
        )

    # Single facts ---------------------------------------------------------------------------------

    def notice(self, text: str) -> None:
        """One line about something that went wrong outside an answer; empty: it is read."""
        self._notice = text
        self.update(notice=text)

    def failed(self, error: BaseException) -> None:
        self.notice(error_card(error)["message"])

    def forget_notice(self) -> None:
        """Another thread is about to be shown."""
        self._notice = ""

    def in_thread(self, key: str) -> None:
        """What was typed with that key stands in the thread now."""
        if key and key not in self._in_thread:
            self._in_thread.append(key)

    def threads_changed(self) -> None:
        """One was renamed or removed: a list of them is out of date."""
        self._threads_changed += 1

    def on_event(self, event: Event) -> None:
        """What the router says of a model."""
        self._load_events[event.model] = event
        if event.state == "ready" and event.model == self.selection.id:
            self.selection.reload = False
        self.models_soon()

    def models_soon(self) -> None:
        """The states of the models, at most a few times a second."""
        if self._models_due or not self.follows_models:
            return
        self._models_due = True

        async def later() -> None:
            await asyncio.sleep(PAUSE)
            self._models_due = False
            self.update(models=await self._models(), reload=self.selection.reload)

        self.tasks.start(later())
