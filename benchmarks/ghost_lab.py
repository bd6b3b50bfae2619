"""Ghost text in JupyterLab: when it is on the page, and how soon typing on ends it.

Real keys in a real page. The text is there when the page has it; a request has ended when its
signal says so, and the engine is free when llama.cpp says so.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from statistics import median
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from jan_jupyter.engines.local.registry import Registry
from lab.conftest import CHROMIUM, Lab, Notebook, launch
from support.real_model import NAME, real_model

from .ghost import EARLIER, works

if TYPE_CHECKING:
    from playwright.sync_api import Page

DELAY = 200
WORDS = ("values", "result", "total", "number", "index", "left", "right", "name", "size", "key")
ROUNDS = 20

WATCH = """() => {
  const seen = window.seen = {keys: [], asked: [], left: [], texts: []};
  const note = (name) => seen[name].push(performance.now());
  const fetch = window.fetch;
  window.fetch = (request, init) => {
    if (/v1\\/completions(\\?|$)/.test(request.url ?? request)) {
      note('asked');
      (init?.signal ?? request.signal).addEventListener('abort', () => note('left'));
    }
    return fetch(request, init);
  };
  addEventListener('keydown', () => note('keys'), true);
  const look = () => {
    const ghosts = [...document.querySelectorAll('.jp-GhostText')];
    const ghost = ghosts.find((one) => !/Spacer/.test(one.className));
    if (ghost?.textContent && seen.texts.length < seen.asked.length) note('texts');
  };
  addEventListener('DOMContentLoaded', () => new MutationObserver(look).observe(
    document.body, {subtree: true, childList: true, characterData: true}));
}"""


def main() -> None:
    from playwright.sync_api import sync_playwright

    if CHROMIUM is None:
        print("needs Chromium")
        return
    for model, shown, bound in (
        ("jan-mini", "jan-mini", "; bound 50 ms"),
        (NAME, "SmolLM2-135M", ""),
    ):
        with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
            lab = Lab(Path(folder))
            real_model(lab.data_folder)
            settings = lab.folder / "settings" / "jan-jupyter" / "completion.jupyterlab-settings"
            settings.parent.mkdir(parents=True)
            settings.write_text(json.dumps({"model": model, "delay": DELAY}))
            browser = launch(playwright)
            try:
                page = browser.new_page()
                page.add_init_script(f"({WATCH})()")
                typed(page, lab, shown, bound)
            finally:
                browser.close()
                lab.close()


def typed(page: Page, lab: Lab, shown: str, bound: str) -> None:
    lab.write("typing.ipynb", EARLIER, "")
    notebook = Notebook(page, lab, "typing.ipynb")
    notebook.cell(1).locator(".cm-content").click()
    page.keyboard.type("def collect(values):\n")
    texts, left, free = [], [], []
    for number in range(ROUNDS):
        page.keyboard.type(f"{WORDS[number % len(WORDS)]}_{number} = ")
        answered(page)
        seen = page.evaluate("seen")
        texts.append(seen["texts"][-1] - seen["keys"][-1] - DELAY)
        page.evaluate("seen.left.length = 0")
        page.keyboard.type("7")  # which it has not offered
        began = monotonic()
        if (ended := page.evaluate("seen.left")) and number:
            left.append(ended[0] - page.evaluate("seen.keys.at(-1)"))
        free += idle(lab, began)
        page.keyboard.press("Enter")
    first, *others = texts
    others.sort()
    print(
        f"{shown}: first text on the page {median(others):.0f} ms after the debounce, the slowest"
        f" {others[-1]:.0f} ms (of {len(others)}{bound}); the first of all, with its model to load,"
        f" {first:.0f} ms",
        flush=True,
    )
    if left:
        print(
            f"{shown}: typing on ends its request after {median(left):.1f} ms, at most"
            f" {max(left):.1f} ms (of {len(left)} that still came); the engine is free at most"
            f" {1000 * max(free):.0f} ms after the key; bound 50 ms",
            flush=True,
        )


def answered(page: Page) -> Any:
    """Until the last request has a text."""
    return page.wait_for_function(
        "seen.asked.length && seen.texts.length && seen.texts.at(-1) > seen.asked.at(-1)"
        " && seen.asked.at(-1) > seen.keys.at(-1)",
        timeout=60_000,
    )


def idle(lab: Lab, began: float) -> list[float]:
    """Seconds until no worker writes."""
    workers = Registry(lab.folder / "run" / "workers").all()
    while any(works(worker) for worker in workers):
        sleep(0.001)
    return [monotonic() - began]


if __name__ == "__main__":
    main()
