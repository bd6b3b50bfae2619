"""Answers under way in this process: which there are, how they are stopped, how long they took."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .endable import Endable
from .errors import JanError
from .telling import Watchers
from .types import Delta, Timings, Usage

Kind = Literal["chat", "completion"]


@dataclass(eq=False, slots=True)
class Answering:
    """One answer that is being waited for or written.

    `since` in seconds since 1970; `tokens` are those that have come, of all its choices, where a
    piece is a token, as of engines on this machine.
    """

    id: int
    model: str
    engine: str
    kind: Kind
    since: float
    stream: Endable[Delta] = field(repr=False)
    tokens: int = 0


class _Stopped(JanError):
    """Somebody else than its reader has ended it."""


class Underway:
    """On the background loop alone."""

    def __init__(self) -> None:
        self._answers: dict[int, Answering] = {}
        self._numbers = itertools.count(1)
        self._watchers = Watchers[[]]()

    def __iter__(self) -> Iterator[Answering]:
        yield from [*self._answers.values()]

    def watch(self, watcher: Callable[[], None]) -> Callable[[], None]:
        """Call `watcher` whenever an answer begins or ends; returns how to stop it."""
        return self._watchers.add(watcher)

    def stop(self, model: str) -> int:
        """End the answers of a model (its id) with what has come; how many there were.

        Whoever reads them gets an end as of any other answer, whose finish is `cancelled`.
        """
        found = [one for one in self if one.model == model]
        for one in found:
            one.stream.end(_Stopped("The answer was stopped."))
        return len(found)

    async def follow(
        self, model: str, engine: str, kind: Kind, deltas: AsyncGenerator[Delta, None]
    ) -> AsyncGenerator[Delta, None]:
        """The same deltas, of an answer that can be listed and stopped meanwhile."""
        stream = Endable(deltas)
        answer = Answering(next(self._numbers), model, engine, kind, time.time(), stream)
        self._answers[answer.id] = answer
        self._watchers.tell()
        try:
            async with aclosing(stream.read()) as found:
                async for delta in found:
                    answer.tokens += bool(delta.text or delta.reasoning)
                    yield delta
        except _Stopped:
            yield Delta(finish="cancelled")
        finally:
            del self._answers[answer.id]
            self._watchers.tell()


def completed(
    last: Delta, asked: float, loaded: float, first: float | None, end: float
) -> dict[str, Any]:
    """Usage and timings of the last delta; what the engine did not measure is measured here."""
    timings = last.timings or Timings()
    usage = last.usage or Usage()
    speed = timings.tokens_per_second
    if speed is None and first is not None and usage.completion > 1 and end > first:
        speed = (usage.completion - 1) / (end - first)
    return {
        "finish": last.finish or "stop",
        "usage": usage,
        "timings": replace(
            timings,
            load=loaded - asked if timings.load is None else timings.load,
            first_token=first - asked if first is not None else None,
            total=end - asked,
            tokens_per_second=speed,
        ),
    }
