"""JupyterLab in headless Chromium."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from support.environment import isolated_environment
from support.jan import add_remote
from support.server import StreamingServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Playwright

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


def launch(playwright: Playwright) -> Browser:
    """Chromium, with the scrollbars that people see: a headless one hides them by itself."""
    return playwright.chromium.launch(
        executable_path=CHROMIUM, args=ARGUMENTS, ignore_default_args=["--hide-scrollbars"]
    )


class Lab:
    """A JupyterLab server with the data folder of its own; below `base`, as JupyterHub has it."""

    def __init__(
        self,
        folder: Path,
        base: str = "/",
        *,
        python: str = sys.executable,
        variables: Mapping[str, str | int] | None = None,
    ) -> None:
        """`python` runs it; `variables` are those of its environment, or options (`Class.name`)."""
        more = variables or {}
        self.folder = folder
        self.base = base
        self.data_folder = folder / "jan"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        environment = isolated_environment(folder)
        environment["JUPYTERLAB_SETTINGS_DIR"] = str(folder / "settings")
        environment["JUPYTERLAB_WORKSPACES_DIR"] = str(folder / "workspaces")
        environment["JAN_KEEP_ALIVE"] = "3"
        environment |= {name: str(value) for name, value in more.items() if "." not in name}
        options = {
            "port": self.port,
            "ip": "127.0.0.1",
            "IdentityProvider.token": TOKEN,
            "ServerApp.root_dir": folder,
            "ServerApp.port_retries": 0,
            "ServerApp.base_url": base,
            "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
            "LabApp.news_url": "",
            "LabApp.extension_manager": "readonly",
            **{name: value for name, value in more.items() if "." in name},
        }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        self._set("notification", {"fetchNews": "false"})  # else it asks, above all else
        self._command = [python, "-m", "jupyterlab", "--no-browser", "--allow-root", *arguments]
        self._environment = environment
        self.start()

    def start(self) -> None:
        """Also again, at the same address, after `close`."""
        self.log = (self.folder / "lab.log").open("ab")
        self.process = subprocess.Popen(
            self._command,
            env=self._environment,
            cwd=self.folder,
            stdout=self.log,
            stderr=self.log,
        )
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            try:
                self._api("status")
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError((self.folder / "lab.log").read_text("utf-8")[-3000:])

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.log.close()

    def kill(self) -> None:
        """End it without a word."""
        self.process.kill()
        self.process.wait(20)
        self.log.close()

    def url(self, path: str, port: int = 0) -> str:
        return f"http://127.0.0.1:{port or self.port}{self.base}{path}?token={TOKEN}"

    def wait_for_kernel(self, notebook: str, seconds: float = 60) -> None:
        """Until a page has its kernel. It looks idle before that, and a cell that is run then makes
        JupyterLab start a second kernel, or ask for one."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            kernel = self.kernel(notebook)
            if kernel.get("execution_state") == "idle" and kernel.get("connections"):
                return
            time.sleep(0.05)
        raise TimeoutError(f"{notebook} has no kernel: {self._api('sessions')}")

    def kernel(self, notebook: str) -> dict[str, Any]:
        """What the server says of a notebook's kernel; empty if there is none."""
        sessions = [one for one in self._api("sessions") if one["path"] == notebook]
        return (sessions[0]["kernel"] or {}) if sessions else {}

    def _api(self, path: str) -> Any:
        with urllib.request.urlopen(self.url(f"api/{path}"), timeout=10) as answer:
            return json.load(answer)

    def theme(self, name: str) -> None:
        """`Light` or `Dark`, in pages that are opened from now on."""
        self._set("themes", {"theme": f"JupyterLab {name}"})

    def _set(self, name: str, settings: dict[str, str]) -> None:
        folder = self.folder / "settings" / "@jupyterlab" / "apputils-extension"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.jupyterlab-settings").write_text(json.dumps(settings))

    def add_kernel(self, name: str, python: Path) -> None:
        command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        folder = self.folder / "jupyter" / "data" / "kernels" / name
        folder.mkdir(parents=True)
        spec = {"argv": command, "display_name": name, "language": "python"}
        (folder / "kernel.json").write_text(json.dumps(spec))

    def write(self, name: str, *cells: str, kernel_name: str = "python3") -> Path:
        """A notebook of code cells."""
        kernel = {"name": kernel_name, "display_name": kernel_name, "language": "python"}
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": kernel, "language_info": {"name": "python"}},
        )
        nbformat.write(notebook, self.folder / name)
        return self.folder / name


class Notebook:
    """A notebook that is open in the browser."""

    def __init__(
        self, page: Page, lab: Lab, name: str, view: str = "doc/tree", port: int = 0
    ) -> None:
        self.page = page
        page.goto(lab.url(f"{view}/{name}", port))
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        lab.wait_for_kernel(name)
        page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", timeout=60_000)

    def cell(self, number: int) -> Locator:
        return self.page.locator(".jp-Notebook .jp-Cell").nth(number)

    def area(self, number: int) -> Locator:
        """Where a cell's outputs are."""
        return self.cell(number).locator(".jp-Cell-outputArea")

    def start(self, number: int) -> None:
        self.cell(number).locator(".cm-content").first.click()
        self.page.keyboard.press("Control+Enter")
        self._prompt(number, r"\[(\*|\d+)\]", 60_000)

    def run(self, number: int) -> None:
        self.start(number)
        self.finish(number)

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
        browser = launch(playwright)
        yield browser.new_page(viewport={"width": 1200, "height": 900})
        browser.close()


@pytest.fixture
def page(any_page: Page) -> Iterator[Page]:
    """A page that fails the test if its JavaScript raises."""
    raised: list[str] = []
    any_page.on("pageerror", lambda error: raised.append(str(error)))
    yield any_page
    assert not raised


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (.ci/run installs it)")
    with sync_api.sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """A page of its own, without Jupyter; it fails the test if its JavaScript raises."""
    page = browser.new_page(viewport={"width": 900, "height": 700}, reduced_motion="reduce")
    raised: list[str] = []
    page.on("pageerror", lambda error: raised.append(str(error)))
    yield page
    page.close()
    assert not raised
