"""The panel in marimo, which has no IPython and a widget manager of its own."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.environment import isolated_environment
from support.jan import add_remote
from support.server import StreamingServer, tokens

from .panel import Panel

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

MARIMO = Path(__file__).parents[2] / ".venv-marimo" / "bin" / "marimo"
NOTEBOOK = """
import marimo
app = marimo.App()

@app.cell
def _():
    import marimo as mo
    import jan_jupyter as jan
    return jan, mo

@app.cell
def _():
    table = {"key": 4711}
    return table,

@app.cell
def _(jan, mo):
    panel = mo.ui.anywidget(jan.ChatPanel("short", height="400px"))
    panel
    return panel,

@app.cell
def _(jan):
    jan.ChatPanel("short", height="400px")
    return
"""


@pytest.fixture
def address(tmp_path: Path, server: StreamingServer) -> Iterator[str]:
    """A marimo server that runs the notebook."""
    if not MARIMO.exists():
        pytest.skip("marimo is not installed (`make test-slow` sets it up)")
    add_remote(tmp_path / "jan", server, short="")
    server.behave("short", "n=20")
    (tmp_path / "page.py").write_text(NOTEBOOK)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    options = ("--headless", "--no-token", "--port", address.rpartition(":")[2])
    with (tmp_path / "marimo.log").open("wb") as log:
        process = subprocess.Popen(
            [str(MARIMO), "-y", "run", "page.py", *options],
            env=isolated_environment(tmp_path),
            cwd=tmp_path,
            stdout=log,
            stderr=log,
        )
    try:
        wait_until_it_answers(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def wait_until_it_answers(address: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=10).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("marimo does not answer")


@pytest.fixture
def page(address: str, browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1200, "height": 1000}, color_scheme="dark")
    page.goto(address)
    yield page
    page.close()


def test_a_panel_answers_and_knows_the_variables(page: Page, server: StreamingServer) -> None:
    """Within `mo.ui.anywidget`, and alone."""
    from playwright.sync_api import expect

    for number in range(2):
        panel = Panel(page, number, "jan-chat")  # within a shadow root, which XPath does not see
        panel.box.click()
        panel.box.fill("look at @table ")
        panel.send_and_wait()
        expect(panel.says).to_contain_text(tokens(20)[19].strip())
        expect(panel.questions).to_have_count(1)  # nothing is left on its way
        assert "4711" in str(server.journal()[-1].body)
        light = panel.root.evaluate("panel => getComputedStyle(panel).colorScheme")
        assert light == "light"  # as marimo is, whatever the system prefers
