"""Drive an answer into an output: once awaited in the cell's coroutine, once waited for plainly."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from time import monotonic
from types import FrameType
from typing import Any, NamedTuple

from ..ask import Stream
from ..bridge import HEARTBEAT, Pump, heartbeat
from ..settings import settings
from ..threads.record import Record
from ..types import Delta, Event, Reply
from .output import End, Output
from .stopping import Stopped


class Outcome(NamedTuple):
    """The answer as far as it came, and what ended it early."""

    reply: Reply
    error: BaseException | None


class Showing:
    """One answer on its way into one output; the two drivers below only wait."""

    def __init__(self, answer: Stream, output: Output, wake: Callable[[], object]) -> None:
        self.answer = answer
        self.output = output
        self._events: deque[Event] = deque(maxlen=20)
        self._unwatch = answer.router.watch(self._on_event)
        self._model = answer.target.model.id
        self._pump: Pump[Delta] = Pump(answer.deltas(), wake)

    def start(self) -> None:
        self._pump.start()

    def _on_event(self, event: Event) -> None:
        if event.model == self._model:
            self._events.append(event)

    def step(self) -> tuple[bool, float]:
        """Show what has come; whether that was all, and seconds until the next look."""
        done = self._pump.done  # read before draining, so that nothing can slip in between
        while self._events:
            self.output.event(self._events.popleft())
        self._take()
        due = self.output.tick()
        return done, HEARTBEAT if due is None else min(due, HEARTBEAT)

    def _take(self) -> None:
        for delta in self._pump.drain():
            if delta.reasoning:
                self.output.reasoning(delta.reasoning)
            if delta.text:
                self.output.text(delta.text, delta.choice)

    def end(self, notes: list[str], interrupted: bool = False) -> Outcome:
        """Show the final state, also of an answer that was cut."""
        self._unwatch()
        if interrupted:
            self._pump.cancel()
        self._take()
        error = self._pump.error
        reply = self.answer.reply_so_far(KeyboardInterrupt() if interrupted else error)
        calls_only = bool(reply.tool_calls) and not reply.text and error is None
        shown = (bool(reply.text) or error is None or interrupted) and not calls_only
        if shown:
            self.output.finish(End(reply, notes, error, _place(self.answer)))
        else:
            self.output.clear()
        told = shown and settings().footer
        return Outcome(reply, Stopped(told) if interrupted else error)


def _place(answer: Stream) -> dict[str, str]:
    """The thread that keeps an answer, and its message there once it is written."""
    record = answer.recorder
    if not isinstance(record, Record) or record.question is None:
        return {}
    message = {"message": record.answer.id} if record.answer is not None else {}
    return {"thread": record.thread.id, **message}


async def show_async(answer: Stream, output: Output, notes: list[str]) -> Outcome:
    """Await the answer on the kernel's own loop, which keeps turning for everything else."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(ready.set)

    showing = Showing(answer, output, wake)
    try:
        showing.start()
        done, pause = False, HEARTBEAT
        while not done:
            # An interrupt of an idle loop is seen only when the loop wakes: hence never longer
            # than a heartbeat.
            await (heartbeat(ready) if pause == HEARTBEAT else asyncio.sleep(pause))
            done, pause = showing.step()
    except (asyncio.CancelledError, KeyboardInterrupt):
        return showing.end(notes, interrupted=True)
    return showing.end(notes)


def show(answer: Stream, output: Output, notes: list[str]) -> Outcome:
    """Wait for the answer where nothing can be awaited: in `def`, `for`, `%%time`, a terminal."""
    ready = threading.Event()
    with _interrupt_sets(ready) as interrupted:
        showing = Showing(answer, output, ready.set)
        showing.start()
        done, pause = False, HEARTBEAT
        while not done:
            if interrupted():
                return showing.end(notes, interrupted=True)
            ready.wait(pause)
            ready.clear()
            done, pause = showing.step()
    return showing.end(notes)


@contextlib.contextmanager
def _interrupt_sets(ready: threading.Event) -> Iterator[Callable[[], bool]]:
    """While open, Ctrl-C sets a flag, so that it cannot hit in the middle of an update.

    A second one within a second does what it always does. Signals exist in the main thread only.
    """
    at: list[float] = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before: Any = signal.getsignal(signal.SIGINT)

    def on_signal(number: int, frame: FrameType | None) -> None:
        if at and monotonic() - at[-1] < 1:
            raise KeyboardInterrupt
        at.append(monotonic())
        ready.set()

    signal.signal(signal.SIGINT, on_signal)
    try:
        yield lambda: bool(at)
    finally:
        signal.signal(signal.SIGINT, before)
