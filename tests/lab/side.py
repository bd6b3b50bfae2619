"""JupyterLab's side panel, as a person opens it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Error

from lab.conftest import CHROMIUM, Lab
from lab.panel import SECONDS, Panel
from support.jan import add_remote
from support.server import StreamingServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page


def own_lab(folder: Path, server: StreamingServer) -> Iterator[Lab]:
    """A JupyterLab of a module's own: a panel that is open takes others the place."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (.ci/run installs it)")
    lab = Lab(folder, variables={"LabApp.expose_app_in_browser": True})
    add_remote(lab.data_folder, server, slow="", short="", refused="", echo="", other="")
    yield lab
    lab.close()


def own_page(browser: Browser) -> Iterator[Page]:
    """A wide page of a context of its own; it fails the test if its JavaScript raises."""
    context = browser.new_context(viewport={"width": 1500, "height": 900})
    page = context.new_page()
    raised: list[str] = []
    page.on("pageerror", lambda error: raised.append(str(error)))
    yield page
    context.close()
    assert not raised


def start(page: Page, lab: Lab, view: str = "lab", port: int = 0) -> None:
    """A JupyterLab with nothing open."""
    page.goto(lab.url(view, port))
    page.wait_for_selector("#jp-main-dock-panel", timeout=60 * SECONDS)
    page.wait_for_selector(".lm-MenuBar-itemLabel:text-is('Help')", timeout=60 * SECONDS)


def side(page: Page) -> Panel:
    """The panel, opened by its shortcut, or shown already."""
    name = "xpath=//*[@id='jan-side-panel']/*[starts-with(local-name(), 'jan-chat')]"
    if not page.locator(name).is_visible():
        tab = page.locator("[data-id=jan-side-panel], #jan-side-panel")
        tab.first.wait_for(state="attached", timeout=60 * SECONDS)
        for _ in range(10):  # the shortcut may come after the panel
            page.keyboard.press("Control+Alt+g")
            with contextlib.suppress(Error):
                page.locator(name).wait_for(timeout=3 * SECONDS)
                break
    return Panel(page, name=name)


def command(page: Page, name: str, args: object = None) -> None:
    """Run one of JupyterLab's commands, as a menu or another extension does."""
    page.evaluate("([name, args]) => void jupyterapp.commands.execute(name, args)", [name, args])


def drag(page: Page, source: Locator, target: Locator) -> None:
    """As JupyterLab has it: it follows the pointer by itself."""
    source.hover()
    page.mouse.down()
    box = target.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 30, y - 30, steps=8)
    page.mouse.move(x, y, steps=4)
    page.mouse.up()
