"""Whatever a model said, or a notebook holds as an answer: nothing runs, nothing is called."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

from jan_jupyter.output_forms import CONVERSATION, REPLY
from lab.attacks import ALLOWED, FAULTS, OURS, TEXTS
from lab.conftest import Lab, Notebook
from lab.results import ENDINGS
from lab.test_comparison_lab import write
from test_markdown import CALLS_HOME

if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow

ALL = [*TEXTS, *(text.replace("alert(", "(window.pwned=1)+(") for text in CALLS_HOME), *ENDINGS]
TAGS = "jan-reply, jan-conversation"


def form(texts: Sequence[str]) -> dict[str, Any]:
    """An answer in which everything that anybody may have written is one of these."""
    first, last = texts[0], texts[-1]
    parts = [{"text": text, "reasoning": text, "ended": text} for text in texts]
    return {
        "format": 1,
        "status": "error",
        "model": first,
        "engine": last,
        "name": "0123abcd",
        "parts": [*parts, {"text": first, "language": last}],
        "footer": [*texts],
        "error": {"title": first, "message": last, "mend": first},
        "provenance": {
            "parameters": {first: last, last: [first]},
            "at": first,
            "finish": last,
            "versions": {first: last},
        },
        "thread": first,
    }


def talk(texts: Sequence[str]) -> tuple[dict[str, Any], str]:
    """A conversation of them, and its plain text."""
    turns, at = [], 0
    for number, text in enumerate(texts):
        size = len(text.encode("utf-16-le")) // 2
        turn: dict[str, Any] = {"role": ("user", "assistant")[number % 2], "at": [at, at + size]}
        turns.append({**turn, "context": [text], "footer": [text], "error": text, "model": text})
        at += size
    about = {"format": 1, "panel": texts[0], "thread": texts[0], "title": texts[-1]}
    return {**about, "turns": [{**turn, "reasoning": texts[0]} for turn in turns]}, "".join(texts)


def outputs(size: int) -> list[dict[str, Any]]:
    made = []
    for at in range(0, len(ALL), size):
        texts = ALL[at : at + size]
        conversation, plain = talk(texts)
        made.append({REPLY: form(texts), "text/plain": texts[0], "text/markdown": "x"})
        made.append({CONVERSATION: conversation, "text/plain": plain, "text/markdown": "x"})
    return made


OPEN = f"""() => {{
  for (const view of document.querySelectorAll("{TAGS}")) {{
    for (const one of view.shadowRoot.querySelectorAll("[aria-expanded=false]")) one.click();
  }}
}}"""


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "untrusted"])
def test_nothing_that_a_form_holds_runs_or_calls_home(lab: Lab, page: Page, trusted: bool) -> None:
    asked: list[str] = []
    foreign = re.compile(rf"https?://(?!127\.0\.0\.1:{lab.port}/)")
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(f"https://dialog/{dialog.message}"))
    made = outputs(30)
    assert len(made) <= 50, "JupyterLab hides more"
    if trusted:
        (lab.folder / "hostile.json").write_text(json.dumps(made))
        lab.write(
            "hostile.ipynb",
            "import json\nfrom IPython.display import display\n"
            "for data in json.load(open('hostile.json')): display(data, raw=True)",
        )
        Notebook(page, lab, "hostile.ipynb").run(0)
    else:
        write(lab, "hostile.ipynb", *made)
        Notebook(page, lab, "hostile.ipynb")
    for tag in ("jan-reply", "jan-conversation"):
        expect(page.locator(tag)).to_have_count(len(made) // 2, timeout=60_000)
    turns = page.locator("jan-conversation .turn")
    expect(turns).to_have_count(len(ALL), timeout=60_000)  # all are drawn
    page.evaluate(OPEN)
    page.locator(".compare-with, .about").first.wait_for()
    page.wait_for_timeout(500)  # what would run late
    sets = [sorted(ALLOWED), sorted(ALLOWED | OURS)]
    assert page.evaluate(FAULTS, [TAGS, *sets]) == []
    assert not [url for url in asked if foreign.match(url)]
    # A link of a model's leads where it says, and to nothing of ours.
    assert page.locator(f":is({TAGS}) [data-commandlinker-command]").count() == 0
