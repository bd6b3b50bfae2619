"""The panel's conversation without a page: what it is told, what it tells, what the thread has."""

from __future__ import annotations

import queue
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import jan_jupyter as jan
from jan_jupyter import bridge
from jan_jupyter.conversation import Conversation, Surroundings, turns
from jan_jupyter.conversation.protocol import Context
from jan_jupyter.panel import ChatPanel, context
from jan_jupyter.threads import Thread, ThreadMessage, files
from jan_jupyter.workspace import Workspace
from support.disk import full_disk
from support.jan import add_model, add_remote
from support.loop import watched_loop
from support.server import StreamingServer, tokens


class FrontEnd:
    """What a front end knows: the same folding as `labextension/src/session.ts`."""

    def __init__(self, model: str) -> None:
        self.events: list[Mapping[str, Any]] = []
        self.state: dict[str, Any] = {}
        self.turns: dict[str, dict[str, Any]] = {}
        self.gaps = 0
        self._queue: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
        self.workspace = Workspace()
        self.router = self.workspace.router
        self.talk = Conversation(
            Surroundings(self._queue.put, context=self._context),
            self.workspace,
            model=model,
        )

    def _context(self, text: str) -> Future[list[Context]]:
        future: Future[list[Context]] = Future()
        notebook = context.Notebook({"table": {"key": 4711}}, {}, None, Path())
        future.set_result(context.resolve(text, notebook))
        return future

    def do(self, **message: Any) -> None:
        self.talk.take(message)

    def until(self, condition: Callable[[], object], seconds: float = 10) -> None:
        end = time.monotonic() + seconds
        while not condition():
            try:
                self._take(self._queue.get(timeout=max(0.01, end - time.monotonic())))
            except queue.Empty:
                raise TimeoutError(self.state, self.turns) from None

    def settle(self) -> None:
        """Until all that was asked for has ended."""
        bridge.wait(self.talk.wait())
        while not self._queue.empty():
            self._take(self._queue.get())

    def _take(self, event: Mapping[str, Any]) -> None:
        self.events.append(event)
        match event["type"]:
            case "snapshot":
                self.state = dict(event["state"])
                self.turns = {turn["id"]: dict(turn) for turn in event["turns"]}
            case "state":
                self.state |= event["state"]
            case "message":
                self.turns[event["turn"]["id"]] = dict(event["turn"])
            case "delta" if event["id"] in self.turns:  # else its turn is still to come
                turn = self.turns[event["id"]]
                self.gaps += event["seq"] != turn["seq"] + 1
                turn["text"] += event.get("text", "")
                turn["reasoning"] += event.get("reasoning", "")
                turn["seq"] = event["seq"]

    @property
    def path(self) -> list[dict[str, Any]]:
        return [self.turns[id] for id in self.state.get("path", [])]

    @property
    def texts(self) -> list[str]:
        return [turn["text"] for turn in self.path]


@contextmanager
def front_end(folder: Path, server: StreamingServer, **more: str) -> Iterator[FrontEnd]:
    """A page whose first model is "short"; with more remote models and what they do."""
    usual = {"short": "n=20", "other": "n=5", "slow": "n=3000,delay=0.005", "refused": "status=401"}
    add_remote(folder / "jan", server, **usual, **more)
    page = FrontEnd("short")
    yield page
    page.talk.close()
    bridge.wait(page.router.close())


@pytest.fixture
def page(isolated: Path, server: StreamingServer) -> Iterator[FrontEnd]:
    with front_end(isolated, server) as page:
        yield page


ANSWER = "".join(tokens(20))


def test_an_answer_comes_in_numbered_pieces_and_then_whole(page: FrontEnd) -> None:
    page.do(type="hello")
    page.do(type="send", text="hi")
    page.settle()
    assert page.texts == ["hi", ANSWER]
    assert page.path[1]["status"] == "done"
    assert page.path[1]["footer"][0] == "20 tokens"
    assert page.gaps == 0
    assert page.state["thread"]["title"] == "hi"
    page.do(type="hello")
    page.until(lambda: page.events[-1]["type"] == "snapshot")
    assert page.texts == ["hi", ANSWER]


