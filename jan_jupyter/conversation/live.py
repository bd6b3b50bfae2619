"""One answer that is being written: from the stream to the front end, 25 times a second."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import count

from ..ask import Stream
from ..threads import Record, Thread, ThreadMessage
from ..types import Event
from .protocol import Fault, Send, Turn

INTERVAL = 0.04
"""Seconds between two deltas of one answer: more often than that nobody sees, and costs."""

_numbers = count(1)


@dataclass(eq=False)
class Live:
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
    unkept: Fault | None = None
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
            "status": "error" if self.unkept else "writing",
            "wait": self.wait,
            "model": self.model,
            "engine": self.engine,
            "footer": [],
            "cut": False,
            "error": self.unkept,
            "versions": [],
            "columns": columns,
            "compared": False,
            "seq": self.seq,
        }


def record_of(stream: Stream) -> Record:
    """What keeps its turn: a thread's, as of all that is asked in a conversation."""
    assert isinstance(stream.recorder, Record)
    return stream.recorder


async def drive(live: Live, stream: Stream, send: Send) -> None:
    """Send the deltas of an answer as they come; the first at once, then gathered.

    Raises what ends the answer early.
    """
    pieces: list[str] = []
    thoughts: list[str] = []
    timer: asyncio.TimerHandle | None = None
    loop = asyncio.get_running_loop()

    def flush() -> None:
        nonlocal timer
        timer = None
        if not pieces and not thoughts:
            return
        live.seq += 1
        live.text += pieces
        live.reasoning += thoughts
        event = {"type": "delta", "id": live.id, "seq": live.seq}
        if pieces:
            event["text"] = "".join(pieces)
        if thoughts:
            event["reasoning"] = "".join(thoughts)
        pieces.clear()
        thoughts.clear()
        send(event)
        timer = loop.call_later(INTERVAL, flush)

    def on_event(event: Event) -> None:
        if event.model == stream.target.model.id and not live.seq:
            told = event.awaited
            if told and told != live.wait:
                live.wait = told
                send({"type": "wait", "id": live.id, "wait": told})

    unwatch = stream.router.watch(on_event)
    try:
        async with aclosing(stream.deltas()) as deltas:
            async for delta in deltas:
                if delta.choice:
                    continue  # they become versions of the answer, in the thread
                if delta.text:
                    pieces.append(delta.text)
                if delta.reasoning:
                    thoughts.append(delta.reasoning)
                if timer is None:
                    flush()
    finally:
        unwatch()
        flush()
        if timer is not None:
            timer.cancel()
