"""`jan.compare` on a real server, and all that its value offers."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import re
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import jan_jupyter as jan
from jan_jupyter import bridge, errors
from jan_jupyter.commands.options import compares, parameters_of
from jan_jupyter.compare import records
from jan_jupyter.compare.determinism import certificates
from jan_jupyter.compare.grids import source
from jan_jupyter.compare.keeping.store import Store
from jan_jupyter.compare.running import facts
from jan_jupyter.compare.running.budget import Budget
from jan_jupyter.compare.running.prices import Price, table
from jan_jupyter.compare.running.progress import Progress
from jan_jupyter.compare.scoring.judge import Judge
from jan_jupyter.compare.session import Session
from jan_jupyter.compare.values import Call, Case, Contestant, Grid, Result, Row, Score
from jan_jupyter.compare.widening import budget_of, extended, gridded
from jan_jupyter.magics.options import parse_cell
from jan_jupyter.settings import settings
from jan_jupyter.types import Message, Usage
from support.jan import add_remote
from support.random_model import write_adapter
from support.server import StreamingServer, tokens

BEHAVIOURS = {"echo": "echo", "five": "n=5", "broken": "error=invalid_request"}
FIVE = "".join(tokens(5))


@pytest.fixture(autouse=True)
def models(isolated: Path, server: StreamingServer) -> Iterator[None]:
    add_remote(isolated / "jan", server, **BEHAVIOURS)
    yield
    bridge.wait(jan.router.close())


def asked(server: StreamingServer) -> int:
    return len(server.journal())


def small(**more: Any) -> jan.Comparison:
    return jan.compare(["Red", "Blue"], ["echo", "five"], **more)


# As a value ---------------------------------------------------------------------------------------


def test_a_grid_becomes_a_value(server: StreamingServer) -> None:
    made = small(repeats=2, name="colours")
    assert (len(made), asked(server), made.name) == (8, 8, "colours")
    assert [row.call for row in made] == [*made.grid.calls()]
    assert [row.text for row in made["echo"]] == ['"Red"', '"Red"', '"Blue"', '"Blue"']
    assert made["Blue", "echo"].text == made[1, 0].text == '"Blue"'
    assert made["Blue", "five", 1].call == Call(1, 1, 1)


def test_a_name_that_is_not_there_is_one_line_with_those_that_are() -> None:
    made = small()
    for wrong in ("ecko", 7, ("Rad", "echo"), ("Red", "ecko"), ("Red", "echo", 1), ("Red",)):
        with pytest.raises(errors.UsageError) as caught:
            made[wrong]
        assert "\n" not in str(caught.value)
    with pytest.raises(errors.UsageError, match="there is: 'echo'"):
        made["ecko"]


def test_the_same_again_asks_nothing(server: StreamingServer) -> None:
    before = small()
    again = small()
    assert asked(server) == 4
    assert [row.text for row in again] == [row.text for row in before]
    assert again.name == before.name
    assert len(small(fresh=True)) == 4
    assert asked(server) == 8


def test_an_error_is_a_row_and_is_asked_again(server: StreamingServer) -> None:
    made = jan.compare("Red", ["echo", "broken"])
    assert [row.ok for row in made] == [True, False]
    assert "BadRequest" in made["Red", "broken"].error
    server.behave("broken", "n=5")
    assert made.retry() is made
    assert made["Red", "broken"].text == FIVE
    assert asked(server) == 3
    assert all(row.ok for row in jan.runs[made.name])


def test_what_was_cut_is_not_asked_again_to_make_it_larger(server: StreamingServer) -> None:
    server.behave("five", "n=5,finish=length")
    made = small()
    more = made.more(["Green"], repeats=1)
    assert (len(more), asked(server)) == (12, 12)
    assert [case.name for case in more.grid.cases] == ["Red", "Blue", "Green"]
    assert more.name == made.name
    assert more["Red", "five"].at == made["Red", "five"].at


def test_more_models_and_nothing_more() -> None:
    made = small()
    more = made.more(models=[("calm", "five", {"temperature": 0})])
    assert [one.name for one in more.grid.contestants] == ["echo", "five", "calm"]
    for options in ({}, {"models": ["echo"]}, {"repeats": -1}):
        with pytest.raises(errors.UsageError):
            made.more(**options)


def test_it_is_opened_in_another_kernel() -> None:
    made = small(name="kept", scorers=["contains:Red"])
    made.vote("Red", "echo")
    jan.runs.store.close()
    opened = jan.runs["kept"]
    assert [row.text for row in opened] == [row.text for row in made]
    assert opened.table() == made.table()
    assert opened.votes == made.votes
    assert opened.grid == made.grid


# Taking along -------------------------------------------------------------------------------------


def test_records_have_variables_and_scores_under_names_of_their_own() -> None:
    made = jan.compare(
        "Say {text}, {city}",
        "echo",
        variables={"text": ["a"], "city": ["Rome", "Bern"]},
        scorers={"city": lambda text: "Rome" in text, "good": lambda text: len(text)},
    )
    first, second = made.table()
    assert [*first] == [*records.FIELDS, "variable_text", "city", "score_city", "good"]
    assert (first["variable_text"], first["city"]) == ("a", "Rome")
    assert (first["score_city"], second["score_city"]) == (True, False)
    assert first["good"] == len(first["text"])


def test_the_index_of_a_frame_comes_back() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"city": ["Rome", "Bern"]}, index=["x", "y"])
    made = jan.compare("Where is {city}?", ["echo", "five"], variables=frame)
    back = made.to_pandas()
    assert [*back.index] == ["x", "x", "y", "y"]
    frame["answer"] = back[back.contestant == "echo"].text
    assert [*frame.answer] == ['"Where is Rome?"', '"Where is Bern?"']
    assert [*made.to_polars()["index"]] == ["x", "x", "y", "y"]
    assert made.to_arrow().column("index").to_pylist() == ["x", "x", "y", "y"]


def test_an_index_of_levels_and_of_days_comes_back_too() -> None:
    """In the kernel that asked, in another one, and by the code: a join finds each row."""
    pandas = pytest.importorskip("pandas")
    levels = pandas.MultiIndex.from_tuples([("EU", "it"), ("EU", "ch")], names=["part", "code"])
    # Winter and summer: two distances from UTC in one zone.
    days = pandas.DatetimeIndex(["2026-01-01", "2026-07-01"], tz="Europe/Rome", name="day")
    for name, index, columns in (("levels", levels, ["part", "code"]), ("days", days, ["day"])):
        frame = pandas.DataFrame({"city": ["Rome", "Bern"], "index": [1, 2]}, index=index)
        made = jan.compare("Where is {city}?", ["echo"], variables=frame, name=name)
        opened = jan.runs[name]
        assert again(made.code()) == made.grid == opened.grid
        for one in (made, opened):
            back = one.to_pandas()
            assert back.index.equals(index)
            assert [*back.index.names] == columns
            both = frame.join(back[["text"]])
            assert [*both.text] == ['"Where is Rome?"', '"Where is Bern?"']
            assert one.to_polars().columns[: len(columns)] == columns
            assert one.to_arrow().column_names[: len(columns)] == columns
            assert one[index[1], "echo"].text == '"Where is Bern?"'
    assert "EU · it" in repr(jan.runs["levels"])


def test_a_column_that_is_called_index_stays() -> None:
    made = jan.compare("{index}", ["echo"], variables=[{"index": "a"}, {"index": "b"}])
    assert [*made.to_polars()["index"]] == ["a", "b"]
    assert [*made.to_polars()["index_index"]] == [0, 1]


def test_columns_of_mixed_values_are_text_in_frames() -> None:
    made = jan.compare(["a", "b"], "echo", expected=["one", 2])
    assert made.to_polars()["expected"].to_list() == ["one", "2"]
    assert made.to_arrow().column("expected").to_pylist() == ["one", "2"]


@pytest.mark.parametrize("name", ["pandas", "polars", "pyarrow", "altair"])
def test_a_package_that_is_not_there_is_one_line(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = small()
    monkeypatch.setitem(__import__("sys").modules, name, None)
    ask = {"pandas": made.to_pandas, "polars": made.to_polars, "pyarrow": made.to_arrow}
    with pytest.raises(errors.UsageError, match=f"pip install {name}"):
        ask.get(name, made.plot)()


def test_it_is_saved_in_five_forms(tmp_path: Path) -> None:
    made = small(scorers=["contains:Red"], name="<saved>")
    read = csv.DictReader(made.save(tmp_path / "x.csv").read_text("utf-8").splitlines())
    assert [line["text"] for line in read] == [row.text for row in made]
    lines = made.save(tmp_path / "x.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["text"] for line in lines] == [row.text for row in made]
    listed = json.loads(made.save(tmp_path / "x.json").read_text("utf-8"))
    assert listed == [*map(json.loads, lines)]
    assert "echo" in made.save(tmp_path / "x.md").read_text("utf-8")
    page = made.save(str(tmp_path / "x.html")).read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "<saved>" not in page
    head = page.partition("</head>")[0].partition("<style")[0]
    assert "default-src 'none'" in head  # nothing is fetched, and no script runs but its own
    assert not any(word in head for word in ("<link", "<script", "@import"))
    with pytest.raises(errors.UsageError, match=r"\.csv, \.json, \.jsonl, \.md or \.html"):
        made.save(tmp_path / "x.xlsx")
    with pytest.raises(errors.CannotWrite):
        made.save(tmp_path / "no" / "x.csv")


def test_it_is_plotted_where_altair_is() -> None:
    pytest.importorskip("altair")
    made = small(scorers={"long": lambda text: len(text)})
    assert {layer["mark"]["type"] for layer in made.plot("long").to_dict()["layer"]} == {
        "circle",
        "tick",
    }
    assert made.plot("long", "total").to_dict()["mark"]["type"] == "circle"
    with pytest.raises(errors.UsageError, match="no number 'text'"):
        made.plot("text")


# Asking for it again ------------------------------------------------------------------------------


def again(code: str) -> Grid:
    """The grid that code asks for."""
    found: list[Grid] = []

    class Package:
        def compare(self, prompts: Any, models: Any, **options: Any) -> None:
            left_out = {"name", "scorers"}
            asked = {k: v for k, v in options.items() if k not in left_out}
            found.append(gridded(prompts, models, **asked))

    lines = [line for line in code.splitlines() if line != "import jan_jupyter as jan"]
    exec("\n".join(lines), {"jan": Package()})
    return found[0]


GRIDS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "texts": (["Say \"it's\"", "b\nc"], ["echo", "five"], {"repeats": 2, "seed": 3}),
    "one": ("a", "echo", {"parameters": {"temperature": 0.5, "stop": ["x"]}}),
    "axes": ("a", ["echo", "five"], {"parameters": {"temperature": [0, 0.7]}}),
    "own": ("a", [("n", "echo", {"stop": ["x", "y"]}, {"ctx_len": 512})], {}),
    "lists": ("a", "echo", {"parameters": {"logit_bias": [[[1, 2]], [[3, 4]]]}}),
    "system": (["a", "b"], "echo", {"system": "Be brief.", "expected": ["x", None]}),
    "messages": ([[Message("system", "a"), Message("user", "b")]], "echo", {}),
    "template": ("{x}!", "echo", {"variables": {"x": [1, "b"]}, "expected": "x"}),
    "instructed": ("a", [("n", "echo", {"system": "Be brief."}), {"model": "five"}], {}),
    "instructions": ("a", "echo", {"parameters": {"system": ["Be brief.", "Be kind.", None]}}),
    "instructed twice": ("a", [("n", "echo", {"system": "a"}), "five"], {"system": "b"}),
    "named": ({"first": "a", "second": "b"}, "echo", {}),
}  # fmt: skip


@pytest.mark.parametrize("name", GRIDS)
def test_the_code_gives_the_same_grid(name: str) -> None:
    prompts, models, options = GRIDS[name]
    grid = gridded(prompts, models, **options)
    assert again(source.python(grid, "run", ["exact"])) == grid


def test_a_function_that_was_rewritten_scores_anew() -> None:
    def first(text: str) -> bool:
        return "Red" in text

    def other(text: str) -> bool:
        return "Blue" in text

    first.__name__ = other.__name__ = "good"
    made = small(scorers=[first])
    assert [row.scores["good"].value for row in made["echo"]] == [True, False]
    made.score(other)
    assert [row.scores["good"].value for row in made["echo"]] == [False, True]


def test_the_code_names_scorers() -> None:
    def polite(text: str) -> bool:
        return "please" in text

    made = small(scorers=["contains:Red", polite])
    assert "scorers=['contains:Red', polite]" in made.code()
    made = small(scorers={"red": "contains:Red", "polite": polite})
    assert "scorers={'red': 'contains:Red', 'polite': polite}" in made.code()


def test_a_contestant_has_instructions_of_its_own(server: StreamingServer, tmp_path: Path) -> None:
    models = [("pirate", "echo", {"system": "Be a <pirate>."}), "echo"]
    made = jan.compare("Red", models, system="Be brief.", name="instructed")
    bodies = {str(entry.body["messages"][0]["content"]) for entry in server.journal()}
    assert bodies == {"Be a <pirate>.", "Be brief."}
    assert len({row.key for row in made}) == 2
    assert [line["system"] for line in made.table()] == ["Be a <pirate>.", "Be brief."]
    assert "{'system': 'Be a <pirate>.'}" in made.code()
    assert jan.runs["instructed"].grid == made.grid
    made.more(["Blue"])
    assert asked(server) == 4
    for text in (repr(made), made.save(tmp_path / "x.html").read_text("utf-8")):
        assert "pirate: echo · system “Be a" in text
    assert "<pirate>" not in made._repr_html_() + made._repr_markdown_()
    assert made.thread("Red", "pirate").ask("Blue").text == '"Blue"'
    first, *_ = server.journal()[-1].body["messages"]
    assert first == {"role": "system", "content": "Be a <pirate>."}
    with pytest.raises(errors.UsageError, match="A cell has no names"):
        jan.compare("Red", models).code(cell=True)


def test_a_thread_is_asked_again_with_instructions_of_ones_own(server: StreamingServer) -> None:
    turns = (
        (Message("system", "Be brief."), Message("user", "Red")),
        (Message("system", "Be long."), Message("user", "Blue")),
    )
    jan.compare(Case("thread", turns), [("kind", "echo", {"system": "Be kind."})])
    said = [m["content"] for m in server.journal()[-1].body["messages"]]
    assert said == ["Be kind.", "Red", '"Red"', "Blue"]


def test_the_cell_is_given_where_one_can_say_it() -> None:
    made = jan.compare("a {b}", ["echo", "five"], repeats=2, system="Be brief.", name="c")
    assert made.code(cell=True) == (
        "%%jan --raw -m echo -m five --repeat 2 -s 'Be brief.' --as c\na {b}"
    )
    for other in (["a", "b"], ["echo"]), ("a", [("nick", "echo")]), ("a", ["echo", ("n", "five")]):
        with pytest.raises(errors.UsageError, match=r"\.code\(\)"):
            source.cell(gridded(*other))


CELLS: list[tuple[Any, dict[str, Any]]] = [
    (["echo", "five"], {"parameters": {"temperature": [0, 0.7], "max_tokens": 5}}),
    ("echo", {"parameters": {"temperature": [0, 0.7], "ctx_len": [512, 1024]}, "repeats": 3}),
    ("echo", {}),
    ("echo", {"parameters": {"stop": [["a", "b"], ["c d"]]}}),
]


@pytest.mark.parametrize(("models", "options"), CELLS)
def test_the_cell_asks_the_same(models: Any, options: Any) -> None:
    grid = gridded("a", models, **options)
    line, text = source.cell(grid).split("\n")
    parsed = parse_cell(line.removeprefix("%%jan "))
    assert compares(parsed)
    parameters = {**parameters_of(parsed), **dict(parsed.sweeps)}
    repeats = parsed.repeat or 1
    assert gridded([text], parsed.models, parameters=parameters, repeats=repeats) == grid


def test_a_run_that_is_opened_is_scored_as_before(server: StreamingServer) -> None:
    made = small(scorers={"red": "contains:Red", "own": lambda text: bool(text)}, name="run")
    made.score("exact")
    opened = jan.runs["run"]
    assert "scorers={'red': 'contains:Red', 'exact': 'exact'}" in opened.code()
    more = opened.more("Red, too")
    assert all({"red", "exact"} <= row.scores.keys() for row in more)


# Judging ------------------------------------------------------------------------------------------


def test_scores_are_added_and_kept(server: StreamingServer) -> None:
    made = small(name="scored")
    with pytest.raises(errors.UsageError, match=r"\.score\("):
        made.verdicts()
    assert made.score("contains:Red") is made
    assert made["Red", "echo"].scores
    (name,) = made["Red", "echo"].scores
    assert jan.runs["scored"]["Red", "echo"].scores[name].value is True
    made.score(lambda text: text.nothing)
    row = made["Red", "five"]
    assert [score.value for score in row.scores.values()][1:] == [None]
    assert asked(server) == 4


def test_a_verdict_ranks_nothing_inside_the_noise() -> None:
    pytest.importorskip("scipy")
    prompts = [f"prompt {n}" for n in range(20)]
    made = jan.compare(prompts, ["echo", "five"], scorers={"says": lambda text: "prompt" in text})
    (verdict,) = made.verdicts()
    assert (verdict.contestant, verdict.word) == ("five", "worse")
    assert made.verdicts(baseline="five")[0].word == "better"
    made.assert_not_worse("five", "echo", margin=0.1)
    with pytest.raises(AssertionError, match="five is worse than echo"):
        made.assert_not_worse("echo", "five", margin=0.1)
    few = small(scorers={"says": lambda text: "Red" in text})
    assert few.verdicts()[0].word == "can't tell"
    with pytest.raises(AssertionError, match="Can't tell"):
        few.assert_not_worse("five", "echo", margin=0.1)
    with pytest.raises(errors.UsageError):
        few.assert_not_worse("echo", "echo", margin=0.1)


def test_what_failed_is_no_proof_of_being_as_good() -> None:
    made = jan.compare("Red", ["echo", "broken"], scorers=["contains:Red"])
    with pytest.raises(AssertionError, match="1 calls of broken failed"):
        made.assert_not_worse("echo", "broken", margin=1)


def test_votes_are_kept() -> None:
    made = jan.compare(["Red", "Blue"], ["echo", "five", ("calm", "five", {"temperature": 0})])
    made.vote("Red", "five")
    assert [(v.left, v.right, v.verdict, v.by) for v in made.votes] == [
        (1, 0, "left", "you"),
        (1, 2, "left", "you"),
    ]
    made.vote(made["Blue", "echo"], "tie", "echo", "calm", by="Ada")
    assert (made.votes[-1].case, made.votes[-1].verdict, made.votes[-1].by) == (1, "tie", "Ada")
    made.vote(1, "both_bad", "echo", "five")
    made.vote("Red", "echo", "five", by="you")  # a later word
    assert [(v.case, v.verdict) for v in made.votes if {v.left, v.right} == {0, 1}] == [
        (1, "both_bad"),
        (0, "left"),
    ]
    assert made.votes.raters == {"you": 3, "Ada": 1}
    assert repr(made.votes) == "<4 votes: 3 by you, 1 by Ada>"
    assert jan.runs[made.name].votes == made.votes
    alone = jan.compare("Red", ["echo", "broken"])
    for winner in ("echo", "tie", "nobody"):
        with pytest.raises(errors.UsageError):
            alone.vote("Red", winner)


def test_votes_make_a_ranking() -> None:
    pytest.importorskip("evalica")
    made = jan.compare([f"p{n}" for n in range(12)], ["echo", "five"])
    with pytest.raises(errors.UsageError, match="Nobody has voted"):
        made.votes.ranking()
    with pytest.raises(errors.UsageError, match="Nobody has voted"):
        made.votes.agreement()
    for n in range(12):
        made.vote(n, "five")
    ranked = made.votes.ranking()
    assert [*ranked] == ["five", "echo"]
    assert (ranked["five"].ahead, ranked["echo"].ahead) == (1, 0)
    assert made.votes.ranking(baseline="five")["echo"].ahead == -1


def test_a_judge_votes_in_both_orders(server: StreamingServer) -> None:
    made = jan.compare(["Red", "Blue"], ["echo", "five"])
    before = asked(server)
    judged = made.judge("five")
    assert len(judged.judgements) == 2
    assert {one.verdict for one in judged.judgements} == {None}  # it writes no verdict
    assert (len(made.votes), repr(made.votes)) == (0, "<no votes>")
    assert asked(server) > before + 2


def test_repeats_tell_how_stable_answers_are(server: StreamingServer) -> None:
    made = small(repeats=3, scorers={"red": lambda text: "Red" in text})
    found = made.repeats.stability()["Red", "echo"]
    assert [str(variant) for variant in found.variants] == ['"Red" ×3']
    assert made.repeats.passes(2, "red")["echo"] == (0.5, 0.5, 2)
    assert made.repeats.passes(3, "red")["five"] == (0, 0, 2)
    for k in (0, 4):
        with pytest.raises(errors.UsageError):
            made.repeats.passes(k, "red")


def test_identical_answers_are_proven(server: StreamingServer) -> None:
    made = jan.compare(["Red", "Blue"], ["echo", "broken"])
    echo, broken = made.deterministic(3)
    assert (echo.proven, str(echo)) == (True, "echo: 3 identical answers to each of 2 prompts.")
    assert not broken.proven
    assert broken.cause.startswith("6 calls failed, the first with: BadRequest")
    assert [e.body.get("seed") for e in server.journal() if e.body["model"] == "echo"] == [
        None
    ] * 2 + [1] * 6
    drawn = jan.compare("Red", "echo", parameters={"seed": -1})  # which means any
    drawn.deterministic(2)
    assert [e.body.get("seed") for e in server.journal()][-2:] == [1, 1]
    with pytest.raises(errors.UsageError, match="two of them"):
        made.deterministic(1)


def test_a_model_that_is_loaded_here_is_asked_by_one_slot_without_a_cache() -> None:
    made = jan.compare("Name a colour.", "jan-mini", parameters={"temperature": 1.5})
    (found,) = made.deterministic(3)
    assert found.proven, found
    (kept,) = [name for name in jan.runs if name.endswith("identical?")]
    request = jan.runs[kept][0][0].reply.request
    assert (request.parameters["seed"], request.parameters["cache_prompt"]) == (1, False)
    bridge.wait(jan.router.unload("jan-mini"))


def test_adapters_are_columns_too(tmp_path: Path) -> None:
    file = jan.models.get("jan-mini").file
    assert file is not None
    adapter = write_adapter(tmp_path / "lora.gguf", file)
    models = [
        "jan-mini",
        ("adapted", "jan-mini", {}, {"lora": str(adapter)}),
        ("gone", "jan-mini", {}, {"lora": "no.gguf"}),
    ]
    options = {"temperature": 0, "max_tokens": 24}
    made = jan.compare("What is 7 + 5?", models, parameters=options)
    plain, adapted, gone = (made[0, place] for place in range(3))
    assert plain.ok
    assert adapted.ok, adapted.error
    assert plain.text != adapted.text
    assert "the adapter no.gguf, which is no file" in gone.error
    write_adapter(adapter, file, strength=2)  # another one
    again = jan.compare("What is 7 + 5?", models[:2], parameters=options)
    assert [row.reused for row in again] == [True, False]
    assert again[0, 1].text != adapted.text
    bridge.wait(jan.router.unload("jan-mini"))


@pytest.mark.parametrize(
    ("local", "note", "says"),
    [
        (True, "", "adds up numbers in another order"),
        (False, "", "does not keep to it"),
        (False, "seed was left out.", r"no seed was taken \(seed was left out\)"),
    ],
)
def test_what_differs_has_a_cause(local: bool, note: str, says: str) -> None:
    grid = gridded("a", "m", repeats=2)
    notes = [note] if note else []
    rows = [
        Row(Call(0, 0, n), "", jan.Reply(text, "m", "e", notes=notes, finish="stop"))
        for n, text in enumerate(["one two", "one three"])
    ]
    (found,) = certificates(Result(grid, rows), [local])
    assert (found.proven, found.identical, found.prompts) == (False, 0, 1)
    assert re.search(f"part at character 5, .*{says}", str(found))
    (short,) = certificates(Result(grid, rows[:1]), [local])
    assert short.cause == "not all was asked"


@pytest.mark.parametrize("local", [False, True])
def test_what_is_seen_in_the_answers_is_the_cause_that_is_named(local: bool) -> None:
    grid = gridded("a", "m", repeats=2)

    def cause(models: Sequence[str], cached: Sequence[int]) -> str:
        rows = [
            Row(Call(0, 0, n), "", jan.Reply(str(n), model, "e", usage=Usage(9, 5, tokens)))
            for n, (model, tokens) in enumerate(zip(models, cached, strict=True))
        ]
        (found,) = certificates(Result(grid, rows), [local])
        return found.cause

    assert "as not one model has answered: m-1, m-2" in cause(["m-2", "m-1"], [0, 0])
    assert "took 0 to 8 tokens of the prompt from its cache" in cause(["m", "m"], [0, 8])
    assert "cache, which" not in cause(["m", "m"], [8, 8])


# Seeing -------------------------------------------------------------------------------------------


def test_it_shows_itself_in_every_form() -> None:
    made = small(scorers=["contains:Red"], name="<i>shown</i>")
    assert "echo" in repr(made)
    assert "<table" in made._repr_html_()
    assert "<i>shown" not in made._repr_html_()
    assert "| **echo**" in made._repr_markdown_()
    assert [one.answers for one in made.summary().board.summaries] == [2, 2]
    assert made.show(baseline="five").board.baseline == 1
    with pytest.raises(errors.UsageError, match="'six'"):
        made.show(baseline="six")


def test_a_difference_is_of_two_and_of_one_prompt() -> None:
    made = jan.compare(["Red", "Blue"], ["five", "echo", ("calm", "five", {"temperature": 0})])
    board = made.diff("calm", "echo").board
    assert (board.names, board.baseline, len(board.lines)) == (["calm", "echo"], 0, 2)
    assert [line.case.name for line in made.diff("calm", "echo", "Blue").board.lines] == ["Blue"]
    assert made.diff("calm", "five").board.lines == ()
    assert len(made.diff("calm", "five", 0).board.lines) == 1


# Going on -----------------------------------------------------------------------------------------


def test_an_answer_goes_on_as_a_conversation(server: StreamingServer) -> None:
    made = jan.compare("Red", [("hot", "echo", {"temperature": 0.9})], system="Be brief.")
    assert made.thread("Red", "hot").ask("Blue").text == '"Blue"'
    body = server.journal()[-1].body
    assert [m["content"] for m in body["messages"]] == ["Be brief.", "Red", '"Red"', "Blue"]
    assert body["temperature"] == 0.9
    kept = made.thread(0, 0, "on disk")
    kept.ask("Green")
    texts = [message.text for message in jan.threads.get("on disk").messages]
    assert texts == ["Red", '"Red"', "Green", '"Green"']
    assert jan.threads.get("on disk").instructions == "Be brief."
    with pytest.raises(errors.UsageError, match="already"):
        made.thread(0, 0, "on disk")
    broken = jan.compare("Red", "broken")
    with pytest.raises(errors.UsageError, match="no answer"):
        broken.thread(0, 0)


def test_settings_of_loading_go_on_too() -> None:
    made = jan.compare("Red", [("small", "echo", {}, {"ctx_len": 512})])
    for chat in (made.thread(0, 0), made.thread(0, 0, "kept")):
        assert chat.stream("Blue").target.values.settings["ctx_len"].value == 512


def test_the_winner_becomes_the_default() -> None:
    assert small().use("five").model == "five"
    assert settings().model == "five"
    assert jan.chat("hi").text == FIVE


def test_the_winner_is_the_default_as_a_whole(server: StreamingServer) -> None:
    models = [
        ("pirate", "echo", {"system": "Be a pirate.", "top_p": 0.5}, {"ctx_len": 512}),
        "five",
    ]
    made = jan.compare("Red", models, parameters={"temperature": 0.3})
    made.use("pirate")

    def last() -> tuple[Any, Any, list[str]]:
        body = server.journal()[-1].body
        return body.get("top_p"), body.get("temperature"), [m["content"] for m in body["messages"]]

    assert jan.chat("hi").text == '"hi"'
    assert last() == (0.5, 0.3, ["Be a pirate.", "hi"])
    assert jan.stream("hi").target.values.settings["ctx_len"].value == 512
    talk = jan.Chat(temperature=1)
    talk.ask("one")
    talk.ask("two")
    assert last() == (0.5, 1, ["Be a pirate.", "one", '"one"', "two"])
    jan.chat("hi", system="Be kind.")
    assert last()[2] == ["Be kind.", "hi"]
    plain = (None, None, ["hi"])
    for options in ({"model": "echo"}, {"model": "five"}, {"thread": "of its own"}):
        jan.chat("hi", **options)
        assert last() == plain, options
    made.judge()
    judged = [m["role"] for m in server.journal()[-1].body["messages"]]
    assert judged.count("system") == 1
    settings().model = "five"
    jan.chat("hi")
    assert last() == plain
    jan.compare("Red", ["echo", "five"], system="Be brief.").use("echo")
    jan.chat("hi")
    assert last() == (None, None, ["Be brief.", "hi"])


# Under way ----------------------------------------------------------------------------------------


class Shown:
    """What people would see."""

    lines: list[str]

    def __init__(self) -> None:
        type(self).lines = []

    def step(self, counted: Any) -> None:
        self.lines.append(str(counted))

    def end(self, line: str = "") -> None:
        self.lines.append(line)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> type[Shown]:
    assert callable(jan.compare)  # at its first use what shows it is chosen
    monkeypatch.setattr(Session, "shows", Shown)
    return Shown


def test_progress_is_shown(shown: type[Shown]) -> None:
    small()
    assert shown.lines[-2].startswith("4 of 4")
    assert shown.lines[-1] == ""


def test_an_interrupt_keeps_what_has_come(server: StreamingServer, shown: type[Shown]) -> None:
    server.behave("five", "n=5,stall=2")
    stop = threading.Event()

    def interrupt() -> None:
        stop.wait(60)
        os.kill(os.getpid(), signal.SIGINT)

    class Interrupting(Shown):
        def step(self, counted: Any) -> None:
            super().step(counted)
            if isinstance(counted, Progress) and counted.done >= 2:
                stop.set()

    Session.shows = Interrupting
    thread = threading.Thread(target=interrupt)
    thread.start()
    made = small(name="stopped")
    thread.join()
    assert [row.text for row in made if row.ok] == ['"Red"', '"Blue"']
    assert {row.error for row in made} <= {"", "stopped"}
    assert Interrupting.lines[-1].startswith("Stopped: 2 of 4 calls are kept")
    server.behave("five", "n=5")
    assert [row.text for row in made.retry()] == ['"Red"', FIVE, '"Blue"', FIVE]
    assert len([e for e in server.journal() if e.body["model"] == "echo"]) == 2


def test_in_a_script_a_line_for_each_tenth_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    jan.compare([f"p{n}" for n in range(40)], "echo")
    lines = capsys.readouterr().out.splitlines()
    assert 2 <= len(lines) <= 11
    assert lines[-1].startswith("40 of 40")
    assert jan.compare(["p0"], "echo").name


def test_it_can_be_awaited() -> None:
    made = asyncio.run(jan.acompare(["Red"], ["echo", "five"], scorers=["exact"]))
    assert [row.text for row in made] == ['"Red"', FIVE]


def test_a_budget_ends_it_in_order(server: StreamingServer) -> None:
    made = jan.compare([f"p{n}" for n in range(5)], "echo", budget=2)
    assert (len(made), asked(server)) == (2, 2)
    for wrong in (0.5, "2", {"euro": 3}, True, {}):
        with pytest.raises(errors.UsageError):
            budget_of(wrong)


def test_it_ends_when_the_answer_is_clear(server: StreamingServer, shown: type[Shown]) -> None:
    prompts = [f"prompt {n}" for n in range(60)]
    says = {"says": lambda text: "prompt" in text}
    made = jan.compare(prompts, ["echo", "five"], scorers=says, decide="says")
    assert 10 < len(made) < 80
    assert "the answer is clear after" in "".join(shown.lines)
    assert made.verdicts()[0].word == "worse"
    assert all("says" in row.scores for row in made if row.ok)
    with pytest.raises(errors.UsageError, match="'says'"):
        jan.compare(prompts, ["echo", "five"], scorers=says, decide="said")


def test_what_was_under_way_when_it_was_clear_has_not_failed(
    server: StreamingServer, shown: type[Shown]
) -> None:
    server.behave("five", "n=5,delay=0.05")
    prompts = [f"prompt {n}" for n in range(60)]
    says = {"says": lambda text: "prompt" in text}
    made = jan.compare(prompts, ["echo", "five"], scorers=says, decide="says")
    cut = [row for row in made if not row.ok]
    assert cut  # each piece takes its time: some had begun
    assert all(row.stopped and FIVE.startswith(row.text) for row in cut)
    assert "errors" not in repr(made.summary())
    (listed,) = jan.runs.list()
    assert listed.failed == 0
    assert not any("failed" in line for line in shown.lines)
    (clear,) = made.verdicts()
    assert (clear.word, clear.method) == ("worse", "sequential test")


def test_one_that_ends_early_asks_in_a_drawn_order(server: StreamingServer) -> None:
    prompts = [f"prompt {n}" for n in range(60)]
    says = {"says": lambda text: "prompt" in text}
    options: dict[str, Any] = {"scorers": says, "decide": "says", "name": "early"}
    made = jan.compare(prompts, ["echo", "five"], seed=3, **options)
    asked_for = [row.call.case for row in made if row.call.contestant == 0]
    assert asked_for == sorted(asked_for)  # as they were given
    assert asked_for != [*range(len(asked_for))]
    assert [*made.grid.order[: len(asked_for) - 5]] != sorted(asked_for)
    assert {*made.grid.order[: len(asked_for) - 5]} <= {*asked_for}
    assert sorted(made.grid.order) == [*range(60)]
    calls = asked(server)
    again = jan.compare(prompts, ["echo", "five"], seed=3, **options)
    assert asked(server) == calls
    assert again.grid.order == made.grid.order
    plain = jan.compare(["a", "b"], "echo")
    assert plain.grid.order == ()


def test_a_run_that_was_to_end_early_stays_so(server: StreamingServer, tmp_path: Path) -> None:
    prompts = [f"prompt {n}" for n in range(30)]
    asked_by: dict[str, Any] = {"scorers": "contains:prompt", "decide": "contains 'prompt'"}
    made = jan.compare(prompts, ["echo", "five"], name="early", **asked_by)
    count, order = len(made), made.grid.order
    assert count < 40
    opened = jan.runs["early"]
    assert len(opened) == count
    assert opened.grid.order == order
    for one in (made, opened, jan.runs.import_(jan.runs.export("early", tmp_path / "x"))):
        (told,) = one.verdicts()
        assert (told.word, told.method) == ("worse", "sequential test")
        assert "sequential test" in repr(one.show())
    more = opened.more(["prompt more", "prompt yet more"])
    assert more.verdicts()[0].method == "sequential test"
    assert len(more) == count  # it is clear still: nothing more is asked
    assert more.grid.order[:30] == order
    assert sorted(more.grid.order) == [*range(32)]
    third = more.more(models=[("second", "five")])
    assert count < len(third) < 90
    assert {one.method for one in third.verdicts()} == {"sequential test"}
    assert third.grid.order == more.grid.order
    small(name="other")
    joined = jan.runs.join("early", "other")
    assert joined.verdicts("contains 'prompt'")[0].method == "sequential test"
    assert joined.grid.order[:30] == order


def test_who_asks_for_the_rest_does_not_undo_what_was_looked_at(server: StreamingServer) -> None:
    prompts = [f"prompt {n}" for n in range(30)]
    jan.compare(
        prompts, ["echo", "five"], name="e", scorers="contains:prompt", decide="contains 'prompt'"
    )
    whole = jan.compare(prompts, ["echo", "five"], name="e", scorers="contains:prompt")
    assert len(whole) == 60
    assert whole.verdicts()[0].method == "sequential test"


def test_what_failed_is_asked_again_though_all_is_clear(server: StreamingServer) -> None:
    server.behave("five", "error=invalid_request,times=2")
    prompts = [f"prompt {n}" for n in range(40)]
    options: dict[str, Any] = {"scorers": "contains:prompt", "decide": "contains 'prompt'"}
    made = jan.compare(prompts, [("first", "five"), "echo"], name="fails", **options)
    assert sum(row.failed for row in made) == 2
    assert len(made) < 80
    again = made.retry()
    assert not any(row.failed for row in again)
    assert len(again) < 80
    assert "decide=\"contains 'prompt'\"" in again.code()


def test_looking_scores_by_that_scorer_alone(server: StreamingServer) -> None:
    """What else scores may be dear, or have to be loaded: it has its turn at the end."""
    seen: list[int] = []

    def counts(text: str) -> bool:
        seen.append(len(server.journal()))
        return True

    prompts = [f"prompt {n}" for n in range(30)]
    scorers = {"says": lambda text: "prompt" in text, "counts": counts}
    made = jan.compare(prompts, ["echo", "five"], scorers=scorers, decide="says")
    assert len(made) < 60
    assert len({*seen}) == 1
    assert all(row.scores.keys() == {"says", "counts"} for row in made if row.ok)


def test_the_users_prices_make_costs(server: StreamingServer, tmp_path: Path) -> None:
    assert [row.cost for row in small(name="priced")] == [None] * 4
    five = {"prompt": 2, "completion": 10, "source": "the contract", "date": "2026-11-29"}
    made = small(name="priced", prices={"five": five})
    assert asked(server) == 4  # what was asked before is not asked again for it
    usage = made["Red", "five"].reply.usage
    cost = (2 * usage.prompt + 10 * usage.completion) / 1e6
    assert cost > 0
    assert [row.cost for row in made] == [None, cost] * 2
    opened = jan.runs["priced"]
    assert [row.cost for row in opened] == [None, cost] * 2
    said = (
        "The cost of five is an estimate, at 2 (prompt) and 10 (answer) USD for a million tokens,"
        " by the contract, 2026-11-29"
    )
    for one in (made, opened, jan.runs.import_(jan.runs.export("priced", tmp_path / "x"))):
        assert said in " ".join(repr(one).split())
        assert said in one._repr_html_()
    small(name="other", prices={"echo": (1, 1)})
    joined = " ".join(repr(jan.runs.join("priced", "other")).split())
    assert said in joined
    assert "The cost of echo · other is an estimate, at 1 (prompt) and 1 (answer) USD" in joined
    # An answer that is taken from another run costs what it does by the prices of this one.
    assert [row.cost is None for row in jan.runs["other"]] == [False, True] * 2
    assert [row.cost for row in small(name="priced", prices={"five": (0, 0)})] == [None, 0.0] * 2
    assert [row.cost for row in small(name="priced")] == [None, 0.0] * 2


def test_a_price_of_the_user_is_money(server: StreamingServer) -> None:
    from jan_jupyter.compare.comparison import session

    plan = session("a", ["echo", "five"], prices={"five": (2, 10)}).plan()
    assert plan.paid == 1
    assert "five is reckoned at 2 (prompt) and 10 (answer) USD" in str(plan)
    made = jan.compare(["a", "b", "c"], "five", prices={"five": (2, 1e6)}, budget={"money": 6})
    assert len(made) < 3


def test_prices_in_every_form() -> None:
    pandas = pytest.importorskip("pandas")
    rows = [{"model": "a", "prompt": 1, "completion": 2.5, "cached": 0.1, "currency": "EUR"}]
    found = Price(1, 2.5, 0.1, "EUR", "your table", "", own=True)
    for given in (rows, pandas.DataFrame(rows), {"a": rows[0]}, {"a": found}):
        assert table(given) == {"a": found}
    assert str(found) == (
        "1 (prompt, 0.1 cached) and 2.5 (answer) EUR for a million tokens, by your table"
    )
    assert table(None) == {}
    wrong: list[Any] = [{"a": 5}, {"a": (1, -2)}, {"a": {"prompt": 1}}, [{"prompt": 1}], 7]
    wrong.append({"a": {"prompt": 1, "completion": 2, "promt": 3}})
    for given in wrong:
        with pytest.raises(errors.UsageError) as caught:
            table(given)
        assert "\n" not in str(caught.value)


def test_the_plan_asks_nothing(server: StreamingServer) -> None:
    from jan_jupyter.compare.comparison import session

    plan = session(["a", "b"], ["echo", "five"]).plan()
    assert (plan.calls, asked(server)) == (4, 0)


@pytest.fixture
def paid(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the server were somebody's who takes money."""
    monkeypatch.setattr(facts, "is_own_server", lambda address: False)


