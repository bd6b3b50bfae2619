"""A comparison in a bare page, and a scripted kernel behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jan_jupyter import assets
from lab.bare import Bare

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

Call = tuple[int, int, int]
JSON = dict[str, Any]

TIMES: JSON = {
    **dict.fromkeys(("queue", "load"), 0.1),
    "first_token": 0.25,
    "prompt": 0.05,
    "decode": 1.5,
    "total": 2.0,
    "tokens_per_second": 30.0,
    "prompt_tokens_per_second": 400.0,
}


def row(call: Call, text: str | None, **more: Any) -> JSON:
    """An answer that has ended."""
    nothing: JSON = {
        "reasoning": "",
        "error": "",
        "finish": "stop",
        "cold": False,
        "reused": False,
        "at": 1_790_000_000.0,
        "cost": None,
        "prompt_tokens": 12,
        "cached_tokens": 0,
        "tokens": 45,
        "times": TIMES,
        "notes": [],
        "scores": {},
    }
    return {**nothing, "call": list(call), "text": text, **more}


def case(text: str, expected: str | None = None, **more: Any) -> JSON:
    said = {"role": "user", "text": text, "images": 0}
    nothing: JSON = {"name": "", "messages": [said], "variables": {}}
    return {**nothing, "expected": expected, **more}


def contestant(name: str, *own: str) -> JSON:
    return {"name": name, "model": name, "engine": "llamacpp", "own": [*own]}


def estimate(value: float, spread: float | None = None, n: int = 20) -> JSON:
    low, high = (None, None) if spread is None else (value - spread, value + spread)
    return {"value": value, "low": low, "high": high, "n": n, "kind": "95 %" if spread else ""}


def summary(**more: Any) -> JSON:
    numbers: JSON = dict.fromkeys(("answers", "errors", "missing", "tokens"), 0)
    numbers |= dict.fromkeys(("stable", "repeated", "loads", "cut"), 0)
    numbers |= dict.fromkeys(("cost", "loading", "first_token", "seconds", "speed"))
    return {**numbers, "scores": {}, **more}


def document(
    cases: Sequence[JSON], names: Sequence[str], rows: Sequence[JSON] = (), **more: Any
) -> JSON:
    nothing: JSON = {
        "format": 1,
        "name": "",
        "asked": "A question, asked of some",
        "repeats": 1,
        "scorers": [],
        "verdicts": [],
        "strengths": [],
        "votes": 0,
        "ended": "",
        "left_out": "",
        "live": {"id": "bare"},
    }
    return {
        **nothing,
        "cases": [*cases],
        "contestants": [contestant(name) for name in names],
        "rows": [*rows],
        "summaries": [summary() for _ in names],
        **more,
    }


def snapshot(comparison: JSON, **more: Any) -> JSON:
    nothing: JSON = {"running": False, "progress": None, "states": [], "writing": [], "seq": 0}
    return {"type": "snapshot", "comparison": comparison, **nothing, **more}


def state(name: str, note: str = "", done: int = 0, total: int = 1, **more: Any) -> JSON:
    return {"state": name, "note": note, "progress": None, "done": done, "total": total, **more}


def progress(done: int, total: int, **more: Any) -> JSON:
    return {"done": done, "failed": 0, "reused": 0, "total": total, "left": None, **more}


class Compared:
    """The page, in which the kernel says what the test makes it say."""

    TAG = "jan-comparison"

    def __init__(self, page: Page, start: Mapping[str, Any] | None = None, kind: str = "") -> None:
        self.page = page
        self.taken: list[JSON] = []
        """What the view has sent, but for parts."""
        self.answers: dict[str, Any] = {}
        """To questions, by their name."""
        self.start = start
        self.tag = "jan-vote" if kind == "vote" else self.TAG
        self.bare: Bare | None = None
        self._early: list[Mapping[str, Any]] = []
        traits = {"_kind": kind or "comparison", "_live_id": "bare", "_place": "a-cell"}
        self.bare = Bare(page, self._take, "compare.js", **traits)
        self.say(*self._early)

    def _take(self, message: JSON) -> None:
        if message["type"] == "part":
            value: Any = assets.source(message["name"])
            self.say({"type": "answer", "to": message["ask"], "value": value})
            return
        self.taken.append(message)
        if message["type"] == "hello" and self.start is not None:
            self.say(self.start)
        if message["type"] in self.answers:
            value = self.answers[message["type"]]
            told = value(message) if callable(value) else value
            self.say({"type": "answer", "to": message["ask"], "value": told})

    def say(self, *events: Mapping[str, Any]) -> None:
        if self.bare is None:  # the page is being opened
            self._early += events
            return
        for event in events:
            self.bare.send(event)

    def find(self, selector: str, **options: Any) -> Locator:
        return self.page.locator(self.tag).locator(selector, **options)

    def button(self, name: str) -> Locator:
        return self.page.locator(self.tag).get_by_role("button", name=name)

    def tab(self, name: str) -> Locator:
        return self.page.locator(self.tag).get_by_role("tab", name=name)

    def column(self, at: int) -> Locator:
        return self.find(f".column[data-at='{at}']")

    def wait_for(self, message: Mapping[str, Any], count: int = 1) -> None:
        """Until the view has sent that, so many times."""
        for _ in range(500):
            own = [{k: v for k, v in one.items() if k != "ask"} for one in self.taken]
            if own.count(dict(message)) >= count:
                return
            self.page.wait_for_timeout(10)
        raise AssertionError(f"{message} was not sent; the last were {json.dumps(self.taken[-3:])}")
