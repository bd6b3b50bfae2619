"""What came of an answer is in its thread, however its writer ends."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import jan_jupyter as jan
from jan_jupyter import ask, bridge, errors
from jan_jupyter.threads import Record, Thread, ThreadMessage, ThreadStore, underway
from jan_jupyter.threads.lines import read_lines
from support.disk import full_disk
from support.jan import add_remote
from support.marks import LONG
from support.server import StreamingServer, tokens

from .leaving import KINDS, REQUEST, TARGET, TEXT, said

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such kill there")
SCRIPT = Path(__file__).with_name("leaving.py")
LIMIT = 700


@pytest.fixture
def thread(tmp_path: Path) -> Thread:
    thread = ThreadStore(tmp_path).create("talk")
    thread.append(ThreadMessage("user", "one"))
    thread.append(ThreadMessage("assistant", "First. ", model="m"))
    return thread


def killed(thread: Thread, kind: str, limit: int = LIMIT) -> str:
    """Have another process answer, and kill it in the middle; what it has left."""
    data_folder = thread.folder.parents[1]
    command = [sys.executable, str(SCRIPT), str(data_folder), thread.id, kind, str(limit)]
    done = subprocess.run(command, check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = underway.all_names(thread.folder)
    return left


def files_of(thread: Thread) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in thread.folder.iterdir()}


def texts(thread: Thread) -> list[str]:
    return [message.text for message in thread.messages]


def test_what_came_is_seen_at_once_and_written_with_the_next_turn(thread: Thread) -> None:
    left = killed(thread, "ask")
    before = files_of(thread)
    part = thread.messages[-1]
    assert (part.text, part.reasoning) == (TEXT[:LIMIT], TEXT[: LIMIT // 2])
    assert (part.status, part.model, part.engine) == ("pending", "m", "openai")
    assert texts(thread) == ["one", "First. ", "Why?", TEXT[:LIMIT]]
    assert [m.content for m in thread.conversation()] == texts(thread)
    assert thread.now() is thread.now()
    assert files_of(thread) == before  # to read is to write nothing

    thread.append(ThreadMessage("user", "And then?"))
    assert left not in files_of(thread)
    written, warnings = read_lines((thread.folder / "messages.jsonl").read_bytes())
    assert [m.text for m in written] == [*texts(thread)]
    assert not warnings
    assert texts(thread)[-2:] == [TEXT[:LIMIT], "And then?"]
    assert (part.id, part.created) == (thread.messages[-2].id, thread.messages[-2].created)
    again = ThreadStore(thread.folder.parents[1]).get("talk")
    assert texts(again) == texts(thread)


def test_an_answer_that_was_to_replace_another_or_to_stand_beside_it(thread: Thread) -> None:
    first = thread.messages[-1].id
    killed(thread, "regenerate")
    assert texts(thread) == ["one", TEXT[:LIMIT]]
    part = thread.messages[-1].id
    assert thread.versions(part) == (first, part)
    thread.switch(first)
    assert texts(thread) == ["one", "First. "]

    killed(thread, "column")
    assert texts(thread) == ["one", "First. "]
    *_, other = thread.versions(first)
    assert (thread.message(other).column, thread.message(other).text) == ("other", TEXT[:LIMIT])

    killed(thread, "edit")
    assert texts(thread) == ["Why not?", TEXT[:LIMIT]]
    thread.switch(first)
    assert texts(thread) == ["one", "First. "]
    assert thread.message(other).text == TEXT[:LIMIT]


def test_what_was_to_be_added_is_added_once(thread: Thread) -> None:
    left = killed(thread, "go_on")
    note = (thread.folder / left).read_bytes()
    assert texts(thread) == ["one", "First. " + TEXT[:LIMIT]]
    assert thread.messages[-1].status == "pending"
    thread.rename("other")
    (thread.folder / left).write_bytes(note)  # killed before it could be taken away
    assert texts(thread) == ["one", "First. " + TEXT[:LIMIT]]
    thread.rename("talk")
    assert not [*underway.all_names(thread.folder)]
    killed(thread, "go_on")
    assert texts(thread) == ["one", "First. " + TEXT[:LIMIT] * 2]


def test_an_answer_that_is_written_already_is_not_written_twice(thread: Thread) -> None:
    left = killed(thread, "ask")
    note = (thread.folder / left).read_bytes()
    part = thread.messages[-1].id
    thread.update(part, status="ready", content="All of it.")
    (thread.folder / left).write_bytes(note)
    assert texts(thread)[-1] == "All of it."
    thread.delete(part)  # and who removes it does not find it again
    assert texts(thread) == ["one", "First. ", "Why?"]


def test_what_has_lost_its_place_is_nobodys(thread: Thread) -> None:
    left = killed(thread, "ask")
    note = (thread.folder / left).read_bytes()
    question = thread.messages[-2].id
    thread.delete(question, thread.messages[-1].id)
    (thread.folder / left).write_bytes(note)
    assert texts(thread) == ["one", "First. "]
    thread.rename("other")
    assert not [*underway.all_names(thread.folder)]


def test_who_still_writes_is_left_alone(thread: Thread) -> None:
    data_folder = str(thread.folder.parents[1])
    command = [sys.executable, str(SCRIPT), data_folder, thread.id, "ask"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        assert texts(thread) == ["one", "First. ", "Why?"]
        thread.rename("other")
        assert len([*underway.all_names(thread.folder)]) == 1
        writer.kill()
        told = writer.stdout.read().split()
    assert len(thread.messages[-1].text) >= int(told[-1])


def test_who_was_taken_for_gone_ends_it_whole(
    thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a network's file system has no locks."""
    for kind, begins in (("ask", ""), ("go_on", TEXT[:400])):
        record = KINDS[kind](thread)
        record.begin(TARGET, REQUEST)
        record.keep(said(200))
        with monkeypatch.context() as patch:
            patch.setattr(underway, "_ours", set())
            patch.setattr(underway, "_is_held", lambda file: False)
            assert texts(thread)[-1] == begins + TEXT[:200]
            thread.rename(f"other {kind}")
        record.keep(said(300))
        record.end(said(400))
        assert texts(thread)[-1] == begins + TEXT[:400]
        assert thread.messages[-1].status == "ready"
        assert not [*underway.all_names(thread.folder)]