def says(monkeypatch: pytest.MonkeyPatch, word: str) -> list[str]:
    """What the user answers; gives what is asked."""
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return word

    monkeypatch.setattr("builtins.input", answer)
    return asked


MANY = [f"p{n}" for n in range(101)]


@pytest.mark.usefixtures("paid")
def test_many_paid_calls_want_a_yes(
    server: StreamingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = says(monkeypatch, "n")
    with pytest.raises(errors.UsageError, match="Nothing was asked"):
        jan.compare(MANY, "echo", name="dear")
    with pytest.raises(errors.UsageError, match="Nothing was asked"):
        asyncio.run(jan.acompare(MANY, "echo", name="dear"))
    assert questions == ["This asks for 101 calls that cost money. Go on? [y/N] "] * 2
    assert (asked(server), [*jan.runs]) == (0, [])
    assert len(jan.compare(MANY[:100], "echo")) == 100
    assert len(jan.compare(MANY, "echo", budget=1)) == 101  # all but one are stored
    assert len(questions) == 2
    questions = says(monkeypatch, "y")
    assert len(jan.compare(MANY, "five")) == 101
    assert len(questions) == 1


@pytest.mark.usefixtures("paid")
def test_what_is_asked_later_wants_a_yes_too(
    server: StreamingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = jan.compare("first", "echo")
    questions = says(monkeypatch, "n")
    for more in (
        lambda: made.more(MANY),
        lambda: made.more(repeats=101),
        lambda: made.deterministic(times=101),
    ):
        with pytest.raises(errors.UsageError, match="Nothing was asked"):
            more()
    assert (asked(server), len(questions)) == (1, 3)
    monkeypatch.undo()  # pytest itself reads no keyboard
    monkeypatch.setattr(facts, "is_own_server", lambda address: False)
    with pytest.raises(errors.UsageError, match="nobody can be asked"):
        made.more(MANY)


@pytest.mark.usefixtures("paid")
def test_a_judge_is_in_the_plan_and_wants_a_yes(
    server: StreamingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jan_jupyter.compare.comparison import session

    few = MANY[:60]
    plan = session(few, "echo", scorers=["judge:five", "exact"]).plan()
    assert (plan.calls, plan.paid, plan.paid_scores) == (60, 120, 60)
    assert "then judge five scores 60 answers" in str(plan)
    assert "120 paid calls" in str(plan)
    questions = says(monkeypatch, "n")
    with pytest.raises(errors.UsageError, match="Nothing was asked"):
        jan.compare(few, "echo", scorers="judge:five")
    assert questions == ["This asks for 120 calls that cost money. Go on? [y/N] "]
    assert asked(server) == 0
    with pytest.raises(errors.UsageError, match="Nothing was asked"):  # money for scores is more
        jan.compare(MANY, "echo", scorers="judge:five", budget=Budget(money=1.0))
    assert "asks for 101 calls" in questions[1]
    monkeypatch.setattr("builtins.input", lambda prompt: 1 / 0)
    made = jan.compare(few[:2], "echo", scorers="judge:five", budget=60, name="few")
    assert session(few, "echo", scorers="judge:five", budget=50).plan().paid_scores == 52
    assert made.grid.contestants[0].name == "echo"


@pytest.mark.usefixtures("paid")
def test_scores_that_are_there_want_no_yes(
    server: StreamingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jan_jupyter.compare.comparison import session

    made = jan.compare(MANY[:50], "echo", name="judged")
    run = jan.runs.store.run("judged")
    assert run is not None
    scores = {row.call: {"judge five": Score(3.0)} for row in made}
    jan.runs.store.score_all(run, scores)
    calls = asked(server)
    monkeypatch.setattr("builtins.input", lambda prompt: 1 / 0)
    assert len(jan.compare(MANY[:50], "echo", scorers="judge:five", name="judged")) == 50
    assert jan.runs["judged"].score("judge:five")[0, 0].scores["judge five"].value == 3.0
    plan = session(MANY[:75], "echo", scorers="judge:five", name="judged").plan()
    assert (plan.paid, plan.paid_scores) == (50, 25)  # as in another kernel
    assert session(MANY[:75], "echo", scorers="judge:five").plan().paid_scores == 75
    assert asked(server) == calls


@pytest.mark.usefixtures("paid")
def test_judges_who_come_later_want_a_yes_too(
    server: StreamingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = jan.compare(MANY, ["echo", "five"], budget=202, name="later")
    calls = asked(server)
    questions = says(monkeypatch, "n")
    for later in (
        lambda: made.score("exact", "judge:five"),
        lambda: made.score(Judge("five", "Is it strict?")),
        lambda: made.judge("five"),
    ):
        with pytest.raises(errors.UsageError, match="Nothing was asked"):
            later()
    assert ["asks for 202 calls" in one for one in questions] == [True] * 3
    assert asked(server) == calls
    assert made.score().result.rows[0].scores == {}  # who was refused is no scorer of it
    assert jan.runs["later"].score().result.rows[0].scores == {}
    monkeypatch.undo()  # pytest itself reads no keyboard
    monkeypatch.setattr(facts, "is_own_server", lambda address: False)
    with pytest.raises(errors.UsageError, match=r"nobody can be asked here: say yes=True"):
        made.judge("five")
    assert len(made.judge("five", yes=True).judgements) == 101
    assert asked(server) == calls + 202


def test_a_plan_that_takes_long_tells_how_far_it_is(
    shown: type[Shown], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = threading.Event()
    real = Store.find

    class Telling(Shown):
        def step(self, counted: Any) -> None:
            super().step(counted)
            told.set()

    Session.shows = Telling
    monkeypatch.setattr(Store, "find", lambda store, keys: told.wait(60) and real(store, keys))
    made = jan.compare(["Red", "Blue"], "echo")
    assert Telling.lines[0] == "Looking at the models, and at what is stored of 2 calls"
    assert Telling.lines[-2].startswith("2 of 2")
    assert len(made) == 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"prompts": []}, "nothing to ask"),
        ({"models": []}, "no model"),
        ({"scorers": ["exakt"]}, "exact"),
        ({"variables": [{"a": 1}], "prompts": "{b}"}, "b"),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    server: StreamingServer, options: dict[str, Any], says: str
) -> None:
    given = {"prompts": "a", "models": "echo", **options}
    with pytest.raises(errors.UsageError, match=says) as caught:
        jan.compare(**given)
    assert "\n" not in str(caught.value)
    assert asked(server) == 0


def test_a_model_that_is_not_there_is_a_row() -> None:
    made = jan.compare("Red", ["echo", "nobody"])
    assert made["Red", "echo"].ok
    assert "nobody" in made["Red", "nobody"].error


def test_cases_are_prompts_too() -> None:
    case = Case("one", ((Message("user", "a"),),), expected="b")
    assert gridded([case], "echo").cases == (case,)
    for wrong in ([case, "text"], [case, case]):
        with pytest.raises(errors.UsageError):
            gridded(wrong, "echo")
    with pytest.raises(errors.UsageError):
        gridded(case, "echo", system="x")
    larger = extended(gridded(case, "echo"), [case], (), 0)
    assert [one.name for one in larger.cases] == ["one", "one (2)"]


def test_values_that_python_cannot_write_are_text() -> None:
    grid = Grid((Case("a", ((Message("user", "b"),),), index=Path("x")),), (Contestant("n", "m"),))
    assert again(source.python(grid)).cases[0].index == "x"
    assert source.literal({"a": (1, [None, "é"])}) == "{'a': (1, [None, 'é'])}"


def test_a_row_is_a_plain_value() -> None:
    made = small()
    row = made["Red", "echo"]
    assert isinstance(row, Row)
    with pytest.raises(AttributeError):
        row.error = "x"  # type: ignore[misc]
