"""Take the pictures of comparisons in `docs/`: saved ones, as Notebook 7 draws them."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from jan_jupyter.compare.live.document import document  # noqa: E402
from jan_jupyter.compare.live.protocol import COMPARISON  # noqa: E402
from jan_jupyter.compare.values import (  # noqa: E402
    Call,
    Case,
    Contestant,
    Grid,
    Result,
    Row,
    Score,
)
from jan_jupyter.types import Message, Reply, Timings, Usage  # noqa: E402
from lab.conftest import Lab, Notebook, launch  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

SMOOTH = "How do I smooth a noisy series in NumPy? Show the code."
ANSWERS = (
    r"""A **moving average** replaces each value by the mean of its neighbours:

$$\bar{x}_t = \frac{1}{w} \sum_{i=0}^{w-1} x_{t-i}$$

```python
import numpy as np


def smooth(values: np.ndarray, window: int = 5) -> np.ndarray:
    kernel = np.ones(window) / window
    return np.convolve(values, kernel, mode="valid")
```

A larger window removes more noise, and more detail.""",
    """Use an **exponential average**, which needs no window:

```python
def smooth(values, rate=0.3):
    out, last = [], values[0]
    for value in values:
        last += rate * (value - last)
        out.append(last)
    return out
```

1. `rate` near 1 follows the data,
2. `rate` near 0 is smooth but late.""",
    """Use Savitzky–Golay, which keeps peaks:

```python
from scipy.signal import savgol_filter

smooth = savgol_filter(values, 11, 3)
```

| window | noise left |
|-------:|-----------:|
| 5 | 45 % |
| 11 | 28 % |""",
    """You can smooth it like this:

```python
smooth = [sum(x[i:i+5]) / 5 for i in range(len(x))]
```

The last values are too small; pad the series to avoid that.""",
)
SPEEDS = (41.0, 23.0, 96.0, 148.0)
NAMES = ("qwen3-4b", "llama-3.1-8b", "gemma-3-1b", "smollm2-360m")

CAPITALS = {
    "Italy": "Rome",
    "Peru": "Lima",
    "Kenya": "Nairobi",
    "Australia": "Canberra",
    "Canada": "Ottawa",
    "Turkey": "Ankara",
    "Brazil": "Brasília",
    "Switzerland": "Bern",
    "New Zealand": "Wellington",
    "Morocco": "Rabat",
    "Vietnam": "Hanoi",
    "Nigeria": "Abuja",
}
WRONG = {"Australia": "Sydney", "Canada": "Toronto", "Turkey": "Istanbul", "Switzerland": "Zürich"}
ALSO = {"Brazil": "Rio de Janeiro", "Morocco": "Casablanca", "Nigeria": "Lagos"}


def reply(text: str, who: int) -> Reply:
    tokens = max(5, len(text) // 4)
    times = Timings(
        queue=0.0,
        prompt=0.04 + 0.02 * who,
        first_token=0.12 + 0.03 * who,
        decode=tokens / SPEEDS[who],
        total=0.12 + 0.03 * who + tokens / SPEEDS[who],
        tokens_per_second=SPEEDS[who],
    )
    usage = Usage(18, tokens)
    return Reply(text, NAMES[who], "nitro", usage=usage, timings=times, finish="stop")


def one_prompt(contestants: int) -> Result:
    case = Case(SMOOTH, ((Message("user", SMOOTH),),))
    grid = Grid((case,), tuple(Contestant(name, name) for name in NAMES[:contestants]))
    rows = [
        Row(call, "k", reply(ANSWERS[call.contestant], call.contestant)) for call in grid.calls()
    ]
    return Result(grid, rows, "smoothing")


def capitals() -> Result:
    cases = tuple(
        Case(land, ((Message("user", f"What is the capital of {land}?"),),), expected=town)
        for land, town in CAPITALS.items()
    )
    grid = Grid(cases, tuple(Contestant(name, name) for name in NAMES[:3]))
    return Result(grid, [_capital(call, cases[call.case]) for call in grid.calls()], "capitals")


def _capital(call: Call, case: Case) -> Row:
    told = str(case.expected)
    if call.contestant >= 1:
        told = WRONG.get(case.name, told)
    if call.contestant == 2:
        told = ALSO.get(case.name, told)
    ways = ("The capital of {} is {}.", "The capital city of {} is **{}**.", "{}: {}.")
    text = ways[call.contestant].format(case.name, told)
    right = Score(told == case.expected)
    return Row(call, "k", reply(text, call.contestant), scores={"contains": right})


@contextmanager
def shown(
    browser: Browser,
    lab: Lab,
    name: str,
    told: Result,
    *,
    width: int = 1200,
    height: int = 1000,
    theme: str = "Light",
) -> Iterator[tuple[Page, Locator]]:
    """The notebook with it, whose view becomes the picture."""
    lab.theme(theme)
    path = lab.write(f"{name}.ipynb", "%jan runs show " + told.name)
    notebook = nbformat.read(path, 4)
    data = {COMPARISON: document(told), "text/plain": "a comparison"}
    notebook.cells[0].outputs = [nbformat.v4.new_output("display_data", data=data)]
    nbformat.write(notebook, path)
    page = browser.new_page(viewport={"width": 1200, "height": height})
    Notebook(page, lab, path.name, "notebooks")
    page.set_viewport_size({"width": width, "height": height})
    view = page.locator("jan-comparison")
    view.get_by_role("tab").first.wait_for()
    yield page, view
    page.mouse.move(0, 0)
    page.wait_for_timeout(700)
    view.screenshot(path=ROOT / "docs" / f"{name}.png")
    page.close()


def main() -> None:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        lab = Lab(Path(folder))
        browser = launch(playwright)
        with shown(browser, lab, "compare", one_prompt(3)):
            pass
        with shown(browser, lab, "compare-dark", one_prompt(4), width=1500, theme="Dark"):
            pass
        with shown(browser, lab, "compare-narrow", one_prompt(2), width=480, height=1400):
            pass
        with shown(browser, lab, "compare-rows", capitals()) as (_, view):
            view.get_by_role("tab", name="Rows").click()
        with shown(browser, lab, "compare-diff", capitals()) as (_, view):
            view.get_by_role("tab", name="Rows").click()
            view.get_by_text("capital of Australia").first.click()
        with shown(browser, lab, "compare-summary", capitals(), height=1500):
            pass
        browser.close()
        lab.close()


if __name__ == "__main__":
    main()
