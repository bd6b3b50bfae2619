"""A comparison in Chromium: four answers at once, and ten thousand rows.

Figures are from a trace of the page's main thread, each beside its bound; tasks are in processor
time, so that what else a machine does is not counted. `PACE=4` streams four times as fast.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

from benchmarks.panel import (
    CHARACTERS,
    CHARACTERS_PER_TOKEN,
    DELTAS_PER_SECOND,
    SECTION,
    TOKENS_PER_SECOND,
    tasks_of,
    text,
)
from lab.compared import Compared, case, document, progress, row, snapshot, state
from lab.conftest import CHROMIUM, launch

if TYPE_CHECKING:
    from playwright.sync_api import Browser

COLUMNS, ROWS = 4, 10_000
LONGEST_TASK, LONGEST_VIEW, LONGEST_FRAME = 50, 300, 50
"""Milliseconds: of a task while answers stream, until rows are seen, and of a frame of a scroll."""

STREAM = """async ([start, text, columns, size, interval, rows]) => {
  window.give([start]);
  const began = performance.now();
  for (let at = 0, seq = 1; at < text.length; at += size, seq++) {
    const wait = began + seq * interval - performance.now();
    if (wait > 0) await new Promise((r) => setTimeout(r, wait));
    const piece = text.slice(at, at + size);
    const deltas = Array.from({ length: columns }, (_, n) => (
      { call: [0, n, 0], text: piece, reasoning: "", tokens: Math.round((at + size) / 4) }));
    window.give([{ type: "deltas", seq, deltas }]);
  }
  window.give([{ type: "rows", rows }, { type: "ended", ended: "" }]);
  await new Promise((r) => setTimeout(r, 1000));
}"""

VIEW = """async () => {
  const comparison = document.querySelector("jan-comparison").shadowRoot;
  const began = performance.now();
  window.give([window.told]);
  while (!comparison.querySelector(".entry")) await new Promise((r) => requestAnimationFrame(r));
  await new Promise((r) => requestAnimationFrame(() => setTimeout(r)));
  return performance.now() - began;
}"""

SCROLL = """async () => {
  const list = document.querySelector("jan-comparison").shadowRoot.querySelector(".list");
  const frames = [];
  let before = performance.now();
  for (let n = 0; n < 120; n++) {
    list.scrollTop += n % 20 ? 900 : 90000;
    await new Promise((r) => requestAnimationFrame(r));
    const now = performance.now();
    frames.push(now - before);
    before = now;
  }
  return frames;
}"""


def main() -> None:
    if CHROMIUM is None:
        print("Chromium is not installed: no traces.")
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = launch(playwright)
        stream(browser)
        rows(browser)
        browser.close()


def stream(browser: Browser) -> None:
    pace = float(os.environ.get("PACE", "1"))
    rate = TOKENS_PER_SECOND * pace
    seconds = CHARACTERS / CHARACTERS_PER_TOKEN / rate
    whole = text(CHARACTERS)
    names = [f"model {n}" for n in range(COLUMNS)]
    asked = document([case("Tell me all.")], names)
    page = Compared(browser.new_page(viewport={"width": 1400, "height": 900}))
    warm = document([case("?")], names, [row((0, 0, 0), SECTION.format(0))])
    page.say(snapshot(warm))  # all parts are there
    page.find("math").first.wait_for()
    page.find(".t-kw").first.wait_for()
    page.page.wait_for_timeout(1500)
    states = [state("answering") for _ in names]
    start = snapshot(asked, running=True, progress=progress(0, COLUMNS), states=states)
    browser.start_tracing(page=page.page, categories=["toplevel"])
    page.page.evaluate(
        STREAM,
        [
            start,
            whole,
            COLUMNS,
            round(CHARACTERS_PER_TOKEN * rate / DELTAS_PER_SECOND),
            1000 / DELTAS_PER_SECOND,
            [row((0, n, 0), whole) for n in range(COLUMNS)],
        ],
    )
    tasks = traced(browser)
    page.page.close()
    print(f"{COLUMNS} × {CHARACTERS:,} characters, {rate:.0f} tokens/s each, {seconds:.0f} s:")
    told(tasks, seconds)


def rows(browser: Browser) -> None:
    whole = document(
        [
            case(f"Question {n}: what is the capital of country {n}?", f"City {n}")
            for n in range(ROWS)
        ],
        ["a", "b"],
        [
            row((n, who, 0), f"The capital of country {n} is City {n + who * (n % 7 == 0)}. " * 4)
            | {"scores": {"contains": {"value": bool(who and n % 7), "note": ""}}}
            for n in range(ROWS)
            for who in range(2)
        ],
        scorers=["contains"],
    )
    page = Compared(browser.new_page(viewport={"width": 1200, "height": 900}))
    page.say(snapshot(document([], ["a", "b"])))
    page.tab("Rows").click()
    page.find(".empty").wait_for()
    page.page.evaluate("told => { window.told = told }", snapshot(whole))  # it is in the page
    page.page.wait_for_timeout(1000)
    browser.start_tracing(page=page.page, categories=["toplevel"])
    first = page.page.evaluate(VIEW)
    shown = traced(browser)
    print(f"\n{ROWS:,} prompts, two answers each:")
    print(f"  first view {first:7.0f} ms   (at most {LONGEST_VIEW} ms)")
    print(f"  its longest task {max(shown) * 1000:.1f} ms   (at most {LONGEST_TASK} ms)")
    browser.start_tracing(page=page.page, categories=["toplevel"])
    frames = page.page.evaluate(SCROLL)
    tasks = traced(browser)
    print(f"  longest frame of a scroll {max(frames):.0f} ms   (at most {LONGEST_FRAME} ms)")
    told(tasks, sum(frames) / 1000)
    began = time.perf_counter()
    page.find("input[type=search]").fill("country 77")
    page.find(".entry", has_text="Question 77:").wait_for()
    print(f"  a search {1000 * (time.perf_counter() - began):.0f} ms")
    page.page.close()


def traced(browser: Browser) -> list[float]:
    trace: dict[str, Any] = json.loads(browser.stop_tracing())
    return tasks_of(trace["traceEvents"], "tdur")


def told(tasks: list[float], seconds: float) -> None:
    over = sum(task * 1000 > LONGEST_TASK for task in tasks)
    print(
        f"  busy {sum(tasks) / seconds:.1%}, longest task {max(tasks) * 1000:.1f} ms"
        f"   (at most {LONGEST_TASK} ms; {over} above)"
    )


if __name__ == "__main__":
    main()
