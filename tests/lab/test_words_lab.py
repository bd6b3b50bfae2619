"""Tab in lines of `%jan` in JupyterLab: the server answers, whatever the kernel does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from lab.conftest import Lab, Notebook, busy_until
from lab.manager import ask
from support.jan import add_remote
from support.server import StreamingServer

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lab(
    tmp_path_factory: pytest.TempPathFactory, _streaming_server: StreamingServer
) -> Iterator[Lab]:
    """One that shows what words mean, and waits for a busy kernel no longer than it must."""
    folder = tmp_path_factory.mktemp("words")
    wishes = folder / "settings" / "@jupyterlab" / "completer-extension"
    wishes.mkdir(parents=True)
    manager = {"showDocumentationPanel": True, "autoCompletion": False, "providerTimeout": 3000}
    (wishes / "manager.jupyterlab-settings").write_text(json.dumps(manager))
    with Lab(folder) as lab:
        add_remote(lab.data_folder, _streaming_server, shape="", short="")
        # The first answer takes its time on a busy machine; JupyterLab waits for no provider long.
        ask(lab, "POST", "complete", {"line": "%jan mo"})
        yield lab


class Typing:
    """A cell into which something is typed, and what the page asks the server meanwhile."""

    def __init__(self, page: Page, notebook: Notebook, number: int) -> None:
        self.page = page
        self.editor = notebook.cell(number).locator(".cm-content")
        self.asked: list[str] = []
        page.on("request", self._note)

    def _note(self, request: object) -> None:
        if str(getattr(request, "url", "")).split("?")[0].endswith("/jan/v1/complete"):
            self.asked.append(json.loads(str(getattr(request, "post_data", "")))["line"])

    def type(self, text: str) -> None:
        self.editor.click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)

    def tab(self, text: str) -> None:
        self.type(text)
        self.page.keyboard.press("Tab")

    def item(self, label: str) -> Locator:
        word = self.page.locator(".jp-Completer-match", has_text=re.compile(f"^{label}$"))
        return self.page.locator(".jp-Completer-item", has=word)

    def take(self, label: str) -> None:
        self.item(label).click()

    @property
    def meaning(self) -> Locator:
        return self.page.locator(".jp-Completer-docpanel")


def test_tab_offers_words_with_their_meaning_while_the_kernel_is_busy(lab: Lab, page: Page) -> None:
    lab.write("busy.ipynb", busy_until("go-on"), "")
    notebook = Notebook(page, lab, "busy.ipynb")
    notebook.start(0)
    typing = Typing(page, notebook, 1)
    typing.tab("%jan mo")
    typing.take("models")
    expect(typing.editor).to_have_text("%jan models")
    typing.tab("%%jan short --m")
    expect(typing.item("--max-tokens")).to_be_visible()
    expect(typing.item("--model")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(typing.meaning).to_contain_text("longest answer, in tokens")  # the first of them
    page.keyboard.press("Escape")
    typing.tab("%%jan sh")
    typing.take("shape")
    expect(typing.editor).to_have_text("%%jan shape")
    assert typing.asked == ["%jan mo", "%%jan short --m", "%%jan sh"]
    expect(notebook.cell(0).locator(".jp-InputPrompt")).to_have_text("[*]:")
    (lab.folder / "go-on").touch()
    notebook.finish(0)


def test_a_line_behind_signs_of_several_units_is_completed_in_its_place(
    lab: Lab, page: Page
) -> None:
    lab.write("signs.ipynb", "", "%load_ext jan_jupyter")
    notebook = Notebook(page, lab, "signs.ipynb")
    # A kernel without us offers other words of another place, and JupyterLab joins both in UTF-16.
    notebook.run(1)
    typing = Typing(page, notebook, 0)
    typing.tab("%%jan short -s '🎉🎉' --max-t")
    typing.take("--max-tokens")
    expect(typing.editor).to_have_text("%%jan short -s '🎉🎉' --max-tokens")


def test_nothing_is_asked_elsewhere(lab: Lab, page: Page) -> None:
    lab.write("elsewhere.ipynb", "", "%load_ext jan_jupyter")
    with page.expect_websocket(lambda wire: "/channels" in wire.url) as kernel:
        notebook = Notebook(page, lab, "elsewhere.ipynb")
    notebook.run(1)
    typing = Typing(page, notebook, 0)
    for text in (
        "import o",
        "x = '%jan '\nprin",
        "%%jan short\nWhat is th",
        "%%jan\n%jan mo",
        "%timeit p",
    ):
        # JupyterLab asks us and the kernel in one go.
        with kernel.value.expect_event("framesent", lambda sent: "complete_request" in str(sent)):
            typing.tab(text)
        page.keyboard.press("Escape")
    typing.tab("x = 1\nanswer = %jan -f j")
    typing.take("json")
    expect(typing.editor).to_contain_text("-f json")
    assert typing.asked == ["answer = %jan -f j"]
