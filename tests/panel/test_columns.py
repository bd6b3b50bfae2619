"""Columns of the panel without a page: each has its own history, and a new process goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import jan_jupyter as jan
from jan_jupyter.errors import UsageError
from jan_jupyter.panel import ChatPanel
from jan_jupyter.threads import underway
from jan_jupyter.threads.columns import branches
from jan_jupyter.threads.lines import read_lines
from jan_jupyter.workspace import Workspace
from panel.test_conversation import ANSWER, FrontEnd, front_end
from support.server import StreamingServer, tokens

SAYS = {"short": ANSWER, "other": "".join(tokens(5)), "third": "".join(tokens(3))}


@pytest.fixture
def page(isolated: Path, server: StreamingServer) -> Iterator[FrontEnd]:
    with front_end(isolated, server, third="n=3") as page:
        yield page


def ask(page: FrontEnd, text: str) -> None:
    page.do(type="send", text=text)
    page.settle()


def compared(page: FrontEnd, *models: str) -> None:
    page.do(type="compare", models=[*models])
    ask(page, "one")


def cells(page: FrontEnd, place: int) -> list[str]:
    """What each column says at a place of the path; nothing where it was not asked."""
    return [page.turns[id]["text"] for id in page.path[place]["columns"]]


def statuses(page: FrontEnd, place: int) -> list[str]:
    return [page.turns[id]["status"] for id in page.path[place]["columns"]]


def sent(server: StreamingServer, after: int = 0) -> list[tuple[str, list[str]]]:
    """Each request `after` so many: whom it went to, and what it said."""
    return [
        (entry.body["model"], [message["content"] for message in entry.body["messages"]])
        for entry in server.journal()[after:]
    ]


def test_each_column_is_sent_its_own_history_alone(page: FrontEnd, server: StreamingServer) -> None:
    compared(page, "other", "third")
    page.do(type="next", column="third", on=False)
    ask(page, "two")
    page.do(type="next", column="third", on=True)
    ask(page, "three")
    page.do(type="next", column="short", on=False)
    page.do(type="next", column="other", on=False)
    ask(page, "four")
    expected = []
    for model, asked in {
        "short": ["one", "two", "three"],
        "other": ["one", "two", "three"],
        "third": ["one", "three", "four"],
    }.items():
        said: list[str] = []
        for question in asked:
            said += [question]
            expected.append((model, [*said]))
            said += [SAYS[model]]
    assert sorted(sent(server)) == sorted(expected)
    assert [page.path[i]["text"] for i in (0, 2, 4, 6)] == ["one", "two", "three", "four"]
    assert cells(page, 1) == [SAYS["short"], SAYS["other"], SAYS["third"]]
    assert cells(page, 3) == [SAYS["short"], SAYS["other"], ""]
    assert cells(page, 5) == [SAYS["short"], SAYS["other"], SAYS["third"]]
    assert cells(page, 7) == ["", "", SAYS["third"]]
    assert statuses(page, 3) == ["done", "done", "unasked"]
    assert [row["next"] for row in page.state["columns"]] == [False, False, True]


def test_nobody_is_asked_if_no_column_is_chosen(page: FrontEnd, server: StreamingServer) -> None:
    compared(page, "other")
    for name in ("short", "other"):
        page.do(type="next", column=name, on=False)
    page.do(type="send", text="two", key="k")
    page.settle()
    assert {"type": "refused", "key": "k"} in page.events
    assert len(server.journal()) == 2


def test_the_exact_request_is_that_of_the_first_column_that_is_asked(
    page: FrontEnd, server: StreamingServer
) -> None:
    compared(page, "other")
    page.do(type="next", column="short", on=False)
    page.settle()
    page.do(type="preview", text="two", ask=1)
    page.until(lambda: page.events[-1].get("to") == 1)
    shown = json.loads(page.events[-1]["value"]["request"])
    ask(page, "two")
    assert "two" in str(shown)
    body = shown.get("body", shown)
    assert body["messages"] == server.journal()[-1].body["messages"]
    assert body["model"] == "other"


def test_a_later_column_catches_up(page: FrontEnd, server: StreamingServer) -> None:
    compared(page, "other")
    ask(page, "two")
    page.do(type="beside", model="third", on=True)
    page.settle()
    assert sent(server, 4) == [
        ("third", ["one"]),
        ("third", ["one", SAYS["third"], "two"]),
    ]
    assert cells(page, 3) == [SAYS["short"], SAYS["other"], SAYS["third"]]
    assert [row["behind"] for row in page.state["columns"]] == [False] * 3
    page.do(type="beside", model="other", on=False)
    page.settle()
    assert [row["name"] for row in page.state["columns"]] == ["short", "third"]
    page.do(type="beside", model="short", on=False)  # what is left alone goes on by itself
    page.settle()
    assert page.state["columns"] == []
    assert page.texts == ["one", SAYS["third"], "two", SAYS["third"]]


def test_one_that_failed_is_asked_again_before_the_next(
    page: FrontEnd, server: StreamingServer
) -> None:
    compared(page, "refused")
    ask(page, "two")
    assert statuses(page, 1) == ["done", "error"]
    assert statuses(page, 3) == ["done", "unasked"]
    assert page.state["columns"][1]["behind"]
    server.behave("refused", "n=3")
    page.do(type="catch_up", column="refused")
    page.settle()
    assert cells(page, 1) == [SAYS["short"], SAYS["third"]]
    assert cells(page, 3) == [SAYS["short"], SAYS["third"]]
    assert not page.state["columns"][1]["behind"]


def test_one_column_goes_on_as_the_conversation_and_all_come_back(page: FrontEnd) -> None:
    compared(page, "other", "third")
    ask(page, "two")
    page.do(type="keep", id=page.path[3]["columns"][1])
    page.settle()
    assert page.texts == ["one", SAYS["other"], "two", SAYS["other"]]
    assert (page.state["model"], page.state["columns"]) == ("other", [])
    ask(page, "three")
    assert page.texts[4:] == ["three", SAYS["other"]]
    page.do(type="columns", id=page.path[1]["id"])
    page.settle()
    assert [row["name"] for row in page.state["columns"]] == ["short", "other", "third"]
    assert cells(page, 5) == ["", SAYS["other"], ""]
    assert [row["behind"] for row in page.state["columns"]] == [True, False, True]


def test_a_stop_ends_what_is_to_be_asked_next(page: FrontEnd, server: StreamingServer) -> None:
    compared(page, "other")
    ask(page, "two")
    page.do(type="beside", model="slow", on=True)
    page.until(lambda: any(t["column"] == "slow" and t["text"] for t in page.turns.values()))
    page.do(type="stop")
    page.settle()
    assert statuses(page, 1) == ["done", "done", "stopped"]
    assert statuses(page, 3) == ["done", "done", "unasked"]
    assert not page.talk.busy


def test_jan_sees_one_of_them_and_a_saved_notebook_all(page: FrontEnd) -> None:
    """The line is a column as any conversation; `thread.json` has what Jan has, and our part."""
    compared(page, "other")
    ask(page, "two")
    thread = page.talk.thread
    assert thread is not None
    messages, warnings = read_lines((thread.folder / "messages.jsonl").read_bytes())
    assert warnings == []
    assert [message.role for message in messages] == ["user", "assistant", "user", "assistant"]
    assert [messages[0].text, messages[2].text] == ["one", "two"]
    assert len({message.model for message in messages if message.model}) == 1
    head = json.loads((thread.folder / "thread.json").read_text("utf-8"))
    assert head["model"]["id"] == "short"
    ours = head["metadata"]["jan_jupyter"]["columns"]
    assert [one["model"] for one in ours["columns"]] == ["short", "other"]
    saved = [message.text for message in page.talk.messages]
    assert saved == ["one", SAYS["short"], SAYS["other"], "two", SAYS["short"], SAYS["other"]]


def test_another_panel_sees_what_becomes_of_columns(page: FrontEnd) -> None:
    compared(page, "other")
    thread = page.talk.thread
    assert thread is not None
    there = FrontEnd("short")
    there.do(type="thread", id=thread.id)
    there.until(lambda: len(there.state.get("columns", [])) == 2)
    page.do(type="next", column="short", on=False)  # a question that is in a branch alone
    ask(page, "two")
    there.until(lambda: len(there.path) == 4)
    assert cells(there, 3) == ["", SAYS["other"]]
    there.talk.close()


def test_columns_are_judged_as_a_comparison(page: FrontEnd, server: StreamingServer) -> None:
    panel = ChatPanel("short")
    with pytest.raises(UsageError, match="Nothing has been said"):
        panel.comparison()
    panel._conversation.take({"type": "compare", "models": ["other"]})
    for question in ("one", "two"):
        panel.send(question)
        panel.wait()
    before = len(server.journal())
    made = panel.comparison("judged")
    assert [one.name for one in made.grid.contestants] == ["short", "other"]
    assert [case.text for case in made.grid.cases] == ["one", "two"]
    made.vote(1, "other")
    assert len(made.score("contains:bold")) == 4
    assert len(server.journal()) == before
    assert len(jan.runs["judged"].votes) == 1
    panel.close()


KILLED = """
import sys
from jan_jupyter.conversation import Conversation, Surroundings
from jan_jupyter import ask, bridge
from jan_jupyter.workspace import Workspace

