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
from typing import TYPE_CHECKING

from jan_jupyter.engines.local import supervisor
from jan_jupyter.engines.local.registry import Registry
from lab.conftest import CHROMIUM, Lab, Notebook, launch
from support.real_model import NAME, real_model

from .ghost import EARLIER

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
    # What is chosen is read once the page is there.
    page.wait_for_function("/Completion: (?!off)/.test(document.body.innerText)")
    notebook.cell(1).locator(".cm-content").click()
    page.keyboard.type("def collect(values):\n")
    texts = []
    for number in range(ROUNDS):
        page.keyboard.type(f"{WORDS[number % len(WORDS)]}_{number} = ")
        if until(page, "texts"):  # a model may have nothing to say
            texts.append(page.evaluate("seen.texts.at(-1) - seen.keys.at(-1)") - DELAY)
        page.keyboard.type("7\n")
    first, *others = texts
    others.sort()
    print(
        f"{shown}: first text on the page {median(others):.0f} ms after the debounce, the slowest"
        f" {others[-1]:.0f} ms (of {len(others)}{bound}); the first of all, with its model to load,"
        f" {first:.0f} ms",
        flush=True,
    )
    left(page, lab, shown)


def left(page: Page, lab: Lab, shown: str) -> None:
    """A key while a request is under way."""
    ended, free = [], []
    for number in range(ROUNDS):
        page.keyboard.type(f"{WORDS[number % len(WORDS)]}_{number} += ")
        until(page, "asked")
        page.evaluate("seen.left.length = 0")
        began = monotonic()
        page.keyboard.type("7")
        left_behind = tasks(lab)
        while left_behind & tasks(lab):  # after a pause the next one is asked
            sleep(0.001)
        free.append(monotonic() - began)
        ended += page.evaluate("seen.left.slice(0, 1).map(at => at - seen.keys.at(-1))")
        page.keyboard.press("Enter")
    print(
        f"{shown}: typing on ends its request after {median(ended):.0f} ms, at most"
        f" {max(ended):.0f} ms (of {len(ended)}); the engine is free {1000 * median(free):.0f} ms"
        f" after the key was sent, at most {1000 * max(free):.0f} ms; bound 50 ms",
        flush=True,
    )


def tasks(lab: Lab) -> set[tuple[int, int]]:
    """What the engines are working on."""
    workers = Registry(lab.folder / "run" / "workers").all()
    told = [(worker.port, supervisor.slots(worker.port, worker.secret) or []) for worker in workers]
    return {(port, task) for port, slots in told for working, task in slots if working}


def until(page: Page, what: str) -> bool:
    """Until there was a request after the last key, or a text after that; whether it came."""
    from playwright.sync_api import TimeoutError

    try:
        page.wait_for_function(
            "what => seen.asked.at(-1) > seen.keys.at(-1)"
            " && (what === 'asked' || seen.texts.at(-1) > seen.asked.at(-1))",
            arg=what,
            polling=5,
            timeout=2_000,  # less than an idle model is kept here
        )
    except TimeoutError:
        return False
    return True


if __name__ == "__main__":
    main()
