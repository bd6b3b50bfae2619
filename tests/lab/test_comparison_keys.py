"""Keys that are pressed in a comparison are not for the notebook around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jan_jupyter.compare.live.protocol import COMPARISON
from lab.compared import case, document, row
from lab.conftest import Lab, Notebook
from lab.test_comparison_lab import view, write

if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("place", ["doc/tree", "notebooks"], ids=["lab", "notebook7"])
def test_keys_are_the_comparisons(lab: Lab, any_page: Page, place: str) -> None:
    """`0 0` would restart the kernel, `d d` delete the cell, `f` search, arrows go to others."""
    rows = [row((at, who, 0), f"answer {at} of {who}") for at in range(3) for who in range(2)]
    cases = [case(f"Question {at}") for at in range(3)]
    told = document(cases, ["one", "other"], rows, live=None)
    write(lab, "keys.ipynb", {COMPARISON: told, "text/plain": "a comparison"})
    Notebook(any_page, lab, "keys.ipynb", place)
    shown = view(any_page)
    shown.get_by_role("tab", name="Columns").click()
    bodies = shown.locator(".column .body")
    bodies.first.click()
    press = any_page.keyboard.press
    for key in "00dd":
        press(key)
    press("ArrowRight")
    expect(bodies.nth(1)).to_be_focused()
    press("f")
    expect(shown.locator(".column")).to_have_count(1)
    press("Escape")
    expect(shown.locator(".column")).to_have_count(2)
    expect(bodies.nth(1)).to_be_focused()
    shown.get_by_role("tab", name="Rows").click()
    search = shown.locator("input[type=search]")
    search.click()
    any_page.keyboard.type("00dd")
    expect(search).to_have_value("00dd")
    search.fill("")
    shown.locator(".entry button").first.focus()
    press("ArrowDown")
    press("Enter")
    expect(shown.locator(".prompt")).to_have_text("Question 1")
    press("Escape")
    expect(shown.locator(".entry button:focus")).to_contain_text("Question 1")
    assert any_page.locator(".jp-Dialog, .jp-DocumentSearch-overlay").count() == 0
    assert any_page.locator(".jp-Notebook .jp-Cell").count() == 1
