"""From an answer in an output onwards: in the side panel, and in a console."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.conftest import Lab, Notebook
from lab.panel import SECONDS
from lab.side import side, start
from lab.test_comparison_lab import write
from lab.test_reply_lab import LOAD, conversation, said
from support.server import StreamingServer, tokens

if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow


def test_in_the_side_panel(lab: Lab, page: Page, server: StreamingServer) -> None:
    server.behave("short", "n=20")
    kept = "%%jan short --thread trip\nWhere to?"
    lab.write("goes.ipynb", LOAD, kept, "%%jan short\nJust {this}", f"{LOAD}\n%jan -m short A line")
    notebook = Notebook(page, lab, "goes.ipynb")
    for number in range(4):
        notebook.run(number)
    for number, question in ((1, "Where to?"), (2, "Just {this}"), (3, "A line")):
        answer = said(notebook, number)
        answer.hover()
        answer.get_by_role("button", name="Continue in the panel").click()
        panel = side(page)
        expect(panel.questions).to_contain_text([question])
        expect(panel.says).to_contain_text("the bold for kernel")
    server.behave("short", "n=5")
    panel.ask_and_wait("And now?")
    asked = [message["content"] for message in server.journal()[-1].body["messages"]]
    assert asked[-2:] == ["".join(tokens(20)), "And now?"]
    said(notebook, 1).get_by_role("button", name="Continue in the panel").click()
    expect(panel.questions).to_have_text(["Where to?"])  # its own thread, once


def test_a_saved_conversation_is_opened_there(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    server.behave("short", "n=20")
    lab.write("made.ipynb", LOAD, "%%jan short --thread kept\nA question")
    notebook = Notebook(page, lab, "made.ipynb")
    notebook.run(0)
    notebook.run(1)
    (thread,) = [path.name for path in (lab.data_folder / "threads").iterdir() if holds(path)]
    data = conversation()
    form = next(value for kind, value in data.items() if "conversation" in kind)
    form["thread"] = thread
    write(lab, "kept.ipynb", data)
    Notebook(page, lab, "kept.ipynb")
    page.get_by_role("button", name="Open in the panel").click()
    expect(side(page).questions).to_have_text(["A question"])


def holds(thread: Path) -> bool:
    messages = thread / "messages.jsonl"
    return messages.is_file() and "A question" in messages.read_text("utf-8")


def test_in_a_console(lab: Lab, page: Page, server: StreamingServer) -> None:
    server.behave("short", "n=20")
    server.behave("other", "n=7")
    start(page, lab)
    page.locator(".jp-LauncherCard[data-category=Console]").first.click()
    prompt = page.locator(".jp-CodeConsole-promptCell .cm-content")
    prompt.wait_for(timeout=60 * SECONDS)
    banner = page.locator(".jp-CodeConsole-banner")
    expect(banner).to_contain_text("IPython", timeout=60 * SECONDS)  # the kernel is there
    prompt.click()
    page.keyboard.insert_text(f"{LOAD}\n%jan -m short hello")
    page.keyboard.press("Shift+Enter")
    answer = page.locator(".jp-CodeConsole jan-reply article")
    expect(answer).to_contain_text("20 tokens", timeout=60 * SECONDS)
    answer.get_by_role("button", name="Compare with …").click()
    answer.get_by_role("listitem").get_by_role("button", name="other").click()
    # How it began, and what came of it: a console has both.
    compared = page.locator(".jp-CodeConsole jan-comparison").filter(has_text="other").first
    expect(compared).to_be_attached(timeout=60 * SECONDS)
