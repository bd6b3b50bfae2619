"""Take the moving picture of the README: a `%%jan` cell that streams, in a real JupyterLab.

`python tools/moving_picture.py MODEL.gguf`: with a real model, at its real speed on this machine.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from lab.conftest import ARGUMENTS, CHROMIUM, Lab, Notebook  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Page

CELLS = (
    "%load_ext jan_jupyter\ncity, heights = 'Rome', [1.62, 1.75, 1.80]",
    "%%jan\nWrite a Python function that returns the mean of a list like {heights}, "
    "and explain it.",
)
WIDTH, HEIGHT = 1150, 560
MOST = 1_000_000  # bytes
PAUSE, HOLD = 0.12, 2500  # seconds between two pictures; ms of the last one


def picture(page: Page) -> Image.Image:
    shot = page.locator(".jp-NotebookPanel").screenshot()
    return Image.open(io.BytesIO(shot)).convert("RGB")


def frames(page: Page) -> list[tuple[float, Image.Image]]:
    """Pictures, and when each was taken, until the footer stands below the answer."""
    taken: list[tuple[float, Image.Image]] = []
    cell = page.locator(".jp-Notebook .jp-Cell").nth(1)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        began = time.monotonic()
        taken.append((began, picture(page)))
        answer = cell.locator("jan-reply article")
        if answer.count() and "tok/s" in answer.inner_text():
            break
        page.wait_for_timeout(max(0, PAUSE - (time.monotonic() - began)) * 1000)
    page.wait_for_timeout(400)
    taken.append((time.monotonic(), picture(page)))
    return taken


def main(model: Path) -> None:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        lab = Lab(Path(folder))
        described = lab.data_folder / "models" / "smollm2-135m" / "model.json"
        described.parent.mkdir(parents=True)
        described.write_text(
            json.dumps(
                {
                    "id": "smollm2-135m",
                    "sources": [{"filename": model.name, "url": str(model.resolve())}],
                    "parameters": {"temperature": 0, "max_tokens": 160},
                }
            )
        )
        lab.write("ask.ipynb", *CELLS)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        notebook = Notebook(page, lab, "ask.ipynb")
        notebook.run(0)
        page.wait_for_timeout(800)
        notebook.cell(1).locator(".cm-content").click()
        page.keyboard.press("Control+Enter")
        taken = frames(page)
        browser.close()
        lab.close()
    times = [round((b[0] - a[0]) * 1000) for a, b in pairwise(taken)]
    first, *rest = (image for _, image in taken)
    file = ROOT / "docs" / "streaming.webp"
    first.save(
        file,
        save_all=True,
        append_images=rest,
        duration=[*times, HOLD],
        loop=0,
        quality=60,
        method=4,
    )
    size = file.stat().st_size
    print(f"{file}: {len(taken)} pictures, {size:,} bytes")
    if size > MOST:
        sys.exit("That is too large for a README.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
