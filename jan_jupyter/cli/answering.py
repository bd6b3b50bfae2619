"""An answer on its way into a terminal, a pipe or a file."""

from __future__ import annotations

import contextlib
import select
import shutil
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic
from types import FrameType
from typing import TextIO

from .. import errors
from ..ask import Stream
from ..bridge import HEARTBEAT, LEAVING, Pump
from ..console import printable
from ..settings import settings
from ..types import Delta, Event, Reply
from .codes import silence
from .terminal import has_colours

PATIENCE = 0.25
"""Seconds before a wait is spoken of: most answers begin sooner."""
OFTEN = 0.1
"""Seconds between two looks of people at the same line."""


class ReaderGone(Exception):
    """Nobody reads what is written: the pipe was closed. No fault of anybody's."""


class Paper:
    """Where text goes: as it is to programs and files, made harmless for a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.is_terminal = stream.isatty()
        self.at_line_start = True
        self._coloured = has_colours(stream)
        self._poll = _poll(stream)

    def write(self, text: str) -> None:
        """Write it at once. Raises `ReaderGone`, or `CannotWrite` for what a disk refuses."""
        if self.is_terminal:
            text = printable(text)
        if not text:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError as error:
            silence(self._stream)
            if isinstance(error, BrokenPipeError):
                raise ReaderGone from None
            raise errors.CannotWrite(f"The answer cannot be written: {error.strerror}.") from error
        self.at_line_start = text.endswith("\n")

    def end_line(self) -> None:
        if not self.at_line_start:
            self.write("\n")

    def quiet(self, line: str) -> None:
        """A line that is not the answer."""
        shown = printable(line)
        self._stream.write(f"\x1b[2m{shown}\x1b[0m\n" if self._coloured else f"{shown}\n")
        self._stream.flush()

    @property
    def is_read(self) -> bool:
        """Whether somebody still reads it, as far as one can tell without writing."""
        gone = select.POLLERR | select.POLLHUP
        return self._poll is None or not any(what & gone for _, what in self._poll.poll(0))


def _poll(stream: TextIO) -> select.poll | None:
    """What tells that the other end of a pipe was closed; `None` where nothing does."""
    if not hasattr(select, "poll"):
        return None
    try:
        made = select.poll()
        made.register(stream.fileno(), 0)  # errors and hang-ups are told unasked
    except (OSError, ValueError):
        return None
    return made


class Waiting:
    """What is awaited, on a line of a terminal that disappears again."""

    def __init__(self) -> None:
        self._stream = sys.stderr
        self._live = has_colours(self._stream) and settings().footer
        self._began = monotonic()
        self._shown = ""
        self._last = -1e9

    def tell(self, line: str) -> None:
        now = monotonic()
        if not self._live or line in ("", self._shown) or now - self._began < PATIENCE:
            return
        if now - self._last >= OFTEN:
            room = shutil.get_terminal_size().columns - 1
            self._stream.write(f"\r\x1b[2K\x1b[2m{printable(line)[:room]}\x1b[0m")
            self._stream.flush()
            self._shown, self._last = line, now

    def end(self) -> None:
        if self._shown:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()
            self._shown = ""


class Stops:
    """While open, Ctrl-C and what else asks a program to end only set a flag, and `wake`.

    So they do not hit in the middle of a line. A second Ctrl-C does what it always does.
    """

    def __init__(self, wake: threading.Event) -> None:
        self.number = 0
        """Of the signal that came."""
        self._wake = wake
        self._before: dict[int, object] = {}

    def __enter__(self) -> Stops:
        if threading.current_thread() is threading.main_thread():
            names = ("SIGINT", "SIGTERM", "SIGHUP")
            numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
            for number in numbers:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):  # nohup
                    self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.number and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.number = number
        self._wake.set()


@dataclass(frozen=True)
class Outcome:
    """The answer as far as it came, what cut it, and the signal that stopped it, if one did."""

    reply: Reply
    error: BaseException | None = None
    signal: int = 0
    reader_gone: bool = False


class _Showing:
    """One answer on its way onto paper; `live`: piece by piece."""

    def __init__(self, answer: Stream, paper: Paper, live: bool) -> None:
        self.answer = answer
        self._paper = paper
        self._live = live
        self._waiting = Waiting()
        self._thought = 0
        self._status = ""
        self._events: deque[Event] = deque(maxlen=20)
        self.ready = threading.Event()
        self.pump: Pump[Delta] = Pump(answer.deltas(), self.ready.set)

    def hear(self, event: Event) -> None:
        if event.model == self.answer.target.model.id:
            self._events.append(event)

    def step(self) -> bool:
        """Show what has come; whether that was all."""
        done = self.pump.done  # read before draining, so that nothing can slip in between
        while self._events:
            self._status = self._events.popleft().awaited
        pieces = self.pump.drain()
        text = "".join(one.text for one in pieces if one.text and not one.choice)
        if words := sum(one.reasoning.count(" ") + one.reasoning.count("\n") for one in pieces):
            self._thought += words
            self._status = f"Thinking … {self._thought:,} words"
        if text and self._live:
            self._waiting.end()
            self._paper.write(text)
            self._status = ""
        else:
            self._waiting.tell(self._status)
        if not self._paper.is_read:
            raise ReaderGone
        return done

    def end(self) -> None:
        """Stop it, if it is not over, and show what has come meanwhile."""
        self.pump.cancel()
        until = monotonic() + LEAVING
        while not self.pump.done and monotonic() < until:
            self.ready.wait(HEARTBEAT)
            self.ready.clear()
        self._waiting.end()


def show(answer: Stream, paper: Paper, *, live: bool = True) -> Outcome:
    """Wait for the answer; its text goes onto the paper as it comes. It is kept, however it ends.

    Ctrl-C, the end of the terminal and the end of whoever reads stop it. `live`: unless it is, the
    paper stays empty. Raises `CannotWrite`.
    """
    showing = _Showing(answer, paper, live)
    gone = cut = False
    with _heard(showing), Stops(showing.ready) as stops:
        try:
            showing.pump.start()
            while not (showing.step() or stops.number):
                showing.ready.wait(HEARTBEAT)
                showing.ready.clear()
        except ReaderGone:
            gone = True
        finally:
            cut = not showing.pump.done
            showing.end()
            if answer.recorder is not None:
                answer.recorder.settle()
        if not gone:
            with contextlib.suppress(ReaderGone):
                showing.step()
    error = showing.pump.error
    if isinstance(error, errors.JanError) or (error is not None and not cut):
        return Outcome(answer.reply_so_far(error), error, stops.number, gone)
    stopped = KeyboardInterrupt() if cut else None
    return Outcome(answer.reply_so_far(stopped), None, stops.number, gone)


@contextlib.contextmanager
def _heard(showing: _Showing) -> Iterator[None]:
    unwatch = showing.answer.router.watch(showing.hear)
    try:
        yield
    finally:
        unwatch()
