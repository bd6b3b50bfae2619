"""What the status bar of JupyterLab says of models, and what the page's start loads of us."""

from __future__ import annotations

import gzip
import re
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from lab import axe
from lab.bare import ROOT
from lab.conftest import Lab
from lab.manager import Manager, Status, ask
from support.jan import add_remote
from support.server import StreamingServer

if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow

BUILT = ROOT / "jan_jupyter" / "labextension" / "static"
LOADED = """() => performance.getEntriesByType('resource')
    .map(({ name }) => name).filter((name) => name.includes('/jan-jupyter/'))
    .map((name) => name.split('/').pop())"""


@pytest.fixture(scope="module")
def lab(
    tmp_path_factory: pytest.TempPathFactory, _streaming_server: StreamingServer
) -> Iterator[Lab]:
    """A Lab below a path, as JupyterHub has it."""
    folder = tmp_path_factory.mktemp("status")
    with Lab(folder, "/user/ada/", variables={"JAN_KEEP_ALIVE": 600}) as lab:
        add_remote(lab.data_folder, _streaming_server, slow="n=2000,delay=0.02")
        yield lab


def test_the_start_loads_the_entry_and_the_status_bars_part_alone(lab: Lab, page: Page) -> None:
    page.goto(lab.url("lab"))
    Status(page)
    expect(page.locator("jan-status .text")).to_have_text("Jan")  # it has heard from the server
    loaded = page.evaluate(LOADED)
    parts = {name.partition(".")[0] for name in loaded}
    assert {"remoteEntry", "status"} <= parts <= {"remoteEntry", "status", "chunk"}
    sizes = {name: len(gzip.compress((BUILT / name).read_bytes())) for name in loaded}
    assert sum(sizes.values()) < 100_000, sizes


def test_what_is_loaded_and_unloaded_is_seen_in_two_pages(lab: Lab, page: Page) -> None:
    second = page.context.new_page()
    second.goto(lab.url("lab"))
    status = Status(second)
    manager = Manager(page, lab)
    manager.button("Load Jan mini").click()
    expect(manager.button("Unload Jan mini")).to_be_visible(timeout=60_000)
    expect(manager.model("jan-mini").locator(".note")).to_contain_text("loaded")
    expect(status.item).to_contain_text(re.compile(r"jan-mini · \d+ MB"))
    # The second page gives it back, by the keyboard alone.
    status.item.focus()
    second.keyboard.press("Enter")
    expect(status.popup).to_be_focused()
    second.keyboard.press("Tab")
    expect(status.button("Unload jan-mini")).to_be_focused()
    second.keyboard.press("Enter")
    expect(status.popup).to_contain_text("No model is in memory.")
    second.keyboard.press("Escape")
    expect(status.popup).to_be_hidden()
    expect(status.item).to_be_focused()
    expect(status.item).to_have_text("Jan")
    expect(manager.button("Load Jan mini")).to_be_visible()
    second.close()


def test_who_answers_is_seen_and_stopped(lab: Lab, page: Page, server: StreamingServer) -> None:
    server.behave("slow", "n=2000,delay=0.02")
    page.goto(lab.url("lab"))
    status = Status(page)
    body = {"model": "slow", "messages": [{"role": "user", "content": "hi"}], "stream": True}
    asking = threading.Thread(target=ask, args=(lab, "POST", "chat/completions", body))
    asking.start()
    try:
        expect(status.item).to_contain_text("slow answers")
        status.open()
        expect(status.popup).to_contain_text(re.compile(r"answers · \d+ tokens"))
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, forced_colors="none")
            assert axe.faults(page, "jan-status") == []
        status.button("Stop slow").click()
        assert server.wait("closed")
        expect(status.popup).to_contain_text("No model is in memory.")
    finally:
        asking.join()


def test_all_models_are_a_click_away(lab: Lab, page: Page) -> None:
    page.goto(lab.url("lab"))
    status = Status(page)
    status.open()
    status.popup.get_by_text("All models").click()
    expect(page.locator("jan-models .row").first).to_be_visible()
    expect(status.popup).to_be_hidden()


def test_a_server_that_does_not_know_us_is_one_line(
    open_lab: Callable[..., Lab], any_page: Page
) -> None:
    off = '{"jan_jupyter.server": False}'
    any_page.goto(open_lab(variables={"ServerApp.jpserver_extensions": off}).url("lab"))
    status = Status(any_page)
    expect(status.item).to_have_text("Jan: not on this server")
    status.open()
    expect(status.popup).to_contain_text("install it there")


def test_it_hears_again_after_the_servers_restart(
    open_lab: Callable[..., Lab], any_page: Page
) -> None:
    lab = open_lab()
    any_page.goto(lab.url("lab"))
    status = Status(any_page)
    expect(status.item).to_have_text("Jan")
    lab.close()
    expect(status.item).to_have_text("Jan: no answer")
    lab.start()
    expect(status.item).to_have_text("Jan", timeout=60_000)
