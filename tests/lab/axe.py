"""What axe says of a page (https://github.com/dequelabs/axe-core)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

SOURCE = Path(__file__).parents[2] / "labextension" / "node_modules" / "axe-core" / "axe.min.js"


def faults(page: Page, within: str = "html") -> list[str]:
    """The serious and critical ones, each with what is at fault."""
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(content=SOURCE.read_text("utf-8"))
    # JupyterLab's body has no height, and hides what leaves it: axe would take all for invisible.
    page.evaluate("document.body.style.minHeight = '100vh'")
    found = page.evaluate("async (within) => (await axe.run(within)).violations", within)
    return [
        f"{fault['id']}: {[n['html'][:120] + n['failureSummary'] for n in fault['nodes'][:3]]}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
    ]
