"""The kernel's half of a live comparison: bytes on the wire, and what it takes of the loop.

Four answers of 100,000 characters, 16 times as fast as at 150 tokens a second; ten thousand rows.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.panel import CHARACTERS, CHARACTERS_PER_TOKEN, TOKENS_PER_SECOND, text
from compare.made import answer, small_grid
from jan_jupyter import bridge
from jan_jupyter.compare.keeping.store import Store
from jan_jupyter.compare.live.document import document
from jan_jupyter.compare.live.live import INTERVAL, Live
from jan_jupyter.compare.session import Session
from jan_jupyter.compare.values import Call, Result
from jan_jupyter.types import Delta
from jan_jupyter.workspace import Workspace

COLUMNS, PACE = 4, 16
MOST_A_LETTER, LONGEST_STEP, LONGEST_DOCUMENT = 1.5, 10, 10


class Wire:
    """What a view hears, as it goes over the wire."""

    def __init__(self) -> None:
        self.bytes = self.messages = 0
        self.heard = threading.Event()

    def send(self, event: Mapping[str, Any]) -> None:
        self.bytes += len(json.dumps(event, ensure_ascii=False).encode())
        self.messages += 1
        self.heard.set()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(folder)
        store = Store(Path(folder))
        grid = small_grid(1, COLUMNS)
        live = Live(Session.of(store.put(Result(grid, [])), workspace, store))
        wire = Wire()
        view = live.join(wire.send)
        live.take(view, {"type": "hello", "host": "widget"})
        wire.heard.wait(30)
        before = wire.bytes, wire.messages
        steps = bridge.wait(_stream(live))
        sent, messages = wire.bytes - before[0], wire.messages - before[1]
        letters = COLUMNS * CHARACTERS
        print(f"{sent / letters:6.2f} bytes a character (bound {MOST_A_LETTER})")
        print(f"{messages / steps[0]:6.1f} messages a second (bound 26)")
        print(f"{1000 * steps[1]:6.1f} ms the longest step of the loop (bound {LONGEST_STEP})")
        bridge.wait(workspace.close())
    grid = small_grid(2500, 4)
    made = Result(grid, [answer(call, text(200)) for call in grid.calls()])
    began = time.perf_counter()
    size = len(json.dumps(document(made), ensure_ascii=False))
    took = time.perf_counter() - began
    print(f"{took:6.1f} s the document of 10,000 rows, {size / 1e6:.1f} MB (bound "
          f"{LONGEST_DOCUMENT})")  # fmt: skip


async def _stream(live: Live) -> tuple[float, float]:
    """Seconds that it took, and the longest step."""
    calls = [Call(0, n) for n in range(COLUMNS)]
    whole = text(CHARACTERS)
    at_once = round(TOKENS_PER_SECOND * PACE * INTERVAL)
    live.began()
    live.begins(calls)
    began = time.perf_counter()
    longest = 0.0
    for first in range(0, CHARACTERS, at_once * CHARACTERS_PER_TOKEN):
        step = time.perf_counter()
        last = min(CHARACTERS, first + at_once * CHARACTERS_PER_TOKEN)
        for place in range(first, last, CHARACTERS_PER_TOKEN):
            for call in calls:
                live.came(call, Delta(whole[place : place + CHARACTERS_PER_TOKEN]))
        longest = max(longest, time.perf_counter() - step)
        await asyncio.sleep(INTERVAL)
    took = time.perf_counter() - began
    live.ended()
    return took, longest


if __name__ == "__main__":
    main()
