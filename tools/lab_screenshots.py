"""Take the pictures of `docs/lab.md`: a real JupyterLab, models whose words are written here."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from lab.conftest import Lab, Notebook, launch  # noqa: E402
from lab.manager import Manager, Status  # noqa: E402
from lab.panel import Panel  # noqa: E402
from lab.side import side  # noqa: E402
from support.jan import add_model, write_json  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

DATA = """import pandas as pd

rain = pd.DataFrame({"month": ["Jan", "Feb", "Mar"], "mm": [61, 48, 39]})
rain"""
MEAN = """def mean_of(frame, column):
    return frame[colum].mean()

mean_of(rain, "mm")"""

# What is answered, by a word of what is asked; the first that fits.
SAYS = {
    "cell fails": """The name `colum` is not defined: the parameter is called **`column`**.

```python
def mean_of(frame, column):
    return frame[column].mean()

mean_of(rain, "mm")
```
""",
    "wettest": """**January** was the wettest month, with 61 mm. It got drier from month to month:

| month | mm | change |
|:------|---:|-------:|
| Jan | 61 | |
| Feb | 48 | −13 |
| Mar | 39 | −9 |

To draw it:

```python
rain.plot.bar(x="month", y="mm", legend=False)
```
""",
}
MODELS = ["qwen3-4b", "gpt-mini"]


class Model(BaseHTTPRequestHandler):
    """Models in the form of OpenAI's API, which say what is written above."""

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["content-length"])).decode()
        said = next((text for word, text in SAYS.items() if word in asked), "…")
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        pieces: list[dict[str, Any]] = [
            {"delta": {"content": said[at : at + 6]}} for at in range(0, len(said), 6)
        ]
        for piece in [*pieces, {"delta": {}, "finish_reason": "stop"}]:
            event = {"object": "chat.completion.chunk", "choices": [{"index": 0, **piece}]}
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def lab_with_models() -> Iterator[Lab]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Path(folder), variables={"JAN_KEEP_ALIVE": 600})
        address = f"http://127.0.0.1:{server.server_port}/v1"
        engine = {"base_url": address, "api_key": "none"}
        write_json(lab.data_folder / "engines" / "openai" / "engine.json", engine)
        for name in MODELS:
            add_model(lab.data_folder, name, engine="openai", capabilities=["completion"])
        yield lab
        lab.close()
    server.shutdown()


class Camera:
    def __init__(self, browser: Browser, lab: Lab) -> None:
        self.browser = browser
        self.lab = lab

    @contextmanager
    def page(self, width: int = 1280, height: int = 760, theme: str = "Light") -> Iterator[Page]:
        self.lab.theme(theme)
        context = self.browser.new_context(viewport={"width": width, "height": height})
        yield context.new_page()
        context.close()

    def take(self, place: Page | Locator, name: str) -> None:
        page = place.page if hasattr(place, "page") else place
        page.mouse.move(0, 0)
        page.wait_for_timeout(800)
        place.screenshot(path=ROOT / "docs" / f"lab-{name}.png")

    def notebook(self, page: Page, name: str, *cells: str) -> Notebook:
        self.lab.write(name, *cells)
        view = f"lab/workspaces/{name.removesuffix('.ipynb')}/tree"  # with nothing else open
        notebook = Notebook(page, self.lab, name, view)
        page.keyboard.press("Control+b")  # without the list of files
        return notebook

    def side(self, page: Page, width: int) -> Panel:
        """The panel, so wide."""
        panel = side(page)
        box = page.locator("#jan-side-panel").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] - 2, 400)
        page.mouse.down()
        page.mouse.move(box["x"] - 2 - (width - box["width"]), 400, steps=5)
        page.mouse.up()
        return panel

    def panel(self) -> None:
        with self.page() as page:
            notebook = self.notebook(page, "rain.ipynb", DATA)
            notebook.run(0)
            panel = self.side(page, 460)
            panel.choose("qwen3-4b")
            panel.box.fill("Which month was the wettest? @output ")
            panel.send_and_wait()
            self.take(page, "panel")

    def error(self) -> None:
        with self.page() as page:
            notebook = self.notebook(page, "mean.ipynb", DATA, MEAN)
            notebook.run(0)
            notebook.run(1)
            panel = self.side(page, 460)
            panel.choose("qwen3-4b")
            notebook.area(1).get_by_role("button", name="Explain the error").click()
            panel.says.locator("pre").wait_for()
            panel.wait()
            panel.says.locator("button", has_text="Replace").click()
            panel.find("pre[aria-label='What would change']").wait_for()
            self.take(page, "error")

    def models(self) -> None:
        with self.page(1100, 560) as page:
            manager = Manager(page, self.lab)
            page.locator(".jp-SideBar [data-id=filebrowser]").click()
            manager.button("Load Jan mini").click()
            status = Status(page)
            page.locator("jan-status .text", has_text="jan-mini").wait_for()
            status.open()
            self.take(page, "models")

    def narrow(self) -> None:
        with self.page() as page:
            notebook = self.notebook(page, "narrow.ipynb", DATA, MEAN)
            notebook.run(0)
            notebook.run(1)
            panel = side(page)
            panel.button("New thread").click()
            panel.box.fill("What is wrong with @cell and @error? @output:1 ")
            page.wait_for_timeout(1500)
            self.take(page.locator("#jan-side-panel"), "narrow")


PICTURES = ["panel", "error", "models", "narrow"]


def main() -> None:
    """Those that are named, or all."""
    from playwright.sync_api import sync_playwright

    with lab_with_models() as lab, sync_playwright() as playwright:
        browser = launch(playwright)
        camera = Camera(browser, lab)
        for name in sys.argv[1:] or PICTURES:
            getattr(camera, name)()
        browser.close()


if __name__ == "__main__":
    main()
