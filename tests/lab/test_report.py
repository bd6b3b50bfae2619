"""A comparison's report in a browser: offline, light and dark, wide and narrow, no script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jan_jupyter.compare.views import report
from jan_jupyter.compare.views.board import board
from lab import axe
from lab.results import result

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture
def opened(browser: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The report of so many contestants in a window of that width; nothing may be asked for."""
    contestants, width, scheme = request.param
    path = tmp_path / "report.html"
    path.write_text(report.report(board(result(contestants))), "utf-8")
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=False
    )
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda asked: said.append(asked.url) if "report" not in asked.url else None)
    page.goto(path.as_uri())
    yield page
    context.close()
    assert not said


EACH = [(1, 1280, "light"), (2, 420, "dark"), (3, 420, "light"), (6, 1280, "dark")]


@pytest.mark.parametrize("opened", EACH, indirect=True)
def test_nothing_hangs_over_and_colours_follow_the_system(opened: Page) -> None:
    width = opened.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]
    dark = opened.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    light = opened.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(18, 18, 18)"
    assert light != dark
    assert opened.locator("script").count() == 0
    assert "<b>Phobos</b>" in opened.locator("td > pre").first.inner_text()


@pytest.mark.parametrize("opened", [(3, 420, "light"), (3, 1280, "light")], indirect=True)
def test_columns_stand_below_one_another_where_it_is_narrow(opened: Page) -> None:
    cells = opened.locator("table.jc-rows tbody").first.locator("td")
    left = {round(cells.nth(n).bounding_box()["x"]) for n in range(3)}  # type: ignore[index]
    narrow = opened.viewport_size == {"width": 420, "height": 800}
    assert len(left) == (1 if narrow else 3)
    # Tables they stay for those who are read to, each with a name.
    assert opened.get_by_role("table").count() == 2
    assert opened.get_by_role("table", name="3 prompts × 3 models").is_visible()
    assert opened.get_by_role("rowheader", name="model-0-of-3 baseline").count() == 1
    assert opened.get_by_role("columnheader", name="exact").count() == 1
    name = cells.nth(1).evaluate("cell => getComputedStyle(cell, '::before').content")
    assert (name == '"model-1-of-3"') == narrow


@pytest.mark.parametrize("opened", [(2, 1280, "light")], indirect=True)
def test_folds_open_without_a_script(opened: Page) -> None:
    fold = opened.locator("details", has_text="more character").first
    assert not fold.locator("pre").is_visible()
    fold.locator("summary").click()
    assert fold.locator("pre").is_visible()
    thoughts = opened.locator("details", has_text="reasoning").first
    thoughts.locator("summary").press("Enter")
    assert thoughts.get_by_text("Hm.").is_visible()


@pytest.mark.parametrize("opened", [(2, 720, "light"), (9, 720, "light")], indirect=True)
def test_paper_has_all_of_it(opened: Page) -> None:
    """What a click would open, and what one would scroll to."""
    opened.emulate_media(media="print")
    visible = "all => all.map(one => one.checkVisibility({contentVisibilityAuto: true}))"
    assert all(opened.locator("details > pre").evaluate_all(visible))
    hidden = "all => all.filter(one => one.scrollWidth > one.clientWidth).length"
    assert opened.locator(".jc-wide").evaluate_all(hidden) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [420, 1280])
def test_axe_finds_nothing(browser: Browser, tmp_path: Path, scheme: str, width: int) -> None:
    path = tmp_path / "report.html"
    path.write_text(report.report(board(result(3))), "utf-8")
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        bypass_csp=True,  # for axe's own script
    )
    page = context.new_page()
    page.goto(path.as_uri())
    assert not axe.faults(page)
    context.close()
