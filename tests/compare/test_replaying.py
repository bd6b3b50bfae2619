"""Answers that are there, beside others: a thread once more, columns, and the way into columns."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import jan_jupyter as jan
from jan_jupyter.compare.comparison import Comparison
from jan_jupyter.compare.replaying import columns
from jan_jupyter.errors import ThreadNotFound, UsageError
from jan_jupyter.threads import Thread
from jan_jupyter.threads.columns import branches
from support.jan import add_remote
from support.server import StreamingServer, tokens

A, B = "".join(tokens(4)), "".join(tokens(3))
QUESTIONS = ["one", "two", "three"]


@pytest.fixture
def models(isolated: Path, server: StreamingServer) -> None:
    add_remote(isolated / "jan", server, a="n=4", b="n=3", failing="status=400")


@pytest.fixture
def thread(models: None) -> Thread:
    talk = jan.Chat("a", thread="trip", system="Be brief.")
    for question in QUESTIONS:
        talk.ask(question)
    assert talk.thread is not None
    return talk.thread


def sent(server: StreamingServer) -> list[tuple[str, list[str]]]:
    return [(e.body["model"], [m["content"] for m in e.body["messages"]]) for e in server.journal()]


def texts(made: Comparison, name: str) -> list[str]:
    return [row.text for row in made[name]]


def test_every_question_is_asked_again_after_the_models_own_answers(
    thread: Thread, server: StreamingServer
) -> None:
    made = jan.replay("trip", ["b"], scorers=["contains:bold"])
    assert sent(server)[3:] == [
        ("b", ["Be brief.", "one"]),
        ("b", ["Be brief.", "one", B, "two"]),
        ("b", ["Be brief.", "one", B, "two", B, "three"]),
    ]
    assert [one.name for one in made.grid.contestants] == ["as it was", "b"]
    assert [case.name for case in made.grid.cases] == QUESTIONS
    assert texts(made, "as it was") == [A] * 3
    assert texts(made, "b") == [B] * 3
    assert all(row.scores for row in made)
    # What was measured in the thread is a measure here, too.
    assert all(row.reply.usage.completion for row in made["as it was"])
    for row, message in zip(made["as it was"], thread.messages[1::2], strict=True):
        assert row.reply.timings == message.timings
    (verdict,) = made.verdicts()
    assert verdict.n == 3
    assert all(text in repr(made) for text in ("as it was", "3. three"))


def test_a_replay_goes_on_where_it_was(thread: Thread, server: StreamingServer) -> None:
    jan.replay(thread, ["b"], name="again")
    before = len(server.journal())
    made = jan.replay(thread, ["b", "a"], name="again")
    asked = sent(server)[before:]
    # `a` was asked by the chat, whose answers are not in the store: it answers anew.
    assert [model for model, _ in asked] == ["a"] * 3
    assert jan.runs["again"].grid == made.grid
    assert texts(jan.runs["again"], "b") == [B] * 3
    assert texts(jan.runs["again"], "as it was") == [A] * 3


KILLED = """
import jan_jupyter as jan
jan.replay("trip", ["b"], name="killed")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such kill there")
def test_a_replay_that_was_killed_asks_only_what_is_missing(
    thread: Thread, server: StreamingServer
) -> None:
    server.behave("b", "n=3,stall=1,after=2")
    kernel = subprocess.Popen([sys.executable, "-c", KILLED])
    server.wait("first", count=6)
    os.kill(kernel.pid, signal.SIGKILL)
    kernel.wait()
    server.behave("b", "n=3")
    made = jan.replay("trip", ["b"], name="killed")
    assert texts(made, "b") == [B] * 3
    assert [len(messages) for model, messages in sent(server)[3:] if model == "b"] == [2, 4, 6, 6]


def test_who_fails_is_not_asked_what_follows(thread: Thread, server: StreamingServer) -> None:
    made = jan.replay(thread, ["failing", "b"])
    assert [row.error != "" for row in made["failing"]] == [True]
    assert texts(made, "b") == [B] * 3
    server.behave("failing", "n=3")
    assert texts(made.retry(), "failing") == [B] * 3


@pytest.mark.parametrize("name", ["nothing", "", "  "])
def test_there_is_no_such_thread(models: None, name: str) -> None:
    with pytest.raises(ThreadNotFound):
        jan.replay(name, ["b"])


def test_a_thread_without_answers_has_nothing_to_compare(models: None) -> None:
    with pytest.raises(UsageError, match="no answered question"):
        jan.replay(jan.threads.create("empty"), ["b"])
    with pytest.raises(UsageError, match="no columns"):
        columns(jan.threads.get("empty"))


def test_answers_become_columns_and_columns_a_comparison(
    models: None, server: StreamingServer
) -> None:
    """There and back: what the panel goes on with is what the comparison had, and the other way."""
    asked = [("cold", "a", {"temperature": 0}), ("hot", "a", {"temperature": 1}), "b"]
    made = jan.compare("What is it?", asked, system="Be brief.")
    thread = made.columns(0, "side by side")
    parted = thread.columns
    assert parted is not None
    assert [(one.name, one.model) for one in parted.columns] == [
        ("cold", "a"),
        ("hot", "a"),
        ("b", "b"),
    ]
    assert [one.parameters for one in parted.columns] == [
        {"temperature": 0},
        {"temperature": 1},
        {},
    ]
    found = branches(thread.now().tree, parted)
    assert [one.steps[0].answer.text for one in found if one.steps[0].answer] == [A, A, B]
    assert thread.instructions == "Be brief."
    assert [m.text for m in thread.messages] == ["What is it?", A]

    hot = next(one for one in parted.columns if one.name == "hot")
    question = thread.follow(jan.ThreadMessage("user", "And then?"), found[1].tip)
    jan.Chat(thread=thread).answer(question.id, column=hot)
    assert server.journal()[-1].body["temperature"] == 1
    assert sent(server)[-1] == ("a", ["Be brief.", "What is it?", A, "And then?"])

    before = len(server.journal())
    back = columns(thread, "back")
    assert len(server.journal()) == before
    assert [one.name for one in back.grid.contestants] == ["cold", "hot", "b"]
    assert [case.text for case in back.grid.cases] == ["What is it?", "And then?"]
    assert texts(back, "hot") == [A, A]
    assert texts(back, "b") == [B]
    back.vote(0, "b")
    assert len(back.votes) == 2
    assert len(columns(thread, "back")) == 4  # the same run
    assert [one.name for one in jan.runs.list("back")] == ["back"]


def test_a_replay_becomes_columns_turn_by_turn(thread: Thread) -> None:
    made = jan.replay(thread, ["b"])
    parted = made.columns("three", "both")
    found = branches(parted.now().tree, parted.columns)  # type: ignore[arg-type]
    assert [[step.answer.text for step in one.steps if step.answer] for one in found] == [
        [A] * 3,
        [B] * 3,
    ]
    assert len({step.row for one in found for step in one.steps}) == 3
    head = json.loads((parted.folder / "thread.json").read_text("utf-8"))
    assert head["title"] == "both"


def test_what_cannot_stand_in_columns_is_one_line(models: None) -> None:
    made = jan.compare("hi", ["a", "failing"])
    with pytest.raises(UsageError, match="two have given an answer"):
        made.columns(0)
    jan.threads.create("taken")
    with pytest.raises(UsageError, match="already"):
        jan.compare("hi", ["a", "b"]).columns(0, "taken")