ask.KEPT_EVERY = float(sys.argv[1])

def told(event):
    if event["type"] == "delta":
        print(event["id"], flush=True)

talk = Conversation(Surroundings(told), Workspace(), model="short")
talk.take({"type": "compare", "models": ["other", "third"]})
for number in range(1, 4):
    if number == 3:
        print("third turn", flush=True)
        sys.stdin.readline()
    talk.take({"type": "send", "text": f"question {number}"})
    bridge.wait(talk.wait())
"""


def kept(folder: Path) -> set[str]:
    """The models of whose answers under way something is on the disk."""
    found = set()
    for name in underway.all_names(folder):
        with suppress(FileNotFoundError):  # its answer stands in the thread now
            head, *pieces = (folder / name).read_text("utf-8").splitlines() or [""]
            found |= {model for model in ("other", "third") if pieces and f'"{model}"' in head}
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="no such kill there")
@pytest.mark.parametrize("kept_every", [1000, 0.02])
def test_five_turns_of_three_models_over_a_kernel_that_was_killed_in_the_third(
    page: FrontEnd, server: StreamingServer, kept_every: float
) -> None:
    kernel = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(kept_every)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with kernel:
        assert kernel.stdin is not None
        assert kernel.stdout is not None
        while "third turn" not in kernel.stdout.readline():
            pass
        server.behave("other", "n=3000,delay=0.005")
        server.behave("third", "n=3000,delay=0.005")
        kernel.stdin.write("\n")
        kernel.stdin.flush()
        server.wait("complete", count=7)  # three of each turn before, and `short` of this one
        names: set[str] = set()
        while len(names) < 3:  # all of them are in the middle of it
            names.add(kernel.stdout.readline())
        (listed,) = Workspace().threads.list()
        while kept_every < 1 and not {"other", "third"} <= kept(listed.folder):
            assert kernel.stdout.readline()
        os.kill(kernel.pid, signal.SIGKILL)
    for model, behaviour in {"other": "n=5", "third": "n=3"}.items():
        server.behave(model, behaviour)
    before = len(server.journal())

    page.do(type="thread", id=listed.id)
    page.settle()
    assert [page.path[i]["text"] for i in (0, 2, 4)] == [f"question {i}" for i in (1, 2, 3)]
    assert statuses(page, 3) == ["done"] * 3
    assert set(statuses(page, 5)) <= {"done", "interrupted"}
    assert statuses(page, 5)[1:] == ["interrupted"] * 2
    for id in page.path[5]["columns"][1:]:
        turn = page.turns[id]
        assert turn["error"]["mend"] == "retry"
        assert bool(turn["text"]) == (kept_every < 1)
    ask(page, "question 4")
    ask(page, "question 5")
    assert [row["behind"] for row in page.state["columns"]] == [False] * 3
    for place in (1, 3, 5, 7, 9):
        assert cells(page, place) == [*SAYS.values()]
    for model, messages in sent(server, before):
        asked = len(messages) // 2 + 1
        history: list[str] = []
        for number in range(1, asked + 1):
            history += [f"question {number}", SAYS[model]]
        assert messages == history[:-1]
    thread = page.talk.thread
    assert thread is not None
    columns = thread.columns
    assert columns is not None
    assert [len(one.steps) for one in branches(thread.now().tree, columns)] == [5] * 3


@pytest.mark.parametrize(
    "written",
    [
        None,
        {},
        {"question": "gone", "columns": [{"model": "a"}, {"model": "b"}]},
        {"question": 7, "columns": "no"},
        {"question": "", "columns": [{"model": 7}, 3, None]},
    ],
)
def test_what_a_file_says_wrongly_of_columns_is_no_column(page: FrontEnd, written: Any) -> None:
    ask(page, "one")
    thread = page.talk.thread
    assert thread is not None
    path = thread.folder / "thread.json"
    head = json.loads(path.read_text("utf-8"))
    head["metadata"]["jan_jupyter"] = {"columns": written}
    path.write_text(json.dumps(head), "utf-8")
    assert thread.columns is None
    ask(page, "two")
    assert page.texts == ["one", ANSWER, "two", ANSWER]
