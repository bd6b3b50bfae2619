"""Columns of the chat panel in JupyterLab, where pages are opened again and kernels restarted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.columns import MODELS, ask, compare, names, sent
from lab.conftest import Lab, Notebook
from lab.panel import Panel
from lab.test_panel import OPEN
from support.jan import add_remote
from support.server import StreamingServer

if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow


def test_columns_stay_over_a_reload_and_a_new_kernel(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    """A follow-up to two of three, then the page is opened again, then the kernel is
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
    notebook.save()
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
