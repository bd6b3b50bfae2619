"""JupyterLab in headless Chromium."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from support.environment import isolated_environment
from support.jan import add_remote
from support.server import StreamingServer

if TYPE_CHECKING:
    from playwright.sync_api import Page

TOKEN = "a-token-of-the-test"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Lab:
    """A JupyterLab server with the data folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data_folder = folder / "jan"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        environment = isolated_environment(folder)
        environment["JUPYTERLAB_SETTINGS_DIR"] = str(folder / "settings")
        environment["JUPYTERLAB_WORKSPACES_DIR"] = str(folder / "workspaces")
        environment["JAN_KEEP_ALIVE"] = "3"
        options = {
            "port": self.port,
            "ip": "127.0.0.1",
            "IdentityProvider.token": TOKEN,
            "ServerApp.root_dir": folder,
            "ServerApp.port_retries": 0,
            "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
            "LabApp.news_url": "",
            "LabApp.extension_manager": "readonly",
        }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        self.log = (folder / "lab.log").open("wb")
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", *arguments]
        self.process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=self.log, stderr=self.log
        )
        self._wait()

    def _wait(self) -> None:
        url = f"http://127.0.0.1:{self.port}/api/status?token={TOKEN}"
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            try:
                urllib.request.urlopen(url, timeout=2).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError((self.folder / "lab.log").read_text("utf-8")[-3000:])

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.log.close()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}?token={TOKEN}"

    def write(self, name: str, *cells: str) -> Path:
        """A notebook of code cells."""
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": kernel, "language_info": {"name": "python"}},
        )
        nbformat.write(notebook, self.folder / name)
        return self.folder / name


class Notebook:
    """A notebook that is open in the browser."""

    def __init__(self, page: Page, lab: Lab, name: str) -> None:
        self.page = page
        page.goto(f"http://127.0.0.1:{lab.port}/doc/tree/{name}?token={TOKEN}")
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", timeout=60_000)

    def cell(self, number: int) -> Any:
        return self.page.locator(".jp-Notebook .jp-Cell").nth(number)

    def output(self, number: int) -> str:
        area = self.cell(number).locator(".jp-OutputArea")
        return str(area.inner_text()) if area.count() else ""

    def start(self, number: int) -> None:
        for _ in range(5):  # the first click after loading may go nowhere
            try:
                self._choose_kernel()
                self.cell(number).locator(".cm-content").first.click(timeout=5000)
                self.page.keyboard.press("Control+Enter")
                self._prompt(number, r"\[(\*|\d+)\]", 3000)
            except Exception:
                continue
            return
        asked = self.page.locator("dialog").all_inner_texts()
        raise TimeoutError(f"cell {number} does not start; dialogs: {asked}")

    def _choose_kernel(self) -> None:
        """A busy machine may not have the kernels' names yet: then JupyterLab asks for one."""
        asks = self.page.locator("dialog", has_text="Select Kernel")
        if asks.count():
            asks.locator(".jp-mod-accept").click(timeout=5000)
            self.page.wait_for_selector(
                ".jp-Notebook-ExecutionIndicator[data-status=idle]", timeout=60_000
            )

    def run(self, number: int) -> str:
        self.start(number)
        self.finish(number)
        return self.output(number)

    def finish(self, number: int) -> None:
        self._prompt(number, r"\[\d+\]", 60_000)

    def _prompt(self, number: int, pattern: str, timeout: int) -> None:
        self.page.wait_for_function(
            "([i, p]) => new RegExp(p).test(document.querySelectorAll('.jp-Notebook .jp-Cell')[i]"
            ".querySelector('.jp-InputPrompt').innerText)",
            arg=[number, pattern],
            timeout=timeout,
        )


@pytest.fixture(scope="session")
def lab(
    tmp_path_factory: pytest.TempPathFactory, _streaming_server: StreamingServer
) -> Iterator[Lab]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (.ci/run installs it)")
    lab = Lab(tmp_path_factory.mktemp("lab"))
    add_remote(lab.data_folder, _streaming_server, slow="", short="", refused="")
    yield lab
    lab.close()


@pytest.fixture
def any_page(lab: Lab) -> Iterator[Page]:
    """A page whose own errors are nobody's business."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser.new_page(viewport={"width": 1200, "height": 900})
        browser.close()


@pytest.fixture
def page(any_page: Page) -> Iterator[Page]:
    """A page that fails the test if its JavaScript raises."""
    raised: list[str] = []
    any_page.on("pageerror", lambda error: raised.append(str(error)))
    yield any_page
    assert not raised
