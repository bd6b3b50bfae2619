"""A comparison that JupyterLab's renderer draws: in its cell, over a reload, after its kernel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from jan_jupyter.compare.live.protocol import COMPARISON
from lab.conftest import Lab, Notebook
from lab.test_comparison_lab import view
from support.real_model import NAME, real_model
from support.server import StreamingServer

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow

LOAD = "%load_ext jan_jupyter\nimport jan_jupyter as jan"
CELL = "%%jan -m slow -m short\nhi there"
CALL = "c = jan.compare('hi there', ['slow', 'short'], fresh=True)"
"""Which keeps the kernel's own thread."""


def column(shown: Locator, name: str) -> Locator:
    return shown.get_by_role("region", name=f"What {name} says")


@pytest.mark.parametrize(
    ("code", "place"),
    [(CELL, "doc/tree"), (CALL, "doc/tree"), (CELL, "notebooks")],
    ids=["cell", "call", "notebook7"],
)
def test_it_streams_and_is_stopped_in_its_cell(
    lab: Lab, any_page: Page, server: StreamingServer, code: str, place: str
) -> None:
    page = any_page  # Notebook 7 raises errors of its own
    server.behave("slow", "n=3000,delay=0.02")
    server.behave("short", "n=20")
    lab.write("live.ipynb", LOAD, code)
    notebook = Notebook(page, lab, "live.ipynb", place)
    notebook.run(0)
    notebook.start(1)
    shown = view(page)
    says = column(shown, "slow")
    expect(says).to_have_text(re.compile(".{200,}", re.DOTALL))
    page.evaluate("window.shown = document.querySelector('.jp-Notebook jan-comparison')")
    shown.get_by_role("button", name="Stop all").click()
    notebook.finish(1)
    assert server.wait("closed")
    expect(shown.get_by_role("button", name="Stop all")).to_have_count(0)
    expect(column(shown, "short")).to_contain_text("bold")
    assert shown.evaluate("e => window.shown === e")

    (output,) = notebook.save()[-1]["outputs"]
    assert set(output["data"]) == {COMPARISON, "text/html", "text/markdown", "text/plain"}
    texts = {row["call"][1]: row["text"] for row in output["data"][COMPARISON]["rows"]}
    assert len(texts[1]) > 50


def test_a_page_that_is_reloaded_in_mid_run_goes_on(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    server.behave("slow", "n=400,delay=0.04")
    server.behave("short", "n=20")
    lab.write("again.ipynb", LOAD, CELL)
    notebook = Notebook(page, lab, "again.ipynb")
    notebook.run(0)
    notebook.start(1)
    says = column(view(page), "slow")
    expect(says).to_have_text(re.compile(".{100,}", re.DOTALL))
    notebook.save()
    page.reload()
    shown = view(page)
    expect(shown.get_by_role("button", name="Stop all")).to_be_visible()
    before = len(column(shown, "slow").inner_text())
    expect(column(shown, "slow")).to_have_text(
        re.compile(f".{{{before + 50},}}", re.DOTALL), timeout=30_000
    )
    expect(shown).to_contain_text("400 tokens", timeout=60_000)


def test_what_was_saved_goes_on_in_another_kernel(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    server.behave("refused", "status=500")
    server.behave("short", "n=20")
    lab.write("kept.ipynb", LOAD, "%%jan -m refused -m short --as kept\nhi there")
    notebook = Notebook(page, lab, "kept.ipynb")
    notebook.run(0)
    notebook.run(1)
    shown = view(page)
    expect(column(shown, "short")).to_contain_text("bold")
    again = shown.get_by_role("button", name=re.compile("Ask again"))
    expect(again).to_be_visible()
    (output,) = notebook.save()[-1]["outputs"]
    assert "errors" in "".join(output["data"]["text/plain"])
    page.click("[data-command='notebook:restart-kernel']")
    page.click(".jp-Dialog .jp-mod-accept")
    go_on = shown.get_by_role("button", name="Go on in this kernel")
    go_on.wait_for(timeout=30_000)
    expect(again).to_have_count(0)
    lab.wait_for_kernel("kept.ipynb")
    server.behave("refused", "n=30")
    go_on.click()
    again.click(timeout=30_000)
    expect(column(shown, "refused")).to_contain_text("bold")
    expect(again).to_have_count(0)
    page.wait_for_selector(".jp-mod-dirty", state="attached", timeout=30_000)  # the output follows
    (output,) = notebook.save()[-1]["outputs"]
    assert not [row["error"] for row in output["data"][COMPARISON]["rows"] if row["error"]]
    assert "errors" not in "".join(output["data"]["text/plain"])


def test_models_of_every_kind_beside_each_other(
    lab: Lab, page: Page, server: StreamingServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The bundled model, a real small one and a remote one; there again without their kernel."""
    real = real_model(tmp_path_factory.mktemp("real"))
    server.behave("short", "n=20")
    cell = f"%%jan -m jan-mini -m {NAME} -m short -p temperature=0 -p max_tokens=24\nSay hello."
    lab.write("kinds.ipynb", LOAD, f"%jan import '{real.path.parent}'", cell)
    notebook = Notebook(page, lab, "kinds.ipynb")
    notebook.run(0)
    notebook.run(1)
    notebook.run(2)
    names = ("jan-mini", NAME, "short")
    for name in names:
        expect(column(view(page), name)).not_to_have_text("")
    texts = [column(view(page), name).inner_text() for name in names]
    assert len(set(texts)) == 3
    expect(view(page)).to_contain_text("fastest")
    notebook.save()
    page.click("[data-command='notebook:restart-kernel']")
    page.click(".jp-Dialog .jp-mod-accept")
    page.reload()
    for name, text in zip(names, texts, strict=True):
        assert column(view(page), name).inner_text() == text
    view(page).get_by_role("tab", name="Summary").click()
    for name in names:
        expect(view(page)).to_contain_text(name)
