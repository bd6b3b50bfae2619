"""What comes on the background loop in pieces, for a writer in any loop: few writes, none late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from .. import bridge

PAUSE = 0.02
"""Seconds between two writes of a fast answer: an eye sees no more, each write costs the same."""


class Gathered:
    """The pieces of a body, joined as far as they have come whenever there is time to write."""

    def __init__(self, pieces: AsyncGenerator[bytes, None], silence: float) -> None:
        """`silence`: after so many seconds without a piece, `batches` yields nothing (`b""`)."""
        self._here = asyncio.get_running_loop()
        self._on_bridge = self._here is bridge.loop()
        self._ready = asyncio.Event()
        self._pump = bridge.Pump(pieces, self._wake)
        self._silence = silence
        self._last = self._here.time()

    def _wake(self) -> None:
        if self._on_bridge:
            self._ready.set()
        else:
            with suppress(RuntimeError):  # the server's loop may be gone already
                self._here.call_soon_threadsafe(self._ready.set)

    async def batches(self) -> AsyncGenerator[bytes, None]:
        """What has come, joined; the first two at once. Left early, the answer is stopped.

        Raises what has ended the pieces.
        """
        self._pump.start()
        self._beat()
        count, done = 0, False
        try:
            while not done:
                await self._ready.wait()
                self._ready.clear()
                early = self._last + PAUSE - self._here.time()
                if count > 1 and early > 0:
                    await asyncio.sleep(early)
                done = self._pump.done  # read before draining, so that nothing slips in between
                batch = b"".join(self._pump.drain())
                silent = not done and self._here.time() >= self._last + self._silence
                if batch or silent:
                    yield batch
                    count += 1
                    self._last = self._here.time()
            if (error := self._pump.error) is not None:
                raise error
        finally:
            self._timer.cancel()
            self._pump.cancel()

    def _beat(self) -> None:
        """Wake the writer now and then, so that it sees a silence: one timer, whatever comes."""
        soon = self._here.time() + self._silence / 4
        self._timer = self._here.call_at(max(self._last + self._silence, soon), self._beat)
        self._ready.set()
