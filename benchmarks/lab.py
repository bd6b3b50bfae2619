"""JupyterLab's start with our extension, against the same without it."""

from __future__ import annotations

import gzip
import re
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from lab.bare import ROOT
from lab.conftest import CHROMIUM, Lab, launch

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

ROUNDS = 9
EXTENSION = ROOT / "jan_jupyter" / "labextension"

STARTED = """() => document.querySelector('.jp-LauncherCard') && performance.now()"""
OURS = """() => performance.getEntriesByType('resource')
    .filter((entry) => entry.name.includes('/jan-jupyter/'))
    .map((entry) => [entry.name.split('/').pop(), entry.duration])"""


def main() -> None:
    from playwright.sync_api import sync_playwright

    if CHROMIUM is None or not EXTENSION.is_dir():
        print("needs Chromium, and `make front-end`")
        return
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        lab = Lab(Path(folder))
        browser = launch(playwright)
        try:
            measure(lab, browser)
            sizes(lab, browser)
        finally:
            browser.close()
            lab.close()


def sizes(lab: Lab, browser: Browser) -> None:
    """What comes before anything of ours is used: the entry, and later the status bar's part."""
    page = browser.new_page()
    page.goto(lab.url("lab"))
    page.locator("jan-status .item").wait_for(timeout=60_000)
    names = [name for name, _ in page.evaluate(OURS)]
    page.close()
    files = {name: (EXTENSION / "static" / name).read_bytes() for name in names}
    size = {name: len(gzip.compress(content)) / 1000 for name, content in files.items()}
    entry = sum(kb for name, kb in size.items() if name.startswith("remoteEntry"))
    print(
        f"bytes before first use: {entry:.1f} KB gzip at the start, {sum(size.values()):.1f} KB"
        " with the status bar's part, two seconds later; bound 100 KB"
    )


def measure(lab: Lab, browser: Browser) -> None:
    start(lab, browser, True)
    start(lab, browser, False)  # both once: the server's and the disk's first
    with_us, without, fetched = [], [], []
    for _ in range(ROUNDS):
        took, ours = start(lab, browser, True)
        with_us.append(took)
        without.append(start(lab, browser, False)[0])
        fetched += [duration for name, duration in ours if name.startswith("remoteEntry")]
    more = median(a - b for a, b in zip(with_us, without, strict=True))
    print(
        f"to the launcher: {median(with_us):.0f} ms, without it {median(without):.0f} ms;"
        f" {more:+.0f} ms (median of {ROUNDS} pairs; bound 50 ms)"
    )
    print(f"to fetch its entry, beside those of others: {median(fetched):.0f} ms")


def start(lab: Lab, browser: Browser, with_us: bool) -> tuple[float, list[tuple[str, float]]]:
    """Milliseconds until the launcher is there in a fresh profile, and what was fetched of us."""
    context = browser.new_context()
    page = context.new_page()
    if not with_us:
        page.route(re.compile(r"/lab\?"), without_us)
    page.goto(lab.url("lab"), wait_until="commit")
    took = page.wait_for_function(STARTED, polling=20, timeout=60_000).json_value()
    ours = page.evaluate(OURS)
    context.close()
    assert bool(ours) == with_us
    return float(took), ours


def without_us(route: Route) -> None:
    """The page of a server that has no such extension."""
    answer = route.fetch()
    there = re.compile(r'\{[^{}]*"name": "jan-jupyter"[^{}]*\},? ?')
    text, count = there.subn("", answer.text())
    assert count == 1
    route.fulfill(response=answer, body=re.sub(r",\s*\]", "]", text))
