"""The context that several requests at one worker share: who does not fit beside the others waits.

llama.cpp ends all requests at once when a context that they share is full. So each takes its room
before it is sent, and one that grows until the context is full ends alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

SPARE = 16
"""One part of so many of a context is left free: tokens come while an answer is being ended."""


class Share:
    """What one request holds of a context: counts are tokens."""

    def __init__(self, room: Room, prompt: int, held: int) -> None:
        self._room = room
        self.used = prompt
        self.held = held

    def grows(self) -> bool:
        """A token has come: whether more may; `False` if the context is full and this is the
        largest of several in it."""
        self.used += 1
        self.held = max(self.held, self.used)
        others = self._room.shares
        if len(others) == 1 or sum(share.used for share in others) < self._room.most:
            return True
        return self is not max(others, key=lambda share: share.used)


class Room:
    """A context of so many `tokens` for so many requests at once. All on one event loop."""

    def __init__(self, tokens: int, slots: int) -> None:
        self.tokens, self.fair = tokens, tokens // slots
        self.most = tokens - tokens // SPARE
        self.shares: list[Share] = []
        self._line: deque[asyncio.Event] = deque()

    def needed(self, prompt: int, answers: int, limit: int | None) -> int:
        """Tokens to hold for a request: its prompt, and answers up to `limit` where that fits.

        Without a limit, or with one that says nothing, its fair part, or half of one to answer in.
        """
        if limit is not None and prompt + answers * limit <= self.tokens:
            return prompt + answers * limit
        return min(self.tokens, max(self.fair, prompt + answers * (self.fair // 2)))

    @asynccontextmanager
    async def take(
        self, prompt: int, needed: int, waits: Callable[[int], None]
    ) -> AsyncIterator[Share]:
        """Hold room, in the order of asking; `waits` is told how many others hold some."""
        turn = asyncio.Event()
        self._line.append(turn)
        try:
            while self._line[0] is not turn or not self._fits(needed):
                turn.clear()
                waits(len(self.shares))
                await turn.wait()
            share = Share(self, prompt, needed)
            self.shares.append(share)
        finally:
            self._line.remove(turn)
            self._wake()
        try:
            yield share
        finally:
            self.shares.remove(share)
            self._wake()

    def _fits(self, needed: int) -> bool:
        return not self.shares or sum(s.held for s in self.shares) + needed <= self.tokens

    def _wake(self) -> None:
        if self._line:
            self._line[0].set()
