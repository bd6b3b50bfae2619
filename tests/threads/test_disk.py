"""A disk that is full, or may not be written: one line each, and no answer is ever lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import jan_jupyter as jan
from jan_jupyter import bridge, errors
from jan_jupyter.threads import ThreadMessage, ThreadStore
from support.disk import full_disk
from support.jan import add_remote
from support.server import StreamingServer, tokens

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits and rights of Linux")

FIVE = "".join(tokens(5))


@pytest.fixture
def models(isolated: Path, server: StreamingServer) -> Iterator[Path]:
    add_remote(isolated / "jan", server, echo="echo", five="n=5", cut="n=10,cut=5")
    yield isolated / "jan"
    bridge.wait(jan.router.close())


def room_for_the_question(thread: jan.Thread) -> int:
    """Bytes that leave room for a question of one word, and not for its answer."""
    return (thread.folder / "messages.jsonl").stat().st_size + 500


def fill_head(thread: jan.Thread) -> None:
    """Make the description small beside the conversation, which alone shall meet the limit."""
    thread.append(ThreadMessage("user", "x" * 3000))
    thread.append(ThreadMessage("assistant", "y" * 3000))


def test_a_full_disk_takes_no_answer_away(models: Path, server: StreamingServer) -> None:
    talk = jan.Chat("five", thread="t")
    thread = jan.threads.get("t")
    fill_head(thread)
    talk.ask("one")
    before = (thread.folder / "messages.jsonl").read_bytes()
    with full_disk(room_for_the_question(thread)), pytest.raises(errors.ThreadBusy) as caught:
        talk.ask("two")
    kept = caught.value.reply
    assert isinstance(kept, jan.Reply)
    assert (kept.text, kept.finish, kept.error) == (FIVE, "stop", None)
    assert "full" in str(caught.value) or "large" in str(caught.value)
    lines = (thread.folder / "messages.jsonl").read_bytes().removeprefix(before)
    assert lines.count(b"\n") == 1  # the question; of the answer not even a part
    assert sorted(os.listdir(thread.folder)) == ["messages.jsonl", "thread.json"]

    talk.ask("three", model="echo")  # there is room again: what was owed is there, and was sent
    assert [m.text for m in thread.messages][-6:] == ["one", FIVE, "two", FIVE, "three", '"three"']
    sent = [m["content"] for m in server.journal()[-1].body["messages"]]
    assert sent[-3:] == ["two", FIVE, "three"]


def test_what_cannot_be_kept_is_not_even_asked(models: Path, server: StreamingServer) -> None:
    talk = jan.Chat("five", thread="t")
    thread = jan.threads.get("t")
    with full_disk(), pytest.raises(errors.ThreadBusy, match="cannot be written"):
        talk.ask("one")
    assert not thread.messages
    assert server.journal() == []
    talk.ask("one")
    assert [m.text for m in thread.messages] == ["one", FIVE]


def test_an_answer_that_was_cut_as_well_is_not_lost_either(models: Path) -> None:
    talk = jan.Chat("cut", thread="t")
    thread = jan.threads.get("t")
    fill_head(thread)
    with full_disk(room_for_the_question(thread)), pytest.raises(errors.StreamBroken) as caught:
        talk.ask("one")
    assert caught.value.partial == FIVE
    assert thread.messages[-1].text == "one"
    thread.append(ThreadMessage("user", "two"))
    answer, question = thread.messages[-2:]
    assert (answer.text, answer.status, question.text) == (FIVE, "error", "two")


def test_of_several_answers_none_is_lost_and_none_written_twice(models: Path) -> None:
    talk = jan.Chat("five", thread="t")
    thread = jan.threads.get("t")
    thread.append(ThreadMessage("user", "one"))
    thread.append(ThreadMessage("assistant", "y" * 8000))
    talk.regenerate()
    branches = (thread.folder / "branches.jsonl").stat().st_size
    with full_disk(branches + 300), pytest.raises(errors.ThreadBusy):  # room for the line alone
        talk.ask("two", n=3)
    first = thread.messages[-1]
    assert first.text == f"0:{FIVE}"
    talk.ask("three")
    versions = [thread.message(id).text for id in thread.versions(first.id)]
    assert versions == [f"{number}:{FIVE}" for number in range(3)]
    assert [m.text for m in thread.messages][-3:] == [first.text, "three", FIVE]


def test_a_full_disk_leaves_nothing_half_done(tmp_path: Path) -> None:
    store = ThreadStore(tmp_path / "own")
    source = tmp_path / "talk.jsonl"
    source.write_text('{"role": "user", "content": "hi"}\n')
    thread = store.create("there")
    thread.append(ThreadMessage("user", "q"))
    before = {path.name: path.read_bytes() for path in thread.folder.iterdir()}
    for attempt in (
        lambda: store.create("new"),
        lambda: store.import_(source),
        lambda: store.assistants.create("Poet"),
        lambda: thread.append(ThreadMessage("assistant", "a")),
        lambda: thread.rename("other"),
        lambda: thread.fork(thread.messages[0].id),
    ):
        with full_disk(), pytest.raises(errors.ThreadBusy, match=r"cannot be written.*room"):
            attempt()
    assert {path.name: path.read_bytes() for path in thread.folder.iterdir()} == before
    assert [listed.title for listed in store.list()] == ["there"]
    assert os.listdir(tmp_path / "own/threads") == [thread.id]
    assert os.listdir(tmp_path / "own/assistants") == []


def test_folders_that_cannot_be_written_are_told_in_one_line(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = jan.threads.create("t")
    monkeypatch.setenv("JAN_RUNTIME_FOLDER", "/dev/null/run")
    jan.settings.Jan.clear_instance()
    with pytest.raises(errors.SettingsError, match=r"/dev/null/run.*JAN_RUNTIME_FOLDER"):
        thread.append(ThreadMessage("user", "q"))
    with pytest.raises(errors.ThreadBusy, match="/dev/null/x/threads"):
        ThreadStore("/dev/null/x").create("t")


def test_a_home_that_is_read_only(tmp_path: Path) -> None:
    """In a process of its own, which gives up root's right to write everywhere."""
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    less = (  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE: from the next program on
        "import ctypes, os, sys\n"
        "ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)\n"
        "os.execv(sys.executable, [sys.executable, '-c', sys.argv[1]])\n"
    )
    code = (
        "import jan_jupyter as jan\n"
        "for more in {'thread': 't'}, {}:\n"
        "    try: jan.chat('hi', 'jan-mini', **more)\n"
        "    except jan.JanError as error: print(error)\n"
    )
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("JAN_", "XDG_"))}
    done = subprocess.run(
        [sys.executable, "-c", less, code],
        env=kept | {"HOME": str(home)},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    thread, run = done.stdout.splitlines()
    assert thread.startswith(f"{home}/.local/share/jan-jupyter/threads cannot be written: ")
    assert run.startswith(f"The runtime folder {home}/.local/state/jan-jupyter")
