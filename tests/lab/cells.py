"""Cells of a notebook in JupyterLab, and what is asked about them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lab.conftest import Lab, Notebook

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

PROMPT = "text/x-jan-prompt"
NOTEBOOK = "jupyterapp.shell.currentWidget.content"
CELL = NOTEBOOK + ".widgets[{}]"


class Cells:
    """A notebook, and what is asked of the side panel in its page."""

    def __init__(self, page: Page, lab: Lab, name: str, view: str = "doc/tree") -> None:
        self.page = page
        self.notebook = Notebook(page, lab, name, view)
        page.evaluate(
            """() => {
              window.asked = [];
              const { commands } = jupyterapp;
              if (!commands.hasCommand('jan:ask')) commands.addCommand('jan:ask', { execute() {} });
              commands.commandExecuted.connect((_, { id, args }) => {
                if (id === 'jan:ask') asked.push(args);
              });
            }"""
        )
        self.wait("() => jupyterapp.shell.currentWidget.content.model.cells.length > 0")

    def wait(self, script: str) -> None:
        self.page.wait_for_function(script, timeout=30_000)

    def type(self, number: int) -> str:
        """The MIME type of a cell."""
        script = f"{CELL.format(number)}.model.mimeType"
        return str(self.page.evaluate(script))

    def wait_for_type(self, number: int, is_prompt: bool) -> None:
        same = "===" if is_prompt else "!=="
        self.wait(f"() => {CELL.format(number)}.model.mimeType {same} '{PROMPT}'")

    def edit(self, number: int) -> Locator:
        editor = self.notebook.cell(number).locator(".cm-content")
        editor.click()
        return editor

    def explain(self, number: int) -> Locator:
        """The button below an error."""
        return self.notebook.area(number).get_by_role("button", name="Explain the error")

    def activate(self, number: int) -> None:
        self.page.evaluate(f"() => {{ {NOTEBOOK}.activeCellIndex = {number}; }}")

    def command(self, name: str) -> None:
        self.page.evaluate("name => void jupyterapp.commands.execute(name)", name)

    def can(self, name: str) -> bool:
        return bool(self.page.evaluate("name => jupyterapp.commands.isEnabled(name)", name))

    def asked(self) -> Any:
        """What has just been asked of the panel, once."""
        self.wait("() => asked.length")
        return self.page.evaluate("() => asked.shift()")

    def button(self, number: int) -> Locator:
        """That of a cell's toolbar."""
        return self.notebook.cell(number).get_by_role("button", name="Ask a model about this cell")

    def menu(self, number: int) -> Locator:
        """The menu of a cell's toolbar, open."""
        self.activate(number)
        self.button(number).click()
        return self.page.locator(".lm-Menu").last

    @property
    def sources(self) -> list[str]:
        script = f"() => [...{NOTEBOOK}.model.cells].map(c => c.sharedModel.getSource())"
        return list(self.page.evaluate(script))


def contexts(asked: Any) -> dict[str, str]:
    return {one["label"]: one["text"] for one in asked["context"]}


@contextmanager
def settings(lab: Lab, plugin: str, **wishes: Any) -> Iterator[None]:
    """What a user has set, in pages that are opened meanwhile."""
    folder = lab.folder / "settings" / "jan-jupyter"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{plugin}.jupyterlab-settings"
    file.write_text(json.dumps(wishes))
    try:
        yield
    finally:
        file.unlink()
