"""A blind vote without Jupyter: by keyboard, and blind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lab import axe
from lab.compared import JSON, Compared

if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow

NAMES = ("model-of-the-left", "model-of-the-right")


def ballot(done: int = 0, last: JSON | None = None, **more: Any) -> JSON:
    said = {"role": "user", "text": f"Question {done}", "images": 0}
    answers = [f"The **left** says {done}", f"The right says {done}"]
    pair = {"pair": f"p{done}", "messages": [said], "answers": answers} if done < 3 else None
    told = {"pair": pair, "done": done, "total": 3, "last": last}
    return {"type": "ballot", **told, "strengths": [], "names": [], "notice": "", **more}


def voted(pair: str, choice: str, note: str = "") -> JSON:
    return {"pair": pair, "choice": choice, "note": note, "names": [*NAMES]}


WHOLE = """() => {
  const seen = [];
  const read = (node) => {
    if (node.nodeType === Node.TEXT_NODE) seen.push(node.data);
    for (const one of node.attributes ?? []) seen.push(one.name + "=" + one.value);
    if (node.value) seen.push(String(node.value));
    for (const child of node.childNodes) read(child);
    if (node.shadowRoot) for (const child of node.shadowRoot.childNodes) read(child);
  };
  read(document.documentElement);
  seen.push(...Object.keys(sessionStorage).map((key) => key + sessionStorage.getItem(key)));
  return seen.join("\\n");
}"""


def everything(tab: Page) -> str:
    """What is in the page for anybody: text, attributes, values, the accessibility tree."""
    session = tab.context.new_cdp_session(tab)
    tree = session.send("Accessibility.getFullAXTree")
    session.detach()
    return f"{tab.evaluate(WHOLE)}\n{tree}"


def test_by_keyboard_alone_and_blind(tab: Page) -> None:
    page = Compared(tab, ballot(), kind="vote")
    page.find(".column").first.wait_for()
    host = tab.locator("jan-vote")
    assert host.get_attribute("data-lm-suppress-shortcuts") == "true"
    shown = everything(tab)
    assert "says 0" in shown
    assert not any(name in shown for name in NAMES)
    expect(page.find(".column").nth(0)).to_contain_text("The left says 0")

    page.find(".column .body").first.focus()
    tab.keyboard.press("n")
    tab.keyboard.type("1 is too long = 0")  # keys that are written are no votes
    tab.keyboard.press("Escape")
    tab.keyboard.press("2")
    tab.keyboard.press("2")  # before the kernel has answered: not for the next pair
    vote = {"type": "vote", "pair": "p0", "choice": "right", "note": "1 is too long = 0"}
    page.wait_for(vote)
    page.say(ballot(1, voted("p0", "right", "1 is too long = 0")))
    last = "You chose model-of-the-right over model-of-the-left (1 is too long = 0)."
    expect(page.find(".last")).to_contain_text(last)
    expect(page.find(".column").nth(1)).to_contain_text("The right says 1")
    expect(page.find("textarea")).to_have_value("")
    votes = [one for one in page.taken if one["type"] == "vote"]
    assert votes == [vote]

    tab.keyboard.press("u")
    page.wait_for({"type": "undo"})
    page.say(ballot(0))
    expect(page.find(".last")).to_have_count(0)
    assert not any(name in everything(tab) for name in NAMES)
    for done, (key, choice) in enumerate((("1", "left"), ("=", "tie"), ("0", "both_bad"))):
        tab.keyboard.press(key)
        page.wait_for({"type": "vote", "pair": f"p{done}", "choice": choice, "note": ""})
        page.say(ballot(done + 1, voted(f"p{done}", choice)))
        expect(page.find(".last")).to_be_visible()
        expect(page.find(".top")).to_contain_text(f"{done + 1} of 3 pairs")
    expect(page.find(".empty")).to_have_text("All pairs are voted on.")


def test_by_mouse_with_results_for_those_who_ask(tab: Page) -> None:
    strengths = [
        {"contestant": 0, "value": 0.6, "low": 0.2, "high": 1.0, "word": "better"},
        {"contestant": 1, "value": -0.1, "low": -0.5, "high": 0.4, "word": "can't tell"},
    ]
    told: JSON = {"strengths": strengths, "names": [*NAMES]}
    page = Compared(tab, ballot(1, **told), kind="vote")
    page.button("Skip").click()
    page.wait_for({"type": "skip", "pair": "p1"})
    page.say(ballot(2, **told))
    expect(page.find(".top")).to_contain_text("2 of 3 pairs")
    assert not any(name in everything(tab) for name in NAMES)
    page.button("Results so far").click()
    expect(page.find(".strengths")).to_contain_text("model-of-the-right-0.1 -0.5 to 0.4can't tell")
    page.button("Equally good").click()
    page.wait_for({"type": "vote", "pair": "p2", "choice": "tie", "note": ""})
    page.say(ballot(3, voted("p2", "tie"), **told))
    expect(page.find(".empty")).to_be_visible()
    tab.keyboard.press("u")  # the focus is still here, though the button is gone
    page.wait_for({"type": "undo"})


def test_both_answers_are_there_at_once_in_the_order_that_was_drawn(tab: Page) -> None:
    """Nothing tells them apart but what they say: not the moment, not the mark-up around them."""
    page = Compared(tab, None, kind="vote")
    tab.evaluate(
        """() => { window.counts = new Set();
        const root = document.querySelector('jan-vote').shadowRoot;
        new MutationObserver(() => counts.add([...root.querySelectorAll('.md')]
          .filter(e => e.textContent).length)).observe(root, {childList: true, subtree: true}); }"""
    )
    page.say(ballot())
    page.find(".column").first.wait_for()
    assert set(tab.evaluate("[...counts]")) <= {0, 2}
    left, right = page.find(".column").evaluate_all("all => all.map(e => e.outerHTML)")
    plain = left.replace("first", "second").replace("The <strong>left</strong>", "The right")
    assert plain == right


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1000, 400])
def test_anybody_can_use_it(tab: Page, scheme: Any, width: int) -> None:
    tab.emulate_media(color_scheme=scheme)
    tab.set_viewport_size({"width": width, "height": 800})
    page = Compared(tab, ballot(1, voted("p0", "left")), kind="vote")
    page.find(".column").first.wait_for()
    paper = {"light": "#fff", "dark": "#1e1e1e"}[scheme]
    tab.evaluate(f"document.body.style.background = '{paper}'")
    assert axe.faults(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
