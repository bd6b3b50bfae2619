"""A saved comparison in JupyterLab and Notebook 7: our extension draws it from its document."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from jan_jupyter.compare.live.document import document
from jan_jupyter.compare.live.protocol import COMPARISON
from jan_jupyter.compare.shown import Shown
from jan_jupyter.compare.values import Result
from jan_jupyter.compare.views.board import board
from lab import axe
from lab.conftest import Lab, Notebook
from lab.results import ENDINGS, HARM, hostile, result
from test_markdown import CALLS_HOME, PAYLOADS

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow

TEXTS = [text.replace("alert(", "(window.pwned=1)+(") for text in [*PAYLOADS, *CALLS_HOME[:40]]]
WIDGET = "application/vnd.jupyter.widget-view+json"


def bundle(told: Result, **more: Any) -> dict[str, Any]:
    """What an output keeps of a comparison."""
    return {COMPARISON: document(told, **more), **Shown(board(told)).bundle()}


def write(lab: Lab, name: str, *outputs: Mapping[str, Any], source: str = "pass") -> Path:
    """A notebook with these outputs, as somebody else has saved it: nobody trusts it."""
    path = lab.write(name, source)
    notebook = nbformat.read(path, 4)
    notebook.cells[0].outputs = [
        nbformat.v4.new_output("display_data", data=dict(data)) for data in outputs
    ]
    nbformat.write(notebook, path)
    return path


def view(page: Page, number: int = 0) -> Locator:
    found = page.locator(".jp-Notebook jan-comparison").nth(number)
    found.get_by_role("tab").first.wait_for(timeout=30_000)
    return found


@pytest.mark.parametrize("place", ["doc/tree", "notebooks"], ids=["lab", "notebook7"])
def test_what_was_saved_is_alive_without_trust(lab: Lab, any_page: Page, place: str) -> None:
    """Beside a widget that no kernel knows any more."""
    gone = {WIDGET: {"model_id": "0" * 32, "version_major": 2, "version_minor": 0}}
    write(lab, "saved.ipynb", {**gone, **bundle(result(3), live="0" * 32)})
    notebook = Notebook(any_page, lab, "saved.ipynb", place)
    shown = view(any_page)
    shown.get_by_role("tab", name="Rows").click()
    shown.get_by_role("searchbox").or_(shown.get_by_placeholder("Search")).fill("at length")
    expect(shown).to_contain_text("Explain it at length.")
    expect(shown).not_to_contain_text("How many moons")
    area = notebook.area(0)
    expect(area).not_to_contain_text("Error displaying widget")
    assert area.locator(".jp-OutputArea-output").count() == 1
    assert area.locator("table.jc-rows").count() == 0
    assert not axe.faults(any_page, ".jp-OutputArea")

    # A page that is opened again looks at it in the same way.
    Notebook(any_page, lab, "saved.ipynb", place)
    again = view(any_page)
    expect(again.get_by_role("tab", name="Rows")).to_have_attribute("aria-selected", "true")
    expect(again).not_to_contain_text("How many moons")


def test_a_page_behind_a_base_url_and_a_kernel_that_is_restarted(
    open_lab: Callable[..., Lab], any_page: Page
) -> None:
    """As JupyterHub has it: every address begins with the user's own."""
    hub = open_lab(base="/user/somebody/")
    write(hub, "saved.ipynb", bundle(result(2)))
    Notebook(any_page, hub, "saved.ipynb")
    shown = view(any_page)
    shown.get_by_role("tab", name="Rows").click()
    any_page.click("[data-command='notebook:restart-kernel']")
    with any_page.expect_response(lambda answer: "/restart" in answer.url):
        any_page.click(".jp-Dialog .jp-mod-accept")
    hub.wait_for_kernel("saved.ipynb")
    expect(shown.get_by_role("tab", name="Rows")).to_have_attribute("aria-selected", "true")
    expect(shown).to_contain_text("Explain it at length.")


UPDATES = """
import json
from IPython.display import display
both = json.loads({both!r})
handle = display(both[0], raw=True, display_id=True)
"""


def test_an_update_keeps_the_element_and_what_is_looked_at(lab: Lab, page: Page) -> None:
    few, more = bundle(result(2)), bundle(result(3))
    widget = {WIDGET: {"model_id": "0" * 32, "version_major": 2, "version_minor": 0}}
    code = UPDATES.format(both=json.dumps([{**widget, **few}, more]))
    lab.write("updated.ipynb", code, "handle.update(both[1], raw=True)")
    notebook = Notebook(page, lab, "updated.ipynb")
    notebook.run(0)
    shown = view(page)
    shown.get_by_role("tab", name="Rows").click()
    shown.evaluate("e => { window.shown = e; }")
    notebook.run(1)
    expect(shown).to_contain_text("model-2-of-3")
    assert shown.evaluate("e => window.shown === e")
    expect(shown.get_by_role("tab", name="Rows")).to_have_attribute("aria-selected", "true")

    # Other views of the output show it, too.
    notebook.area(0).click(button="right", position={"x": 40, "y": 4})
    page.get_by_role("menuitem", name="Create New View for Cell Output").click()
    page.locator(".jp-LinkedOutputView jan-comparison").get_by_role("tab").first.wait_for()

    # What is saved needs no kernel.
    (output,) = notebook.save()[0]["outputs"]
    assert set(output["data"]) == {COMPARISON, "text/html", "text/markdown", "text/plain"}


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "untrusted"])
def test_nothing_that_anybody_wrote_runs_or_calls_home(lab: Lab, page: Page, trusted: bool) -> None:
    asked: list[str] = []
    foreign = re.compile(rf"https?://(?!127\.0\.0\.1:{lab.port}/)")
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(f"https://dialog/{dialog.message}"))
    told = bundle(hostile([*TEXTS, *ENDINGS], contestants=4))
    if trusted:
        code = f"import json\nshown = json.loads({json.dumps(told)!r})"
        lab.write("hostile.ipynb", f"{code}\nfrom IPython.display import display\n"
                  "display(shown, raw=True)")  # fmt: skip
        Notebook(page, lab, "hostile.ipynb").run(0)
    else:
        write(lab, "hostile.ipynb", told)
        Notebook(page, lab, "hostile.ipynb")
    shown = view(page)
    for tab in shown.get_by_role("tab").all():
        tab.click()
        page.wait_for_timeout(300)  # what would run late
        assert shown.evaluate(f"e => ({HARM})(e.shadowRoot)") == []
    assert not [url for url in asked if foreign.match(url)]
    assert page.evaluate("window.pwned") is None


def test_what_nbconvert_makes_of_it_runs_nothing(lab: Lab, page: Page) -> None:
    nbconvert = pytest.importorskip("nbconvert")
    path = write(lab, "hostile.ipynb", bundle(hostile([*TEXTS, *ENDINGS], contestants=4)))
    exporter = nbconvert.HTMLExporter(mathjax_url="", require_js_url="")
    html, _ = exporter.from_filename(str(path))
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.context.set_offline(True)
    page.set_content(html)
    page.locator(".jan-compare").wait_for()
    assert page.locator(".jp-OutputArea").evaluate(HARM) == []
    assert page.evaluate("window.pwned") is None
    assert not [url for url in asked if re.match("https?://(evil.example|e)/", url)]
