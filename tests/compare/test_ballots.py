"""Blind votes: nothing tells whose answers they are before somebody has voted."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from compare.made import answer, small_grid
from jan_jupyter import bridge, errors
from jan_jupyter.compare.keeping.store import Store
from jan_jupyter.compare.live.ballots import Voting, drawn
from jan_jupyter.compare.scoring.votes import Vote
from jan_jupyter.compare.session import Session
from jan_jupyter.compare.values import Call, Result, Row
from jan_jupyter.workspace import Workspace


def result(prompts: int = 4, models: int = 3, **options: Any) -> Result:
    grid = small_grid(prompts, models, **options)
    rows = [answer(call, f"answer {call.case} {call.contestant}") for call in grid.calls()]
    return Result(grid, rows, "colours")


def test_the_order_is_drawn_by_the_seed() -> None:
    made = result()
    plain = [(one.case, one.left, one.right) for one in drawn(made, 1)]
    assert plain == [(one.case, one.left, one.right) for one in drawn(made, 1)]
    assert plain != [(one.case, one.left, one.right) for one in drawn(made, 2)]
    assert len({one.seen for one in drawn(made, 1)}) == 12
    assert [one.pair for one in drawn(made, 1)] != [one.pair for one in drawn(made, 1)]
    assert sorted(case for case, _, _ in plain[:4]) == [0, 1, 2, 3]  # each prompt, then again
    many = drawn(result(60, 2), 1)
    lefts = sum(one.left == 0 for one in many)
    assert 15 < lefts < 45  # neither has a side of its own


def test_what_is_alike_failed_or_voted_on_is_left_out() -> None:
    made = result(1, 4)
    rows = [*made.rows]
    rows[1] = replace(answer(Call(0, 1), "x"), reply=rows[0].reply)  # the same text
    rows[3] = answer(Call(0, 3), error="stopped")
    found = drawn(Result(made.grid, rows), 0)
    assert {one.seen[2] for one in found} == {frozenset({0, 2}), frozenset({1, 2})}
    voted = [(0, 0, frozenset({0, 2}))]
    assert [one.seen[2] for one in drawn(Result(made.grid, rows), 0, voted)] == [frozenset({1, 2})]


@pytest.fixture
def session(isolated: Any) -> Session:
    workspace = Workspace()
    store = Store(workspace.models.writable)
    run = store.put(result(2, 2))
    return Session.of(run, workspace, store)


class Voter:
    """A page on which somebody votes."""

    def __init__(self, voting: Voting) -> None:
        self.events: list[dict[str, Any]] = []
        self._news = threading.Condition()
        self._voting = voting
        self._view = voting.join(self._hear)
        self.say(type="hello", host="widget")
        self.wait(lambda: self.events)

    def _hear(self, event: Mapping[str, Any]) -> None:
        with self._news:
            self.events.append(json.loads(json.dumps(event)))
            self._news.notify_all()

    def say(self, **message: Any) -> None:
        self._voting.take(self._view, message)

    def wait(self, holds: Callable[[], object]) -> None:
        with self._news:
            assert self._news.wait_for(holds, 60), self.events[-2:]

    def wait_more(self, before: int) -> None:
        self.wait(lambda: len(self.events) > before)

    @property
    def now(self) -> dict[str, Any]:
        return self.events[-1]

    def vote(self, choice: str, note: str = "") -> dict[str, Any]:
        done = self.now["done"]
        self.say(type="vote", pair=self.now["pair"]["pair"], choice=choice, note=note)
        self.wait(lambda: self.now["done"] == done + 1)
        return self.now


def test_nothing_tells_whose_they_are_before_the_vote(session: Session) -> None:
    page = Voter(Voting(session))
    told = json.dumps(page.events)
    assert "model-" not in told
    assert page.now["pair"]["answers"][0].startswith("answer ")
    assert page.now["pair"]["messages"][0]["text"].startswith("question ")
    assert (page.now["done"], page.now["total"], page.now["last"]) == (0, 2, None)
    assert page.now["names"] == page.now["strengths"] == []
    first = page.now["pair"]
    after = page.vote("left", "clearer")
    assert after["last"]["pair"] == first["pair"]
    assert after["last"]["note"] == "clearer"
    case, left = first["answers"][0].removeprefix("answer ").split()
    assert after["last"]["names"][0] == f"model-{left}"
    (vote,) = session.heard.votes
    assert (vote.case, vote.left, vote.verdict) == (int(case), int(left), "left")
    assert (vote.by, vote.note) == ("you", "clearer")


def test_votes_are_kept_and_taken_back(session: Session) -> None:
    page = Voter(Voting(session, "anna"))
    first = page.now["pair"]
    page.vote("both_bad")
    page.say(type="undo")
    page.wait(lambda: page.now["done"] == 0)
    assert page.now["pair"] == first
    assert session.heard.votes == ()
    page.vote("tie", "alike")
    page.vote("right")
    assert page.now["pair"] is None
    page.wait(lambda: page.now["strengths"])
    assert {one["contestant"] for one in page.now["strengths"]} == {0, 1}
    assert session.run is not None
    opened = Session.of(session.run, session.workspace, session.store)
    assert [(v.verdict, v.by, v.note) for v in opened.heard.votes] == [
        ("tie", "anna", "alike"),
        ("right", "anna", ""),
    ]
    again = Voting(opened, "anna")
    assert (again.done, again.total, again.over) == (2, 2, True)
    assert not Voting(opened, "bert").over


def test_what_is_skipped_comes_another_time(session: Session) -> None:
    page = Voter(Voting(session))
    page.say(type="skip", pair=page.now["pair"]["pair"])
    page.wait(lambda: len(page.events) == 2)
    page.vote("left")
    assert page.now["pair"] is None
    assert "1 left out" in page.now["notice"]
    assert Voter(Voting(session)).now["pair"] is not None


def test_what_makes_no_sense_changes_nothing(session: Session) -> None:
    page = Voter(Voting(session))
    pair = page.now["pair"]
    for message in (
        {"type": "vote", "pair": "another", "choice": "left", "note": ""},
        {"type": "vote", "pair": pair["pair"], "choice": "middle", "note": ""},
        {"type": "skip", "pair": None},
        {"type": "undo"},
        {"type": "stop"},
        {},
    ):
        before = len(page.events)
        page.say(**message)
        page.wait_more(before)
        assert (page.now["pair"], page.now["done"]) == (pair, 0)
        assert "model-" not in json.dumps(page.now)
    page.say(type="vote", pair=pair["pair"], choice="left", note={"a": 1})
    page.wait(lambda: page.now["done"] == 1)


def test_where_there_is_nothing_to_vote_on_it_is_said(isolated: Any) -> None:
    workspace = Workspace()
    grid = small_grid(1, 2)
    rows: list[Row] = [answer(call, "the same") for call in grid.calls()]
    store = Store(workspace.models.writable)
    session = Session.of(store.put(Result(grid, rows)), workspace, store)
    with pytest.raises(errors.UsageError, match="no two answers"):
        Voting(session)


def test_a_vote_follows_in_the_strengths(session: Session) -> None:
    told = threading.Event()
    page = Voter(Voting(session, changed=told.set))
    page.vote("left")
    assert told.wait(60)
    session.vote([Vote(0, 0, 1, "left", "judge")])
    assert bridge.loop().is_running()
