"""Who can use the chat at the side, where, and what it does not let happen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import nbformat
import pytest

from lab import axe
from lab.attacks import TEXTS
from lab.conftest import Lab, Notebook
from lab.results import HARM
from lab.side import command, side
from support.server import StreamingServer
from test_markdown import CALLS_HOME

if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow

FIXED = "Try:\n```python\nx = 2\n```"


@pytest.fixture(autouse=True)
def models(server: StreamingServer) -> None:
    server.behave("short", "n=20")
    server.behave("echo", "verbatim")


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_axe_finds_nothing_serious_in_a_narrow_panel(lab: Lab, page: Page, theme: str) -> None:
    lab.theme(theme)
    lab.write("axe.ipynb", "x = 1", "1 / 0")
    notebook = Notebook(page, lab, "axe.ipynb")
    notebook.run(0)
    panel = side(page)
    panel.button("New thread").click()
    panel.choose("echo")
    within = "#jan-side-panel"
    panel.box.fill("")
    panel.box.type("@")
    panel.find(".choices li", has_text="@x").wait_for()
    assert not axe.faults(page, within)
    panel.box.fill("what is @x and @cell ")
    panel.find(".along summary").first.wait_for()
    command(page, "jan:cell-to-panel")
    panel.find(".along button[aria-label^='Leave out']").wait_for()
    assert not axe.faults(page, within)
    panel.box.fill(FIXED)
    panel.send_and_wait()
    panel.answer.locator("[data-act=replace]").click()
    panel.find(".proposal").wait_for()
    assert not axe.faults(page, within)
    assert panel.root.evaluate("e => e.scrollWidth <= e.clientWidth")


def test_all_by_keyboard(lab: Lab, page: Page) -> None:
    """From the notebook into the panel, an answer's code into its cell, and back."""
    lab.write("keys.ipynb", "x = 1")
    notebook = Notebook(page, lab, "keys.ipynb")
    notebook.cell(0).locator(".jp-InputPrompt").click()
    panel = side(page)
    panel.choose("echo")
    panel.box.focus()
    page.keyboard.type("Look at @ce")
    panel.find(".choices li.at", has_text="@cell").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.type("and ")
    expect(panel.box).to_have_value("Look at @cell and ")
    panel.box.fill(FIXED)
    page.keyboard.press("Enter")
    panel.find("article.assistant").wait_for()
    panel.wait()
    focused = "e => e.shadowRoot.activeElement?.dataset.act ?? ''"
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        if panel.root.evaluate(focused) == "replace":
            break
    page.keyboard.press("Enter")
    expect(panel.find(".proposal .primary")).to_be_focused()
    page.keyboard.press("Enter")
    expect(notebook.cell(0).locator(".cm-content")).to_have_text("x = 2")
    # JupyterLab's own shortcuts are heard beside a notebook.
    panel.box.focus()
    page.keyboard.press("Control+Shift+c")
    expect(page.locator(".lm-CommandPalette, .jp-CommandPalette").first).to_be_visible()


def test_notebook_7(lab: Lab, any_page: Page) -> None:
    # Its own shortcuts stumble over those of plugins whose settings come first.
    page = any_page
    lab.write("seven.ipynb", "x = 1")
    notebook = Notebook(page, lab, "seven.ipynb", "notebooks")
    notebook.run(0)
    panel = side(page)
    panel.choose("echo")
    panel.box.fill("what is @x and @cell ")
    panel.find(".along summary", has_text="@x").wait_for()
    panel.box.fill(FIXED)
    panel.send_and_wait()
    panel.answer.locator("[data-act=insert]").click()
    expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(2)
    expect(notebook.cell(1).locator(".cm-content")).to_have_text("x = 2")


def test_nothing_that_anybody_wrote_runs_or_calls_home(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    """What a model says, a notebook's name, its cells' sources and what they put out."""
    asked: list[str] = []
    foreign = re.compile(rf"https?://(?!127\.0\.0\.1:{lab.port}/)")
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(f"https://dialog/{dialog.message}"))
    texts = [*TEXTS, *CALLS_HOME[:40]]
    name = "<img src=x onerror=(window.pwned=1)>.ipynb"
    outputs = [nbformat.v4.new_output("stream", text=text) for text in texts[:40]]
    outputs.append(nbformat.v4.new_output("error", ename=texts[0], evalue=texts[1], traceback=[]))
    cells = [nbformat.v4.new_code_cell("\n".join(texts), outputs=outputs, execution_count=1)]
    cells += [nbformat.v4.new_code_cell(text) for text in texts[:20]]
    kernel = {"name": "python3", "display_name": "Python 3"}
    book = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(book, lab.folder / name)
    page.goto(lab.url("doc/tree/" + name.replace("<", "%3C").replace(">", "%3E")))
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    panel = side(page)
    panel.choose("echo")
    panel.box.fill("")
    panel.box.type("@")
    panel.find(".choices li", has_text="@notebook").wait_for()
    panel.box.fill("@cell @output @error @notebook ")
    panel.find(".along summary", has_text="@notebook").wait_for()
    for chip in panel.find(".along summary").all():
        chip.click()
    panel.send_and_wait()
    fenced = "\n".join(f"```python\n{text.replace('```', '')}\n```" for text in texts[:20])
    panel.ask_and_wait("\n\n".join(texts))
    panel.ask_and_wait(fenced)
    for button in panel.answer.locator("[data-act=replace]").all()[:3]:
        button.click()
        panel.find(".proposal").wait_for()
    command(page, "jan:cell-to-panel")
    panel.find(".along button[aria-label^='Leave out']").first.wait_for()
    page.wait_for_timeout(500)  # what would run late
    assert panel.root.evaluate(f"e => ({HARM})(e.shadowRoot)") == []
    assert page.evaluate("window.pwned") is None
    assert not [url for url in asked if foreign.match(url)]
    ran = page.locator(".jp-InputPrompt", has_text=re.compile(r"\[\*\]"))
    assert ran.count() == 0
