"""Whatever models, prompts, names, notes and scorers say: nothing runs, no address is called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from lab.attacks import ALLOWED, FAULTS, OURS, TEXTS
from lab.compared import (
    JSON,
    Compared,
    case,
    contestant,
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


def batches(size: int) -> list[Sequence[str]]:
    """All of them, so many at a time; the last are filled up with the first."""
    texts = [*TEXTS, *TEXTS[:size]]
    return [texts[at : at + size] for at in range(0, len(TEXTS), size)]


def check(page: Compared) -> None:
    """What is in the page is ours, or what Markdown may become."""
    sets = [sorted(ALLOWED), sorted(ALLOWED | OURS)]
    assert page.page.evaluate(FAULTS, [page.tag, *sets]) == []
    assert page.bare is not None
    assert page.bare.requests == []


def poisoned(texts: Sequence[str]) -> JSON:
    """A comparison in which everything that anybody may have written is one of these."""
    rows = []
    for at, asked in enumerate(texts):
        for who, said in enumerate(texts):
            scores = {texts[0]: {"value": at % 2 == who % 2, "note": asked}}
            more: JSON = {"reasoning": said, "scores": scores, "notes": [asked, said]}
            if at == who:
                more["error"] = asked
            rows.append(row((at, who, 0), said if who else asked, **more))
    numbers = summary(scores={texts[0]: estimate(0.5, 0.2)}, speed=estimate(3, 1))
    verdict = {"baseline": 0, "scorer": texts[0], "word": texts[0], "estimate": estimate(0.1, 0.2)}
    return {
        **document([case(text, text, name=text) for text in texts], [*texts], rows),
        "contestants": [contestant(text, text) | {"engine": text} for text in texts],
        "asked": texts[0],
        "name": texts[1],
        "ended": texts[2],
        "left_out": texts[3],
        "scorers": [texts[0]],
        "summaries": [numbers for _ in texts],
        "verdicts": [{**verdict, "contestant": n, "said": texts[n]} for n in range(1, len(texts))],
        "strengths": [
            {"contestant": n, "value": 0.5, "low": 0.1, "high": 1.0, "word": texts[n]}
            for n in range(len(texts))
        ],
        "votes": 3,
    }


@pytest.fixture
def page(tab: Page) -> Iterator[Compared]:
    """One that has painted code and formulas already, so that both are painted at once."""
    page = Compared(tab)
    painted = row((0, 0, 0), "$x$\n\n```python\nx = 1\n```")
    page.say(snapshot(document([case("?")], ["a"], [painted])))
    page.find("math").wait_for()
    page.find(".t-num").wait_for()
    yield page
    check(page)


CHUNK = 12
OPEN = """() => document.querySelector("jan-comparison").shadowRoot.querySelectorAll(".fold")
  .forEach(fold => fold.click())"""
DRAWN = (
    "new Promise(r => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(r)), 60))"
)


HARM = [
    "<img src=x>",
    "<a href='javascript:x' rel='noopener noreferrer'>x</a>",
    "<p onclick=x>x</p>",
    "<script>1</script>",
    "<style></style>",
]


@pytest.mark.parametrize("harm", HARM)
def test_the_check_sees_it(tab: Page, harm: str, expected: list[str]) -> None:
    expected.append("http://panel.example/x")  # what the image asks for
    page = Compared(tab, snapshot(document([case("?")], ["a"], [row((0, 0, 0), "x")])))
    page.find(".md").wait_for()
    check(page)
    page.find(".md").evaluate("(e, harm) => { e.innerHTML = harm }", harm)
    with pytest.raises(AssertionError):
        check(page)


def test_of_a_comparison_that_has_ended(page: Compared) -> None:
    assert len(TEXTS) >= 150
    page.answers["request"] = lambda message: TEXTS[message["call"][0]]
    for number, texts in enumerate(batches(CHUNK)):
        # None of them is the name of a tab, but of everything else.
        page.say(snapshot(poisoned([f"{number} {text}" if number % 2 else text for text in texts])))
        page.tab("Columns").click()
        page.page.evaluate(DRAWN)
        check(page)
        page.tab("Summary").click()
        page.page.evaluate(DRAWN)
        check(page)
        page.tab("Rows").click()
        page.find(".entry").nth(number % CHUNK).click()
        page.page.evaluate(OPEN)
        page.page.evaluate(DRAWN)
        page.button("Show the exact request").first.click()
        page.page.evaluate(DRAWN)
        check(page)
        page.button("what is expected").click()
        page.page.evaluate(DRAWN)
        check(page)
        page.button("All prompts").click()
        page.page.evaluate(DRAWN)
        check(page)


def test_of_a_comparison_under_way(page: Compared) -> None:
    page.tab("Columns").click()
    for texts in batches(CHUNK):
        comparison = document([case(texts[0])], [*texts])
        states = [state("loading", text, progress=0.5) for text in texts]
        page.say(snapshot(comparison, running=True, progress=progress(0, 5), states=states))
        page.page.evaluate(DRAWN)
        check(page)
        size = max(7, max(map(len, texts)) // 4)
        for seq, at in enumerate(range(0, size * 4, size), 1):
            pieces = [
                {"call": [0, n, 0], "text": text[at : at + size], "reasoning": "", "tokens": seq}
                for n, text in enumerate(texts)
            ]
            page.say({"type": "deltas", "seq": seq, "deltas": pieces})
            page.page.evaluate(DRAWN)
        check(page)
        states = [state("failed", text) for text in texts]  # it is read out, too
        page.say({"type": "progress", "progress": progress(0, 5), "states": states})


def test_of_a_vote(tab: Page) -> None:
    page = Compared(tab, kind="vote")
    for at, texts in enumerate(batches(2)):
        first, second = texts[0], texts[-1]
        said = {"role": first, "text": second, "images": 0}
        last = {"pair": first, "choice": "left", "note": second, "names": [first, second]}
        strengths: list[Any] = [
            {"contestant": n, "value": 0.5, "low": 0.1, "high": 1.0, "word": first}
            for n in range(2)
        ]
        pair = {"pair": f"{at} {first}", "messages": [said, said], "answers": [first, second]}
        told = {"pair": pair, "done": 3, "total": 90, "last": last, "strengths": strengths}
        page.say({"type": "ballot", **told, "names": [first, second], "notice": second})
        page.find(".prompt").wait_for()
        if at == 0:
            page.button("Results so far").click()
        page.page.evaluate(DRAWN)
        check(page)
