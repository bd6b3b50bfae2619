"""A comparison without Jupyter: what it shows, what can be done with it, and who can use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lab import axe
from lab.compared import (
    JSON,
    Compared,
    case,
    document,
    estimate,
    progress,
    row,
    snapshot,
    state,
    summary,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow

NAMES = ("jan-mini", "SmolLM2", "remote", "fourth")
LONG = "\n\n".join(f"Paragraph {n} of an answer that is longer than its column." for n in range(60))


def asked(columns: int = 3, *rows: JSON, **more: Any) -> JSON:
    """A comparison under way of which nothing has come yet."""
    comparison = document([case("What is 7 + 5?")], NAMES[:columns], rows)
    told = {"states": [state("waiting") for _ in range(columns)], "running": True}
    return snapshot(comparison, **{**told, "progress": progress(len(rows), columns), **more})


def deltas(seq: int, *pieces: tuple[tuple[int, int, int], str], tokens: int = 1) -> JSON:
    said = [{"call": [*c], "text": t, "reasoning": "", "tokens": tokens} for c, t in pieces]
    return {"type": "deltas", "seq": seq, "deltas": said}


def ended(*rows: JSON) -> JSON:
    return {"type": "rows", "rows": [*rows]}


def test_columns_stream_and_end(tab: Page) -> None:
    page = Compared(tab, asked())
    expect(page.find(".column")).to_have_count(3)
    expect(page.column(0).locator(".state")).to_contain_text("waiting")
    page.say(
        {
            "type": "progress",
            "progress": progress(0, 3, left=42),
            "states": [
                state("answering"),
                state("loading", "Loading SmolLM2", progress=0.4),
                state("waiting", "waits for its turn"),
            ],
        },
        deltas(1, ((0, 0, 0), "It is **twe")),
    )
    expect(page.find(".run")).to_contain_text("0 of 3 answers · about 42 s left")
    expect(page.column(0).locator(".md strong")).to_have_text("twe")  # as it will look
    expect(page.column(0).locator(".state")).to_contain_text("answering")
    expect(page.column(1).locator(".state")).to_contain_text("loading 40 %")
    expect(page.column(1).locator(".body")).to_contain_text("Loading SmolLM2")
    expect(page.column(2).locator(".body")).to_contain_text("waits for its turn")

    page.say(deltas(2, ((0, 0, 0), "lve**."), ((0, 2, 0), "12")))
    expect(page.column(0).locator(".md")).to_have_text("It is twelve.")
    # A delta is missing: the view asks, and is told all.
    written = {"call": [0, 2, 0], "text": "12, say I", "reasoning": "", "since": 0, "tokens": 4}
    page.start = asked(3, row((0, 0, 0), "It is **twelve**."), writing=[written], seq=9)
    page.say(deltas(9, ((0, 2, 0), " say I")))
    page.wait_for({"type": "hello", "host": "widget"}, 2)
    expect(page.column(2).locator(".md")).to_have_text("12, say I")

    slow = {**row((0, 1, 0), "")["times"], "tokens_per_second": 12.0}
    page.say(
        ended(row((0, 2, 0), "12, say I."), row((0, 1, 0), "Twelve", times=slow)),
        {"type": "ended", "ended": ""},
    )
    expect(page.column(1).locator(".md")).to_have_text("Twelve")
    expect(page.find(".run")).to_have_count(0)
    expect(page.column(2).locator(".state")).to_contain_text("done")
    expect(page.column(1).locator(".figures")).to_contain_text("12 tokens/s")
    assert page.bare is not None
    assert page.bare.requests == []


def test_the_fastest_is_marked_in_words(tab: Page) -> None:
    def at(speed: float) -> JSON:
        return {"times": {**row((0, 0, 0), "")["times"], "tokens_per_second": speed}}

    page = Compared(tab, asked(3, row((0, 0, 0), "a", **at(20)), row((0, 1, 0), "b", **at(30))))
    expect(page.find(".fastest")).to_have_count(1)
    expect(page.column(1).locator(".state")).to_contain_text("fastest")
    page.say(ended(row((0, 2, 0), "c", **at(45))))
    expect(page.column(2).locator(".state")).to_contain_text("fastest")
    expect(page.find(".fastest")).to_have_count(1)


def test_reasoning_is_folded_and_errors_say_what_happened(tab: Page) -> None:
    thought = {"call": [0, 0, 0], "text": "", "reasoning": "7 and 5 …", "since": 0, "tokens": 3}
    failed = row((0, 1, 0), "Half of", error="503: the engine is `busy`.", finish="")
    stopped = row((0, 2, 0), "So far", error="stopped", finish="cancelled")
    page = Compared(tab, asked(3, failed, stopped, writing=[thought]))
    expect(page.column(0).locator(".body")).to_contain_text("Thinking …")
    expect(page.column(0).locator(".reasoning .md")).to_have_count(0)
    page.button("Reasoning").click()
    expect(page.column(0).locator(".reasoning .md")).to_have_text("7 and 5 …")
    expect(page.column(1).locator(".state")).to_contain_text("failed")
    expect(page.column(1).locator(".body")).to_contain_text("Half of503: the engine is busy.")
    expect(page.column(2).locator(".state")).to_contain_text("stopped")
    expect(page.column(2).locator(".failure")).to_have_count(0)


def test_one_is_stopped_or_all_and_what_is_missing_is_asked_again(tab: Page) -> None:
    writing = [
        {"call": [0, n, 0], "text": "x", "reasoning": "", "since": 0, "tokens": 1} for n in range(2)
    ]
    page = Compared(tab, asked(2, writing=writing))
    page.button("Stop SmolLM2").click()
    page.wait_for({"type": "stop", "contestant": 1})
    page.button("Stop all").focus()
    tab.keyboard.press("Enter")
    page.wait_for({"type": "stop", "contestant": None})
    told = [summary(answers=1), summary(missing=1)]
    page.say(
        {"type": "figures", "summaries": told, "verdicts": [], "strengths": []}
        | {"scorers": [], "votes": 0},
        {"type": "ended", "ended": "Stopped: 1 of 2 calls."},
    )
    expect(page.find(".run")).to_contain_text("Stopped: 1 of 2 calls.")
    expect(page.tab("Columns")).to_be_focused()  # what was focused is gone
    page.button("Ask again what is missing (1)").click()
    page.wait_for({"type": "retry"})


@pytest.mark.parametrize(
    ("width", "columns", "beside"), [(1200, 4, 4), (900, 3, 3), (700, 4, 2), (420, 4, 1)]
)
def test_as_many_columns_as_there_is_room_for(
    tab: Page, width: int, columns: int, beside: int
) -> None:
    tab.set_viewport_size({"width": width, "height": 800})
    page = Compared(tab, asked(columns, *[row((0, n, 0), LONG) for n in range(columns)]))
    expect(page.column(columns - 1).locator(".md")).to_contain_text("Paragraph 0")
    tops = page.find(".column").evaluate_all("all => all.map(e => e.getBoundingClientRect().top)")
    assert tops.count(tops[0]) == beside
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # Model and state stay in sight while an answer is read.
    body = page.column(0).locator(".body")
    body.evaluate("e => { e.scrollTop = e.scrollHeight }")
    page.column(0).locator("header").scroll_into_view_if_needed()
    expect(page.column(0).locator("h3")).to_be_in_viewport()
    expect(body).to_be_in_viewport()


def test_one_column_alone_by_key_and_by_double_click(tab: Page) -> None:
    page = Compared(tab, asked(3, *[row((0, n, 0), f"answer {n}") for n in range(3)]))
    bodies = page.find(".column .body")
    bodies.nth(0).focus()
    tab.keyboard.press("ArrowRight")
    expect(bodies.nth(1)).to_be_focused()
    tab.keyboard.press("f")
    expect(page.find(".column")).to_have_count(1)
    expect(page.column(1).locator(".body")).to_be_focused()
    tab.keyboard.press("Escape")
    expect(page.find(".column")).to_have_count(3)
    expect(bodies.nth(1)).to_be_focused()
    page.column(2).locator(".md").dblclick()
    expect(page.find(".column")).to_have_count(1)
    expect(page.column(2)).to_have_count(1)
    page.button("All columns").click()
    expect(page.find(".column")).to_have_count(3)


def test_columns_scroll_together_on_wish(tab: Page) -> None:
    page = Compared(tab, asked(2, row((0, 0, 0), LONG), row((0, 1, 0), f"{LONG}\n\n{LONG}")))
    share = "e => e.scrollTop / (e.scrollHeight - e.clientHeight)"
    bodies = page.find(".column .body")
    scroll = "e => { e.scrollTop = (e.scrollHeight - e.clientHeight) / 2 }"
    drawn = "new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"
    bodies.nth(0).evaluate(scroll)
    tab.evaluate(drawn)
    assert bodies.nth(1).evaluate(share) == 0
    page.find("label", has_text="Scroll together").click()
    tab.evaluate(drawn)
    bodies.nth(0).evaluate("e => { e.scrollTop = 0 }")
    tab.evaluate(drawn)
    tab.wait_for_function(  # whose height may still change while it is drawn
        """() => { const [a, b] = document.querySelector('jan-comparison').shadowRoot
        .querySelectorAll('.body'); const end = e => e.scrollHeight - e.clientHeight;
        a.scrollTop = end(a) / 2; return Math.abs(b.scrollTop / end(b) - .5) < .01 }"""
    )


def test_of_several_prompts_the_current_one_is_in_the_columns(tab: Page) -> None:
    comparison = document([case(f"Question {n}") for n in range(3)], NAMES[:2])
    page = Compared(tab, snapshot(comparison, running=True, progress=progress(0, 6)))
    prompt = page.find(".prompt")
    page.say(deltas(1, ((0, 0, 0), "a0")))
    expect(prompt).to_have_text("Question 0")
    page.say(ended(row((0, 0, 0), "a0")), deltas(2, ((1, 0, 0), "a1")))
    expect(prompt).to_have_text("Question 1")
    expect(page.column(0).locator(".md")).to_have_text("a1")
    page.button("The prompt before").click()
    expect(prompt).to_have_text("Question 0")
    expect(page.column(0).locator(".md")).to_have_text("a0")
    page.say(ended(row((1, 0, 0), "a1")), deltas(3, ((2, 0, 0), "a2")))
    expect(prompt).to_have_text("Question 0")  # who looks at one is left in peace
    page.button("Follow").click()
    expect(prompt).to_have_text("Question 2")


def scored(call: tuple[int, int, int], right: bool, text: str, **more: Any) -> JSON:
    return row(call, text, scores={"contains": {"value": right, "note": "as told"}}, **more)


def studied() -> JSON:
    """Four prompts, two models, one regression, one gain, one error; one in three repeats."""
    cases = [case(f"Capital of country {n}?", f"City {n}") for n in range(4)]
    rows = [
        *[scored((0, n, 0), True, "City 0") for n in range(2)],
        scored((1, 0, 0), True, "It is City 1, of course."),
        scored((1, 1, 0), False, "It is Town 1, of course."),
        scored((2, 0, 0), False, "No idea"),
        *[scored((2, 1, n), True, "City 2" + " or so" * (n > 1)) for n in range(3)],
        scored((3, 0, 0), True, "City 3"),
        row((3, 1, 0), "", error="429: too many requests.", finish=""),
    ]
    verdicts = [
        {"contestant": 1 - base, "baseline": base, "scorer": "contains", "word": "can't tell"}
        | {"estimate": estimate(0.1 - 0.2 * base, 0.3), "said": f"{NAMES[1 - base]}: can't tell."}
        for base in range(2)
    ]
    summaries = [
        summary(
            answers=4 - n,
            errors=n,
            tokens=100,
            scores={"contains": estimate(0.75 - n / 4, 0.2)},
            speed=estimate(30 + 10 * n, 3),
        )
        for n in range(2)
    ]
    return document(
        cases, NAMES[:2], rows, scorers=["contains"], verdicts=verdicts, summaries=summaries
    )


def numbers(page: Compared) -> list[str]:
    return page.find(".entry .number").all_inner_texts()


def test_rows_by_keyboard_sorted_filtered_and_found_again(tab: Page) -> None:
    page = Compared(tab, snapshot(studied()))
    page.tab("Summary").focus()
    tab.keyboard.press("ArrowLeft")
    expect(page.tab("Rows")).to_be_focused()
    page.find(".entry").first.wait_for()
    assert numbers(page) == ["2", "1", "3", "4"]  # the regression first, what has no score last
    expect(page.find(".entry").first).to_contain_text("worse")
    page.find("select").nth(0).select_option("SmolLM2")
    expect(page.find(".entry .number").first).to_have_text("3")  # against the other one
    page.find("select").nth(0).select_option("jan-mini")
    page.find("label", has_text="Order").locator("select").select_option("asked")
    expect(page.find(".entry .number").first).to_have_text("1")
    page.find("label", has_text="Only what differs").click()
    expect(page.find(".entry")).to_have_count(3)
    page.find("input[type=search]").fill("town")
    expect(page.find(".entry")).to_have_count(1)
    expect(page.find(".filters [role=status]")).to_have_text("1 of 4 prompts")

    tab.reload()
    page.find(".entry").first.wait_for()
    assert numbers(page) == ["2"]
    expect(page.find("input[type=search]")).to_have_value("town")
    page.find("input[type=search]").fill("nobody says this")
    expect(page.find(".empty")).to_have_text("No prompt is like that.")
    page.button("Show all").click()
    expect(page.find(".entry")).to_have_count(4)
    page.find("label", has_text="Show").locator("select").select_option("worse")
    expect(page.find(".entry .number")).to_have_text("2")
    page.find("label", has_text="Show").locator("select").select_option("")
    page.find("label", has_text="Only errors").click()
    expect(page.find(".entry .number")).to_have_text("4")


def test_a_prompt_is_opened_and_its_answers_are_marked(tab: Page) -> None:
    page = Compared(tab, snapshot(studied()))
    page.answers["request"] = lambda message: f'{{"call": {message["call"]}}}'
    page.tab("Rows").click()
    page.find(".entry button").first.focus()
    tab.keyboard.press("Enter")
    other = page.column(1)
    expect(other.locator("del")).to_have_text("City")
    expect(other.locator("ins")).to_have_text("Town")
    page.button("what is expected").click()
    expect(page.column(0).locator(".diff")).to_contain_text("City 1")
    page.button("nothing").click()
    expect(other.locator("ins, del")).to_have_count(0)

    page.find(".opened").focus()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowRight")
    expect(page.find(".prompt")).to_contain_text("Capital of country 2?")
    expect(other.locator(".repeats")).to_contain_text("part at word 3: the end / or so")
    other.locator(".repeats button").nth(1).click()
    expect(other.locator(".md")).to_have_text("City 2 or so")

    other.locator(".details .fold").click()
    expect(other.locator(".timings")).to_contain_text("decode 1.5 s")
    widths = other.locator(".bar i").evaluate_all("all => all.map(e => e.offsetWidth)")
    assert len(widths) == 5
    assert max(widths) == widths[3]
    expect(other.locator("dl")).to_contain_text("✓ as told")
    page.button("Show the exact request").click()
    expect(other.locator(".request")).to_have_text('{"call": [2, 1, 2]}')

    tab.keyboard.press("Tab")
    page.find(".opened").focus()
    tab.keyboard.press("Escape")
    expect(page.find(".entry button", has_text="country 2")).to_be_focused()


def test_ten_thousand_rows_are_in_the_page_as_far_as_they_are_in_sight(tab: Page) -> None:
    rows = [row((n, who, 0), f"answer {n} of {who}") for n in range(5000) for who in range(2)]
    page = Compared(
        tab, snapshot(document([case(f"Question {n}") for n in range(5000)], NAMES[:2], rows))
    )
    page.tab("Rows").click()
    page.find(".entry").first.wait_for()
    assert page.find(".entry").count() < 40
    page.find(".entry button").first.focus()
    for key, number in (("End", 5000), ("Home", 1), ("PageDown", 5), ("ArrowDown", 6)):
        tab.keyboard.press(key)
        focused = page.find(".entry button:focus .number")
        expect(focused).to_have_text(str(number))
        expect(focused).to_be_in_viewport()
    page.find(".list").evaluate("e => { e.scrollTop = e.scrollHeight / 2 }")
    expect(page.find(".entry", has_text="answer 2502 of 1")).to_be_in_viewport()
    assert page.find(".entry").count() < 40
    tab.keyboard.press("ArrowDown")  # who was focused is still there
    expect(page.find(".entry button:focus .number")).to_have_text("7")


def test_texts_that_were_left_out_are_fetched_when_they_are_seen(tab: Page) -> None:
    comparison = document([case("?")], NAMES[:2], [row((0, 0, 0), None), row((0, 1, 0), None)])
    page = Compared(tab)
    page.answers["texts"] = lambda message: [f"text of {call[1]}" for call in message["calls"]]
    page.say(snapshot(comparison))
    expect(page.column(0).locator(".md")).to_have_text("text of 0")
    expect(page.column(1).locator(".md")).to_have_text("text of 1")


def test_the_summary_says_what_statistics_say(tab: Page) -> None:
    page = Compared(tab, snapshot(studied()))
    expect(page.find(".verdicts")).to_contain_text("SmolLM2: can't tell.")
    page.find("select").select_option("SmolLM2")
    expect(page.find(".verdicts")).to_contain_text("jan-mini: can't tell.")
    plots = page.find(".plot")
    expect(plots.nth(0)).to_contain_text("0.75 0.55 to 0.95")
    expect(plots.nth(1)).to_contain_text("40 tokens/s 37 to 43")
    assert plots.nth(0).locator(".dots-of .span").count() == 2
    assert plots.nth(0).locator(".verdicts .span").count() == 1
    page.say(
        {"type": "figures", "summaries": [summary(answers=9), summary()], "verdicts": []}
        | {"strengths": [], "scorers": [], "votes": 0}
    )
    expect(page.find(".verdicts")).to_have_count(0)
    expect(page.find("tbody tr").first).to_contain_text("9")


def test_it_is_said_by_the_sentence(tab: Page) -> None:
    page = Compared(tab, asked(2))
    page.find(".column").first.wait_for()
    tab.evaluate(
        """() => { window.said = [];
        const node = document.querySelector('jan-comparison').shadowRoot
          .querySelector('[aria-live]');
        new MutationObserver(() => window.said.push(node.textContent)).observe(node,
          { childList: true, characterData: true, subtree: true }); }"""
    )
    states = [state("answering"), state("answering")]
    page.say({"type": "progress", "progress": progress(0, 2), "states": states})
    tab.wait_for_function("said.length === 1")
    for n in range(1, 30):
        page.say(deltas(n, ((0, 0, 0), f"word {n}. "), ((0, 1, 0), f"other {n}. ")))
    page.say(ended(row((0, 0, 0), "x")))
    states = [state("done", done=1), state("failed", "No key.")]
    page.say({"type": "progress", "progress": progress(1, 2), "states": states})
    page.say({"type": "ended", "ended": ""})
    tab.wait_for_function("said.join(' ').includes('complete')")
    assert " ".join(tab.evaluate("said")) == (
        "jan-mini answers. SmolLM2 answers. jan-mini is done. SmolLM2 has failed: No key."
        " The comparison is complete."
    )


@pytest.fixture(params=["light", "dark"])
def themed(tab: Page, request: pytest.FixtureRequest) -> Page:
    tab.emulate_media(color_scheme=request.param)
    return tab


@pytest.mark.parametrize("width", [1200, 400])
def test_anybody_can_use_it(themed: Page, width: int) -> None:
    themed.set_viewport_size({"width": width, "height": 800})
    writing = [{"call": [0, 0, 0], "text": "1", "reasoning": "r", "since": 0, "tokens": 1}]
    table = "| a | b |\n|---|---|\n| `x` | y |\n\n```python\nx = 1\n```"
    failed = row((0, 2, 0), "", error="It broke.", finish="")
    page = Compared(themed, asked(3, row((0, 1, 0), table), failed, writing=writing))
    page.column(1).locator(".code").wait_for()
    paint = "document.body.style.background = matchMedia('(prefers-color-scheme: dark)').matches"
    themed.evaluate(f"{paint} ? '#1e1e1e' : '#fff'")
    assert axe.faults(themed) == []
    page.say(snapshot(studied()))
    for name in ("Summary", "Rows"):
        page.tab(name).click()
        page.find({"Summary": ".plot", "Rows": ".entry"}[name]).first.wait_for()
        assert axe.faults(themed) == []
        assert themed.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.find(".entry").first.click()
    page.find(".details .fold").first.click()
    page.find(".timings").wait_for()
    assert axe.faults(themed) == []


@pytest.mark.parametrize("wanted", ["no-preference", "reduce"])
def test_nothing_moves_for_those_who_do_not_want_it(tab: Page, wanted: Any) -> None:
    tab.emulate_media(reduced_motion=wanted)
    page = Compared(tab, asked(1))
    page.find(".dots").wait_for()
    moves = "true" if wanted == "no-preference" else "false"
    tab.wait_for_function(
        "(document.querySelector('jan-comparison').shadowRoot.getAnimations().length > 0)"
        f" === {moves}"
    )


def test_what_is_told_by_colour_is_there_in_forced_colours(tab: Page) -> None:
    tab.emulate_media(forced_colors="active")
    page = Compared(tab, snapshot(studied()))
    page.tab("Rows").click()
    page.find(".entry").first.click()
    style = "(e, what) => getComputedStyle(e)[what]"
    assert page.find("ins").first.evaluate(style, "textDecorationLine") == "underline"
    assert page.find("del").first.evaluate(style, "textDecorationLine") == "line-through"
    page.find(".details .fold").first.click()
    colours = page.find(".bar i").evaluate_all(
        "all => all.map(e => getComputedStyle(e).background)"
    )
    assert len(set(colours)) == len(colours)
