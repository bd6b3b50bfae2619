"""The chat at the side while its server is away, started anew, or knows nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.conftest import Lab
from lab.panel import SECONDS
from lab.side import side, start
from support.jan import write_json
from support.server import StreamingServer

if TYPE_CHECKING:
    from playwright.sync_api import Page, WebSocketRoute

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow


@pytest.fixture
def page(any_page: Page) -> Page:
    """JupyterLab raises what it could not fetch, and its own word about it stands above all."""
    dialog = any_page.locator(".jp-Dialog", has_text="Server Connection Error")
    any_page.add_locator_handler(dialog, lambda found: found.locator("button").last.click())
    return any_page


@pytest.fixture(autouse=True)
def models(server: StreamingServer) -> None:
    server.behave("slow", "n=3000,delay=0.01")
    server.behave("short", "n=20")


def test_a_server_that_is_started_anew_in_mid_stream(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    """Nothing is lost, nothing doubled; what was sent meanwhile is sent once."""
    start(page, lab)
    panel = side(page)
    panel.choose("slow")
    panel.ask("to be cut")
    panel.wait_for_text(1500)  # the thread keeps what has come about once a second
    lab.kill()
    panel.find(".lost", has_text="is cut").wait_for()
    expect(panel.says).to_contain_text("the")  # what has come stays
    lab.start()
    panel.find(".lost").wait_for(state="detached", timeout=30 * SECONDS)
    expect(panel.questions).to_have_text(["to be cut"])
    expect(panel.find("article.assistant")).to_have_count(1)
    expect(panel.footer).to_contain_text("interrupted")
    expect(panel.find("button", has_text="Continue this answer")).to_be_visible()

    server.behave("slow", "n=20")
    lab.kill()
    panel.find(".lost").wait_for()
    panel.ask("while it was away")
    panel.find(".pending .remark", has_text="as soon as the connection").wait_for()
    panel.box.fill("a draft")
    lab.start()
    panel.find("article.assistant").nth(1).wait_for(timeout=30 * SECONDS)
    panel.wait()
    expect(panel.questions).to_have_text(["to be cut", "while it was away"])
    expect(panel.footer).to_contain_text("20 tokens")
    expect(panel.box).to_have_value("a draft")
    sent = [one.body["messages"][-1]["content"] for one in server.journal() if one.method == "POST"]
    assert sent == ["to be cut", "while it was away"]


def test_what_has_come_before_the_server_ended_is_not_sent_twice(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    """The page hears nothing of it, and who answers then knows none of its keys."""
    server.behave("slow", "n=3000,delay=0.01")
    deaf: list[bool] = []

    def route(wire: WebSocketRoute) -> None:
        there = wire.connect_to_server()
        there.on_message(lambda message: wire.send(message) if not deaf else None)

    page.route_web_socket(lambda url: "/jan/v1/panel" in url, route)
    start(page, lab)
    panel = side(page)
    panel.choose("short")
    panel.ask_and_wait("before")
    panel.choose("slow")
    deaf.append(True)
    panel.ask("it has come")
    server.wait("first", count=2)
    lab.kill()
    deaf.clear()
    panel.find(".lost").wait_for()
    lab.start()
    panel.find(".lost").wait_for(state="detached", timeout=30 * SECONDS)
    panel.wait()
    expect(panel.questions).to_have_text(["before", "it has come"])
    sent = [one.body["messages"][-1]["content"] for one in server.journal() if one.method == "POST"]
    assert sent == ["before", "it has come"]


def test_a_thread_that_was_deleted_meanwhile(lab: Lab, page: Page) -> None:
    start(page, lab)
    panel = side(page)
    panel.choose("short")
    panel.ask_and_wait("to be deleted")
    lab.kill()
    for thread in (lab.data_folder / "threads").iterdir():
        if "to be deleted" in (thread / "messages.jsonl").read_text("utf-8"):
            (thread / "thread.json").unlink()
    lab.start()
    panel.find(".notice", has_text="thread").wait_for(timeout=30 * SECONDS)
    expect(panel.turns).to_have_count(0)
    panel.ask_and_wait("a new one")
    expect(panel.questions).to_have_text(["a new one"])


def test_a_server_without_us_and_one_of_another_version(
    lab: Lab, page: Page, open_lab: Callable[..., Lab], tmp_path: Path
) -> None:
    def route(wire: WebSocketRoute) -> None:
        there, ours = wire.connect_to_server(), '"version": "'
        there.on_message(lambda said: wire.send(str(said).replace(ours, f"{ours}9.")))

    page.route_web_socket(lambda url: "/jan/v1/panel" in url, route)
    start(page, lab)
    panel = side(page)
    panel.find(".notice", has_text="The server runs version 9.").wait_for()
    panel.button("Dismiss").click()
    expect(panel.find(".notice")).to_have_count(0)

    off = {"ServerApp": {"jpserver_extensions": {"jan_jupyter.server": False}}}
    write_json(tmp_path / "jupyter" / "config" / "jupyter_server_config.json", off)
    start(page, open_lab())
    page.keyboard.press("Control+Alt+g")
    said = page.locator("#jan-side-panel .lost")
    expect(said).to_contain_text("does not know jan_jupyter")