def test_several_answers_are_versions(page: FrontEnd) -> None:
    page.do(type="send", text="hi")
    page.settle()
    assert page.talk.thread is not None
    page.talk.thread.configure(parameters={"n": 2})
    page.do(type="send", text="again")
    page.settle()
    assert page.texts[2:] == ["again", f"0:{ANSWER}"]
    assert page.gaps == 0
    page.do(type="version", id=page.path[3]["versions"][1])
    page.settle()
    assert page.texts[3] == f"1:{ANSWER}"


def test_a_stop_that_comes_before_the_answer_has_begun(page: FrontEnd) -> None:
    page.do(type="model", model="slow")
    page.do(type="send", text="hi")
    page.do(type="stop")
    page.settle()
    assert page.texts[0] == "hi"  # nothing that was typed is lost
    assert len(page.path) == 1 or page.path[1]["status"] == "stopped"
    page.do(type="send", text="again")
    page.until(lambda: page.path and len(page.path[-1]["text"]) > 100)
    page.do(type="stop")
    page.settle()
    assert page.path[-1]["status"] == "stopped"
    assert len(page.path[-1]["text"]) > 100


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit on a file's size there")
def test_an_answer_that_the_disk_does_not_take_is_shown_and_kept_later(page: FrontEnd) -> None:
    page.do(type="send", text="x" * 6000)
    page.settle()
    assert page.talk.thread is not None
    written = (page.talk.thread.folder / "messages.jsonl").stat().st_size
    with full_disk(written + 500):  # room for the question, and not for its answer
        page.do(type="send", text="two")
        page.settle()
        assert page.texts[2:] == ["two", ANSWER]
        last = page.path[-1]
        assert last["status"] == "error"
        assert last["error"]["title"] == "Not in the thread yet"
        assert "cannot be written" in last["error"]["message"]
        assert not page.talk.busy
    page.do(type="send", text="three")
    page.settle()
    assert page.texts[2:] == ["two", ANSWER, "three", ANSWER]
    assert [turn["status"] for turn in page.path] == ["done"] * 6
    assert page.path[3]["id"] == last["id"]  # the page goes on with what it has drawn
    assert [m.text for m in page.talk.thread.messages][2:] == page.texts[2:]


def test_branches(page: FrontEnd) -> None:
    page.do(type="send", text="one")
    page.settle()
    question, first = page.state["path"]
    page.do(type="regenerate", id=first)
    page.settle()
    second = page.state["path"][1]
    assert page.turns[second]["versions"] == [first, second]
    page.do(type="edit", id=question, text="two")
    page.settle()
    assert page.texts == ["two", ANSWER]
    assert len(page.path[0]["versions"]) == 2
    page.do(type="version", id=question)
    page.settle()
    assert page.texts == ["one", ANSWER]
    page.do(type="delete", id=page.state["path"][0])
    page.settle()
    assert page.texts == ["two", ANSWER]


