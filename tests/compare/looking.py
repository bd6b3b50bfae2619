"""A view of a comparison, as the front end keeps it: for tests of what it is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from jan_jupyter.compare.live.live import Live


class Looking:
    """Says what a view says, and keeps what it is told, as the front end's store does."""

    def __init__(self, live: Live, host: str = "widget", *, hello: bool = True) -> None:
        self.live = live
        self.events: list[dict[str, Any]] = []
        self.bytes = 0
        self.snapshot: dict[str, Any] = {}
        self.rows: dict[tuple[int, ...], dict[str, Any]] = {}
        self.writing: dict[tuple[int, ...], str] = {}
        self.progress: dict[str, Any] = {}
        self.seq = -1
        self.missed = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._news = threading.Condition()
        self._view = live.join(self._hear)
        if hello:
            self.say(type="hello", host=host)

    def say(self, **message: Any) -> None:
        self.live.take(self._view, message)

    def ask(self, kind: str, **question: Any) -> Any:
        number = len(self._answers) + 1000
        self.say(type=kind, ask=number, **question)
        self.wait(lambda: number in self._answers)
        answer = self._answers[number]
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["value"]

    def wait(self, holds: Callable[[], object], timeout: float = 30) -> None:
        end = time.monotonic() + timeout
        with self._news:
            while not holds():
                left = end - time.monotonic()
                assert left > 0, f"not told in time; the last: {self.events[-3:]}"
                self._news.wait(left)

    def wait_for(self, kind: str) -> dict[str, Any]:
        self.wait(lambda: self.of(kind))
        return self.of(kind)[-1]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    def _hear(self, event: Mapping[str, Any]) -> None:
        written = json.dumps(event, allow_nan=False, ensure_ascii=False).encode()
        with self._news:
            self.bytes += len(written)
            self._take(json.loads(written))
            self._news.notify_all()

    def _take(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        kind = event["type"]
        if kind == "snapshot":
            self.snapshot, self.seq = event, event["seq"]
            self.rows = {tuple(row["call"]): row for row in event["comparison"]["rows"]}
            self.writing = {tuple(one["call"]): one["text"] for one in event["writing"]}
        elif kind == "deltas" and self.seq >= 0 and event["seq"] > self.seq:
            self.missed += event["seq"] != self.seq + 1
            self.seq = event["seq"]
            for one in event["deltas"]:
                call = tuple(one["call"])
                before = "" if one.get("anew") else self.writing.get(call, "")
                self.writing[call] = before + one["text"]
        elif kind == "rows":
            for row in event["rows"]:
                self.rows[tuple(row["call"])] = row
                self.writing.pop(tuple(row["call"]), None)
        elif kind == "progress":
            self.progress = event
        elif kind == "answer":
            self._answers[event["to"]] = event
