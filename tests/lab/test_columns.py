"""Columns of the chat panel, as people handle them: each model goes on with its own history."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab import axe
from lab.columns import MODELS, ask, compare, names, row, sent
from lab.test_panel_page import Talk
from support.jan import add_remote
from support.server import StreamingServer, tokens

if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow


@pytest.fixture
def talk(tab: Page, isolated: Path, server: StreamingServer) -> Iterator[Talk]:
    add_remote(isolated / "jan", server, **MODELS)
    talk = Talk(tab, "short")
    yield talk
    talk.close()


def test_by_keyboard_a_follow_up_to_some_and_one_more_column(
    talk: Talk, tab: Page, server: StreamingServer
) -> None:
    panel = talk.panel
    compare(panel, "other", "third")
    ask(panel, "one", 0)
    expect(names(panel)).to_have_text(["short", "other", "third"])
    panel.button("Ask next: third").press("Space")
    expect(panel.find(".composer .remark")).to_have_text("Asks short, other.")
    panel.box.focus()
    tab.keyboard.type("two")
    tab.keyboard.press("Enter")
    row(panel, 1).wait_for()
    panel.wait()
    expect(row(panel, 1).locator(".column[data-status=unasked]")).to_have_count(1)
    expect(row(panel, 1).locator(".column").nth(2)).to_contain_text("Not asked.")
    assert sent(server) == [
        *[("other", 1), ("other", 3), ("short", 1), ("short", 3), ("third", 1)],
    ]

    row(panel, 1).get_by_role("button", name="Catch up").press("Enter")
    expect(row(panel, 1).locator(".column").nth(2).locator(".md")).to_have_text(
        "".join(tokens(3)).replace("**", "").strip()
    )
    compare(panel, "slow")
    expect(names(panel, 1)).to_have_text(["short", "other", "third", "slow"])
    row(panel, 1).locator(".column").nth(3).locator("[aria-label='What slow says']").wait_for()
    panel.wait()
    assert sent(server)[-2:] == [("third", 1), ("third", 3)]
    assert ("slow", 3) in sent(server)
    assert axe.faults(tab) == []

    row(panel, 1).locator(".column").nth(1).get_by_role(
        "button", name="Continue with this one"
    ).press("Enter")
    expect(panel.find(".columns")).to_have_count(0)
    expect(panel.questions).to_have_text(["one", "two"])
    expect(panel.footer).to_contain_text("other")
    panel.find("button", has_text="answers again").press("Enter")
    expect(panel.find(".columns")).to_have_count(2)
    expect(names(panel, 1)).to_have_text(["short", "other", "third", "slow"])


@pytest.mark.parametrize("width", [1200, 400])
def test_four_columns_find_room(talk: Talk, tab: Page, width: int) -> None:
    """Side by side where they fit, one below the other where they do not; the page never scrolls
    to the side."""
    tab.set_viewport_size({"width": width, "height": 800})
    panel = talk.panel
    compare(panel, "other", "third", "slow")
    ask(panel, "one", 0)
    boxes = [one.bounding_box() for one in row(panel, 0).locator(".column").all()]
    tops = {round(box["y"]) for box in boxes if box}
    assert len(tops) == (1 if width == 1200 else 4)
    log = panel.find(".log")
    assert log.evaluate("e => e.scrollWidth <= e.clientWidth")
    assert axe.faults(tab) == []


def test_rows_that_are_wider_than_the_panel_move_together(talk: Talk, tab: Page) -> None:
    tab.set_viewport_size({"width": 800, "height": 800})
    panel = talk.panel
    compare(panel, "other", "third", "slow")
    ask(panel, "one", 0)
    ask(panel, "two", 1)
    row(panel, 0).evaluate("e => { e.scrollLeft = 100; }")
    tab.wait_for_function("e => e.scrollLeft === 100", arg=row(panel, 1).element_handle())
