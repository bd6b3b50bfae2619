"""The panel while its kernel is away, ended or another one: nothing that was typed is lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from lab.cable import Cable
from lab.conftest import Lab, Notebook
from lab.panel import Panel
from support.server import StreamingServer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

OPEN = "import os\nprint(os.getpid(), '#')\n%load_ext jan_jupyter\n%jan chat --model short"


@pytest.fixture(autouse=True)
def models(lab: Lab, server: StreamingServer) -> None:
    server.behave("short", "n=20")


def opened(lab: Lab, page: Page, name: str, port: int = 0) -> tuple[Notebook, Panel, int]:
    """The notebook, its panel, and the process id of its kernel."""
    lab.write(name, OPEN)
    notebook = Notebook(page, lab, name, port=port)
    process = ran(notebook)
    return notebook, Panel(page), process


def ran(notebook: Notebook) -> int:
    """The process id of the kernel, after its first cell has run."""
    notebook.run(0)
    expect(notebook.area(0)).to_contain_text("#")
    return int(notebook.area(0).inner_text().split("#")[0])


def in_menu(page: Page, command: str) -> None:
    page.click(".lm-MenuBar-itemLabel:text-is('Kernel')")
    page.click(f"[data-command='kernelmenu:{command}']")


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def told(panel: Panel, words: str) -> None:
    panel.find(".lost", has_text=words).wait_for(timeout=20_000)


def test_what_is_sent_while_the_connection_is_cut_comes_once(lab: Lab, any_page: Page) -> None:
    page = any_page  # JupyterLab raises what it could not fetch
    with Cable(lab.port) as cable:
        _, panel, process = opened(lab, page, "cut.ipynb", cable.port)
        panel.ask_and_wait("before")
        os.kill(process, signal.SIGSTOP)
        panel.ask("to the deaf")
        panel.find(".pending .remark", has_text="does not answer").wait_for()
        os.kill(process, signal.SIGCONT)
        panel.find("article.assistant").nth(1).wait_for()
        panel.wait()
        panel.box.fill("in a cut")
        cable.cut()
        told(panel, "is cut")
        panel.box.press("Enter")
        panel.find(".pending", has_text="as soon as the connection is there").wait_for()
        cable.mend()
        in_menu(page, "reconnect-to-kernel")
        panel.find("article.assistant").nth(2).wait_for(timeout=20_000)
        panel.wait()
        panel.find(".lost").wait_for(state="detached")

        cable.swallows = True  # it leaves the page, and comes to nobody
        panel.ask("on the way")
        panel.find(".pending").wait_for()
        cable.cut()
        cable.mend()
        in_menu(page, "reconnect-to-kernel")
        panel.find("article.assistant").nth(3).wait_for(timeout=20_000)
        panel.wait()
        expect(panel.questions).to_have_text(["before", "to the deaf", "in a cut", "on the way"])

        panel.box.fill("a draft")
        cable.cut()
        os.kill(process, signal.SIGKILL)
        until(lambda: lab.kernel("cut.ipynb")["execution_state"] != "idle")
        cable.mend()
        in_menu(page, "reconnect-to-kernel")
        told(panel, "was restarted")
        expect(panel.box).to_have_value("a draft")


@pytest.mark.parametrize("view", ["doc/tree", "notebooks"])
def test_a_button_runs_the_cell_again_and_no_other(lab: Lab, any_page: Page, view: str) -> None:
    """In JupyterLab and in Notebook 7, which raises some errors of its own."""
    page = any_page
    name = f"button-{view[:3]}.ipynb"
    lab.write(name, "1", OPEN, "2")
    notebook = Notebook(page, lab, name, view)
    for number in range(3):
        notebook.run(number)  # a notebook of cells that the user ran is trusted
    panel = Panel(page)
    panel.ask_and_wait("before")
    panel.box.fill("a draft")
    button = page.locator("jan-chat > button", has_text="Run the cell")
    assert button.count() == 0
    in_menu(page, "restart")
    page.click(".jp-Dialog .jp-mod-accept")
    told(panel, "was restarted")
    lab.wait_for_kernel(name)
    notebook.cell(2).locator(".cm-content").click()  # another cell is the active one
    notebook.cell(1).locator(".jp-InputPrompt").click(modifiers=["Shift"])
    button.evaluate("e => e.click()")  # with several selected it would run them all
    notebook.cell(0).locator(".cm-content").click()
    button.click()
    panel.find(".lost").wait_for(state="detached")
    panel = Panel(page)
    panel.find(".said", has_text="before").wait_for()
    expect(panel.box).to_have_value("a draft")
    prompts = page.locator(".jp-Notebook .jp-InputPrompt").all_inner_texts()
    assert [prompt.strip("[]: ") for prompt in prompts] == ["1", "1", "3"]


def test_a_kernel_that_ends_or_dies_costs_nothing_that_was_typed(
    lab: Lab, page: Page, expected: list[str]
) -> None:
    expected.append("widget model not found")  # what ipywidgets say without a kernel
    notebook, panel, _ = opened(lab, page, "ended.ipynb")
    panel.ask_and_wait("before")
    panel.box.fill("a draft")
    panel.act(panel.find("article.user"), "Edit and send again")
    panel.find(".editor textarea").fill("an edit")
    in_menu(page, "shutdown")
    told(panel, "has ended")
    expect(panel.box).to_be_disabled()
    expect(panel.box).to_have_value("an edit\n\na draft")
    until(lambda: not lab.kernel("ended.ipynb"))
    notebook.save()
    notebook = Notebook(page, lab, "ended.ipynb")  # a new page, which starts a kernel
    process = ran(notebook)
    panel = Panel(page)
    panel.find(".said", has_text="before").wait_for()
    expect(panel.box).to_have_value("an edit\n\na draft")

    os.kill(process, signal.SIGKILL)
    page.click(".jp-Dialog .jp-mod-accept")  # that it is started again
    told(panel, "was restarted")
    lab.wait_for_kernel("ended.ipynb")
    notebook.run(0)
    panel = Panel(page)
    expect(panel.box).to_have_value("an edit\n\na draft")
    panel.box.press("Enter")
    panel.find("article.assistant").nth(1).wait_for()
    panel.wait()
    expect(panel.questions).to_have_text(["before", "an edit\n\na draft"])
    notebook.save()
    page.reload()
    panel = Panel(page)
    expect(panel.box).to_have_value("")
