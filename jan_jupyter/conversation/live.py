"""One answer that is being written: from the stream to the front end, 25 times a second."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import count

from ..ask import Stream
from ..threads import Record, Thread, ThreadMessage
from ..types import Delta, Event
from .protocol import ErrorCard, Send, Turn

INTERVAL = 0.04
"""Seconds between two deltas of one answer: more often than that nobody sees, and costs."""

_numbers = count(1)


@dataclass(eq=False)
class LiveAnswer:
    """An answer under way. `id` is its name in the front end, also once the thread has its own.

    Used on the background loop alone.
    """

    thread: Thread
    model: str
    engine: str = ""
    base: str = ""
    """Text that was there before, of an answer that is continued."""
    reasoning_base: str = ""
    id: str = field(default_factory=lambda: f"live-{next(_numbers)}")
    stream: Stream | None = None
    task: asyncio.Task[None] | None = None
    wait: str = ""
    seq: int = 0
    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    replaces: str | None = None
    """Id of the turn in the thread in whose place it is written."""
    question: str = ""
    column: str = ""
    """The turn that it answers, and the column that it stands in, of several."""
    unsaved: ErrorCard | None = None
    """Why it has ended, and is not in the thread yet."""

    @property
    def so_far(self) -> ThreadMessage:
        """The answer as far as it came, as a thread would keep it."""
        text = self.base + "".join(self.text)
        return ThreadMessage("assistant", text, status="pending", model=self.model)

    def turn(self, columns: list[str]) -> Turn:
        """The answer as far as it came."""
        self.text = ["".join(self.text)]
        self.reasoning = ["".join(self.reasoning)]
        return {
            "id": self.id,
            "role": "assistant",
            "text": self.base + self.text[0],
            "reasoning": self.reasoning_base + self.reasoning[0],
            "images": [],
            "context": [],
            "status": "error" if self.unsaved else "writing",
            "wait": self.wait,
            "model": self.model,
            "engine": self.engine,
            "footer": [],
            "cut": False,
            "error": self.unsaved,
            "versions": [],
            "columns": columns,
            "column": self.column,
            "compared": False,
            "seq": self.seq,
        }


def record_of(stream: Stream) -> Record:
    """What keeps its turn: a thread's, as of all that is asked in a conversation."""
    assert isinstance(stream.recorder, Record)
    return stream.recorder


class _Deltas:
    """The deltas of one answer for the front end: the first at once, then gathered."""

    def __init__(self, live: LiveAnswer, send: Send) -> None:
        self._live = live
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._text: list[str] = []
        self._reasoning: list[str] = []

    def add(self, delta: Delta) -> None:
        if delta.choice:
            return  # they become versions of the answer, in the thread
        if delta.text:
            self._text.append(delta.text)
        if delta.reasoning:
            self._reasoning.append(delta.reasoning)
        if self._timer is None:
            self.flush()

    def flush(self) -> None:
        """Send what has been gathered; what comes next is gathered for `INTERVAL`."""
        self._timer = None
        if not self._text and not self._reasoning:
            return
        live = self._live
        live.seq += 1
        live.text += self._text
        live.reasoning += self._reasoning
        event = {"type": "delta", "id": live.id, "seq": live.seq}
        if self._text:
            event["text"] = "".join(self._text)
        if self._reasoning:
            event["reasoning"] = "".join(self._reasoning)
        self._text.clear()
        self._reasoning.clear()
        self._send(event)
        self._timer = self._loop.call_later(INTERVAL, self.flush)

    def end(self) -> None:
        self.flush()
        if self._timer is not None:
            self._timer.cancel()


async def stream_to(live: LiveAnswer, stream: Stream, send: Send) -> None:
    """Send the deltas of an answer as they come, and before them what is waited for.

    Raises what ends the answer early.
    """

    def on_event(event: Event) -> None:
        if event.model == stream.target.model.id and not live.seq:
            awaited = event.awaited
            if awaited and awaited != live.wait:
                live.wait = awaited
                send({"type": "wait", "id": live.id, "wait": awaited})

    gathered = _Deltas(live, send)
    unwatch = stream.router.watch(on_event)
    try:
        async with aclosing(stream.deltas()) as deltas:
            async for delta in deltas:
                gathered.add(delta)
    finally:
        unwatch()
        gathered.end()