def test_the_picker_knows_servers_that_do_not_run(page: FrontEnd, isolated: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        host = f"127.0.0.1:{closed.getsockname()[1]}"
    add_model(isolated / "jan", "absent", engine="ollama", settings={"base_url": f"http://{host}"})
    page.do(type="hello")
    page.until(lambda: "models" in page.state)
    rows = {row["id"]: row for row in page.state["models"]}
    assert rows["absent"]["state"] == "not-running"
    assert rows["absent"]["note"] == f"start it: nothing listens at {host}"
    assert rows["short"]["state"] == "ready"


def test_several_models_answer_until_one_is_chosen(page: FrontEnd) -> None:
    page.do(type="compare", models=["other", "first"])
    page.do(type="beside", model="refused", on=True)
    page.do(type="beside", model="first", on=False)
    page.do(type="send", text="hi")
    page.settle()
    columns = [page.turns[id] for id in page.path[1]["columns"]]
    assert [turn["model"] for turn in columns] == ["short", "other", "refused"]
    assert [turn["status"] for turn in columns] == ["done", "done", "error"]
    page.do(type="keep", id=columns[1]["id"])
    page.settle()
    assert page.texts == ["hi", "".join(tokens(5))]
    assert page.path[1]["columns"] == []
    assert page.path[1]["compared"]
    assert (page.state["model"], page.state["compare"]) == ("other", [])
    page.do(type="columns", id=page.path[1]["id"])
    page.settle()
    assert page.path[1]["columns"] == [turn["id"] for turn in columns]
    assert (page.state["model"], page.state["compare"]) == ("short", ["other", "refused"])
    page.do(type="send", text="more")
    page.settle()
    last = [page.turns[id] for id in page.path[3]["columns"]]
    assert [turn["model"] for turn in last] == ["short", "other", "refused"]
    # Who has failed is asked that again before anything else.
    assert [turn["status"] for turn in last] == ["done", "done", "unasked"]
    page.do(type="keep", id=page.path[3]["columns"][1])
    page.settle()
    assert page.state["model"] == "other"


def test_an_error_is_a_card_and_stays_one(page: FrontEnd) -> None:
    page.do(type="model", model="refused")
    page.do(type="send", text="hi")
    page.settle()
    error = page.path[1]["error"]
    assert error["title"] == "The key was refused"
    assert "sk-canary" not in str(page.events)


def test_what_cannot_even_be_asked_is_kept_with_its_reason(page: FrontEnd, isolated: Path) -> None:
    model = isolated / "jan" / "models" / "gone" / "model.json"
    model.parent.mkdir()
    model.write_text('{"id": "gone", "sources": [{"filename": "gone.gguf", "url": "https://e/g"}]}')
    page.do(type="model", model="gone")
    page.do(type="send", text="hi")
    page.settle()
    assert page.texts[0] == "hi"
    assert page.path[1]["error"]["title"] == "The model is not ready"
    assert page.path[1]["error"]["mend"] == "model"


def test_what_is_malformed_is_answered_and_ends_nothing(page: FrontEnd) -> None:
    page.do(type="send", text="hi", colour="red")
    page.until(lambda: "colour" in page.state.get("notice", ""))
    page.do(type="nothing")
    page.until(lambda: "no 'nothing'" in page.state["notice"])
    page.do(type="preview", ask="x")
    page.until(lambda: page.events[-1].get("to") == "x")
    assert "error" in page.events[-1]
    page.do(type="send", text="hi")
    page.settle()
    assert page.texts == ["hi", ANSWER]


def test_a_snapshot_tells_which_question_it_holds(page: FrontEnd) -> None:
    page.do(type="send", text="hi", key="k1")
    page.settle()
    page.do(type="hello")
    page.until(lambda: page.events[-1]["type"] == "snapshot")
    assert page.state["sent"] == ["k1"]


def test_what_is_told_again_is_done_once(page: FrontEnd) -> None:
    page.do(type="send", text="hi", key="k1")
    page.do(type="send", text="hi", key="k1")  # the page could not know that it has come
    page.settle()
    page.do(type="edit", id=page.path[0]["id"], text="ho", key="k2")
    page.settle()
    page.do(type="edit", id=page.path[0]["id"], text="ho", key="k2")
    page.settle()
    assert page.texts == ["ho", ANSWER]
    assert len(page.path[0]["versions"]) == 2
    assert page.state["sent"] == ["k1", "k2"]


def test_an_answer_under_way_is_in_what_is_saved(page: FrontEnd) -> None:
    page.do(type="model", model="slow")
    page.do(type="send", text="a long one")
    page.until(lambda: page.path and len(page.path[-1]["text"]) > 100)
    question, answer = page.talk.messages
    assert question.text == "a long one"
    assert len(answer.text) > 100
    page.do(type="stop")
    page.settle()
    assert [m.status for m in page.talk.messages] == ["ready", "stopped"]


def emptied(page: FrontEnd) -> Thread:
    """The thread of a page, for other messages."""
    page.do(type="send", text="hi")
    page.settle()
    thread = page.talk.thread
    assert thread is not None
    thread.delete(*(m.id for m in thread.messages))
    return thread


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(("deleted", "left"), [(0, ["next"]), (3, ["sum?", "next"])])
def test_with_a_turn_go_its_calls_and_their_results(
    page: FrontEnd, deleted: int, left: list[str]
) -> None:
    thread = emptied(page)
    for message in (
        ThreadMessage("user", "sum?"),
        ThreadMessage("assistant", "", tool_calls=[CALL]),
        ThreadMessage("tool", "3", tool_call_id="c"),
        ThreadMessage("assistant", "It is 3."),
        ThreadMessage("user", "next"),
    ):
        thread.append(message)
    page.do(type="delete", id=thread.messages[deleted].id)
    page.settle()
    assert [m.text for m in thread.messages] == left


def test_whose_thread_is_gone_is_told_when_it_says_hello(page: FrontEnd) -> None:
    page.do(type="send", text="hi")
    page.settle()
    thread = page.talk.thread
    assert thread is not None
    heard: list[Mapping[str, Any]] = []
    other = Conversation(Surroundings(heard.append), page.workspace, thread=thread)
    page.workspace.threads.delete(thread.id)
    other.take({"type": "hello"})
    page.until(lambda: [one["type"] for one in heard][-2:] == ["snapshot", "state"])
    assert heard[-2]["state"]["thread"] is None
    assert "not there any more" in heard[-1]["state"]["notice"]
    other.close()


def test_a_picture_that_a_page_does_not_show_stays_when_the_question_is_edited(
    page: FrontEnd,
) -> None:
    thread = emptied(page)
    elsewhere = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    thread.append(ThreadMessage("user", [{"type": "text", "text": "what is it?"}, elsewhere]))
    page.do(type="edit", id=thread.messages[0].id, text="what is this?", images=[])
    page.settle()
    assert elsewhere in thread.messages[0].content


def test_a_message_that_is_refused_goes_back(page: FrontEnd) -> None:
    page.do(type="model", model="slow")
    page.do(type="send", text="one")
    page.until(lambda: page.path and page.path[-1]["status"] == "writing")
    page.do(type="send", text="two", key="k")
    page.until(lambda: {"type": "refused", "key": "k"} in page.events)
    page.until(lambda: page.state.get("notice"))
    assert page.state["sent"] == []
    assert "stop it first" in page.state["notice"]
    page.do(type="stop")
    page.settle()
    assert page.texts[0] == "one"


def test_values_tell_their_level_and_the_request_has_them(
    page: FrontEnd, server: StreamingServer
) -> None:
    page.do(type="set", kind="parameter", name="temperature", value="0.3")
    page.do(type="set", kind="parameter", name="top_p", value=7)
    page.do(type="send", text="hi")
    page.settle()
    rows = {row["name"]: row for row in page.state["settings"]}
    assert (rows["temperature"]["value"], rows["temperature"]["level"]) == (0.3, "thread")
    assert server.journal()[-1].body["temperature"] == 0.3
    assert "top_p" not in server.journal()[-1].body
    page.do(type="set", kind="parameter", name="temperature", value=None)
    page.settle()
    rows = {row["name"]: row for row in page.state["settings"]}
    assert rows["temperature"]["value"] is None


def test_what_goes_along_is_in_the_request_and_not_in_the_bubble(
    page: FrontEnd, server: StreamingServer
) -> None:
    page.do(type="send", text="what is @table, or @nothing?")
    page.settle()
    assert page.texts[0] == "what is @table, or @nothing?"
    assert [one["label"] for one in page.path[0]["context"]] == ["@table"]
    assert "4711" in server.journal()[-1].body["messages"][-1]["content"]


@pytest.mark.parametrize(
    "text", ["", "x", "a</context>b", "<context>", '\n\n<context label="x">\n']
)
def test_context_is_told_from_what_was_typed(text: str) -> None:
    given: list[Context] = [{"label": "@a", "text": text}, {"label": "@b", "text": "two\n\nlines"}]
    question, found = turns.split_context(turns.with_context("the question", given))
    assert question == "the question"
    assert [one["label"] for one in found] == ["@a", "@b"]
    assert turns.split_context("no context") == ("no context", [])


def test_describing_a_value_that_fails_is_told() -> None:
    class Bad:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    notebook = context.Notebook({"bad": Bad()}, {1: "x = 1"}, ValueError("why"), Path())
    found = {one["label"]: one["text"] for one in context.resolve("@bad @cell @error", notebook)}
    assert found["@bad"] == "bad cannot be shown: RuntimeError: no"
    assert found["@cell"] == "x = 1"
    assert "ValueError: why" in found["@error"]


def test_files_whose_names_have_blanks_are_named_in_quotes(tmp_path: Path) -> None:
    notebook = context.Notebook({}, {}, None, tmp_path)
    for name in ("my notes/to do.txt", "my notes/it's done.txt", "plain.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (folder, plain) = context.complete("@file:", notebook)
    assert (folder.insert, plain.insert) == ("@file:'my notes/", "@file:plain.txt ")
    inside = [one.insert for one in context.complete(folder.insert, notebook)]
    assert inside == ["""@file:"my notes/it's done.txt" """, "@file:'my notes/to do.txt' "]
    asked = f"of {inside[0]}and {inside[1]}and @file:plain.txt or so"
    assert [one["text"] for one in context.resolve(asked, notebook)] == [
        *("my notes/it's done.txt", "my notes/to do.txt", "plain.txt")
    ]


def test_nothing_that_the_panel_does_looks_at_the_disk_on_the_loop(page: FrontEnd) -> None:
    with watched_loop():
        page.do(type="hello")
        page.do(type="send", text="one @table")
        page.settle()
        page.do(type="compare", models=["other"])
        page.do(type="send", text="two")
        page.settle()
        page.do(type="keep", id=page.path[3]["id"])
        page.settle()
        page.do(type="regenerate", id=page.path[1]["id"])
        page.settle()
        page.do(type="version", id=page.path[1]["versions"][0])
        page.do(type="edit", id=page.path[0]["id"], text="three")
        page.settle()
        page.do(type="model", model="refused")
        page.do(type="send", text="four")
        page.settle()
        page.do(type="set", kind="parameter", name="temperature", value=0.5)
        page.do(type="instructions", text="Be brief.")
        page.do(type="assistant", id="jan")
        for number, (kind, more) in enumerate(
            [
                ("threads", {"pattern": "o"}),
                ("complete", {"text": "@"}),
                ("preview", {"text": "hi"}),
                ("export", {"format": "markdown"}),
            ]
        ):
            page.do(type=kind, ask=number, **more)
        page.until(lambda: sum(event["type"] == "answer" for event in page.events) == 4)
        assert all("value" in event for event in page.events if event["type"] == "answer")
        page.do(type="delete", id=page.path[0]["id"])
        page.do(type="resync", id=page.path[-1]["id"])
        page.do(type="rename", id=page.state["thread"]["id"], title="other")
        page.do(type="remove", id=page.state["thread"]["id"])
        page.do(type="load", model="short")
        page.settle()
    assert page.state["thread"] is None
    assert not page.state["notice"]


@contextmanager
def held(page: FrontEnd) -> Iterator[None]:
    """While another process has the thread, and a second question waits for it to be written."""
    page.do(type="send", text="one")
    page.settle()
    thread = page.talk.thread
    assert thread is not None
    code = (
        "import sys; from pathlib import Path; from jan_jupyter.threads import files\n"
        "with files.locked(Path(sys.argv[1])): print(flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(thread.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with pytest.MonkeyPatch.context() as patch, holder:
        patch.setattr(files, "PATIENCE", 600.0)
        assert holder.stdout is not None
        holder.stdout.readline()
        page.do(type="send", text="two", key="k2")
        while not any(turn["status"] == "writing" for turn in page.turns.values()):
            page.events.clear()
            page.do(type="hello")
            page.until(lambda: any(event["type"] == "snapshot" for event in page.events))
        assert [message.text for message in thread.messages] == ["one", ANSWER]
        yield
        holder.communicate()
        page.settle()


def test_who_waits_for_the_lock_of_a_thread_holds_up_nobody_else(page: FrontEnd) -> None:
    """What writes there waits, all else goes on."""
    with held(page):
        assert jan.chat("hi", "other").text == "".join(tokens(5))
    assert page.texts == ["one", ANSWER, "two", ANSWER]


def test_a_stop_does_not_come_between_a_question_and_its_answer(page: FrontEnd) -> None:
    with held(page):
        page.do(type="stop")
        page.events.clear()
    assert page.texts == ["one", ANSWER, "two", ""]
    assert page.path[-1]["status"] == "stopped"
    told = [event["state"] for event in page.events if "sent" in event.get("state", {})]
    assert all(len(state["path"]) == 4 for state in told if "k2" in state["sent"])


def test_a_panel_where_no_loop_runs_does_its_work_beside_the_loop(page: FrontEnd) -> None:
    panel = ChatPanel("short")
    with watched_loop():
        panel.send("hi")
        reply = panel.wait()
    assert reply is not None
    assert reply.text == ANSWER
    assert panel.thread
    panel.close()


def test_without_ipython_the_variables_are_those_of_where_the_panel_was_made(
    page: FrontEnd, server: StreamingServer
) -> None:
    notebook: dict[str, Any] = {"ChatPanel": ChatPanel, "table": {"key": 4711}}
    exec("panel = ChatPanel('short')", notebook)  # as marimo runs a cell
    panel = notebook["panel"]
    offered = {one.label for one in panel._complete("@")}
    assert {"@table", "@panel"} <= offered
    assert "@cell" not in offered  # marimo keeps no list of the cells that ran
    panel.send("look at @table")
    panel.wait()
    assert "4711" in str(server.journal()[-1].body)
    panel.close()


def test_cells_are_brought_as_they_were_typed() -> None:
    typed = ["", "In = 5", "%pdb off"]
    shell = SimpleNamespace(
        user_ns={"In": 5}, history_manager=SimpleNamespace(input_hist_raw=typed)
    )
    assert [*context.notebook(shell, {}).cells.values()] == typed[1:]


@pytest.mark.parametrize("name", ["openai:short", "OpenAI:Short", "family:short"])
def test_a_loaded_model_needs_no_reload_whatever_its_name(
    page: FrontEnd, isolated: Path, name: str
) -> None:
    """Its engine may stand before it, its id may have a colon; what another does is another's."""
    add_model(
        isolated / "jan", "f", engine="openai", id="family:short", settings={"model": "short"}
    )
    page.talk.selection.choose(name)
    page.talk.selection.set("setting", "ctx_len", 1024)
    jan.Chat("short" if name == "family:short" else "other", workspace=page.workspace).ask("hi")
    assert page.talk.selection.reload
    page.do(type="send", text="hi")
    page.settle()
    assert not page.talk.selection.reload


def test_the_rows_of_models_tell_what_each_can(page: FrontEnd, isolated: Path) -> None:
    add_model(isolated / "jan", "thinker", engine="openai", capabilities=["reasoning", "vision"])
    add_model(isolated / "jan", "far", engine="claude")
    add_model(isolated / "jan", "later", engine="nitro", sources=[{"url": "https://e.org/a.gguf"}])
    page.do(type="hello")
    page.until(lambda: page.state.get("models"))
    rows = {row["id"]: row for row in page.state["models"]}
    assert (rows["thinker"]["reasoning"], rows["thinker"]["vision"]) == (True, True)
    assert (rows["short"]["reasoning"], rows["short"]["vision"]) == (False, False)
    assert rows["jan-mini"]["context"] == 2048
    assert rows["jan-mini"]["size"] > 1_000_000
    places = {"jan-mini": True, "short": True, "later": True, "far": False}  # short: 127.0.0.1
    assert {name: rows[name]["local"] for name in places} == places
