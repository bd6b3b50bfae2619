"""Several at the same time, over work that each takes the next piece of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from ...errors import UsageError


async def in_workers(
    concurrency: int, pieces: int, work: Callable[[], Coroutine[Any, Any, None]]
) -> None:
    """Run `work()` so often at the same time, but not more often than there are pieces.

    The first that fails ends the others, and none is left running. Raises `UsageError` for what is
    no number.
    """
    if isinstance(concurrency, bool) or not isinstance(concurrency, int) or concurrency < 1:
        raise UsageError(f"`concurrency` is a whole number from 1 on, not {concurrency!r:.80}.")
    workers = [asyncio.create_task(work()) for _ in range(min(concurrency, pieces))]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
