"""JupyterLab in headless Chromium."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import nbformat
import pytest

from support.environment import isolated_environment
from support.jan import add_remote
from support.server import StreamingServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Playwright

TOKEN = "a-token-of-the-test"
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")
"""The first is the same engine without windows, for two thirds of the time."""
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OLDEST = Path(__file__).parents[2] / ".venv-lab42" / "bin" / "python"
MODELS = ("slow", "short", "refused", "echo", "other", "ghost", "second")
OURS = re.compile(r"(?!Failed to (load|fetch)|WebSocket connection).*(jan|blob:)", re.DOTALL)
"""A fault of our code, and not of the way to a server."""


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
        environment["PYTHONFAULTHANDLER"] = "1"
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
            "LabApp.expose_app_in_browser": True,
            "JupyterNotebookApp.expose_app_in_browser": True,
            **{name: value for name, value in more.items() if "." in name},
        }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        self._set("notification", {"fetchNews": "false"})  # else it asks, above all else
        self._command = [python, "-m", "jupyterlab", "--no-browser", "--allow-root", *arguments]
        self._environment = environment
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

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
        self.kill()
        raise RuntimeError((self.folder / "lab.log").read_text("utf-8")[-3000:])

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # so that it tells where it is
            self.process.wait(20)
            told = (self.folder / "lab.log").read_text("utf-8")[-6000:]
            # A request of Jupyter's own that was under way leaves a thread of anyio behind.
            if not re.search(r"threading.*in _shutdown", told) or "anyio/_backends" not in told:
                raise AssertionError(told) from None
        finally:
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


def busy_until(name: str) -> str:
    """A cell that ends when there is such a file."""
    return f"import os, time\nwhile not os.path.exists({name!r}):\n    time.sleep(0.05)"


class Notebook:
    """A notebook that is open in the browser."""

    def __init__(
        self, page: Page, lab: Lab, name: str, view: str = "doc/tree", port: int = 0
    ) -> None:
        self.page = page
        self.path = lab.folder / name
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
        from playwright.sync_api import expect

        editor = self.cell(number).locator(".cm-content").first
        editor.click()
        expect(editor).to_be_focused()  # else the key is another cell's
        self.page.keyboard.press("Control+Enter")
        self._prompt(number, r"\[(\*|\d+)\]", 60_000)

    def run(self, number: int) -> None:
        self.start(number)
        self.finish(number)

    def finish(self, number: int) -> None:
        self._prompt(number, r"\[\d+\]", 60_000)

    def save(self) -> list[dict[str, Any]]:
        """Gives its cells as they are in the file then."""
        self.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
        cells: list[dict[str, Any]] = json.loads(self.path.read_text("utf-8"))["cells"]
        return cells

    def _prompt(self, number: int, pattern: str, timeout: int) -> None:
        self.page.wait_for_function(
            "([i, p]) => new RegExp(p).test(document.querySelectorAll('.jp-Notebook .jp-Cell')[i]"
            ".querySelector('.jp-InputPrompt').innerText)",
            arg=[number, pattern],
            timeout=timeout,
        )


@pytest.fixture(scope="session", autouse=True)
def chromium() -> None:
    """What it shows is waited for as long as what is clicked, also on a crowded machine."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (.ci/run installs it)")
    from playwright.sync_api import expect

    expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def lab(
    tmp_path_factory: pytest.TempPathFactory, _streaming_server: StreamingServer
) -> Iterator[Lab]:
    """The module's JupyterLab, with `MODELS` that answer as its tests have it."""
    yield from with_models(tmp_path_factory.mktemp("lab"), _streaming_server)


@pytest.fixture(scope="module", params=["oldest", "newest"])
def each_lab(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    _streaming_server: StreamingServer,
) -> Iterator[Lab]:
    """The oldest JupyterLab that is supported, and the newest; otherwise as `lab`."""
    python = oldest() if request.param == "oldest" else sys.executable
    yield from with_models(tmp_path_factory.mktemp("lab"), _streaming_server, python)


def with_models(
    folder: Path, server: StreamingServer, python: str = sys.executable
) -> Iterator[Lab]:
    with Lab(folder, python=python) as lab:
        add_remote(lab.data_folder, server, **dict.fromkeys(MODELS, ""))
        yield lab


def oldest() -> str:
    if not OLDEST.exists():
        pytest.skip("The oldest JupyterLab is not installed (`make test-slow` sets it up)")
    return str(OLDEST)


@pytest.fixture
def open_lab(tmp_path: Path) -> Iterator[Callable[..., Lab]]:
    """Starts a JupyterLab of the test's own, which ends after the test's page."""
    with ExitStack() as labs:
        yield lambda **options: labs.enter_context(Lab(tmp_path, **options))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


def faults_of(page: Page) -> list[str]:
    """What is raised and complained of in it from now on."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(error.stack or str(error)))
    page.on("console", lambda said: found.append(told(said)) if said.type == "error" else None)
    return found


def unexpected(faults: list[str], expected: list[str]) -> list[str]:
    known = [*expected, "Could not restore the debugger state"]  # JupyterLab's, at a new kernel
    return [fault for fault in faults if not any(part in fault for part in known)]


def told(said: ConsoleMessage) -> str:
    return f"{said.text} ({said.location['url']})"


@pytest.fixture
def any_page(browser: Browser, open_lab: Callable[..., Lab]) -> Iterator[Page]:
    """A page that fails the test by our faults alone: Jupyter's own are nobody's business."""
    context = browser.new_context(viewport={"width": 1500, "height": 900})
    page = context.new_page()
    faults = faults_of(page)
    yield page
    context.close()
    assert not [fault for fault in faults if OURS.match(fault)]


@pytest.fixture
def expected() -> list[str]:
    """Faults of a page that a test has named, each by a part of it."""
    return []


@pytest.fixture
def page(any_page: Page, expected: list[str]) -> Iterator[Page]:
    """A page that fails the test by whatever is raised or complained of in it."""
    faults = faults_of(any_page)
    yield any_page
    assert not unexpected(faults, expected)


@pytest.fixture
def tab(browser: Browser, expected: list[str]) -> Iterator[Page]:
    """A page without Jupyter; it fails the test by whatever is raised or complained of in it."""
    page = browser.new_page(viewport={"width": 900, "height": 700}, reduced_motion="reduce")
    faults = faults_of(page)
    yield page
    page.close()
    assert not unexpected(faults, expected)
