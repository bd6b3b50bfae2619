"""A comparison that is alive: all who look are told what becomes of it, and what they want is done.

`labextension/src/compare/protocol.ts` says which messages there are, and when they are sent.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing, suppress
from time import monotonic
from typing import Any

from ... import bridge
from ...types import Delta
from ..running.progress import Progress
from ..session import Session
from ..steps import Consent
from ..values import Call, Result, Row
from . import document, plain, protocol
from .audience import Audience, View
from .protocol import Send
from .queries import Queries
from .writing import Writing

INTERVAL = 0.04
"""Seconds between two messages: more often than that nobody sees, and costs."""
PROGRESS = 0.2
"""Seconds between two words on how far it is, at least."""
BEAT = 2.0
"""Seconds after which it is said again although nothing has changed: so it is known to be alive."""
RECKONING = 9
"""So many times as long as figures have taken they are not computed again while more comes."""
PAUSE = 0.3
"""Seconds between two figures, at least."""
LONGEST_PAUSE = 10
ROWS = 500
"""Rows of one message."""


class Live:
    """On the background loop alone, but for what may be called in any thread."""

    def __init__(
        self,
        session: Session,
        *,
        reckoned: Callable[[], None] = lambda: None,
        greeted: Callable[[], None] = lambda: None,
    ) -> None:
        """`reckoned` is called when all is at rest and its figures are known; `greeted` when
        somebody says `hello`; both on the loop."""
        self.id = uuid.uuid4().hex
        self.session = session
        self.audience = Audience()
        self._queries = Queries(session)
        self._reckoned, self._greeted = reckoned, greeted
        self._loop = bridge.loop()
        self._running = False
        self._cases = document.room_for(session.grid)
        self._room = document.Room()
        self._rows: dict[Call, Row] = {}
        self._writing = Writing()
        self._progress: Progress | None = None
        self._told: tuple[float, Progress | None] = (0.0, None)
        self._seq = 0
        self._timer: asyncio.TimerHandle | None = None
        self._figures: protocol.Figures | None = None
        self._stale = False
        self._took = 0.0
        self._hurry = asyncio.Event()
        self._reckons: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        session.watcher = self

    # In any thread --------------------------------------------------------------------------------

    def join(self, send: Send) -> View:
        """Somebody may look, by this way to them; they say `hello` first."""
        return self.audience.join(send)

    def leave(self, view: View) -> None:
        self.audience.leave(view)

    def take(self, view: View, message: Mapping[str, Any]) -> None:
        """What a view says; returns at once."""
        self._loop.call_soon_threadsafe(self._take, view, dict(message))

    def presume(self, view: View, after: float) -> None:
        """Tell a view all, and what comes, if nobody has said `hello` by then: it may not be heard.
        Whether it hears is not known either, so it is told all again now and then.
        """
        self._loop.call_soon_threadsafe(self._loop.call_later, after, self._presume, view, after)

    def _presume(self, view: View, after: float) -> None:
        if self.audience.hosts:
            view.presumed = False
        elif self._running:
            view.presumed = True
            self._show([view])
            self._loop.call_later(2 * after, self._presume, view, 2 * after)

    def changed(self) -> None:
        self._loop.call_soon_threadsafe(self._changed)

    def voted(self) -> None:
        self._loop.call_soon_threadsafe(self._reckon)

    def at_first(self) -> protocol.Comparison:
        """What is known before anything is asked."""
        result = self.session.result_of([])
        return self._document(result, document.counted_of(result))

    async def document(self) -> protocol.Comparison:
        """The whole, as an output keeps it, with its figures."""
        while self._reckons is not None and not self._reckons.done():
            self._hurry.set()
            await asyncio.wait([self._reckons])
        result, known = self._now(), None if self._stale else self._figures
        votes = self.session.heard.votes
        figures = known or await asyncio.to_thread(document.figures_of, result, votes)
        assert figures is not None
        return await asyncio.to_thread(self._document, result, figures)

    def _document(self, result: Result, computed: protocol.Figures) -> protocol.Comparison:
        session = self.session
        return document.document(
            result,
            computed=computed,
            engines=session.engines,
            ended=session.ended,
            live=self.id,
        )

    # What becomes of it ---------------------------------------------------------------------------

    def began(self) -> None:
        self._running = True
        self._progress = None
        self._show(self.audience.greeted)

    def begins(self, calls: Sequence[Call]) -> None:
        self._writing.begin(calls)

    def came(self, call: Call, delta: Delta) -> None:
        if call.case < self._cases:
            self._writing.add(call, delta)
            self._soon()

    def step(self, step: object) -> None:
        if isinstance(step, Progress):
            self._progress = step
        self._soon()

    def row(self, row: Row) -> None:
        self._writing.end(row.call)
        if row.call.case < self._cases:
            self._rows[row.call] = row
        self._reckon()
        self._soon()

    def ended(self) -> None:
        self._running = False
        self._writing.clear()
        self._flush(last=True)
        self.audience.tell({"type": "ended", "ended": plain.text(self.session.ended)})
        self._reckon()
        self._hurry.set()

    def _changed(self) -> None:
        self._show(self.audience.greeted)
        self._reckon()
        self._hurry.set()

    # What is told of it ---------------------------------------------------------------------------

    def _soon(self) -> None:
        """Tell what came: the first at once, what follows gathered."""
        if self._timer is None:
            self._flush()

    def _flush(self, last: bool = False) -> None:
        if self._timer is not None:
            self._timer.cancel()
        rows, deltas = [*self._rows.values()], self._writing.news()
        self._rows = {}
        if self.audience.greeted:
            self._tell_rows(rows)
            if deltas:
                self._seq += 1
                self.audience.tell({"type": "deltas", "seq": self._seq, "deltas": deltas})
            self._tell_progress(last)
        self._timer = self._loop.call_later(INTERVAL, self._next)

    def _next(self) -> None:
        """The next message, if there is something to say."""
        self._timer = None
        if self._rows or self._writing.untold or self._told[1] is not self._progress:
            self._flush()

    def _tell_rows(self, rows: Sequence[Row]) -> None:
        for first in range(0, len(rows), ROWS):
            some = [document.row_of(r, self._room.takes(r)) for r in rows[first : first + ROWS]]
            self.audience.tell({"type": "rows", "rows": some})

    def _tell_progress(self, last: bool) -> None:
        progress, (at, told) = self._progress, self._told
        passed = monotonic() - at
        if progress is None or (not last and passed < (PROGRESS if progress != told else BEAT)):
            return
        self._told = monotonic(), progress
        known, states = _progress(progress), _states(progress)
        self.audience.tell({"type": "progress", "progress": known, "states": states})

    def _show(self, views: Sequence[View]) -> None:
        """Tell these how everything stands."""
        if held := [view for view in views if view.hold()]:
            self._start(self._snapshot(held))

    async def _snapshot(self, views: Sequence[View]) -> None:
        self._flush()
        progress = self._progress
        event = {
            "type": "snapshot",
            "running": self._running,
            "progress": _progress(progress) if progress else None,
            "states": _states(progress) if progress else [],
            "writing": self._writing.whole(),
            "seq": self._seq,
        }
        result, figures = self._now(), self._figures
        votes = len(self.session.heard.votes)

        def made() -> protocol.Comparison:
            return self._document(result, figures or document.counted_of(result, votes))

        try:
            event["comparison"] = await asyncio.to_thread(made)
        finally:
            for view in views:
                view.release(*([event] if "comparison" in event else []))
        self._show([view for view in views if view.outdated])
        self._reckon()

    def _now(self) -> Result:
        return self.session.result_of([*self.session.rows.values()])

    # Figures --------------------------------------------------------------------------------------

    def _reckon(self) -> None:
        """Compute the figures anew: soon, but while more comes a small part of the time."""
        self._stale = True
        if self._reckons is None or self._reckons.done():
            self._reckons = self._start(self._reckoning())

    async def _reckoning(self) -> None:
        while self._stale:
            with suppress(TimeoutError):
                pause = min(max(PAUSE, RECKONING * self._took), LONGEST_PAUSE)
                await asyncio.wait_for(self._hurry.wait(), pause)
            self._hurry.clear()
            self._stale = False
            if self._running and not self.audience.greeted:
                return  # at the end there is time
            began = monotonic()
            result, votes = self._now(), self.session.heard.votes
            found = await asyncio.to_thread(document.figures_of, result, votes)
            # The first time it is also what is imported for it.
            self._took = monotonic() - began if self._figures is not None else 0.0
            self._figures = found
            self.audience.tell({"type": "figures", **found})
        if not self._running:
            self._reckoned()

    # What people want -----------------------------------------------------------------------------

    def _take(self, view: View, message: Mapping[str, Any]) -> None:
        kind, asked = message.get("type"), message.get("ask")
        if asked is not None:
            self._start(self._answer(view, asked, message))
        elif kind == "hello":
            self.audience.greet(view, message.get("host"))
            self._show([view])
            self._greeted()
        elif kind == "stop" and self._running:
            self._stop(message.get("contestant"))
        elif kind == "retry" and not self._running:
            self._start(self._again())

    def _stop(self, contestant: object) -> None:
        known = range(len(self.session.grid.contestants))
        if contestant is None or (type(contestant) is int and contestant in known):
            self.session.brake.pull(contestant)

    async def _again(self) -> None:
        """Ask again what failed and what is missing."""
        try:
            async with aclosing(self.session.again()) as steps:
                async for step in steps:
                    if isinstance(step, Consent):
                        step.refuse()
        except Exception as error:  # it stands where people look
            self.session.ended = plain.text(error)
            self.audience.tell({"type": "ended", "ended": self.session.ended})

    async def _answer(self, view: View, asked: object, message: Mapping[str, Any]) -> None:
        answer: dict[str, Any] = {"type": "answer", "to": asked}
        try:
            answer["value"] = await self._queries.answer(message)
        except Exception as error:  # a question is never the end of anything
            answer["error"] = plain.text(error)
        view.tell(answer)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _progress(told: Progress) -> protocol.Progress:
    return {
        "done": told.done,
        "failed": told.failed,
        "reused": told.reused,
        "total": told.total,
        "left": plain.number(told.left, 1),
    }


def _states(told: Progress) -> list[protocol.State]:
    return [
        {
            "state": one.word,
            "note": plain.text(one.note),
            "progress": one.progress,
            "done": one.done,
            "total": one.total,
        }
        for one in told.states
    ]
