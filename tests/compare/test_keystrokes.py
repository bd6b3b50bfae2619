"""What is counted while somebody types: which model's text was shown, and which was taken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import jan_jupyter as jan
from jan_jupyter import api, bridge
from jan_jupyter.compare.comparison import runs
from jan_jupyter.compare.keystrokes import Completions
from jan_jupyter.workspace import Workspace

ONE = {"model": "one", "shown": 100, "taken": 40, "words": 90, "characters": 500, "seconds": 3.0}
OTHER = {"model": "other", "shown": 90, "taken": 10, "words": 9, "characters": 50, "seconds": 9.0}
PAIR = {"models": ["one", "other"], "offered": 80, "taken": [30, 8]}


@pytest.fixture
def workspace(isolated: Path) -> Workspace:
    return Workspace(isolated / "data")


def tell(workspace: Workspace, **counts: Any) -> int:
    body = json.dumps(counts).encode()
    request = api.Request("POST", "/completions/taken", body=body)
    return bridge.wait(api.respond(workspace, request)).status


def test_counts_add_up_and_are_a_run(workspace: Workspace) -> None:
    assert tell(workspace, models=[ONE, OTHER], pairs=[PAIR]) == 200
    assert tell(workspace, models=[{**ONE, "shown": 1, "taken": 1}]) == 200
    found = runs(workspace)["completions"]
    assert isinstance(found, Completions)
    one, other = found.models
    assert (one.model, one.shown, one.taken, one.seconds) == ("one", 101, 41, 6.0)
    assert (other.share, other.first) == (1 / 9, 0.1)
    assert [row["model"] for row in found.table()] == ["one", "other"]
    (listed,) = runs(workspace).list()
    assert (listed.name, listed.models, listed.calls) == ("completions", ("one", "other"), 0)


def test_it_tells_which_is_taken_more_often(workspace: Workspace) -> None:
    tell(workspace, models=[ONE, OTHER], pairs=[PAIR])
    (found,) = runs(workspace)["completions"].preferences()
    assert (found.offered, found.taken, found.word) == (80, (30, 8), "more")
    assert str(found).startswith("one is taken more often than other: 30 and 8 of 80 times")
    assert found.estimate is not None
    assert found.estimate.low is not None
    assert 0 < found.estimate.low < 22 / 80 < (found.estimate.high or 0)
    few = {**PAIR, "offered": 8, "taken": [3, 2], "models": ["one", "third"]}
    tell(workspace, models=[ONE], pairs=[few])
    _, second = runs(workspace)["completions"].preferences()
    assert second.word == "can't tell"
    assert "Can't tell which of one and third" in str(second)


def test_it_shows_itself(workspace: Workspace) -> None:
    tell(workspace, models=[ONE, {**OTHER, "model": "<b>\x1b[31m"}], pairs=[PAIR])
    found = runs(workspace)["completions"]
    lines = repr(found).splitlines()
    assert lines[0].split() == ["Model", "Shown", "Taken", "Words", "Characters", "First", "text"]
    assert lines[1].split() == ["one", "100", "40", "(40%)", "90", "500", "30", "ms"]
    assert "\x1b" not in repr(found)
    assert "<b>" not in found._repr_html_()
    assert "&lt;b&gt;" in found._repr_html_()
    assert found._repr_html_().count("<tr>") == 3


def test_a_comparison_of_that_name_keeps_its_answers(workspace: Workspace) -> None:
    asked = bridge.wait(jan.acompare("hi", ["jan-mini"], name="completions", workspace=workspace))
    assert len(asked) == 1
    tell(workspace, models=[ONE])
    assert isinstance(runs(workspace)["completions"], Completions)
    assert len(runs(workspace)["completions (2)"]) == 1


def test_it_is_passed_on_and_removed(workspace: Workspace, tmp_path: Path) -> None:
    tell(workspace, models=[ONE], pairs=[PAIR])
    kept = runs(workspace)
    before = kept["completions"].hours
    file = kept.export("completions", tmp_path / "run.jsonl")
    kept.delete("completions")
    assert "completions" not in kept
    assert kept.import_(file, "of yesterday").hours == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"models": []},
        {"models": [{**ONE, "taken": 101}]},
        {"models": [{**ONE, "shown": -1}]},
        {"models": [{**ONE, "seconds": 1e99}]},
        {"models": [{**ONE, "model": ""}]},
        {"models": [ONE], "pairs": [{**PAIR, "taken": [80, 1]}]},
        {"models": [ONE], "pairs": [{**PAIR, "models": ["one", "one"]}]},
        {"models": [ONE], "pairs": [{**PAIR, "models": ["one"]}]},
    ],
)
def test_numbers_that_cannot_be_are_refused(workspace: Workspace, wrong: dict[str, Any]) -> None:
    assert tell(workspace, **wrong) == 400
    assert not runs(workspace).list()