def test_a_file_that_tells_nothing_stops_nothing(thread: Thread) -> None:
    path = thread.folder / killed(thread, "ask")
    note = path.read_bytes()
    for damaged in (
        b"",
        b"\n",
        b"[]\n",
        b"{}\n" * 3,
        b"[" * 100_000 + b"\n",
        b"\xff\xfe\n" + note,
        note.replace(b'"to"', b'"from"'),
        note.replace(b'"role":"assistant"', b'"role":7'),
        note.replace(b'"place":{', b'"place":{"instead":[],'),
    ):
        path.write_bytes(damaged)
        found = ThreadStore(thread.folder.parents[1]).get("talk")
        assert texts(found) == ["one", "First. ", "Why?"]
        found.rename("talk")
        assert path.exists() == (damaged == b"")


def test_up_to_where_it_was_torn(thread: Thread) -> None:
    path = thread.folder / killed(thread, "ask")
    whole = path.read_bytes()
    for cut in (whole[:-1], whole[:-20], whole.rpartition(b"{")[0] + b"[1]\n" + whole[-30:]):
        path.write_bytes(cut)
        found = ThreadStore(thread.folder.parents[1]).get("talk").messages[-1]
        assert TEXT[: LIMIT - 20] in found.text
        assert TEXT.startswith(found.text)
        assert len(found.text) < LIMIT


def test_no_link_is_followed_and_no_pipe_waited_for(thread: Thread, tmp_path: Path) -> None:
    path = thread.folder / killed(thread, "ask")
    note = tmp_path / "note"
    path.rename(note)
    path.symlink_to(note)
    assert texts(thread) == ["one", "First. ", "Why?"]
    path.unlink()
    os.mkfifo(path)
    assert texts(thread) == ["one", "First. ", "Why?"]
    thread.append(ThreadMessage("user", "And then?"))
    assert note.exists()


