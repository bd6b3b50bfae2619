"""The store of runs: what is kept, what takes whose place, what is given out again; refusals."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from compare.made import answer, small_grid
from jan_jupyter import ChatRequest, Message, Reply, bridge, errors
from jan_jupyter.compare.keeping import writer
from jan_jupyter.compare.keeping.store import Store
from jan_jupyter.compare.keeping.stored_runs import Run
from jan_jupyter.compare.values import Call, Row, Score
from jan_jupyter.structured import shape_of
from jan_jupyter.types import Timings, Usage
from support.disk import full_disk


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.close()


def keep(store: Store, run: Run, *rows: Row) -> list[bool]:
    async def all_() -> list[bool]:
        return await asyncio.gather(*(store.append(run, row) for row in rows))

    return bridge.wait(all_())


# What is kept


class City(BaseModel):
    name: str


def test_an_answer_comes_back_whole(store: Store, tmp_path: Path) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    asked = ChatRequest(
        (Message("system", "s"), Message("user", [{"type": "text", "text": "q\ud800"}, picture])),
        {"temperature": 0.5, "stop": ["x"]},
        tools=[{"type": "function", "function": {"name": "f", "parameters": {}}}],
        schema=City.model_json_schema(),
        extra={"x": [1, None]},
        priority="grid",
    )
    reply = Reply(
        '{"name": "Ü"}',
        "m",
        "openai",
        messages=(*asked.messages, Message("assistant", '{"name": "Ü"}', {"tool_calls": [{}]})),
        usage=Usage(1, 2, 3),
        timings=Timings(0.0, 1.5, None, 3.25, 1e-7, 2.0, 4.0, 5, 6, 7.0, 8, 9, 10),
        finish="tool_calls",
        reasoning="because",
        tool_calls=({"id": "1"},),
        request=asked,
        notes=("left out",),
        logprobs=({"token": "a", "logprob": -0.1},),
        reader=shape_of(City).read,
    )
    second = replace(
        reply, text='{"name": "B"}', messages=(*asked.messages, Message("assistant", "B"))
    )
    whole = replace(reply, others=(second,))
    rows = [
        Row(Call(0, 0), "k", whole, cold=True, reused=True, at=12.5, cost=0.25),
        Row(Call(0, 1), "l", None, "It failed.", at=13.0),
        Row(Call(1, 0), "m", Reply("part", "m", "e", error="cut off"), "It was cut.", at=14.0),
        Row(Call(1, 1), "n", Reply("no request", "m", "e", (Message("user", "q"),), finish="stop")),
    ]
    run = store.begin("study", small_grid())
    assert keep(store, run, *rows) == [True] * 4
    back = Store(tmp_path).rows(run)
    assert [replace(row, reply=None) for row in back] == [replace(row, reply=None) for row in rows]
    for one, other in zip(back, rows, strict=True):
        for a, b in zip(*(r.reply.choices if r.reply else () for r in (one, other)), strict=True):
            assert replace(a, reader=None, others=()) == replace(b, reader=None, others=())
    assert back[0].reply is not None
    assert back[0].reply.value == {"name": "Ü"}  # the class is gone, what it checks is not
    assert back[0].reply.request is back[0].reply.others[0].request


def test_what_was_asked_is_kept_once(store: Store) -> None:
    run = store.begin("study", small_grid(1, 50))
    picture = {"type": "image_url", "image_url": {"url": "data:" + "A" * 100_000}}
    asked = ChatRequest((Message("user", [picture]),))
    rows = [
        Row(Call(0, i), str(i), Reply("a", "m", "e", asked.messages, finish="stop", request=asked))
        for i in range(50)
    ]
    keep(store, run, *rows)
    store.close()
    assert store.path.stat().st_size < 300_000
    back = store.rows(run)
    assert len({id(row.reply.request) for row in back if row.reply}) == 1


def test_the_file_is_for_this_user_alone(store: Store) -> None:
    run = store.begin("study", small_grid())
    keep(store, run, answer())
    files = [*store.path.parent.iterdir()]
    assert store.path in files
    assert len(files) > 1  # SQLite's log of writes
    if os.name == "posix":
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700
        store.close()
        store.path.chmod(0o644)
        keep(store, run, answer(Call(1, 1)))
        assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_scores_and_notes(store: Store) -> None:
    run = store.begin("study", small_grid())
    keep(store, run, answer(), answer(Call(1, 1)))
    bridge.wait(store.score(run, Call(0, 0), "exact", Score(True)))
    bridge.wait(store.score(run, Call(0, 0), "exact", Score(False, "no")))
    store.score_all(run, {Call(1, 1): {"exact": Score(None, "failed"), "length": Score(0.5)}})
    assert [dict(row.scores) for row in store.rows(run)] == [
        {"exact": Score(False, "no")},
        {"exact": Score(None, "failed"), "length": Score(0.5)},
    ]
    with pytest.raises(errors.RunNotFound, match="no such row"):
        bridge.wait(store.score(run, Call(0, 1), "exact", Score(1)))
    votes = {"votes": [[0, "left"]], "ü": None}
    bridge.wait(store.note(run, "votes", votes))
    store.note_all(run, {"b": 1, "a": 2})
    assert store.noted(run, "votes") == votes
    store.note_all(run, {"votes": None, "b": 3})
    assert store.noted(run, "votes") is None
    assert [*store.notes(run).items()] == [("a", 2), ("b", 3)]  # the last word is behind


# What takes whose place


CUT, FILTERED = answer(finish="length"), answer(finish="content_filter")
FAILED, STOPPED = answer(error="It failed."), answer(finish="cancelled")
WHOLE = answer(text="whole")


@pytest.mark.parametrize(
    ("before", "after", "counts"),
    [
        (FAILED, WHOLE, True),
        (FAILED, CUT, True),
        (FAILED, answer(error="Again."), True),
        (CUT, WHOLE, True),
        (CUT, FILTERED, True),
        (CUT, FAILED, False),
        (WHOLE, FAILED, False),
        (WHOLE, STOPPED, False),
        (WHOLE, answer(text="later"), False),
    ],
)
def test_a_better_answer_takes_the_place(
    store: Store, before: Row, after: Row, counts: bool
) -> None:
    run = store.begin("study", small_grid())
    keep(store, run, before)
    store.score_all(run, {before.call: {"exact": Score(1)}})
    assert keep(store, run, after) == [counts]
    (row,) = store.rows(run)
    expected = after if counts else before
    assert (row.text, row.error) == (expected.text, expected.error)
    assert bool(row.scores) is not counts  # a score is of the answer that it was given for


def test_only_whole_answers_are_given_out_again(store: Store) -> None:
    run = store.begin("study", small_grid(6, 1))
    odd = {"cut": CUT, "filtered": FILTERED, "failed": FAILED, "stopped": STOPPED}
    rows = [replace(row, call=Call(i, 0), key=key) for i, (key, row) in enumerate(odd.items())]
    half = replace(WHOLE, key="half", reply=replace(WHOLE.reply, error="cut off"))  # type: ignore[type-var]
    keep(store, run, *rows, replace(half, call=Call(4, 0)), answer(Call(5, 0), key="whole"))
    found = store.find(["whole", "none", "half", *odd, "whole"])
    assert [*found] == ["whole"]
    assert found["whole"].reused
    assert found["whole"].reply == answer(Call(5, 0)).reply
    assert len(store.rows(run)) == 6
    assert len(store.calls(run)) == 4  # those with an answer, whole or not; `half` has an error


def test_the_newest_of_several_answers_is_given_out(store: Store) -> None:
    for name, at in (("a", 5.0), ("b", 9.0), ("c", 7.0)):
        run = store.begin(name, small_grid())
        keep(store, run, answer(text=name, key="same", at=at))
    assert store.find(["same"])["same"].text == "b"
    store.delete(store.run("b") or run)
    assert store.find(["same"])["same"].text == "c"


def test_many_keys_are_looked_up(store: Store) -> None:
    run = store.begin("study", small_grid(1300, 1))
    keep(store, run, *(answer(Call(i, 0), key=str(i)) for i in range(0, 1300, 2)))
    assert {*store.find(map(str, range(1300)))} == {str(i) for i in range(0, 1300, 2)}


# Runs


def test_a_run_goes_on_where_it_asked_the_same(store: Store, tmp_path: Path) -> None:
    run = store.begin("study", small_grid(2))
    keep(store, run, answer())
    other = Store(tmp_path)
    assert other.begin("study", small_grid(2, seed=5)) == run
    assert other.begin("study", small_grid(3, 3, repeats=2)) == run  # more of everything
    assert len(other.result(run).grid) == 18
    assert len(store.rows(run)) == 1
    fresh = store.begin("study", small_grid(3, 3, repeats=2), fresh=True)
    assert fresh.id != run.id
    assert store.rows(fresh) == []
    assert [(one.name, one.done) for one in store.listed()] == [("study", 0), ("study (2)", 1)]


def test_a_run_that_asked_something_else_keeps_its_answers(store: Store) -> None:
    run = store.begin("study", small_grid(2))
    keep(store, run, answer())
    for other in (small_grid(1), small_grid(2, system="x"), small_grid(2, parameters={"seed": 1})):
        assert store.begin("study", other).id != run.id
    assert [listed.name for listed in store.listed()] == [
        *("study", "study (4)", "study (3)", "study (2)")
    ]
    assert [row.text for row in store.rows(run)] == ["an answer"]


def test_runs_without_a_name(store: Store) -> None:
    run = store.begin("", small_grid(2))
    assert run.name[:2] == "20"
    assert store.begin("", small_grid(2)) == run
    other = store.begin("", small_grid(3))
    assert other.id != run.id
    assert other.name != run.name
    assert store.begin("", small_grid(2), fresh=True).id not in (run.id, other.id)


def test_a_run_that_is_gone(store: Store) -> None:
    run = store.begin("study", small_grid())
    keep(store, run, answer())
    store.delete(run)
    store.delete(run)
    for ask in (
        lambda: keep(store, run, answer()),
        lambda: store.result(run),
        lambda: store.rename(run, "x"),
        lambda: store.note_all(run, {"x": 1}),
    ):
        with pytest.raises(errors.RunNotFound, match="Run study is not there any more"):
            ask()
    assert store.rows(run) == []
    assert store.listed() == []


def test_what_was_deleted_is_not_in_the_file(store: Store) -> None:
    run = store.begin("study", small_grid())
    keep(store, run, answer(text="a secret of mine " * 50))
    store.delete(run)
    store.close()
    assert b"secret of mine" not in store.path.read_bytes()
    assert os.listdir(store.path.parent) == [store.path.name]


def test_a_store_that_nobody_has_written_is_empty(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert (store.listed(), store.run("x"), store.find(["k"])) == ([], None, {})
    assert not store.path.parent.exists()


# Who waits for whom


def test_the_loop_does_not_wait_for_the_disk(store: Store) -> None:
    """Another program holds the file, and only then lets it go: the loop turns meanwhile."""
    run = store.begin("study", small_grid())
    held = sqlite3.connect(store.path, isolation_level=None)
    held.execute("BEGIN IMMEDIATE")

    async def both() -> bool:
        kept = asyncio.ensure_future(store.append(run, answer()))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not kept.done()
        held.execute("ROLLBACK")
        return await kept

    assert asyncio.run(both())
    held.close()


def test_a_row_is_kept_although_nobody_waits_for_it(store: Store) -> None:
    run = store.begin("study", small_grid())
    held = sqlite3.connect(store.path, isolation_level=None)
    held.execute("BEGIN IMMEDIATE")

    async def stopped() -> None:
        task = asyncio.ensure_future(store.append(run, answer()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(stopped())
    held.execute("ROLLBACK")
    held.close()
    store.close()
    assert len(store.rows(run)) == 1


def test_one_thread_writes_and_ends_when_it_is_idle(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "IDLE", 1.0)
    before = {*threading.enumerate()}
    run = store.begin("study", small_grid())
    keep(Store(tmp_path), run, *(answer(Call(i % 2, i // 2)) for i in range(4)))
    (thread,) = [t for t in {*threading.enumerate()} - before if t.name == "jan-jupyter-runs"]
    thread.join(60)
    assert not thread.is_alive()
    assert os.listdir(store.path.parent) == [store.path.name]  # the log went into the file
    keep(store, run, answer())
    assert len(store.rows(run)) == 4


def test_one_that_cannot_be_kept_takes_no_other_down(store: Store) -> None:
    run = store.begin("study", small_grid())
    gone = store.begin("gone", small_grid())
    store.delete(gone)
    held = sqlite3.connect(store.path, isolation_level=None)
    held.execute("BEGIN IMMEDIATE")  # so that all three are written together

    async def three() -> list[Any]:
        rows = [(run, answer()), (gone, answer()), (run, answer(Call(1, 1)))]
        tasks = [asyncio.ensure_future(store.append(*one)) for one in rows]
        await asyncio.sleep(0)
        held.execute("ROLLBACK")
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, second, third = asyncio.run(three())
    held.close()
    assert (first, third) == (True, True)
    assert isinstance(second, errors.RunNotFound)
    assert len(store.rows(run)) == 2


def test_a_file_that_is_taken_away_is_made_anew(store: Store) -> None:
    store.begin("study", small_grid())
    for file in store.path.parent.iterdir():
        file.unlink()
    run = store.begin("again", small_grid())
    keep(store, run, answer())
    assert [listed.name for listed in store.listed()] == ["again"]


# Refusals


def test_a_store_of_a_newer_version_is_not_touched(store: Store, tmp_path: Path) -> None:
    run = store.begin("study", small_grid())
    store.close()
    with sqlite3.connect(store.path) as newer:
        newer.execute(f"PRAGMA user_version={writer.VERSION + 1}")
    newer.close()
    before = {file.name: file.read_bytes() for file in store.path.parent.iterdir()}
    for ask in (
        lambda: store.begin("study", small_grid()),
        lambda: keep(store, run, answer()),
        lambda: store.listed(),
        lambda: store.find(["k"]),
    ):
        with pytest.raises(errors.RunsUnreadable, match="newer version") as caught:
            ask()
        assert "\n" not in str(caught.value)
    assert {file.name: file.read_bytes() for file in store.path.parent.iterdir()} == before


@pytest.mark.parametrize("content", [b"no database" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_store_stays_as_it_is(store: Store, content: bytes) -> None:
    store.path.parent.mkdir(parents=True)
    store.path.write_bytes(content)
    for ask in (lambda: store.begin("study", small_grid()), lambda: store.listed()):
        with pytest.raises(errors.RunsUnreadable, match=r"runs\.sqlite .*move it away"):
            ask()
    assert store.path.read_bytes() == content


def test_a_database_of_somebody_else_stays_as_it_is(store: Store) -> None:
    store.path.parent.mkdir(parents=True)
    with sqlite3.connect(store.path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    before = store.path.read_bytes()
    with pytest.raises(errors.RunsUnreadable, match="no store of runs"):
        store.begin("study", small_grid())
    assert store.path.read_bytes() == before


def test_a_damaged_answer_is_an_error_of_its_own(store: Store) -> None:
    run = store.begin("study", small_grid())
    keep(store, run, answer(), answer(Call(0, 1)), answer(Call(1, 0)))
    with sqlite3.connect(store.path) as looked:
        looked.execute("UPDATE rows SET reply = '{' WHERE contestant = 1")
        looked.execute('UPDATE rows SET reply = \'{"text": "x", "new": 1}\' WHERE prompt = 1')
    looked.close()
    first, second, third = store.rows(run)
    assert first == answer()
    assert [row.ok for row in (second, third)] == [False, False]
    assert second.error.startswith("Its answer is damaged in the store (")
    assert [*store.find(row.key for row in (first, second, third))] == [first.key]
    with sqlite3.connect(store.path) as looked:
        looked.execute("UPDATE runs SET grid = '{}'")
    looked.close()
    with pytest.raises(errors.RunsUnreadable, match=r"Run study in .* is damaged"):
        store.result(run)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_a_full_disk_loses_nothing_that_was_stored(store: Store, tmp_path: Path) -> None:
    run = store.begin("study", small_grid(100))
    keep(store, run, answer(text="kept " * 1000))
    size = max(file.stat().st_size for file in store.path.parent.iterdir())
    with full_disk(size + 3000):
        with pytest.raises(errors.RunNotKept, match=r"disk is full.*was stored is kept") as no:
            keep(store, run, answer(Call(1, 0), "x" * 100_000))
        assert "\n" not in str(no.value)
        assert [row.text for row in Store(tmp_path).rows(run)] == ["kept " * 1000]
    assert keep(store, run, answer(Call(1, 0), "x" * 100_000)) == [True]
    store.close()
    assert [len(row.text) for row in store.rows(run)] == [5000, 100_000]


@pytest.mark.skipif(sys.platform != "linux", reason="rights of Linux")
@pytest.mark.parametrize("open_before", [True, False])
def test_a_folder_that_is_read_only(store: Store, tmp_path: Path, open_before: bool) -> None:
    """In a process of its own, which gives up root's right to write everywhere.

    What is there can be read, also where a killed process has left its log of writes.
    """
    run = store.begin("study", small_grid())
    keep(store, run, answer())
    if not open_before:
        store.close()
    folder = store.path.parent
    for file in folder.iterdir():
        file.chmod(0o400)
    folder.chmod(0o500)
    less = (  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE: from the next program on
        "import ctypes, os, sys\n"
        "ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)\n"
        "os.execv(sys.executable, [sys.executable, '-c', *sys.argv[1:]])\n"
    )
    code = (
        "import sys\nfrom compare.made import small_grid\n"
        "from jan_jupyter import JanError\nfrom jan_jupyter.compare.keeping.store import Store\n"
        "store = Store(sys.argv[1])\n"
        "print([(one.name, one.done) for one in store.listed()])\n"
        "try: store.begin('study', small_grid(9))\n"
        "except JanError as error: print(error)\n"
        "try: Store('/dev/null/x').begin('study', small_grid())\n"
        "except JanError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", less, code, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    folder.chmod(0o700)
    for file in folder.iterdir():
        file.chmod(0o600)
    assert done.stderr == ""
    read, refused, nowhere = done.stdout.splitlines()
    assert read == "[('study', 1)]"
    assert refused.startswith(f"{store.path} cannot be ")
    assert "rights" in refused
    assert nowhere.startswith("/dev/null/x/runs/runs.sqlite cannot be written: ")


def test_where_a_log_of_writes_does_not_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On what other machines share there is a journal instead, and all else is the same."""
    import psutil

    disk = psutil.disk_partitions(all=True)[0]._replace(
        mountpoint=str(tmp_path), fstype="nfs4", device="server:/home"
    )
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: [disk])
    store = Store(tmp_path)
    run = store.begin("study", small_grid())
    keep(store, run, answer())
    assert os.listdir(store.path.parent) == [store.path.name]
    with sqlite3.connect(store.path) as looked:
        assert looked.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    looked.close()
    assert len(Store(tmp_path).rows(run)) == 1
    store.close()
    monkeypatch.undo()
    assert not writer.is_shared(tmp_path)
    keep(Store(tmp_path), run, answer(Call(1, 1)))
    assert len(Store(tmp_path).rows(run)) == 2
