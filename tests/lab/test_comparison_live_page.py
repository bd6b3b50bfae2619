"""A comparison under way in a bare page, with all behind it real: models, run, what it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import jan_jupyter as jan
from jan_jupyter import bridge
from jan_jupyter.compare.comparison import session
from jan_jupyter.compare.live.live import Live
from lab.bare import Bare
from support.jan import add_remote
from support.server import StreamingServer

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow


class Running:
    """A comparison that goes on in a thread of its own, and the page that looks at it."""

    def __init__(self, page: Page, *asked: Any, **more: Any) -> None:
        self.session = session(*asked, **more)
        self.live = Live(self.session)
        self.page = page
        self.bare: Bare | None = None
        self._early: list[Mapping[str, Any]] = []
        self._view = self.live.join(self._send)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        traits = {"_kind": "comparison", "_live_id": self.live.id, "_place": "a-cell"}
        bare = Bare(page, lambda said: self.live.take(self._view, said), "compare.js", **traits)
        for event in self._early:
            bare.send(event)
        self.bare = bare

    def _send(self, event: Mapping[str, Any]) -> None:
        if self.bare is None:
            self._early.append(event)
        else:
            self.bare.send(event)

    def _run(self) -> None:
        for _ in bridge.iterate(self.session.steps()):
            pass

    def find(self, selector: str) -> Locator:
        return self.page.locator("jan-comparison").locator(selector)

    def column(self, at: int) -> Locator:
        return self.find(f".column[data-at='{at}']")

    def button(self, name: str) -> Locator:
        return self.page.locator("jan-comparison").get_by_role("button", name=name)

    def close(self) -> None:
        if self._thread.is_alive():
            bridge.loop().call_soon_threadsafe(self.session.brake.pull)
        self._thread.join(30)
        assert not self._thread.is_alive()


@pytest.fixture
def running(isolated: Path, server: StreamingServer, tab: Page) -> Iterator[Running]:
    add_remote(isolated / "jan", server, slow="n=4000,delay=0.02", broken="error=invalid_request")
    models = ["jan-mini", "slow", "broken"]
    running = Running(tab, ["What is 7 + 5?"], models, parameters={"temperature": 0})
    yield running
    running.close()
    bridge.wait(jan.router.unload("jan-mini"))
    bridge.wait(jan.router.close())


def test_stream_stop_one_reload_and_ask_again(
    running: Running, tab: Page, server: StreamingServer
) -> None:
    """`jan-mini` in a real worker, one that would go on for long, and one that refuses."""
    expect(running.column(0).locator(".md")).to_contain_text("12", timeout=60_000)
    expect(running.column(0).locator(".state")).to_contain_text("done")
    expect(running.column(2).locator(".state")).to_contain_text("failed")
    slow = running.column(1)
    expect(slow.locator(".state")).to_contain_text("answering")
    expect(slow.locator(".speed")).to_contain_text("tokens/s")

    before = slow.locator(".md").inner_text()
    tab.reload()  # in mid-run: it goes on
    expect(slow.locator(".state")).to_contain_text("answering")
    tab.wait_for_function(
        """(n) => document.querySelector('jan-comparison').shadowRoot
        .querySelector(".column[data-at='1'] .md").innerText.length > n""",
        arg=len(before) + 50,
    )
    assert slow.locator(".md").inner_text().startswith(before[:100])

    running.button("Stop slow").click()
    expect(slow.locator(".state")).to_contain_text("stopped")
    expect(running.button("Stop all")).to_have_count(0)
    server.behave("broken", "n=2")
    running.button("Ask again what is missing").click()
    expect(running.column(2).locator(".state")).to_contain_text("done")
    running.button("Stop all").click()  # the one that was stopped was asked again as well
    expect(running.button("Stop all")).to_have_count(0)

    column = running.column(0)
    column.locator(".details .fold").click()
    expect(column.locator(".timings")).to_contain_text("in all")
    column.get_by_role("button", name="Show the exact request").click()
    expect(column.locator(".request")).to_contain_text("What is 7 + 5?")
    assert running.bare is not None
    assert running.bare.requests == []
