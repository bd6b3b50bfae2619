"""The chat at JupyterLab's side: a conversation of the server, in which no kernel has a part."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import nbformat
import pytest

from lab.conftest import Lab, Notebook
from lab.panel import Panel
from lab.side import side, start
from support.jan import add_remote
from support.server import StreamingServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow

LONG = "n=3000,delay=0.01"


@pytest.fixture(autouse=True)
def models(lab: Lab, server: StreamingServer) -> None:
    for name, behaviour in {"slow": LONG, "short": "n=20", "refused": "status=401"}.items():
        server.behave(name, behaviour)


def test_a_conversation_without_a_notebook(lab: Lab, page: Page, server: StreamingServer) -> None:
    """Ask the bundled model, stop another, go on in a page that is loaded again."""
    start(page, lab)
    panel = side(page)
    expect(panel.box).to_be_focused()
    panel.choose("jan-mini")
    panel.ask_and_wait("What is 7 + 5?")
    expect(panel.says).to_contain_text("12")
    panel.choose("slow")
    panel.ask("long")
    panel.wait_for_text()
    panel.stop()
    expect(panel.footer).to_contain_text("stopped")
    assert server.wait("closed")

    page.reload()
    again = side(page)  # the layout shows it as it was
    expect(again.questions).to_have_text(["What is 7 + 5?", "long"])


def test_a_page_that_is_loaded_again_in_mid_stream_goes_on(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    server.behave("slow", "n=400,delay=0.02")
    start(page, lab)
    panel = side(page)
    panel.button("New thread").click()
    panel.choose("slow")
    panel.ask("go on")
    panel.wait_for_text(200)
    page.reload()
    panel = side(page)
    panel.wait()
    expect(panel.questions).to_have_text(["go on"])
    expect(panel.find("article.assistant")).to_have_count(1)
    expect(panel.footer).to_contain_text("400 tokens")
    assert len([one for one in server.journal() if one.path.endswith("/chat/completions")]) == 1


def test_each_window_has_its_own_conversation(lab: Lab, page: Page) -> None:
    other = page.context.new_page()
    start(page, lab)
    first = side(page)
    first.choose("short")
    first.ask_and_wait("in the first")
    start(other, lab, "lab/workspaces/other")
    second = side(other)
    expect(second.turns).to_have_count(0)
    second.ask_and_wait("in the second")
    expect(second.questions).to_have_text(["in the second"])
    expect(first.questions).to_have_text(["in the first"])

    names = name(page), name(other)

    # One that is opened later has the last thread of its workspace, and a conversation of its own.
    other.close()
    third = page.context.new_page()
    start(third, lab, "lab/workspaces/other")
    expect(side(third).questions).to_have_text(["in the second"])
    assert len({*names, name(third)}) == 3


def name(page: Page) -> str:
    """Of a window's conversation: 128 bits."""
    of_window = "([place]) => place.startsWith('jan-panel ')"
    kept = page.evaluate(f"Object.entries(sessionStorage).find({of_window})[1]")
    found = re.search(r'"name":"([0-9a-f]{32})"', kept)
    assert found is not None
    return found[1]


def test_a_busy_kernel_and_one_that_is_restarted_have_no_part_in_it(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    server.behave("slow", "n=300,delay=0.02")
    lab.write("busy.ipynb", "import time\ntime.sleep(600)")
    notebook = Notebook(page, lab, "busy.ipynb")
    notebook.start(0)
    panel = side(page)
    panel.button("New thread").click()
    panel.choose("slow")
    panel.ask("while a cell runs")
    panel.wait_for_text()
    page.click("[data-command='notebook:restart-kernel']")
    with page.expect_response(lambda answer: "/restart" in answer.url):
        page.click(".jp-Dialog .jp-mod-accept")
    panel.wait()
    expect(panel.footer).to_contain_text("300 tokens")


def test_two_users_of_one_server_and_a_path_prefix(
    open_lab: Callable[..., Lab], page: Page, browser: Browser, server: StreamingServer
) -> None:
    """As JupyterHub has it: an address of one's own, and whoever is let in has a token."""
    lab = open_lab(base="/user/somebody/")
    add_remote(lab.data_folder, server, short="n=20")
    other = browser.new_page()
    panels = []
    for one in (page, other):
        start(one, lab)
        panels.append(side(one))
        panels[-1].choose("short")
        panels[-1].ask_and_wait(f"of {len(panels)}")
    assert name(page) != name(other)
    expect(panels[0].questions).to_have_text(["of 1"])
    expect(panels[1].questions).to_have_text(["of 2"])
    other.close()


def test_a_notebook_may_ask_for_it_and_keeps_the_focus(lab: Lab, page: Page) -> None:
    lab.write("plain.ipynb", "1")
    path = lab.write("beside.ipynb", "1")
    saved = nbformat.read(path, as_version=4)
    saved.metadata.jan = {"panel": True}
    nbformat.write(saved, path)
    # Workspaces of their own: other tests have left the chat open in the usual one.
    Notebook(page, lab, "plain.ipynb", "lab/workspaces/plain/tree")
    assert not page.locator(Panel.NAME).count()
    Notebook(page, lab, "beside.ipynb", "lab/workspaces/beside/tree")
    Panel(page)
    assert page.evaluate("document.activeElement.closest('.jp-NotebookPanel') !== null")
