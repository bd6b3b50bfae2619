"""Threads and assistants in their folders: list, find, make, configure, delete, import, export."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import nbformat
import pytest

from jan_jupyter.errors import (
    ThreadBroken,
    ThreadBusy,
    ThreadError,
    ThreadNotFound,
    UsageError,
)
from jan_jupyter.threads import ThreadMessage, ThreadStore, files
from jan_jupyter.threads.context import filled


@pytest.fixture
def store(tmp_path: Path) -> ThreadStore:
    return ThreadStore(tmp_path / "own")


def talk(store: ThreadStore, title: str, *texts: str) -> str:
    thread = store.create(title)
    for number, text in enumerate(texts):
        thread.append(ThreadMessage("assistant" if number % 2 else "user", text))
    return thread.id


def test_a_new_thread_is_one_that_jan_reads(store: ThreadStore) -> None:
    thread = store.create("  My\n thread ", model="m", engine="nitro", instructions="Be brief.")
    raw = json.loads((thread.folder / "thread.json").read_bytes())
    assert thread.folder.name == raw["id"]
    assert raw["id"].startswith("jan_")
    assert raw["title"] == thread.title == "My thread"
    assert raw["model"] == {"id": "m", "provider": "nitro"}
    assert raw["assistants"][0]["model"] == {
        "id": "m", "settings": {}, "parameters": {}, "engine": "nitro",
    }  # fmt: skip
    assert raw["assistants"][0]["instructions"] == thread.instructions == "Be brief."
    assert store.create().id != store.create().id
    question = thread.append(ThreadMessage("user", "hi"))
    (line,) = (thread.folder / "messages.jsonl").read_text("utf-8").splitlines()
    written = json.loads(line)
    assert written["content"] == [{"type": "text", "text": {"value": "hi", "annotations": []}}]
    assert (written["id"], written["thread_id"]) == (question.id, thread.id)
    assert written["created"] > 1.7e12


def test_without_a_title_it_is_named_after_its_first_question(store: ThreadStore) -> None:
    thread = store.create()
    assert thread.title == "New Thread"
    thread.append(ThreadMessage("user", "\n  What is a model.json?  \nTell me."))
    assert thread.title == "What is a model.json?"
    thread.append(ThreadMessage("user", "And this?"))
    assert thread.title == "What is a model.json?"


def test_a_listing_is_sorted_and_reads_no_messages(store: ThreadStore) -> None:
    first, second = talk(store, "one", "hello"), talk(store, "two", "x" * 500)
    (store.get(second).folder / "messages.jsonl").unlink()
    (store.get(second).folder / "messages.jsonl").mkdir()  # whoever reads it fails
    listed = store.list()
    assert [t.title for t in listed] == ["two", "one"]
    assert listed[0].last_message == "x" * 200
    assert [t.title for t in store.list("ONE")] == ["one"]
    store.get(first).append(ThreadMessage("user", "again"))
    assert [t.title for t in store.list()] == ["one", "two"]


def test_finding(store: ThreadStore) -> None:
    id = talk(store, "Weather in Rome", "hi")
    for name in (id, "Weather in Rome", "weather IN rome"):
        assert store.get(name).id == id
    assert store.get(id) is store.get("weather in rome")
    with pytest.raises(ThreadNotFound, match="Nearest: Weather in Rome"):
        store.get("Wether in Rome")
    assert store.find("../own") is None
    assert store.open("new one").title == "new one"
    assert store.open("new one").id == store.get("new one").id


def test_searching(store: ThreadStore) -> None:
    talk(store, "one", "The needle is here", "no", "and a NEEDLE there " + "x" * 100)
    talk(store, "two", "nothing")
    hits = store.search("needle")
    assert [(h.thread.title, h.role) for h in hits] == [("one", "user"), ("one", "user")]
    assert hits[0].excerpt == "and a NEEDLE there " + "x" * 33 + "…"
    assert len(store.search("needle", limit=1)) == 1
    assert store.search(" ") == []
    talk(store, "long", "some words " * 20 + "haystack " + "some words " * 20)
    (hit,) = store.search("haystack")
    assert hit.excerpt == f"…{'words some ' * 3}words haystack {'some words ' * 3}some…"


def test_two_that_have_it_open_see_one_conversation(store: ThreadStore, tmp_path: Path) -> None:
    thread = store.get(talk(store, "shared", "q"))
    other = ThreadStore(tmp_path / "own").get("shared")
    assert not other.refresh()
    answer = thread.append(ThreadMessage("assistant", "a"))
    assert other.refresh()
    assert not other.refresh()
    assert other.messages[-1] == answer
    other.rename("renamed")
    assert thread.title == "renamed"
    thread.delete(answer.id)
    assert [m.text for m in other.messages] == ["q"]
    store.delete("renamed")
    with pytest.raises(ThreadNotFound, match="not there any more"):
        other.append(ThreadMessage("user", "?"))


def append_many(folder: str, count: int) -> None:
    thread = ThreadStore(folder).get("many")
    for number in range(count):
        question = thread.append(ThreadMessage("user", f"{os.getpid()} {number}"))
        thread.answer(ThreadMessage("assistant", question.text), question.id)


def test_many_processes_write_one_thread(store: ThreadStore, tmp_path: Path) -> None:
    thread = store.create("many")
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=append_many, args=(str(tmp_path / "own"), 10)) for _ in range(3)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert thread.warnings == ()
    assert len(thread.messages) == 60
    for question, answer in zip(thread.messages[::2], thread.messages[1::2], strict=True):
        assert (question.role, answer.role) == ("user", "assistant")
        assert question.text == answer.text  # each answer behind its own question


def test_a_thread_that_is_being_written_is_waited_for_but_not_for_ever(
    store: ThreadStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = store.get(talk(store, "busy", "q"))
    monkeypatch.setattr(files, "PATIENCE", 0.05)
    with files.locked(thread.folder), pytest.raises(ThreadBusy, match="another program"):
        thread.append(ThreadMessage("user", "?"))
    thread.append(ThreadMessage("user", "?"))


def test_editing_in_place_and_going_on(store: ThreadStore) -> None:
    thread = store.get(talk(store, "t", "q", "half an"))
    answer = thread.messages[-1]
    changed = thread.update(answer.id, content="half an answer", status="stopped")
    assert thread.messages[-1] == changed
    assert (changed.status, changed.created) == ("stopped", answer.created)


def test_what_a_model_is_sent(store: ThreadStore) -> None:
    thread = store.create("t", instructions="Today is {{current_date}}.")
    for message in (
        ThreadMessage("system", "Also this."),
        ThreadMessage("user", "q1"),
        ThreadMessage("assistant", "broken", status="error", error="why"),
        ThreadMessage("user", "q2"),
        ThreadMessage("assistant", "", status="stopped"),
        ThreadMessage("assistant", "half", status="stopped"),
        ThreadMessage("assistant", "", tool_calls=({"id": "1", "function": {"name": "f"}},)),
        ThreadMessage("tool", "42", tool_call_id="1"),
        ThreadMessage("assistant", "", tool_calls=({"id": "2", "function": {"name": "f"}},)),
        ThreadMessage("tool", "orphan", tool_call_id="3"),
    ):
        thread.append(message)
    sent = thread.conversation()
    today = date.today().isoformat()
    assert [(m.role, m.text) for m in sent] == [
        ("system", f"Today is {today}.\n\nAlso this."),
        *(("user", "q1"), ("user", "q2"), ("assistant", "half")),
        *(("assistant", ""), ("tool", "42")),
    ]
    assert sent[-1].extra == {"tool_call_id": "1"}
    second = next(m.id for m in thread.messages if m.text == "q2")
    assert [m.text for m in thread.conversation(second)][1:] == ["q1"]
    assert filled("{{current_date}}", lambda: date(2024, 5, 6)) == "2024-05-06"


def test_deleting_takes_what_is_a_threads_and_nothing_else(
    store: ThreadStore, tmp_path: Path
) -> None:
    thread = store.get(talk(store, "gone", "q", "a"))
    thread.fork(thread.messages[1].id)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    (thread.folder / "files").symlink_to(outside)
    (thread.folder / "memory").mkdir()
    (thread.folder / "memory" / "x").write_text("x")
    (thread.folder / "memory" / "link").symlink_to(outside)
    (thread.folder / "note.txt").write_text("mine")
    store.delete("gone")
    assert store.list() == []
    assert os.listdir(thread.folder) == ["note.txt"]
    assert (outside / "precious").exists()
    thread.folder.rename(outside / "thread")
    (outside / "thread/thread.json").write_text('{"title": "linked"}')
    thread.folder.symlink_to(outside / "thread")
    store.delete("linked")
    assert not thread.folder.is_symlink()
    assert (outside / "thread/thread.json").exists()
    id = talk(store, "gone", "q")
    folder = store.get(id).folder
    store.delete(id)
    assert not folder.exists()


def test_jans_own_threads_are_written_where_they_lie_but_not_deleted(
    monkeypatch: pytest.MonkeyPatch, isolated: Path
) -> None:
    monkeypatch.delenv("JAN_DATA_FOLDER")
    jan = isolated / "home/data/Jan/data"
    (jan / "threads/jan_1").mkdir(parents=True)
    (jan / "threads/jan_1/thread.json").write_text('{"title": "theirs"}')
    (isolated / "home/data/Jan/settings.json").write_text(json.dumps({"data_folder": str(jan)}))
    store = ThreadStore()
    (listed,) = store.list()
    assert not listed.own
    thread = store.get("theirs")
    thread.append(ThreadMessage("user", "hi"))
    assert sorted(os.listdir(thread.folder)) == ["messages.jsonl", "thread.json"]
    assert jan not in store.create("ours").folder.parents
    with pytest.raises(ThreadError, match="Jan's"):
        store.delete("theirs")


@pytest.mark.parametrize("suffix", ["jsonl", "ipynb"])
def test_what_is_exported_can_be_imported(store: ThreadStore, tmp_path: Path, suffix: str) -> None:
    texts = ("Grüße?", "Ja:\n```python\nx = 1\n```", "{name} und <b>?", "Nein.")
    thread = store.get(talk(store, "t", *texts))
    thread.update(thread.messages[1].id, model="m")
    thread.update(thread.messages[3].id, model="m")
    path = tmp_path / f"out.{suffix}"
    path.write_text(thread.export(suffix), "utf-8")
    again = store.import_(path)
    assert again.title == "out"
    assert [m.text for m in again.messages] == [*texts]
    assert [m.role for m in again.messages] == [m.role for m in thread.messages]
    assert again.messages[1].model == "m"
    copy = store.import_(thread.folder)
    assert (copy.title, copy.id != thread.id) == ("t", True)


def test_the_exported_notebook_is_one(store: ThreadStore) -> None:
    thread = store.get(talk(store, "t", "q", "a"))
    notebook = nbformat.reads(thread.export("ipynb"), 4)
    nbformat.validate(notebook)
    assert notebook.cells[2].source == "%%jan -c --raw\nq"
    assert notebook.cells[2].outputs[0]["data"]["text/plain"] == "a"


def test_exported_markdown_closes_a_fence_that_was_cut(store: ThreadStore) -> None:
    thread = store.get(talk(store, "t", "q", "```python\nx = 1"))
    thread.append(ThreadMessage("user", "next"))
    assert "```python\nx = 1\n```\n\n## You\n\nnext" in thread.export()


def test_nothing_in_exported_markdown_runs_or_fetches(store: ThreadStore) -> None:
    bad = "<img src=x onerror=alert(1)> ![](http://e/x.png)\n```mermaid\na-->b\n```"
    thread = store.get(talk(store, "<script>", bad, bad))
    text = thread.export()
    assert not [part for part in ("<img", "<script", "![", "mermaid") if part in text]


def test_exporting_as_something_else(store: ThreadStore) -> None:
    thread = store.get(talk(store, "t", "q", "a"))
    with pytest.raises(ThreadError, match="markdown, jsonl, ipynb"):
        thread.export("pdf")


def test_importing_what_is_none(store: ThreadStore, tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text("[]")
    (tmp_path / "a.jsonl").write_text("rubbish\n")
    for name in ("a.ipynb", "a.jsonl", "missing.jsonl", "a.txt"):
        with pytest.raises(ThreadError):
            store.import_(tmp_path / name)
    for nothing in ("", Path("")):
        with pytest.raises(UsageError, match="has no name"):
            store.import_(nothing)
    assert store.list() == []
    (tmp_path / "b.jsonl").write_text('{"role": "user", "content": "openai style"}\n')
    assert [m.text for m in store.import_(tmp_path / "b.jsonl").messages] == ["openai style"]


def test_assistants(store: ThreadStore, shared_data: Path) -> None:
    assert [a.id for a in store.assistants.list()] == ["jan"]
    assert store.assistants.get("JAN").path is None
    poet = store.assistants.create(
        "The Poet", instructions="Rhyme.", model="m", parameters={"temperature": "1.5"}
    )
    assert (poet.id, poet.parameters, poet.own) == ("the-poet", {"temperature": 1.5}, True)
    with pytest.raises(ThreadError, match="already"):
        store.assistants.create("the poet")
    poet = store.assistants.update("the poet", parameters={"top_p": 0.5, "temperature": None})
    assert poet.parameters == {"top_p": 0.5}
    assert poet.instructions == "Rhyme."
    assert poet.path is not None
    raw = json.loads(poet.path.read_bytes())
    poet.path.write_text(json.dumps({**raw, "theirs": {"kept": True}}))
    store.assistants.update("the-poet", name="Poet")
    assert json.loads(poet.path.read_bytes())["theirs"] == {"kept": True}

    thread = store.create("t", assistant="Poet")
    assert (thread.assistant, thread.model, thread.instructions) == ("the-poet", "m", "Rhyme.")
    assert [level.parameters for level in thread.levels()] == [{}, {"top_p": 0.5}]
    store.assistants.delete("Poet")
    with pytest.raises(ThreadNotFound):
        store.assistants.get("Poet")
    assert thread.levels()[1].parameters == {}

    theirs = ThreadStore(shared_data / "v0.6").assistants.get("jan")
    assert theirs.created == 1750945742.536
    assert theirs.model is None
    assert theirs.instructions.startswith("You have access")


def test_a_broken_assistant_hides_no_other(store: ThreadStore, tmp_path: Path) -> None:
    store.assistants.create("Good")
    path = tmp_path / "own/assistants/bad/assistant.json"
    path.parent.mkdir()
    path.write_text("{")
    assert {a.id: a.state for a in store.assistants.list()} == {"bad": "broken", "good": "ready"}
    with pytest.raises(ThreadBroken):
        store.assistants.get("bad")


def test_threads_cost_nothing_before_their_use() -> None:
    code = (
        "import sys, jan_jupyter.threads;"
        "print({'filelock', 'yaml', 'platformdirs', 'httpx2', 'IPython'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
