"""All of it in the oldest JupyterLab and Notebook 7 that are supported, and in the newest."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .conftest import Lab, Notebook
from .manager import TIMEOUT, Status
from .side import side

if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PLUGINS = {
    file.stem for file in (ROOT / "labextension" / "schemas").glob("*.json")
}  # those with settings, at the least
OURS = """() => jupyterapp.listPlugins().filter(id => id.startsWith('jan-jupyter:'))
  .map(id => [id.slice('jan-jupyter:'.length), jupyterapp.isPluginActivated(id)])"""


@pytest.mark.parametrize("view", ["doc/tree", "notebooks"])
def test_every_plugin_is_there_and_works(each_lab: Lab, any_page: Page, view: str) -> None:
    page = any_page
    each_lab.write("try.ipynb", LOAD, "%%jan jan-mini\nWhat is 7 + 5?", COMPARE)
    notebook = Notebook(page, each_lab, "try.ipynb", view)
    found = dict(page.evaluate(OURS))
    assert all(found.values())
    assert found.keys() >= PLUGINS
    for cell in range(3):
        notebook.run(cell)
    expect(notebook.area(1).locator("jan-reply article")).to_contain_text("12")
    expect(notebook.area(2).locator(COMPARISON).first).to_contain_text("Say hello.")


@pytest.mark.parametrize("view", ["doc/tree", "notebooks"])
def test_chat_prompts_errors_and_models(each_lab: Lab, any_page: Page, view: str) -> None:
    page = any_page
    each_lab.write("ask.ipynb", "%%jan jan-mini\nWhat is 7 + 5?", "1 / 0")
    notebook = Notebook(page, each_lab, "ask.ipynb", view)
    page.wait_for_function(IS_PROMPT, timeout=TIMEOUT)
    notebook.run(1)
    explain = notebook.area(1).get_by_role("button", name="Explain the error")
    expect(explain).to_be_visible(timeout=TIMEOUT)
    panel = side(page)
    panel.choose("jan-mini")
    panel.ask_and_wait("What is 7 + 5?")
    expect(panel.says).to_contain_text("12")
    if view == "doc/tree":  # Notebook 7 has no status bar
        status = Status(page)
        status.open()
        expect(status.popup).to_contain_text("jan-mini")
    page.evaluate("() => void jupyterapp.commands.execute('jan:open-models')")
    expect(page.locator("jan-models .row").first).to_be_visible(timeout=TIMEOUT)


IS_PROMPT = """() => jupyterapp.shell.currentWidget?.content?.widgets?.[0]?.model.mimeType
  === 'text/x-jan-prompt'"""
COMPARISON = "xpath=.//*[starts-with(local-name(), 'jan-compar')]"
LOAD = "%load_ext jan_jupyter\nasked = ['Say hello.']"
COMPARE = "%jan compare -m jan-mini --set temperature=0,1 --prompts asked"


def test_the_server_knows_the_settings(each_lab: Lab) -> None:
    with urllib.request.urlopen(each_lab.url("lab/api/settings")) as answer:
        listed = {one["id"] for one in json.load(answer)["settings"]}
    assert listed >= {f"jan-jupyter:{name}" for name in PLUGINS}
