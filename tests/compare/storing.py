"""A process that stores rows of a run, for tests that kill it or let two of them write at once.

    python storing.py FOLDER FIRST LAST TOGETHER

Appends calls FIRST to LAST (exclusive) of run `study`, so many together, and tells each on a line
of its own once it is kept.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from compare.made import answer, small_grid
from jan_jupyter.compare.keeping.store import Store
from jan_jupyter.compare.values import Call

PROMPTS = 10_000
"""More than a writer ever comes to."""


async def store(folder: Path, first: int, last: int, together: int) -> None:
    store = Store(folder)
    run = store.begin("study", small_grid(PROMPTS))
    os.write(1, b"begun\n")

    async def keep(number: int) -> None:
        call = Call(number % PROMPTS, number // PROMPTS)
        await store.append(run, answer(call, f"{number} " * 200, key=str(number)))
        os.write(1, f"{number}\n".encode())

    for start in range(first, last, together):
        await asyncio.gather(*map(keep, range(start, min(start + together, last))))


if __name__ == "__main__":
    asyncio.run(store(Path(sys.argv[1]), *map(int, sys.argv[2:])))
