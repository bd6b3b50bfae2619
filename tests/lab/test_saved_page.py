"""A comparison that was saved as a page: offline, with and without scripts, and on paper."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jan_jupyter.compare.saving import save
from jan_jupyter.compare.shown import Shown
from jan_jupyter.compare.values import Result
from jan_jupyter.compare.views.board import board
from lab.results import ENDINGS, HARM, hostile, result
from test_markdown import CALLS_HOME, PAYLOADS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Opens = Callable[..., "Page"]

TEXTS = [text.replace("alert(", "(window.pwned=1)+(") for text in [*PAYLOADS, *CALLS_HOME[:40]]]


@pytest.fixture
def opens(browser: Browser, tmp_path: Path) -> Iterator[Opens]:
    """Saves and opens one; nothing is asked for, said to the console or run meanwhile."""
    said: list[str] = []
    contexts = []

    def opened(told: Result, **options: Any) -> Page:
        path = saved(told, tmp_path)
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on("request", lambda asked: said.append(asked.url))
        page.goto(path.as_uri())
        said.remove(path.as_uri())
        return page

    yield opened
    for context in contexts:
        assert context.pages[0].evaluate("window.pwned") is None
        context.close()
    assert not said


def saved(told: Result, folder: Path) -> Path:
    shown = Shown(board(told, limit=None, every=True))
    return save(told, shown, folder / "page.html")


def test_the_live_view_takes_the_static_forms_place(opens: Opens) -> None:
    page = opens(result(3))
    page.locator("jan-comparison").wait_for()
    assert not page.locator(".jan-compare").is_visible()
    page.emulate_media(media="print")
    assert page.locator(".jan-compare").is_visible()
    assert not page.locator("jan-comparison").is_visible()


def test_without_scripts_it_is_whole(opens: Opens) -> None:
    page = opens(result(3), java_script_enabled=False)
    assert page.locator("jan-comparison").count() == 0
    assert page.locator(".jan-compare").is_visible()
    assert page.locator("table.jc-rows tbody").count() == 3


def test_nothing_that_anybody_wrote_runs_or_calls_home(opens: Opens) -> None:
    page = opens(hostile([*TEXTS, *ENDINGS], contestants=4))
    view = page.locator("jan-comparison")
    view.wait_for()
    assert view.evaluate(f"e => ({HARM})(e.shadowRoot)") == []
    assert page.locator("main").evaluate(HARM) == []
    assert page.locator("script").count() == 2


def test_what_is_read_is_what_was_written(opens: Opens, tmp_path: Path) -> None:
    told = hostile(["a", *ENDINGS, "\ud800 half", "&lt;b&gt;"])
    page = opens(told)
    read = json.loads(page.locator("#comparison").inner_text())
    assert [case["messages"][1]["text"] for case in read["cases"]][:3] == ["a", *ENDINGS[:2]]
    html = (tmp_path / "page.html").read_text("utf-8")
    assert html.count("<!--") == 0
    assert html.count("</script") == html.count("<script") == 2


def test_its_policy_names_this_very_script(tmp_path: Path) -> None:
    html = saved(result(2), tmp_path).read_text("utf-8")
    (policy,) = re.findall('Content-Security-Policy" content="(.*?)"', html)
    rules = dict(part.split(" ", 1) for part in unescape(policy).split("; "))
    assert rules["default-src"] == "'none'"
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", rules["script-src"])
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", rules["style-src"])
    assert not {name for name in rules if name.endswith("-src")} - {
        "default-src",
        "script-src",
        "style-src",
    }