def test_with_its_thread_it_goes(thread: Thread) -> None:
    killed(thread, "ask")
    ThreadStore(thread.folder.parents[1]).delete(thread.id)
    assert not thread.folder.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_a_disk_that_takes_nothing_ends_no_answer(thread: Thread) -> None:
    record = Record(thread, [ThreadMessage("user", "Why?")])
    record.begin(TARGET, REQUEST)
    with full_disk():
        record.keep(said(100))
    record.keep(said(200))
    (name,) = underway.all_names(thread.folder)
    note = thread.folder / name
    size = note.stat().st_size
    with full_disk(size + 50):  # a part of it fits
        record.keep(said(400))
        assert note.stat().st_size == size
    record.keep(said(600))
    (left,) = underway.read(thread.folder, [name])
    assert (left.message.text, left.message.reasoning) == (TEXT[:600], TEXT[:300])
    with full_disk(0), pytest.raises(errors.ThreadBusy):
        record.end(said(700))
    assert note.exists()  # until what is owed is written
    thread.append(ThreadMessage("user", "And then?"))
    assert texts(thread)[-2:] == [TEXT[:700], "And then?"]
    assert not note.exists()


def test_a_folder_that_may_not_be_written_ends_no_answer(
    thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Record(thread, [ThreadMessage("user", "Why?")])
    record.begin(TARGET, REQUEST)
    opened = os.open

    def refused(path: str, flags: int, *rest: int) -> int:
        if ".answer-" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, flags, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refused)
        record.keep(said(100))
        record.keep(said(200))
    record.end(said(300))
    record.keep(said(400))  # too late
    assert texts(thread)[-1] == TEXT[:300]
    assert not [*underway.all_names(thread.folder)]


@pytest.mark.parametrize("rounds", [5, pytest.param(100, marks=LONG)])
def test_what_was_kept_is_there_whenever_it_is_killed(thread: Thread, rounds: int) -> None:
    chance = random.Random(4711)
    command = [sys.executable, str(SCRIPT), str(thread.folder.parents[1]), thread.id]
    for number in range(rounds):
        kind = chance.choice([*KINDS])
        before = thread.messages[-1].text if kind == "go_on" else ""
        with subprocess.Popen([*command, kind], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            first = writer.stdout.readline()
            time.sleep(chance.uniform(0, 0.1))  # at any moment of its work
            writer.kill()
            told = first + writer.stdout.read()
        letters = len(before) + int(told.rpartition(b"\n")[0].split()[-1])
        tree = thread.now().tree
        said = [m.text for m in (*tree.line, *(off.message for off in tree.off))]
        parts = [text for text in said if len(text) >= letters]
        assert any((before + TEXT).startswith(text) for text in parts), (number, kind)
        thread.append(ThreadMessage("user", "And then?"))
        thread.append(ThreadMessage("assistant", "So. ", model="m"))
        assert not [*underway.all_names(thread.folder)]


def test_a_stream_keeps_what_comes(
    isolated: Path, server: StreamingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it is to be seen while all goes well, nor afterwards."""
    monkeypatch.setattr(ask, "KEPT_EVERY", 0.01)
    add_remote(isolated / "jan", server, long="n=400,delay=0.001", short="n=3")
    kept: list[tuple[int, int, list[str]]] = []
    note = underway.Note.write

    def write(self: underway.Note, text: str, reasoning: str) -> None:
        note(self, text, reasoning)
        thread = jan.threads.get("t")
        files = len([*underway.all_names(thread.folder)])
        kept.append((len(text), files, [m.role for m in thread.messages]))

    monkeypatch.setattr(underway.Note, "write", write)
    try:
        reply = jan.Chat("long", thread="t").ask("Why?")
        assert reply.text == "".join(tokens(400))
        assert kept
        assert kept == sorted(kept)
        assert {files for _, files, _ in kept} == {1}
        *before, last = (roles for *_, roles in kept)
        assert all(roles == ["user"] for roles in before)
        assert last in (["user"], ["user", "assistant"])  # it was written just now
        folder = jan.threads.get("t").folder
        assert sorted(os.listdir(folder)) == ["messages.jsonl", "thread.json"]
    finally:
        bridge.wait(jan.router.close())
