"""The steps of a comparison under way, and what people are told and asked meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import Future
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from ..consent import agreed
from ..errors import UsageError
from .values import Row

PAID_UNASKED = 100
"""So many calls that cost money are asked for without asking the user first."""
BEAT = 0.25
"""Seconds after which it is told again how far it is, though nothing has ended."""


class Counted(Protocol):
    """How far it is; as text one line for people."""

    @property
    def done(self) -> int: ...
    @property
    def total(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Looked:
    """So many calls of so many were looked for in the store."""

    done: int
    total: int

    def __str__(self) -> str:
        calls = f"{self.total:,} call{'' if self.total == 1 else 's'}"
        if not self.done:
            return f"Looking at the models, and at what is stored of {calls}"
        return f"Looked for {self.done:,} of {calls} in what is stored"


@dataclass(frozen=True, slots=True)
class Tally:
    """So many of so many: that stands for `{}` in the words."""

    words: str
    done: int
    total: int

    def __str__(self) -> str:
        return self.words.format(f"{self.done:,} of {self.total:,}")


class Consent:
    """A yes that it waits for. Whoever takes the steps asks for it, where people can be asked."""

    def __init__(self, question: str) -> None:
        self.question = question
        self._said: Future[bool | None] = Future()

    def ask(self) -> None:
        """Ask the user at the keyboard; it goes on with what is said."""
        self._said.set_result(agreed(self.question))

    def refuse(self) -> None:
        """Nobody can be asked."""
        self._said.set_result(None)

    async def said(self) -> bool | None:
        """Whether the user has said yes; `None` where nobody can be asked."""
        return await asyncio.wrap_future(self._said)


Step = Counted | Consent
Steps = AsyncGenerator[Step, None]


async def agreeing(paid: int, cost: float | None, instead: str) -> Steps:
    """The question whether so many calls that cost money are wanted, if they are many.

    `instead` is what does where nobody can be asked. Raises `UsageError` there, and if the user
    does not want them.
    """
    if paid <= PAID_UNASKED:
        return
    what = f"{paid:,} calls that cost money{f', about {cost:,.2f}' if cost else ''}"
    yield (consent := Consent(f"This asks for {what}. Go on?"))
    said = await consent.said()
    if said is None:
        raise UsageError(f"This asks for {what}, and nobody can be asked here: {instead}.")
    if not said:
        raise UsageError("Nothing was asked.")


class Counting(Protocol):
    """Where people see how far it is."""

    def step(self, counted: Counted) -> None: ...
    def end(self, line: str = "") -> None: ...


def take(step: Step, shown: Counting | None) -> None:
    """What whoever waits does with a step. Only for the thread of a cell: it may ask the user."""
    if isinstance(step, Consent):
        step.ask()
    elif shown:
        shown.step(step)


async def beating(
    work: Awaitable[object], counted: Callable[[], Counted], *, after: float = BEAT
) -> AsyncGenerator[Counted, None]:
    """Do it, and tell at every beat how far it is, the first time after so many seconds. Raises
    what it raises; closing cancels it."""
    task, wait = asyncio.ensure_future(work), after
    try:
        while not (await asyncio.wait([task], timeout=wait))[0]:
            wait = BEAT
            yield counted()
        await task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def ticking(rows: AsyncGenerator[Row, None]) -> AsyncGenerator[Row | None, None]:
    """The rows as they come, and `None` whenever none has come for a beat. Closes them."""
    async with aclosing(rows):
        while True:
            coming = asyncio.ensure_future(anext(rows))
            try:
                while not (await asyncio.wait([coming], timeout=BEAT))[0]:
                    yield None
                row = await coming
            except StopAsyncIteration:
                return
            finally:
                coming.cancel()
                await asyncio.wait([coming])
            yield row
