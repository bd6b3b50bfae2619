"""Typing in a notebook while a model answers in the chat at its side, and a cell of it prints."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.conftest import CHROMIUM, Lab, Notebook, launch
from lab.side import side
from support.jan import add_remote
from support.server import StreamingServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

KEYS = 150
PACE = 60
"""Milliseconds between two keys: somebody who types fast."""
PRINTING = (
    "from time import sleep\nfor i in range(3000):\n    print(i, flush=True)\n    sleep(0.02)"
)
WATCH = """() => {
    window.seen = { delays: [], frames: [], tasks: [] };
    const look = (type, each, more) =>
        new PerformanceObserver((list) => list.getEntries().forEach(each))
            .observe({ type, ...more });
    look('event', (one) => {
        if (one.name !== 'keydown') return;
        seen.delays.push(one.processingStart - one.startTime);
        seen.frames.push(one.duration);
    }, { durationThreshold: 16 });
    look('longtask', (one) => seen.tasks.push(one.duration));
}"""


def main() -> None:
    from playwright.sync_api import sync_playwright

    if CHROMIUM is None:
        print("needs Chromium, and `make front-end`")
        return
    with (
        StreamingServer() as server,
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
    ):
        lab = Lab(Path(folder))
        add_remote(lab.data_folder, server, stream="n=8000,delay=0.005")
        browser = launch(playwright)
        try:
            for title, prints, answers in (
                ("nothing else happens", False, False),
                ("a cell prints", True, False),
                ("a cell prints, a model answers (200 tokens a second)", True, True),
            ):
                print(f"{title}: {told(typed(lab, browser, prints, answers))}", flush=True)
        finally:
            browser.close()
            lab.close()


def typed(lab: Lab, browser: Browser, prints: bool, answers: bool) -> dict[str, Any]:
    """What a page has seen while somebody typed."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    lab.write("typing.ipynb", PRINTING if prints else "1", "")
    notebook = Notebook(page, lab, "typing.ipynb")
    if answers:
        panel = side(page)
        panel.choose("stream")
        panel.ask("Go on for long.")
        panel.wait_for_text()
    if prints:
        notebook.start(0)
    notebook.cell(1).locator(".cm-content").click()
    page.wait_for_timeout(1000)
    page.evaluate(WATCH)
    write(page)
    page.wait_for_timeout(500)
    seen: dict[str, Any] = page.evaluate("seen")
    if answers:
        assert panel.find(".round.stop").count(), "the answer has ended too early"
        panel.stop()
    if prints:
        page.click("[data-command='notebook:interrupt-kernel']")
    page.close()
    return seen


def write(page: Page) -> None:
    text = "total = alpha + beta * gamma  # some words "
    for number in range(KEYS):
        page.keyboard.press("Enter" if number % 40 == 39 else text[number % len(text)])
        page.wait_for_timeout(PACE)


def told(seen: dict[str, Any]) -> str:
    """Events that are painted within 16 ms are not told by the browser."""
    longest = {name: max(values, default=0) for name, values in seen.items()}
    return (
        f"longest delay of a key {longest['delays']:.0f} ms (bound 50 ms), until it is painted"
        f" {longest['frames']:.0f} ms, longest task {longest['tasks']:.0f} ms"
        f" ({len(seen['tasks'])} over 50 ms)"
    )
