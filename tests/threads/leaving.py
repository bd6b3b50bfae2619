"""Writers of answers that are killed in the middle of them; run by `test_underway.py`.

    python leaving.py FOLDER THREAD KIND [LIMIT]

Asks in a thread (see `KINDS`) and has more and more of an answer kept, until it kills itself after
`LIMIT` letters, or is killed; without a limit it tells, after each time, how many letters are kept.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jan_jupyter.threads import Record, Thread, ThreadMessage, ThreadStore
from jan_jupyter.types import ChatRequest, Reply

TEXT = "".join(f"word {number}, größer 🙂\n" for number in range(20_000))
TARGET: Any = SimpleNamespace(
    model=SimpleNamespace(reference="m"),
    engine=SimpleNamespace(options=SimpleNamespace(name="openai")),
)
REQUEST = ChatRequest([])
KINDS: dict[str, Callable[[Thread], Record]] = {
    "ask": lambda thread: Record(thread, [ThreadMessage("user", "Why?")]),
    "edit": lambda thread: Record(
        thread, [ThreadMessage("user", "Why not?")], instead=thread.messages[-2].id
    ),
    "regenerate": lambda thread: Record(
        thread, to=thread.messages[-2].id, instead=thread.messages[-1].id
    ),
    "go_on": lambda thread: Record(thread, extend=thread.messages[-1].id),
    "column": lambda thread: Record(thread, to=thread.messages[-2].id, column="other"),
}


def said(letters: int) -> Reply:
    return Reply(TEXT[:letters], "m", "openai", reasoning=TEXT[: letters // 2])


def main(folder: str, name: str, kind: str, limit: str = "0") -> None:
    record = KINDS[kind](ThreadStore(folder).get(name))
    record.begin(TARGET, REQUEST)
    for letters in range(7, len(TEXT), 7):
        record.keep(said(letters))
        if letters >= int(limit) > 0:
            os.kill(os.getpid(), signal.SIGKILL)
        if not int(limit):
            print(letters, flush=True)
    record.end(said(len(TEXT)))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main(*sys.argv[1:])
