"""A grid of prompts, variables, models and parameters, in every form in which people have them."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy
import pandas
import polars
import pyarrow
import pytest
from PIL import Image

from jan_jupyter import Message, Workspace, errors
from jan_jupyter.compare.grids.grid import grid
from jan_jupyter.compare.keeping import written
from jan_jupyter.compare.values import Contestant, Grid
from jan_jupyter.threads import ThreadMessage


def texts(grid: Grid) -> list[str]:
    return [case.text for case in grid.cases]


def names(grid: Grid) -> list[str]:
    return [contestant.name for contestant in grid.contestants]


# Prompts


def test_prompts_in_every_form() -> None:
    said = [{"role": "system", "content": "short"}, {"role": "user", "content": "one"}]
    assert texts(grid("one", "m")) == ["one"]
    assert texts(grid(["one", "two"], "m")) == ["one", "two"]
    assert texts(grid(iter(["one", Message("user", "two")]), "m")) == ["one", "two"]
    one = grid(said, "m")
    assert one.cases[0].turns == ((Message("system", "short"), Message("user", "one")),)
    assert [len(case.turns[0]) for case in grid([said, said[1:], "x"], "m").cases] == [2, 1, 1]
    named = grid({"greeting": "Hi", "farewell": "Bye"}, "m")
    assert [(case.name, case.text) for case in named.cases] == [
        ("greeting", "Hi"),
        ("farewell", "Bye"),
    ]


def test_a_case_is_named_after_its_prompt_and_no_two_alike() -> None:
    long = "word " * 50
    found = [case.name for case in grid([long, "a\nb", "a b", long], "m").cases]
    assert found[0].endswith("…")
    assert len(found[0]) == 60
    assert found[1:] == ["a b", "a b (2)", f"{found[0]} (2)"]


def test_a_column_is_a_list_of_prompts_with_its_index() -> None:
    column = pandas.Series(["one", "two"], index=["x", "y"])
    found = grid(column, "m")
    assert [(case.text, case.index, case.name) for case in found.cases] == [
        ("one", "x", "x"),
        ("two", "y", "y"),
    ]
    assert texts(grid(polars.Series(["one", "two"]), "m")) == ["one", "two"]
    assert texts(grid(numpy.array(["one", "two"]), "m")) == ["one", "two"]


def test_a_thread_is_asked_again_question_by_question(tmp_path: Path) -> None:
    thread = Workspace(tmp_path).threads.create("talk", instructions="Be short.")
    for role, text in (
        ("user", "one"),
        ("assistant", "1"),
        ("user", "two"),
        ("assistant", "2"),
        ("user", "three"),
    ):
        thread.append(ThreadMessage(role, text))  # type: ignore[arg-type]
    (case,) = grid(thread, "m").cases
    assert case.name == "talk"
    assert case.turns == (
        (Message("system", "Be short."), Message("user", "one")),
        (Message("user", "two"),),
        (Message("user", "three"),),
    )
    (other,) = grid([thread], "m", system="Be long.").cases
    assert other.turns[0] == (Message("system", "Be long."), Message("user", "one"))
    assert other.turns[1:] == case.turns[1:]


def test_a_thread_without_a_question(tmp_path: Path) -> None:
    thread = Workspace(tmp_path).threads.create("talk", instructions="Be short.")
    with pytest.raises(errors.UsageError, match="talk has no question"):
        grid(thread, "m")


def test_system_takes_the_place_of_other_instructions() -> None:
    said = [Message("system", "old"), Message("user", "one")]
    found = grid([said, "two"], "m", system="new")
    assert [[m.text for m in case.turns[0]] for case in found.cases] == [
        ["new", "one"],
        ["new", "two"],
    ]


# Variables


FRAME = {"text": ["Hi", "Bye"], "tone": ["kind", "cold"], "good": ["Hallo", "Tschüss"]}


@pytest.mark.parametrize(
    ("frame", "index"),
    [
        (pandas.DataFrame(FRAME, index=["a", "b"]), ["a", "b"]),
        (
            pandas.DataFrame(FRAME, index=pandas.MultiIndex.from_tuples([(1, "x"), (2, "y")])),
            [(1, "x"), (2, "y")],
        ),
        (polars.DataFrame(FRAME), [0, 1]),
        (polars.LazyFrame(FRAME), [0, 1]),
        (pyarrow.table(FRAME), [0, 1]),
        ([dict(zip(FRAME, row, strict=True)) for row in zip(*FRAME.values(), strict=True)], [0, 1]),
    ],
    ids=["pandas", "multi-index", "polars", "lazy", "arrow", "mappings"],
)
def test_a_template_over_a_frame(frame: Any, index: list[Any]) -> None:
    found = grid("Say {text} in a {tone} tone.", "m", variables=frame, expected="good")
    assert texts(found) == ["Say Hi in a kind tone.", "Say Bye in a cold tone."]
    assert [case.index for case in found.cases] == index
    assert [case.expected for case in found.cases] == ["Hallo", "Tschüss"]
    assert dict(found.cases[0].variables) == {"text": "Hi", "tone": "kind", "good": "Hallo"}
    if index != [0, 1]:
        names = [" · ".join(map(str, i)) if isinstance(i, tuple) else i for i in index]
        assert [case.name for case in found.cases] == names


def test_a_mapping_of_lists_is_all_combinations() -> None:
    found = grid("{a}{b}{c}", "m", variables={"a": [1, 2], "b": ["x", "y"], "c": "!"})
    assert texts(found) == ["1x!", "1y!", "2x!", "2y!"]
    assert [case.name for case in found.cases] == [
        "1 · x · !",
        "1 · y · !",
        "2 · x · !",
        "2 · y · !",
    ]
    assert [case.index for case in found.cases] == [0, 1, 2, 3]


def test_several_templates_over_the_same_rows() -> None:
    found = grid(["Say {x}", "Sing {x}"], "m", variables={"x": ["a", "b"]}, expected=["A", "B"])
    assert texts(found) == ["Say a", "Say b", "Sing a", "Sing b"]
    assert [case.expected for case in found.cases] == ["A", "B", "A", "B"]
    assert len({case.name for case in found.cases}) == 4


def test_braces_that_name_nothing_stay_as_they_are() -> None:
    prompt = '{} {"a": {x} } {{x}} \\frac{x1}{y1} ${HOME} ^{n} { x } {0} {x}'
    (case,) = grid(prompt, "m", variables={"x": ["{y} {x}"], "y": [2]}).cases
    assert case.text == ('{} {"a": {y} {x} } {{x}} \\frac{x1}{y1} ${HOME} ^{n} { x } {0} {y} {x}')
    assert texts(grid("{x} and {}", "m")) == ["{x} and {}"]  # without variables it is no template


def test_what_a_template_may_look_up() -> None:
    rows = [{"person": {"name": "Ada"}, "two words": 1, "when": date(2026, 1, 2)}]
    found = grid('{person["name"]} {two words} {{two words}} {when}', "m", variables=rows)
    assert texts(found) == ["Ada 1 {{two words}} 2026-01-02"]


def test_missing_values_are_filled_in_as_nothing() -> None:
    frame = pandas.DataFrame({"a": ["x", None], "b": [1.5, float("nan")]})
    found = grid("<{a}|{b}>", "m", variables=frame, expected="b")
    assert texts(found) == ["<x|1.5>", "<|>"]
    assert [case.expected for case in found.cases] == [1.5, None]


def test_messages_and_instructions_are_templates_too() -> None:
    parts: list[dict[str, Any]] = [
        {"type": "text", "text": "What is {x}?"},
        {"type": "image_url", "image_url": {"url": "data:{x}"}},
    ]
    found = grid([Message("user", parts)], "m", system="Be {x}.", variables={"x": ["kind"]})
    system, user = found.cases[0].turns[0]
    assert system.text == "Be kind."
    assert [*user.content] == [{"type": "text", "text": "What is kind?"}, parts[1]]


def test_pictures_and_files_are_attached_where_they_are_named(tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    file.write_text("a note")
    picture = Image.new("RGB", (2, 2))
    table = {"picture": [picture, numpy.zeros((2, 2, 3))], "file": [file], "name": ["x"]}
    found = grid("Is {name} in {picture}, and what of {file}?", "m", variables=table)
    for case in found.cases:
        parts = case.turns[0][0].content
        assert not isinstance(parts, str)
        kinds = [part["type"] for part in parts]
        assert kinds == ["text", "image_url", "text", "text", "text"]
        assert parts[0]["text"] == "Is x in "
        assert parts[1]["image_url"]["url"].startswith("data:image/png;base64,")
        assert "a note" in parts[3]["text"]
    labels = [case.variables["picture"] for case in found.cases]
    assert [label.split()[0] for label in labels] == ["Image", "ndarray"]
    again = grid("Is {name} in {picture}, and what of {file}?", "m", variables=table)
    assert again == found
    assert found.cases[0].variables["file"] == str(file)
    (alone,) = grid("{picture}", "m", variables={"picture": [picture]}).cases
    assert [part["type"] for part in alone.turns[0][0].content] == ["image_url"]  # type: ignore[index]
    with pytest.raises(errors.UsageError, match="cannot be attached"):
        grid("{file}", "m", variables={"file": [tmp_path / "none.png"]})


@pytest.mark.parametrize(
    ("prompt", "variables", "line"),
    [
        ("Say {txt}", {"text": ["a"]}, r"\{txt\}, which is no column: there is text"),
        ("{{x}} {x} {txt}", {"x": ["a"]}, r"\{txt\}, which is no column"),
        ("Say it", {"text": ["a"]}, r"no \{column\} to fill in: there is text"),
        ("Say {x}", {"x": []}, "`variables` has no row"),
        ("Say {x}", [], "`variables` has no row"),
        ("Say {x}", [1], "Row 1 of `variables`"),
        ("Say {x}", 5, "`variables` are a data frame"),
        ("Say {x.y}", {"x": ["a"]}, r"\{x.y\}"),
    ],
)
def test_variables_that_do_not_fit(prompt: str, variables: Any, line: str) -> None:
    with pytest.raises(errors.UsageError, match=line) as caught:
        grid(prompt, "m", variables=variables)
    assert "\n" not in str(caught.value)


# What is expected


def test_what_is_expected() -> None:
    assert [c.expected for c in grid(["a", "b"], "m", expected=["A", "B"]).cases] == ["A", "B"]
    assert [c.expected for c in grid(["a", "b"], "m", expected=str.upper).cases] == ["A", "B"]
    assert [c.expected for c in grid(["a", "b"], "m", expected="same").cases] == ["same", "same"]
    column = pandas.Series([1, 2], index=[7, 9])
    found = grid("{x}", "m", variables={"x": [3, 4]}, expected=column)
    assert [case.expected for case in found.cases] == [1, 2]
    doubled = grid("{x}", "m", variables={"x": [3, 4]}, expected=lambda row: row["x"] * 2)
    assert [case.expected for case in doubled.cases] == [6, 8]


@pytest.mark.parametrize(
    ("expected", "line"),
    [
        (["A"], "1 values for 2 prompts"),
        ("y", "names y, which is no column: x"),
        (5, "`expected` is a list"),
        (lambda row: row["nothing"], "`expected` failed on prompt 3: KeyError"),
    ],
)
def test_what_cannot_be_expected(expected: Any, line: str) -> None:
    with pytest.raises(errors.UsageError, match=line):
        grid("{x}", "m", variables={"x": [3, 4]}, expected=expected)


# Models and parameters


def test_models_in_every_form() -> None:
    assert names(grid("p", "jan-mini")) == ["jan-mini"]
    found = grid(
        "p",
        [
            "a",
            "openai:b",
            ("nick", "c"),
            ("cold", "c", {"temperature": "0"}),
            ("wide", "c", {"top_k": 5}, {"ctx_len": 4096, "device": "NPU"}),
            Contestant("own", "d"),
        ],
    )
    assert [(c.name, c.model, dict(c.parameters), dict(c.settings)) for c in found.contestants] == [
        ("a", "a", {}, {}),
        ("openai:b", "openai:b", {}, {}),
        ("nick", "c", {}, {}),
        ("cold", "c", {"temperature": 0}, {}),
        ("wide", "c", {"top_k": 5}, {"ctx_len": 4096, "device": "NPU"}),
        ("own", "d", {}, {}),
    ]


def test_a_model_with_instructions_of_its_own() -> None:
    found = grid(
        "p",
        [
            ("kind", "a", {"system": "Be kind.", "top_k": 5}),
            {"model": "b", "system": "Be brief.", "settings": {"ctx_len": 512}},
            {"name": "plain", "model": "b", "parameters": {"temperature": [0, 1]}},
        ],
        parameters={"system": "Be good."},
    )
    assert [(c.name, c.model, c.system) for c in found.contestants] == [
        ("kind", "a", "Be kind."),
        ("b", "b", "Be brief."),
        ("plain · temperature 0", "b", "Be good."),
        ("plain · temperature 1", "b", "Be good."),
    ]
    assert [dict(c.parameters) for c in found.contestants[:2]] == [{"top_k": 5}, {}]
    assert (dict(found.contestants[1].settings), dict(found.parameters)) == ({"ctx_len": 512}, {})
    assert written.grid_of(json.loads(written.text_of(written.grid_json(found)))) == found
    axes = {"system": ["Be kind.", None]}
    several = grid("p", {"model": "a"}, parameters=axes)
    assert names(several) == ["a · system Be kind.", "a · system as it is"]
    assert [c.system for c in several.contestants] == ["Be kind.", ""]


def test_a_model_as_it_is_listed(isolated: Path) -> None:
    import jan_jupyter as jan

    model = jan.models.get("jan-mini")
    (contestant,) = grid("p", [model]).contestants
    assert (contestant.name, contestant.model) == ("jan-mini", model.reference)


def test_lists_of_values_are_axes() -> None:
    axes = {"temperature": [0, 0.7], "max_tokens": 20, "stop": ["a", "b"], "ctx_len": (512, 1024)}
    found = grid("p", ["a", ("b", "m", {"temperature": 0.3})], parameters=axes)
    assert names(found) == [
        "a · temperature 0 · ctx_len 512",
        "a · temperature 0 · ctx_len 1024",
        "a · temperature 0.7 · ctx_len 512",
        "a · temperature 0.7 · ctx_len 1024",
        "b · ctx_len 512",
        "b · ctx_len 1024",
    ]
    assert dict(found.parameters) == {"max_tokens": 20, "stop": ["a", "b"]}
    assert dict(found.contestants[2].parameters) == {"temperature": 0.7}
    assert dict(found.contestants[2].settings) == {"ctx_len": 512}
    assert dict(found.contestants[4].parameters) == {"temperature": 0.3}
    assert len(found) == 6


def test_axes_of_other_kinds() -> None:
    assert names(grid("p", "m", parameters={"stop": [["a"], ["b"]]})) == [
        "m · stop ['a']",
        "m · stop ['b']",
    ]
    found = grid("p", "m", parameters={"seed": range(2), "top_p": numpy.array([0.5, 1.0])})
    assert len(found.contestants) == 4
    assert found.contestants[3].parameters == {"seed": 1, "top_p": 1.0}
    assert all(type(v) in (int, float) for c in found.contestants for v in c.parameters.values())
    default = grid("p", "m", parameters={"temperature": [None, 1]})
    assert names(default) == ["m · temperature as it is", "m · temperature 1"]
    assert [dict(c.parameters) for c in default.contestants] == [{}, {"temperature": 1}]
    own = grid("p", [("m", "m", {"top_k": [1, 2]}), "n"])
    assert names(own) == ["m · top_k 1", "m · top_k 2", "n"]


def test_settings_that_all_share() -> None:
    found = grid("p", ["a", ("b", "b", {}, {"ctx_len": 99})], parameters={"ctx_len": 512})
    assert [dict(c.settings) for c in found.contestants] == [{"ctx_len": 512}, {"ctx_len": 99}]
    assert dict(found.parameters) == {}


@pytest.mark.parametrize(
    ("models", "options", "line"),
    [
        ([], {}, "There is no model to ask"),
        (None, {}, "There is no model to ask"),
        ("", {}, "There is no model to ask"),
        (5, {}, "models of a comparison are"),
        ([5], {}, "A model to compare is"),
        ([("a", "b", {}, {}, 1)], {}, "A model to compare is"),
        ([{"name": "a"}], {}, "`model` must be there"),
        ({"model": "a", "temperature": 1}, {}, "A model as a mapping has name, model, param"),
        ([("a", "b", {"system": 5})], {}, "instructions of a model are text"),
        ([("", "b")], {}, "nickname of a model is text"),
        (["a", "b", "a"], {}, "a is there twice"),
        ([("a", "b", 5)], {}, "parameters of a are a mapping"),
        ([("a", "b", {}, {"python": "/bin/x"})], {}, "names a program to run"),
        ("a", {"parameters": {"temperatur": 1}}, "temperatur is no known parameter.*temperature"),
        ("a", {"parameters": {"temperature": "hot"}}, "temperature cannot be 'hot'"),
        ("a", {"parameters": {"temperature": [0, 9]}}, "temperature cannot be 9"),
        ("a", {"parameters": {"temperature": []}}, "temperature has no value to compare"),
        ("a", {"parameters": {"temperature": [0, 0]}}, "a · temperature 0 is there twice"),
        ("a", {"parameters": {"n": 3}}, "`repeats` says how often"),
        ("a", {"parameters": ["temperature"]}, "`parameters` are a mapping"),
        ("a", {"repeats": 0}, "`repeats` is a whole number"),
        ("a", {"repeats": True}, "`repeats` is a whole number"),
        ("a", {"seed": "x"}, "`seed` is a whole number"),
        ("a", {"system": 5}, "`system` is text"),
    ],
)
def test_models_and_options_that_make_no_sense(models: Any, options: Any, line: str) -> None:
    with pytest.raises(errors.UsageError, match=line) as caught:
        grid("p", models, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("prompts", "line"),
    [
        ([], "There is nothing to ask"),
        ("", "Prompt 1 is empty"),
        (["a", "  "], "Prompt 2 is empty"),
        (None, "Prompts are texts"),
        (["a", 5], "Prompt 2: A prompt is text"),
        ([[{"role": "system", "content": "x"}]], "Prompt 1 asks nothing"),
        (pandas.DataFrame(FRAME), "A data frame goes into `variables`"),
    ],
)
def test_prompts_that_make_no_sense(prompts: Any, line: str) -> None:
    with pytest.raises(errors.UsageError, match=line):
        grid(prompts, "m")


def test_a_frame_without_narwhals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "narwhals", None)
    with pytest.raises(errors.UsageError, match="needs narwhals: `pip install narwhals`"):
        grid("{text}", "m", variables=pandas.DataFrame(FRAME))
    assert texts(grid("{x}", "m", variables={"x": [1]})) == ["1"]


# As it is kept


def test_a_grid_comes_back_from_its_json() -> None:
    frame = pandas.DataFrame(
        {
            "text": ["a", "b", None],
            "when": pandas.date_range("2026-01-01", periods=3, tz="UTC"),
            "odd": [(1, "x"), {2: b"y"}, {"a": [date(2026, 1, 2)]}],
        },
        index=pandas.timedelta_range("1h", periods=3),
    )
    found = grid(
        "{text} {when} \ud800",
        [("n", "m", {"temperature": 0.5, "stop": ["x"]}, {"ctx_len": 5})],
        variables=frame,
        expected="odd",
        repeats=3,
        seed=7,
        parameters={"top_p": 0.5},
    )
    text = written.text_of(written.grid_json(found))
    text.encode()
    again = written.grid_of(json.loads(text))
    assert again == found
    assert written.text_of(written.grid_json(again)) == text
