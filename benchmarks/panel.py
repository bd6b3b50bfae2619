"""The chat panel in Chromium: a long answer, and four at once, against the same as plain text.

Figures are from a trace of the page's main thread. `PACE=4` streams four times as fast.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from threading import Event as Signal
from typing import TYPE_CHECKING, Any

from jan_jupyter import assets, bridge
from jan_jupyter.conversation import Conversation, Surroundings
from jan_jupyter.workspace import Workspace
from lab.bare import Bare
from lab.conftest import CHROMIUM, launch
from support.jan import add_remote
from support.server import StreamingServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHARACTERS = 100_000
TOKENS_PER_SECOND = 150
CHARACTERS_PER_TOKEN = 4
DELTAS_PER_SECOND = 25

SECTION = """## Section {0}

A paragraph with **bold**, *italic*, `code`, a [link](https://example.org/{0}) and $x_{0}^2$. It
goes on for a while, as answers do, so that its block is parsed again with each delta until it ends.

1. First of all, the thing itself,
   - with a detail
   - and another
2. then what follows from it, number {0}

```python
def step_{0}(values: list[float], rate: float = 0.1) -> float:
    \"\"\"One step.\"\"\"
    total = 0.0
    for index, value in enumerate(values):
        total += value * rate ** index  # decays
    return total / max(len(values), 1)
```

| n | value | remark |
|---|------:|--------|
| {0} | 0.25 | `a` |
| 2 | 1.5 | **b** |

"""


def text(length: int) -> str:
    sections = "".join(SECTION.format(n) for n in range(length // len(SECTION) + 2))
    return sections[:length]


DRIVE = """async ([start, texts, plain, size, interval, ends]) => {
  const show = [];
  if (plain) {
    document.body.textContent = "";
    for (const id of Object.keys(texts)) {
      const pre = document.body.appendChild(document.createElement("pre"));
      pre.style.cssText = "white-space:pre-wrap;height:80vh;overflow:auto";
      const node = pre.appendChild(document.createTextNode(""));
      show[id] = (piece) => { node.appendData(piece); pre.scrollTop = pre.scrollHeight; };
    }
  } else window.give([start]);
  const began = performance.now();
  const length = Object.values(texts)[0].length;
  for (let at = 0, n = 1; at < length; at += size, n++) {
    const wait = began + n * interval - performance.now();
    if (wait > 0) await new Promise((r) => setTimeout(r, wait));
    for (const [id, text] of Object.entries(texts)) {
      const piece = text.slice(at, at + size);
      if (plain) show[id](piece);
      else window.give([{ type: "delta", id, seq: n, text: piece }]);
    }
  }
  if (!plain) window.give(ends);
  await new Promise((r) => setTimeout(r, 500));
}"""


def main() -> None:
    wire()
    if CHROMIUM is None:
        print("Chromium is not installed: no traces.")
        return
    from playwright.sync_api import sync_playwright

    pace = float(os.environ.get("PACE", "1"))
    seconds = CHARACTERS / CHARACTERS_PER_TOKEN / TOKENS_PER_SECOND / pace
    print(f"\n{CHARACTERS:,} characters a column, {TOKENS_PER_SECOND * pace:.0f} tokens/s,")
    print(f"{seconds:.0f} s; times of the main thread:")
    print(f"{'':24} {'busy':>7} {'longest task':>13} {'> 50 ms':>8}")
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for name, columns, plain in (
            ("plain text", 1, True),
            ("the panel", 1, False),
            ("plain text, 4 columns", 4, True),
            ("the panel, 4 columns", 4, False),
        ):
            tasks = trace(browser, columns, plain, pace)
            busy, longest = sum(tasks) / seconds, max(tasks) * 1000
            over = sum(task > 0.05 for task in tasks)
            print(f"{name:24} {busy:7.1%} {longest:10.1f} ms {over:8}", flush=True)
        browser.close()


def trace(browser: Browser, columns: int, plain: bool, pace: float) -> list[float]:
    """Seconds of each task of the main thread while answers are streamed."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})

    def take(message: dict[str, Any]) -> None:
        if message.get("type") == "part":
            source = assets.source(message["name"])
            bare.send({"type": "answer", "to": message["ask"], "value": source})

    bare = Bare(page, take)
    ids = [f"a{n}" for n in range(columns)]
    whole = text(CHARACTERS)
    states = {"writing": [], "done": []}  # type: dict[str, list[dict[str, Any]]]
    for status, turns in states.items():
        for id in ids:
            shown = whole if status == "done" else ""
            turns.append(turn(id, "assistant", shown, status, ids if columns > 1 else []))
    question = turn("q", "user", "Tell me all.", "done", [])
    bare.send(snapshot([question, turn("a0", "assistant", SECTION.format(0), "done", [])]))
    page.locator("jan-chat math").first.wait_for()  # all parts are there
    page.wait_for_timeout(1500)
    browser.start_tracing(page=page, categories=["toplevel"])
    page.evaluate(
        DRIVE,
        [
            snapshot([question, *states["writing"]], columns),
            dict.fromkeys(ids, whole),
            plain,
            round(CHARACTERS_PER_TOKEN * TOKENS_PER_SECOND * pace / DELTAS_PER_SECOND),
            1000 / DELTAS_PER_SECOND,
            [{"type": "message", "turn": one} for one in states["done"]],
        ],
    )
    found = tasks_of(json.loads(browser.stop_tracing())["traceEvents"])
    page.close()
    return found


def tasks_of(events: list[dict[str, Any]], clock: str = "dur") -> list[float]:
    """Of the renderer's main thread that was busiest: the page's. `clock`: `dur` is what passed,
    `tdur` what the processor worked on it, whatever else it had to do."""
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event.get("name") == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    by_thread: dict[tuple[int, int], list[float]] = {main: [] for main in mains}
    for event in events:
        thread = (event.get("pid", 0), event.get("tid", 0))
        if thread in by_thread and event.get("ph") == "X" and "RunTask" in event["name"]:
            by_thread[thread].append(event.get(clock, event.get("dur", 0)) / 1e6)
    return max(by_thread.values(), key=sum)


def turn(id: str, role: str, text: str, status: str, columns: list[str]) -> dict[str, Any]:
    nothing: dict[str, Any] = dict.fromkeys(("reasoning", "wait"), "")
    nothing |= {name: [] for name in ("images", "context", "footer", "versions")}
    said = {"id": id, "role": role, "text": text, "status": status, "columns": columns}
    return {**nothing, **said, "model": id, "engine": "e", "cut": False, "error": None, "seq": 0}


def snapshot(turns: list[dict[str, Any]], columns: int = 1) -> dict[str, Any]:
    nothing: dict[str, Any] = {name: [] for name in ("models", "compare", "assistants", "settings")}
    words = dict.fromkeys(("model", "assistant", "instructions", "notice"), "")
    path = [one["id"] for one in turns][:2]
    state = {**nothing, **words, "thread": {"id": "t", "title": "t"}, "reload": False, "path": path}
    return {"type": "snapshot", "state": state, "turns": turns}


def wire() -> None:
    """What an answer costs between kernel and page."""
    print(f"{'tokens':>7} {'messages':>9} {'bytes':>9} {'bytes/character':>16}")
    with tempfile.TemporaryDirectory() as folder, StreamingServer() as server:
        os.environ["JAN_DATA_FOLDER"] = folder
        for count in (500, 2000, 8000):
            add_remote(Path(folder), server, paced=f"n={count},delay=0.002")
            sizes, characters = answered()
            total = sum(sizes)
            print(f"{count:7,} {len(sizes):9,} {total:9,} {total / characters:16.2f}")


def answered() -> tuple[list[int], int]:
    """Sizes of all events of one turn, and the characters of its answer."""
    sizes: list[int] = []
    ended = Signal()

    def send(event: Mapping[str, Any]) -> None:
        sizes.append(len(json.dumps(event)))
        turn = event.get("turn", {})
        if turn.get("role") == "assistant" and turn["status"] == "done":
            ended.set()

    workspace = Workspace()
    talk = Conversation(Surroundings(send), workspace, model="paced")
    talk.take({"type": "send", "text": "hi"})
    ended.wait(120)
    length = len(talk.reply.text) if talk.reply else 1
    talk.close()
    bridge.wait(workspace.close())
    return sizes, length


if __name__ == "__main__":
    main()
