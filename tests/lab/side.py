"""JupyterLab's side panel, as a person opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.conftest import Lab
from lab.panel import SECONDS, Panel

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

NAME = "xpath=//*[@id='jan-side-panel']/*[starts-with(local-name(), 'jan-chat')]"
READY = """async () => {
  await window.jupyterapp?.restored;
  const known = window.jupyterapp?.commands.keyBindings ?? [];
  return known.some(({ command }) => command === "jan:open-panel");
}"""
"""JavaScript: the layout is as it was, and the shortcut is known."""


def start(page: Page, lab: Lab, view: str = "lab", port: int = 0) -> None:
    """A JupyterLab with nothing open."""
    page.goto(lab.url(view, port))
    page.wait_for_selector("#jp-main-dock-panel", timeout=60 * SECONDS)
    page.wait_for_selector(".lm-MenuBar-itemLabel:text-is('Help')", timeout=60 * SECONDS)


def side(page: Page) -> Panel:
    """The panel, opened by its shortcut, or shown already."""
    page.wait_for_function(READY, timeout=60 * SECONDS)
    if not page.locator("#jan-side-panel").is_visible():
        page.keyboard.press("Control+Alt+g")
    return Panel(page, name=NAME)


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
