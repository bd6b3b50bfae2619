"""Columns of the chat panel, as people handle them: each model goes on with its own history."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab import axe
from lab.conftest import Lab, Notebook
from lab.panel import Panel
from lab.test_panel import OPEN
from lab.test_panel_page import Talk
from support.jan import add_remote
from support.server import StreamingServer, tokens

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow

MODELS = {"short": "n=20", "other": "n=5", "third": "n=3", "slow": "n=40,delay=0.02"}


@pytest.fixture
def talk(tab: Page, isolated: Path, server: StreamingServer) -> Iterator[Talk]:
    add_remote(isolated / "jan", server, **MODELS)
    talk = Talk(tab, "short")
    yield talk
    talk.close()


def row(panel: Panel, number: int) -> Locator:
    return panel.find(".columns").nth(number)


def names(panel: Panel, number: int = 0) -> Locator:
    return row(panel, number).locator(".column header strong")


def compare(panel: Panel, *models: str) -> None:
    panel.find(".model-button").click()
    for name in models:
        panel.button(f"Compare: ask {name} as well").click()
        panel.find(
            f"button[aria-label='Compare: ask {name} as well'][aria-pressed=true]"
        ).wait_for()
    panel.page.keyboard.press("Escape")


def ask(panel: Panel, text: str, number: int) -> None:
    """Ask, and wait for the end of that row."""
    panel.ask(text)
    row(panel, number).wait_for()
    panel.wait()


def sent(server: StreamingServer) -> list[tuple[str, int]]:
    """Of each request the model, and how many messages it held."""
    return sorted((one.body["model"], len(one.body["messages"])) for one in server.journal())


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


def test_columns_stay_over_a_reload_and_a_new_kernel(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    """In JupyterLab: a follow-up to two of three, then the page is opened again, then the kernel is
    restarted; each column goes on with what it has said."""
    add_remote(lab.data_folder, server, **MODELS)
    lab.write("columns.ipynb", OPEN.format("'short', thread='columns'"))
    notebook = Notebook(page, lab, "columns.ipynb")
    notebook.run(0)
    panel = Panel(page)
    compare(panel, "other", "third")
    ask(panel, "one", 0)
    panel.button("Ask next: third").click()
    ask(panel, "two", 1)
    page.keyboard.press("Control+s")

    page.reload()
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    panel = Panel(page)
    expect(names(panel, 1)).to_have_text(["short", "other", "third"])
    expect(panel.find(".composer .remark")).to_have_text("Asks short, other.")

    page.click("[data-command='notebook:restart-kernel']")
    page.click(".jp-Dialog .jp-mod-accept")
    panel.find(".lost", has_text="was restarted").wait_for(timeout=20_000)
    notebook.run(0)
    panel = Panel(page)
    expect(names(panel, 1)).to_have_text(["short", "other", "third"])
    ask(panel, "three", 2)
    assert sent(server) == [
        *[("other", 1), ("other", 3), ("other", 5)],
        *[("short", 1), ("short", 3), ("short", 5), ("third", 1), ("third", 3)],
    ]
