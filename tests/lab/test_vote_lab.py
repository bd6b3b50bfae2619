"""A blind vote in JupyterLab and Notebook 7, with a kernel: by keyboard, and what is left of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lab.conftest import Lab, Notebook
from lab.test_comparison_live import LOAD
from support.server import StreamingServer

if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow

COMPARED = (
    "c = jan.compare(['Name a colour.', 'Another one?'],"
    " [('Kestrel', 'slow'), ('Merlin', 'short')], fresh=True);"
)


@pytest.mark.parametrize("place", ["doc/tree", "notebooks"], ids=["lab", "notebook7"])
def test_it_is_blind_by_keyboard_and_kept(
    lab: Lab, any_page: Page, server: StreamingServer, place: str
) -> None:
    page = any_page  # Notebook 7 raises errors of its own
    server.behave("slow", "n=40")
    server.behave("short", "n=20")
    lab.write("vote.ipynb", LOAD, COMPARED, "c.vote()")
    notebook = Notebook(page, lab, "vote.ipynb", place)
    for cell in range(3):
        notebook.run(cell)
    vote = page.locator(".jp-Notebook jan-vote")
    expect(vote).to_contain_text(re.compile("Name a colour|Another one"))
    before = vote.evaluate("e => e.outerHTML + e.shadowRoot.innerHTML")
    assert "Kestrel" not in before
    assert "Merlin" not in before
    vote.locator(".column .body").first.focus()
    page.keyboard.press("1")
    expect(vote).to_contain_text("Kestrel")
    expect(vote).to_contain_text("Merlin")
    page.keyboard.press("0")
    expect(vote).to_contain_text("All pairs are voted on.")
    kept = page.locator(".jp-Notebook .jan-saved", has_text="2 voted on by you")
    kept.wait_for(state="attached", timeout=30_000)
    expect(kept).to_be_hidden()
    outputs = notebook.save()[-1]["outputs"]
    assert "2 voted on by you" in "".join(outputs[-1]["data"]["text/plain"])
    page.reload()
    expect(vote).to_contain_text("All pairs are voted on.")
