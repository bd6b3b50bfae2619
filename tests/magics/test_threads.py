"""`%%jan --thread` and `%jan threads` in a real kernel, with `jan.Chat` on the same thread."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jan_jupyter.threads import Thread, ThreadStore
from support.jan import add_remote
from support.kernel import Kernel
from support.server import StreamingServer, tokens

FIVE = "".join(tokens(5))
BEHAVIOURS = {"echo": "echo", "five": "n=5", "long": "n=2000,delay=0.01"}


@pytest.fixture(scope="module")
def notebook(
    tmp_path_factory: pytest.TempPathFactory, _streaming_server: StreamingServer
) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("notebook")
    with Kernel(folder=folder, env={"JPY_SESSION_NAME": "a.ipynb"}) as kernel:
        add_remote(kernel.data_folder, _streaming_server, **BEHAVIOURS)
        kernel.execute("%load_ext jan_jupyter\nimport jan_jupyter as jan")
        yield kernel


@pytest.fixture
def ask(notebook: Kernel, server: StreamingServer) -> Kernel:
    for name, behaviour in BEHAVIOURS.items():
        server.behave(name, behaviour)
    return notebook


def run(kernel: Kernel, code: str, cell: str | None = None) -> str:
    msg_id = kernel.send(code, cell_id=cell)
    result = kernel.result(msg_id)
    assert result.status == "ok", result.error
    return result.text or "\n".join(result.data())


def thread(kernel: Kernel, name: str) -> Thread:
    return ThreadStore(kernel.data_folder).get(name)


def texts(kernel: Kernel, name: str) -> list[str]:
    return [message.text for message in thread(kernel, name).messages]


def sent(server: StreamingServer) -> list[str]:
    return [m["content"] for m in server.journal()[-1].body["messages"]]


def test_cells_and_chats_see_one_conversation(ask: Kernel, server: StreamingServer) -> None:
    run(ask, "%%jan five --thread one -s 'Be brief.'\nfirst", "c1")
    run(ask, "talk = jan.Chat('five', thread='one'); _ = talk.ask('second')", "c2")
    run(ask, "%%jan --thread one\nthird", "c3")
    assert sent(server) == ["Be brief.", "first", FIVE, "second", FIVE, "third"]
    assert texts(ask, "one") == ["first", FIVE, "second", FIVE, "third", FIVE]
    assert run(ask, "print(len(talk.messages), talk.thread.title)") == "7 one\n"
    # A second process has written on; everybody here sees it.
    other = thread(ask, "one")
    other.fork(other.messages[2].id)
    assert run(ask, "print(len(talk.messages))") == "3\n"


def test_running_a_cell_again_replaces_its_turn(ask: Kernel, server: StreamingServer) -> None:
    for cell, prompt in (("a", "first"), ("b", "second"), ("a", "changed")):
        run(ask, f"%%jan five --thread again\n{prompt}", cell)
    assert sent(server) == ["changed"]
    assert texts(ask, "again") == ["changed", FIVE]
    run(ask, "%%jan five --thread again\nsecond", "b")
    assert sent(server) == ["changed", FIVE, "second"]
    # What was replaced is a branch, not lost.
    kept = thread(ask, "again")
    first = kept.versions(kept.messages[0].id)[0]
    kept.switch(first)
    assert texts(ask, "again") == ["first", FIVE, "second", FIVE]


def test_several_lines_of_one_cell_follow_each_other(ask: Kernel, server: StreamingServer) -> None:
    code = "for q in ('x', 'y'):\n    %jan --thread loop -m five {q}"
    for _ in range(2):
        run(ask, code, "loop")
        assert texts(ask, "loop") == ["x", FIVE, "y", FIVE]
    run(ask, "%%jan five\nalone", "other")
    for _ in range(2):
        run(ask, "for q in ('x', 'y'):\n    %jan -c -m five {q}", "loop2")
        assert sent(server) == ["alone", FIVE, "x", FIVE, "y"]


def test_a_cell_of_another_notebook_has_a_turn_of_its_own(ask: Kernel) -> None:
    run(ask, "%%jan five --thread both\nfirst", "same")
    run(ask, "import os; os.environ['JPY_SESSION_NAME'] = 'b.ipynb'")
    run(ask, "%%jan five --thread both\nsecond", "same")
    run(ask, "os.environ['JPY_SESSION_NAME'] = 'a.ipynb'")
    assert texts(ask, "both") == ["first", FIVE, "second", FIVE]


def test_a_stop_keeps_what_came(ask: Kernel, server: StreamingServer) -> None:
    msg_id = ask.send("%%jan long --thread stopped\nhi", cell_id="s")
    ask.wait_text(msg_id, tokens(3)[2])
    ask.interrupt()
    ask.result(msg_id)
    # The very next cell goes on with it.
    run(ask, "%%jan five --thread stopped\non", "s2")
    question, partial, on = sent(server)
    assert (question, on) == ("hi", "on")
    assert partial.startswith("".join(tokens(3)))
    assert thread(ask, "stopped").messages[1].status == "stopped"


def test_nothing_is_written_unless_a_thread_is_named(ask: Kernel) -> None:
    before = ThreadStore(ask.data_folder).list()
    run(ask, "%%jan five -c\nprivate", "p")
    run(ask, "%%jan five --thread draft --dry-run\nhi", "d")
    result = ask.execute("%%jan nobody --thread draft\nhi")
    assert result.error is not None
    assert result.error.ename == "ModelNotFound"
    assert ThreadStore(ask.data_folder).list() == before


def test_a_thread_outlives_its_kernel(tmp_path: Path, server: StreamingServer) -> None:
    with Kernel(folder=tmp_path) as kernel:
        add_remote(kernel.data_folder, server, five="n=5")
        kernel.execute("%load_ext jan_jupyter")
        run(kernel, "%%jan five --thread lasting\nfirst", "c1")
        kernel.restart()
        kernel.execute("%load_ext jan_jupyter")
        run(kernel, "%%jan --thread lasting\nsecond", "c2")
        assert sent(server) == ["first", FIVE, "second"]
        run(kernel, "%%jan --thread lasting\notherwise", "c1")
        assert texts(kernel, "lasting") == ["otherwise", FIVE]


def test_the_commands(ask: Kernel, tmp_path: Path) -> None:
    run(ask, "%%jan five --thread 'a name'\nfind the needle", "n")
    assert "a name" in run(ask, "%jan threads")
    assert "a name" in run(ask, "%jan threads NAME")
    assert run(ask, "%jan threads nowhere") == "No thread's title contains 'nowhere'."
    assert "find the needle" in run(ask, "%jan threads show 'a name'")
    assert "needle" in run(ask, "%jan threads search the needle")
    assert run(ask, "%jan threads rename 'a name' 'b name'") == "a name is now b name.\n"
    for suffix in ("md", "ipynb", "jsonl"):
        file = tmp_path / f"out.{suffix}"
        assert run(ask, f"%jan threads export 'b name' --to {file}") == f"Exported to {file}.\n"
        assert "find the needle" in file.read_text("utf-8")
    error = ask.execute(f"%jan threads export 'b name' --to {file}").error
    assert error is not None
    assert "there already" in error.evalue
    assert run(ask, f"%jan threads import {file}") == "Imported as out: 2 messages.\n"
    assert run(ask, "%jan threads rm out") == "out is deleted.\n"
    assert run(ask, "%jan threads out") == "No thread's title contains 'out'."
    error = ask.execute("%jan threads rm nobody").error
    assert error is not None
    assert error.ename == "ThreadNotFound"


def test_a_question_that_begins_like_the_command(ask: Kernel, server: StreamingServer) -> None:
    run(ask, "%jan use five")
    for question in ("threads or processes?", "threads show up as what?"):
        run(ask, f"%jan {question}")
        assert sent(server)[-1] == question


def test_what_is_shown_of_a_thread_is_harmless(ask: Kernel) -> None:
    stored = ThreadStore(ask.data_folder).create("harm")
    line = {"role": "assistant", "content": "<img src=x onerror=alert(1)>", "id": "1"}
    (stored.folder / "messages.jsonl").write_text(json.dumps(line) + "\n")
    result = ask.execute("%jan threads show harm")
    assert "<img" not in "".join(result.data("text/markdown"))


def test_completion(ask: Kernel) -> None:
    ThreadStore(ask.data_folder).create("my thread")
    for line in ("%%jan --thread ", "%jan threads show "):
        assert '"my thread"' in ask.complete(line)["matches"]
    assert "rename" in ask.complete("%jan threads re")["matches"]


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_a_full_disk_shows_the_whole_answer_and_keeps_it_for_later(ask: Kernel) -> None:
    """A limit of the kernel for the size of files, with room for the question alone."""
    fill = (
        "from jan_jupyter.threads import ThreadMessage\nimport resource\n"
        "full = jan.threads.create('full')\n"
        "full.append(ThreadMessage('user', 'x' * 10**6))\n"
        "full.append(ThreadMessage('assistant', 'y'))\n"
        "before = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "size = (full.folder / 'messages.jsonl').stat().st_size + 500\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))"
    )
    assert ask.execute(fill).status == "ok"
    result = ask.execute("%%jan five --thread full\ntwo")
    ask.execute("resource.setrlimit(resource.RLIMIT_FSIZE, before)")
    assert result.error is not None
    assert result.error.ename == "ThreadBusy"
    assert FIVE.strip() in result.data("text/markdown")[-1]
    assert "cut off" not in result.data("text/markdown")[-1]
    assert ask.execute("%%jan five --thread full\nthree").status == "ok"
    shown = ask.execute("print([m.text for m in full.messages][2:])").text
    assert shown.strip() == str(["two", FIVE, "three", FIVE])
