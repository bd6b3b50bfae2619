"""The runs of a workspace: listed, opened, joined, renamed, deleted, passed on."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from compare.made import answer, small_grid
from jan_jupyter import Workspace, bridge, errors
from jan_jupyter.compare.keeping.runs import Runs, RunTable
from jan_jupyter.compare.values import Call, Result, Row, Score
from jan_jupyter.markdown import safe


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(Workspace(tmp_path))


def fill(runs: Runs, name: str, *rows: Row, **grid: Any) -> Result:
    run = runs.store.begin(name, small_grid(**grid))
    for row in rows:
        bridge.wait(runs.store.append(run, replace(row, scores={})))
    runs.store.score_all(run, {row.call: row.scores for row in rows if row.scores})
    return runs.store.result(run)


def test_runs_are_those_of_the_workspace(runs: Runs, tmp_path: Path, isolated: Path) -> None:
    fill(runs, "study", answer())
    assert runs.store.path == tmp_path / "runs" / "runs.sqlite"
    assert len(Runs(Workspace(tmp_path / "other"))) == 0
    assert len(Runs()) == 0
    assert Runs().store.path == isolated / "jan" / "runs" / "runs.sqlite"


def test_a_run_is_opened_by_its_name_in_any_process(runs: Runs, tmp_path: Path) -> None:
    result = fill(runs, "Study", answer(), answer(Call(1, 0), error="It failed."))
    other = Runs(Workspace(tmp_path))
    assert other["Study"] == result
    assert other["study "] == result
    assert [*other] == ["Study"]
    assert "Study" in other
    assert "x" not in other
    with pytest.raises(errors.RunNotFound, match=r"no run 'stud'. Nearest: Study"):
        other["stud"]
    for name in ("", 5):
        with pytest.raises(errors.UsageError, match="name is text"):
            other[name]  # type: ignore[index]
    opened = Runs(Workspace(tmp_path), lambda store, run: (store.path, run.name))
    assert opened["Study"] == (runs.store.path, "Study")


def test_the_listing_says_what_there_is(runs: Runs) -> None:
    assert repr(runs).startswith("There are no runs yet")
    fill(runs, "first", answer(), answer(Call(1, 0), error="It failed."), repeats=2)
    fill(runs, "second", answer(), prompts=1, models=1)
    table = runs.list()
    assert isinstance(table, RunTable)
    assert [(one.name, one.done, one.failed, one.calls) for one in table] == [
        ("second", 1, 0, 1),
        ("first", 1, 1, 8),
    ]
    assert [one.name for one in runs.list("FIR")] == ["first"]
    assert [one.name for one in runs.list("model-1")] == ["first"]
    heads, second, first = repr(table).splitlines()
    assert heads.split() == ["Run", "Models", "Prompts", "Answers", "Failed", "Last"]
    assert first.split()[:8] == ["first", "model-0,", "model-1", "2", "×", "2", "1", "of"]
    assert second.split()[:4] == ["second", "model-0", "1", "1"]
    assert isinstance(table[:1], RunTable)
    assert repr(runs) == repr(table)


def test_names_are_only_text_in_every_form(runs: Runs) -> None:
    evil = "<script>alert(1)</script> | `a` *b* [c](javascript:d) \x1b[31m"
    fill(runs, evil, answer())
    plain, marked, page = repr(runs), runs._repr_markdown_(), runs._repr_html_()
    assert "\x1b" not in plain + marked + page
    assert "<script" not in marked + page
    assert marked.count("\n") == 2
    assert safe(marked) is not None
    row = marked.splitlines()[2]
    assert row.count("|") == 7
    tags: list[str] = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: Any) -> None:
            tags.append(tag)

    Tags().feed(page)
    assert {*tags} == {"table", "thead", "tbody", "tr", "th", "td"}


def test_rename_and_delete(runs: Runs) -> None:
    fill(runs, "a", answer(key="one"))
    fill(runs, "b", answer(key="two"))
    runs.rename("a", "  c  d ")
    assert [*runs] == ["b", "c d"]
    with pytest.raises(errors.RunError, match="There is a run b already"):
        runs.rename("c d", "b")
    with pytest.raises(errors.RunError, match="cannot be empty"):
        runs.rename("c d", " ")
    runs.delete("c d")
    assert [*runs] == ["b"]
    assert [*runs.store.find(["one", "two"])] == ["two"]
    with pytest.raises(errors.RunNotFound):
        runs.delete("c d")


# Joined


def test_parts_of_a_study_become_one(runs: Runs) -> None:
    """The same model with other prompts is one column, another model is one more."""
    fill(runs, "a", answer(text="a0"), prompts=1, models=1)
    grid = small_grid(3, 2)
    late = replace(grid, cases=grid.cases[1:])
    run = runs.store.begin("b", late)
    score = {"exact": Score(True)}
    for row in (answer(Call(0, 0), "b1"), answer(Call(1, 1), "b2")):
        bridge.wait(runs.store.append(run, row))
    runs.store.score_all(run, {Call(1, 1): score})
    joined = runs.join("a", "b", name="both")
    assert [*runs] == ["both", "b", "a"]
    assert [case.text for case in joined.grid.cases] == ["question 0", "question 1", "question 2"]
    assert [one.name for one in joined.grid.contestants] == ["model-0", "model-1"]
    assert [(row.call, row.text, dict(row.scores)) for row in joined.rows] == [
        (Call(0, 0), "a0", {}),
        (Call(1, 0), "b1", {}),
        (Call(2, 1), "b2", score),
    ]


def test_the_same_study_again_is_compared_with_the_first(runs: Runs) -> None:
    fill(runs, "before", answer(text="old"), answer(Call(0, 1), "same"), prompts=1)
    fill(runs, "after", answer(text="new"), prompts=1, models=1, parameters={"seed": 1})
    fill(runs, "later", answer(text="newer", key="k"), prompts=1, models=1)
    joined = runs.join("before", "after", "later")
    assert joined.name == "before + after + later"
    assert [one.name for one in joined.grid.contestants] == [
        *("model-0", "model-1", "model-0 · after", "model-0 · later")
    ]
    assert [one.parameters for one in joined.grid.contestants] == [{}, {}, {"seed": 1}, {}]
    assert [row.text for row in joined.rows] == ["old", "same", "new", "newer"]
    assert len(joined.grid.cases) == 1


def test_a_prompt_that_a_run_has_twice_stays_two(runs: Runs) -> None:
    grid = small_grid(3, 1)
    twice = replace(grid, cases=(grid.cases[0], replace(grid.cases[0], name="again")))
    run = runs.store.begin("twice", twice)
    for row in (answer(Call(0, 0), "first"), answer(Call(1, 0), "second")):
        bridge.wait(runs.store.append(run, row))
    late = runs.store.begin("late", replace(grid, cases=grid.cases[1:2]))
    bridge.wait(runs.store.append(late, answer(Call(0, 0), "late")))
    joined = runs.join("twice", "late")
    assert [case.text for case in joined.grid.cases] == ["question 0", "question 0", "question 1"]
    assert [(row.call.case, row.text) for row in joined.rows] == [
        *((0, "first"), (1, "second"), (2, "late"))
    ]
    assert len(joined.grid.contestants) == 1


def test_joining_takes_two(runs: Runs) -> None:
    fill(runs, "a", answer())
    with pytest.raises(errors.UsageError, match="It takes two runs"):
        runs.join("a")
    with pytest.raises(errors.RunNotFound):
        runs.join("a", "b")


# Passed on


def test_a_run_is_passed_on_whole(runs: Runs, tmp_path: Path) -> None:
    rows = (
        answer(text="a|\n\ud800ü", cold=True, cost=0.5, scores={"exact": Score(0.5, "why")}),
        answer(Call(1, 0), error="It failed.", reused=True),
        answer(Call(1, 1, 2), finish="length"),
    )
    result = fill(runs, "study", *rows, repeats=3, system="short")
    runs.store.note_all(runs.find("study"), {"votes": [{"case": 0}]})
    path = runs.export("study", tmp_path / "study.jsonl")
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert lines[0]["kind"] == "jan_jupyter run"
    assert sum("asks" in line for line in lines) == 2  # what was asked twice is there once
    other = Runs(Workspace(tmp_path / "other"))
    again = other.import_(path)
    assert again == result
    assert other.store.notes(other.find("study")) == {"votes": [{"case": 0}]}
    assert other.import_(str(path), "mine").name == "mine"
    assert other.import_(path).name == "study (2)"
    assert other.list("study")[1].run.created == runs.list()[0].run.created
    assert other.store.find([rows[0].key, rows[2].key])[rows[0].key].text == rows[0].text


def test_a_file_that_is_there_stays(runs: Runs, tmp_path: Path) -> None:
    fill(runs, "study", answer())
    path = tmp_path / "study.jsonl"
    path.write_text("mine")
    with pytest.raises(errors.UsageError, match="is there already"):
        runs.export("study", path)
    assert path.read_text() == "mine"
    assert runs.export("study", path, overwrite=True).read_text().startswith('{"kind"')
    with pytest.raises(errors.RunNotKept, match="cannot be written"):
        runs.export("study", "/dev/null/x.jsonl")


def test_of_a_damaged_file_nothing_is_taken(runs: Runs, tmp_path: Path) -> None:
    fill(runs, "study", answer(), answer(Call(1, 1)))
    path = runs.export("study", tmp_path / "study.jsonl")
    head, *rest = path.read_text("utf-8").splitlines()
    newer = json.dumps({**json.loads(head), "version": 99})
    last = json.loads(rest[-1])
    damaged = {
        "": "is empty",
        "{": "line 1: no part",
        '{"kind": "other"}': "line 1: no part",
        "[]": "line 1: no part",
        newer: "newer version",
        "\n".join([head, *rest[:-1], rest[-1][:40]]): f"line {len(rest) + 1}: no part",
        "\n".join([head, rest[-1]]): "line 2: no part",  # what was asked is missing
        "\n".join([head, *rest[:-1], json.dumps({**last, "case": 2})]): r"the grid has no \(2",
        "\n".join([head, *rest[:-1], json.dumps({**last, "reply": 5})]): "no part",
    }
    for text, line in damaged.items():
        path.write_text(text, "utf-8")
        with pytest.raises(errors.UsageError, match=line) as caught:
            runs.import_(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(errors.UsageError, match="cannot be read"):
        runs.import_(tmp_path / "none.jsonl")
    assert [*runs] == ["study"]
