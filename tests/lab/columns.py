"""The panel's columns as a person handles them, in any page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.panel import Panel
from support.server import StreamingServer

if TYPE_CHECKING:
    from playwright.sync_api import Locator

MODELS = {"short": "n=20", "other": "n=5", "third": "n=3", "slow": "n=40,delay=0.02"}


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
