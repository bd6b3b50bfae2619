"""A comparison that is alive, as those who look at it see it: on a real server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import jan_jupyter as jan
from compare.looking import Looking
from jan_jupyter import bridge
from jan_jupyter.compare.comparison import Comparison, session
from jan_jupyter.compare.live.live import Live
from jan_jupyter.compare.session import Session
from support.jan import add_remote
from support.server import StreamingServer, tokens

BEHAVIOURS = {"echo": "echo", "hangs": "n=9,stall=4", "broken": "error=invalid_request"}


@pytest.fixture(autouse=True)
def models(isolated: Path, server: StreamingServer) -> Iterator[None]:
    add_remote(isolated / "jan", server, **BEHAVIOURS)
    yield
    bridge.wait(jan.router.close())


class Running:
    """A comparison that goes on in a thread of its own, as in a cell."""

    def __init__(self, *asked: Any, **more: Any) -> None:
        self.session: Session = session(*asked, **more)
        self.live = Live(self.session)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        for _ in bridge.iterate(self.session.steps()):
            pass

    def start(self) -> Running:
        self._thread.start()
        return self

    def end(self) -> Comparison:
        self._thread.join(30)
        assert not self._thread.is_alive()
        return Comparison(self.session)

    def __enter__(self) -> Running:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            bridge.loop().call_soon_threadsafe(self.session.brake.pull)
        self._thread.join(30)


def test_it_is_told_from_its_beginning_to_its_end() -> None:
    running = Running(["Red", "Blue"], ["echo", "broken"], scorers=["contains:Red"])
    seen = Looking(running.live)
    seen.wait_for("snapshot")
    made = running.start().end()
    seen.wait(lambda: seen.of("ended"))
    seen.wait(lambda: seen.of("figures") and seen.of("figures")[-1]["scorers"])
    assert {tuple(call) for call in made.grid.calls()} == seen.rows.keys()
    assert {call: row["text"] for call, row in seen.rows.items() if not row["error"]} == {
        (0, 0, 0): '"Red"',
        (1, 0, 0): '"Blue"',
    }
    assert seen.rows[0, 0, 0]["scores"] == {"contains 'Red'": {"value": True, "note": ""}}
    assert not seen.writing
    assert (seen.progress["progress"]["done"], seen.progress["progress"]["failed"]) == (4, 2)
    assert [one["state"] for one in seen.progress["states"]] == ["done", "done"]
    assert [one["answers"] for one in seen.of("figures")[-1]["summaries"]] == [2, 0]
    assert seen.missed == 0


def test_who_comes_in_the_middle_goes_on_from_there(server: StreamingServer) -> None:
    server.behave("hangs", "n=60,delay=0.03")
    with Running(["Red"], ["echo", "hangs"]) as running:
        first = Looking(running.live)
        first.wait(lambda: (0, 0, 0) in first.rows and first.writing.get((0, 1, 0)))
        again = Looking(running.live, "lab")
        found = again.wait_for("snapshot")
        assert found["running"]
        assert found["comparison"]["live"] == {"id": running.live.id}
        assert [row["text"] for row in found["comparison"]["rows"]] == ['"Red"']
        (writing,) = found["writing"]
        assert writing["call"] == [0, 1, 0]
        assert "".join(tokens(60)).startswith(writing["text"])
        assert writing["since"] > 0
        assert 0 < writing["tokens"] < 60
        again.wait(lambda: len(again.writing[0, 1, 0]) > len(writing["text"]))
        running.end()
        for one in (first, again):
            one.wait_for("ended")
            written, told = (writing["text"], found["seq"]) if one is again else ("", 0)
            written += "".join(d["text"] for e in one.of("deltas") for d in e["deltas"]
                               if d["call"] == [0, 1, 0] and e["seq"] > told)  # fmt: skip
            whole = "".join(tokens(60))
            assert one.rows[0, 1, 0]["text"] == whole
            assert whole.startswith(written)  # what came last is in the row
            assert one.missed == 0
        assert running.live.audience.hosts == {"widget", "lab"}


def test_who_comes_as_it_begins_hears_that_it_runs() -> None:
    running = Running(["Red"], ["echo"])
    seen = Looking(running.live, hello=False)

    def both() -> None:
        seen.say(type="hello", host="widget")
        # Right behind the first step of what writes down how things stand.
        bridge.loop().call_soon(bridge.loop().call_soon, running.live.began)

    bridge.loop().call_soon_threadsafe(both)
    seen.wait(lambda: seen.of("snapshot") and seen.of("snapshot")[-1]["running"])


def test_nobody_is_told_before_they_have_said_hello() -> None:
    running = Running(["Red"], ["echo"])
    silent = Looking(running.live, hello=False)
    running.start().end()
    assert silent.events == []
    silent.say(type="hello", host="widget")
    found = silent.wait_for("snapshot")
    assert not found["running"]
    assert len(found["comparison"]["rows"]) == 1


def test_one_column_is_stopped_and_asked_again(server: StreamingServer) -> None:
    with Running(["Red"], ["hangs", "echo"]) as running:
        seen = Looking(running.live)
        seen.wait(lambda: seen.writing.get((0, 0, 0)) == "".join(tokens(4)))
        seen.wait(lambda: (0, 1, 0) in seen.rows)
        seen.say(type="stop", contestant=7)
        seen.say(type="stop", contestant=True)
        seen.say(type="stop", contestant=0)
        made = running.end()
    seen.wait_for("ended")
    assert (seen.rows[0, 0, 0]["error"], seen.rows[0, 0, 0]["text"]) == (
        "stopped",
        "".join(tokens(4)),
    )
    assert [one["state"] for one in seen.progress["states"]] == ["stopped", "done"]
    assert made["Red", "hangs"].text == "".join(tokens(4))
    server.behave("hangs", "n=9")
    seen.say(type="retry")
    seen.wait(lambda: not seen.rows[0, 0, 0]["error"])
    assert seen.rows[0, 0, 0]["text"] == "".join(tokens(9))
    seen.wait(lambda: len(seen.of("ended")) == 2)
    assert seen.of("ended")[-1]["ended"] == ""
    assert made["Red", "hangs"].text == "".join(tokens(9))
    assert len(server.journal()) == 3


def test_all_of_it_is_stopped(server: StreamingServer) -> None:
    with Running(["Red", "Blue"], ["hangs"], scorers=["exact"], expected=["a", "b"]) as running:
        seen = Looking(running.live)
        seen.wait(lambda: seen.writing)
        seen.say(type="stop", contestant=None)
        made = running.end()
    assert seen.wait_for("ended")["ended"] == "stopped"
    assert {row.error for row in made} <= {"stopped"}
    assert not any(row.scores for row in made)
    made.score("contains:a")
    assert [row.scores.keys() for row in made if row.ok] == []


def test_what_is_asked_anew_begins_anew(server: StreamingServer) -> None:
    from jan_jupyter.compare.values import Case
    from jan_jupyter.types import Message

    turns = tuple((Message("user", text),) for text in ("one", "two"))
    server.behave("echo", "n=30,delay=0.01")
    running = Running([Case("turns", turns)], ["echo"])
    seen = Looking(running.live)
    seen.wait_for("snapshot")
    running.start().end()
    seen.wait_for("ended")
    pieces = [one for event in seen.of("deltas") for one in event["deltas"]]
    begins = [at for at, one in enumerate(pieces) if one.get("anew")]
    assert len(begins) == 1
    for turn in (pieces[: begins[0]], pieces[begins[0] :]):
        assert "".join(tokens(30)).startswith("".join(one["text"] for one in turn))
    assert pieces[-1]["tokens"] <= 30
    assert seen.rows[0, 0, 0]["text"] == "".join(tokens(30))


def test_texts_and_requests_are_given_when_asked_for() -> None:
    running = Running(["Red"], [("e", "echo", {"temperature": 0.5})])
    running.start().end()
    seen = Looking(running.live)
    assert seen.ask("texts", calls=[[0, 0, 0], [0, 9, 0]]) == ['"Red"', ""]
    request = json.loads(seen.ask("request", call=[0, 0, 0]))
    body = request.get("body", request)
    assert body["messages"] == [{"role": "user", "content": "Red"}]
    assert body["temperature"] == 0.5
    for kind, question in (
        ("secrets", {}),
        ("texts", {"calls": ["x"]}),
        ("part", {"name": "../x"}),
    ):
        with pytest.raises(ValueError, match=r"[Nn]o "):
            seen.ask(kind, **question)


def test_votes_and_scores_follow() -> None:
    running = Running(["Red", "Blue"], ["echo", ("other", "echo")])
    made = running.start().end()
    seen = Looking(running.live)
    seen.wait_for("snapshot")
    made.vote("Red", "other")
    seen.wait(lambda: seen.of("figures") and seen.of("figures")[-1]["votes"] == 1)
    made.score("contains:Red")
    seen.wait(lambda: seen.of("figures")[-1]["scorers"] == ["contains 'Red'"])
    assert seen.rows[0, 0, 0]["scores"]["contains 'Red'"]["value"] is True


def test_whoever_is_told_and_fails_harms_nobody() -> None:
    running = Running(["Red"], ["echo"])

    def broken(event: object) -> None:
        raise ValueError

    view = running.live.join(broken)
    running.live.take(view, {"type": "hello", "host": "widget"})
    seen = Looking(running.live)
    seen.say(type="nonsense")
    seen.say()
    assert len(running.start().end()) == 1
    seen.wait_for("ended")


def test_a_text_goes_over_the_wire_twice_at_most(server: StreamingServer) -> None:
    """In pieces, and whole when it has ended: bytes are in proportion to what is written."""
    server.behave("echo", "n=400,delay=0.002")
    running = Running(["Red"], [(f"c{n}", "echo") for n in range(4)])
    seen = Looking(running.live)
    seen.wait_for("snapshot")
    running.start().end()
    seen.wait_for("ended")
    letters = 4 * len("".join(tokens(400)))
    pieces = [one["text"] for event in seen.of("deltas") for one in event["deltas"]]
    assert 0 < len("".join(pieces)) <= letters
    assert sum(len(row["text"]) for event in seen.of("rows") for row in event["rows"]) == letters
    assert len(seen.of("snapshot")) == 2  # the hello's, and that of the run's begin
    assert len(pieces) < 400  # they were gathered
