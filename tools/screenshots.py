"""Take the pictures in `docs/`: the real panel and comparisons, in a real JupyterLab."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from lab.conftest import Lab, Notebook, launch  # noqa: E402
from lab.panel import Panel  # noqa: E402
from support.jan import add_remote  # noqa: E402
from support.server import StreamingServer  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

OPEN = """import jan_jupyter as jan

thread = jan.ThreadStore().open("Moving averages")
if not thread.messages:
    thread.append(jan.ThreadMessage("user", "How do I smooth a noisy series? Show the code."))
    thread.append(jan.ThreadMessage("assistant", open("answer.md").read(), model="qwen3-4b"))
panel = jan.ChatPanel({model!r}, thread={thread!r})
panel"""

ANSWER = r"""A **moving average** replaces each value by the mean of its neighbours:

$$\bar{x}_t = \frac{1}{w} \sum_{i=0}^{w-1} x_{t-i}$$

```python
import numpy as np


def smooth(values: np.ndarray, window: int = 5) -> np.ndarray:
    "Mean of the last `window` values."
    kernel = np.ones(window) / window
    return np.convolve(values, kernel, mode="valid")
```

| window | lag | noise left |
|-------:|----:|-----------:|
| 5 | 2 | 45 % |
| 25 | 12 | 20 % |

Choose the **smallest** window that removes enough noise:

- [x] plot before and after
- [ ] compare with an exponential average, where $\alpha = \frac{2}{w + 1}$
"""

MODELS = {"gpt-mini": "n=90", "gpt-small": "error=context_length_exceeded"}


@contextmanager
def shown(
    browser: Browser,
    lab: Lab,
    name: str,
    cell: str,
    width: int = 1000,
    height: int = 760,
    theme: str = "Light",
) -> Iterator[tuple[Page, Panel]]:
    page = browser.new_page(viewport={"width": 1000, "height": height})
    lab.theme(theme)
    lab.write(f"{name}.ipynb", cell)
    notebook = Notebook(page, lab, f"{name}.ipynb")
    notebook.run(0)
    panel = Panel(page)
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(800)
    yield page, panel
    page.wait_for_timeout(500)
    panel.root.screenshot(path=ROOT / "docs" / f"{name}.png")
    page.close()


REPLY = """from jan_jupyter.types import ChatRequest, Reply, Timings, Usage

Reply(
    open("answer.md").read(),
    "qwen3-4b",
    "nitro",
    reasoning="They ask for code, so NumPy will do. " * 9,
    usage=Usage(19, 312),
    timings=Timings(first_token=0.21, total=6.4, tokens_per_second=49.8),
    request=ChatRequest((), {"temperature": 0.4, "top_p": 0.9}),
    finish="stop",
    at=1_790_000_000.0,
)"""


def answer(browser: Browser, lab: Lab, name: str) -> None:
    """An answer as JupyterLab draws it, with how it came about."""
    page = browser.new_page(viewport={"width": 1000, "height": 1200})
    lab.theme("Light")
    lab.write(f"{name}.ipynb", REPLY)
    notebook = Notebook(page, lab, f"{name}.ipynb")
    notebook.run(0)
    shown = page.locator("jan-reply article")
    shown.locator("math").first.wait_for()
    shown.locator(".t-kw").first.wait_for()
    shown.get_by_role("button", name="How it came about").click()
    shown.get_by_label("How this answer came about").wait_for()
    page.wait_for_timeout(500)
    shown.screenshot(path=ROOT / "docs" / f"{name}.png")
    page.close()


def main() -> None:
    from playwright.sync_api import sync_playwright

    talk = OPEN.format(model="jan-mini", thread="Moving averages")
    with tempfile.TemporaryDirectory() as folder, StreamingServer() as server:
        lab = Lab(Path(folder))
        add_remote(lab.data_folder, server, **MODELS)
        (lab.folder / "answer.md").write_text(ANSWER)
        with sync_playwright() as playwright:
            browser = launch(playwright)
            with shown(browser, lab, "panel", talk):
                pass
            with shown(browser, lab, "panel-dark", talk, theme="Dark"):
                pass
            with shown(browser, lab, "panel-narrow", talk, width=520, height=800):
                pass
            with shown(browser, lab, "panel-settings", talk) as (_, panel):
                panel.set("temperature", "0.4")
                panel.button("Settings").click()
            with shown(browser, lab, "panel-threads", talk) as (_, panel):
                panel.button("Threads").click()
                panel.find(".threads li").first.wait_for()
            new = OPEN.format(model="gpt-small", thread=None)
            with shown(browser, lab, "panel-error", new) as (_, panel):
                panel.ask("What do these 200 pages say?")
                panel.find(".error-card").wait_for()
            new = OPEN.format(model="jan-mini", thread=None)
            with shown(browser, lab, "panel-columns", new) as (page, panel):
                panel.find(".model-button").click()
                panel.button("Compare: ask gpt-mini as well").click()
                page.keyboard.press("Escape")
                panel.ask("What is a model.json?")
                panel.find(".column .quiet-button:not(:disabled)").nth(1).wait_for()
                panel.ask("What is 7 + 5?")
                panel.find(".columns").nth(1).locator(".quiet-button:not(:disabled)").nth(
                    1
                ).wait_for()
            answer(browser, lab, "lab-answer")
            browser.close()
        lab.close()


if __name__ == "__main__":
    main()
