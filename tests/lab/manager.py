"""The model manager and the item of the status bar, as a person sees and handles them."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from .conftest import Lab

TIMEOUT = 60_000


class Manager:
    """The model manager, which is opened by its card in the launcher."""

    def __init__(self, page: Page, lab: Lab, width: int = 0) -> None:
        """`width`: that of the window, without the file browser."""
        self.page = page
        page.goto(f"{lab.url('lab')}&reset")  # not where another test has left it
        card = page.locator(".jp-LauncherCard[data-category=Jan]", has_text="Models")
        card.wait_for(timeout=TIMEOUT)
        if width:
            page.keyboard.press("Control+b")
            page.set_viewport_size({"width": width, "height": 800})
        card.click()
        self.root = page.locator("jan-models")
        self.root.locator(".row").first.wait_for(timeout=TIMEOUT)

    def find(self, selector: str, **options: Any) -> Locator:
        return self.root.locator(selector, **options)

    def tab(self, name: str) -> None:
        """`installed`, `apps`, `get`, `keys` or `engines`."""
        self.find(f"#tab-{name}").click()

    def model(self, name: str) -> Locator:
        return self.find(f"[data-model='{name}']")

    def button(self, label: str) -> Locator:
        return self.find(f"button[aria-label='{label}']")


class Status:
    """The item of the status bar, and what it opens."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.item = page.locator("jan-status .item")
        self.item.wait_for(timeout=TIMEOUT)
        self.popup = page.locator("jan-status .popup")

    def open(self) -> None:
        self.item.click()
        self.popup.wait_for()

    def button(self, label: str) -> Locator:
        return self.popup.locator(f"button[aria-label='{label}']")


def ask(lab: Lab, method: str, path: str, body: object = None) -> bytes:
    """What a program asks our part of a Jupyter server, without a page."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(lab.url(f"jan/v1/{path}"), data, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return bytes(answer.read())
