"""Tolerant reading: what counts as not given, and the second attempt at what is broken."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jan_jupyter.errors import ModelBroken
from jan_jupyter.reading import (
    MAX_JSON,
    flag,
    number,
    parse_json,
    parse_yaml,
    read_json,
    read_text,
    text,
    whole,
    words,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ('\ufeff{\r\n"a": 1\r\n}', {"a": 1}),
        ('{"a": 1, // one\n "b": [1, 2,], /* two */ }', {"a": 1, "b": [1, 2]}),
        (
            '{"a": "// no", "b": "/* no */", "c": ",]", }',
            {"a": "// no", "b": "/* no */", "c": ",]"},
        ),
        ('{"a": "\\"// no,}", /* "x" */ "b": 1,}', {"a": '"// no,}', "b": 1}),
        ('{"a": [1 /* , */ , // ,\n ] }', {"a": [1]}),
        ('// first\n{"a": 1} // last', {"a": 1}),
    ],
)
def test_json_with_what_people_add(tmp_path: Path, written: str, value: Any) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(written.encode())
    assert read_json(path) == value


@settings(deadline=None)
@given(JSON)
def test_comments_and_commas_change_nothing_inside_strings(value: Any) -> None:
    for indent in (None, 2):
        plain = json.dumps(value, indent=indent, ensure_ascii=False)
        assert parse_json("// x\n" + plain + "/* ] } */", "x") == value


@settings(deadline=None)
@given(st.text(alphabet='{}[]",:/*\\ \n1a', max_size=60))
def test_any_text_is_json_or_broken(written: str) -> None:
    try:
        json.loads(json.dumps(parse_json(written, "x")))
        message = "x, line 0"
    except ModelBroken as error:
        message = str(error)
    assert message.startswith("x, line ")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("", "line 1: the file is empty"),
        ("  \n ", "line 1: the file is empty"),
        ('{\n "a": 1\n "b": 2\n}', "line 3: "),
        ('{\n /* a\n comment */\n "a": }', "line 4: "),
        ("[" * 200_000, "nested too deeply"),
    ],
)
def test_a_broken_file_names_line_and_reason(written: str, message: str) -> None:
    with pytest.raises(ModelBroken) as caught:
        parse_json(written, "model.json")
    assert str(caught.value).startswith("model.json")
    assert message in str(caught.value)


@pytest.mark.parametrize("piece", ['"\\"', "/*", "//", ",", ", ", '"', "/", "\\"])
def test_hostile_text_takes_linear_time(piece: str) -> None:
    # Quadratic, each of these would take hours; the suite's time limit notices.
    with pytest.raises(ModelBroken):
        parse_json("[" + piece * (2_000_000 // len(piece)), "x")


def test_numbers_that_python_would_not_read_do_no_harm() -> None:
    found = parse_json(f'{{"a": 1e400, "b": {"9" * 5000}, "c": NaN, "d": -Infinity}}', "x")
    assert found["a"] == found["b"] == math.inf
    assert math.isnan(found["c"])
    for value in found.values():
        for cast in (number(), whole()):
            with pytest.raises(ValueError, match="number"):
                cast(value)


def test_what_is_not_a_small_text_file(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b'{\n"a": "\xe4"}')
    (tmp_path / "long").write_bytes(b" " * (MAX_JSON + 1))
    (tmp_path / "exact").write_bytes(b" " * MAX_JSON)
    with pytest.raises(ModelBroken, match=r"latin, line 2: not UTF-8"):
        read_text(tmp_path / "latin")
    with pytest.raises(ModelBroken, match="longer than"):
        read_text(tmp_path / "long")
    assert len(read_text(tmp_path / "exact")) == MAX_JSON
    for name in (".", "none", "a" * 5000, "nul\0"):
        with pytest.raises(ModelBroken):
            read_text(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "model.json")
    with pytest.raises(ModelBroken, match="not a file"):
        read_text(tmp_path / "model.json")


# YAML -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "a:\n  b: 1\n",
        "\ufeffa:\n  b: 1".lstrip("\ufeff"),
        "a:\n\u00a0\u00a0b: 1\n",
        "a:\n\u00a0 b: 1",
        "a:\n\tb: 1\n",
        "a:\r\n  b:\t1\r\n",
    ],
)
def test_yaml_with_odd_spaces(written: str) -> None:
    assert parse_yaml(written, "x") == {"a": {"b": 1}}


def test_yaml_that_is_fine_keeps_its_spaces() -> None:
    assert parse_yaml('a: "x\u00a0\ty"', "x") == {"a": "x\u00a0\ty"}


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("a: 1\nb: [", "line 2"),
        ("a: !!python/object/apply:os.getcwd []", "line 1"),
        ("a: &a [x]\nb: *a", "line 2: aliases are not supported"),
        ("a: 1\n---\nb: 2", "line"),
        ("a: \x00", "line 1"),
        ("[" * 5000, "nested too deeply"),
        (f"a: {'9' * 5000}", "line 1"),
    ],
)
def test_yaml_that_is_refused(written: str, message: str) -> None:
    with pytest.raises(ModelBroken, match=r"^model\.yml") as caught:
        parse_yaml(written, "model.yml")
    assert message in str(caught.value)


def test_yaml_dates_stay_text() -> None:
    assert parse_yaml("version: 2024-01-02", "x") == {"version": "2024-01-02"}


# Values -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("cast", [text, flag, number(), whole(), words])
def test_what_counts_as_absent(cast: Any) -> None:
    for value in (None, "", "N/A"):
        assert not cast(value)
    assert cast(None) is None


@pytest.mark.parametrize(
    ("cast", "value", "fitted"),
    [
        (whole(), "2048", 2048),
        (whole(), 2048.0, 2048),
        (whole(), "2048.0", 2048),
        (whole(), " 7 ", 7),
        (number(), "0.7", 0.7),
        (number(), 1, 1),
        (flag, "true", True),
        (flag, "False", False),
        (text, 1.0, "1.0"),
        (text, 1, "1"),
        (text, "\ud800", "?"),
        (words, "END", ["END"]),
        (words, ["a", "", None, "b"], ["a", "b"]),
        (words, [], []),
        (whole(1, zero=False), 0, None),
        (whole(1, zero=False), "0", None),
    ],
)
def test_types_are_forgiven(cast: Any, value: Any, fitted: Any) -> None:
    found = cast(value)
    assert found == fitted
    assert type(found) is type(fitted)


@pytest.mark.parametrize(
    ("cast", "value"),
    [
        (whole(), 2048.5),
        (whole(), "many"),
        (whole(), True),
        (whole(), [1]),
        (whole(), 2**63),
        (whole(), 10**400),
        (number(), "nan"),
        (number(), "inf"),
        (number(), "1e400"),
        (number(), "1_000.5"),
        (number(0, 2), 2.1),
        (number(0, 1), -0.1),
        (flag, 1),
        (flag, "yes"),
        (text, True),
        (text, ["a"]),
        (words, [["a"]]),
    ],
)
def test_what_cannot_fit(cast: Any, value: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        cast(value)


@settings(deadline=None)
@given(st.integers() | st.floats() | st.text() | st.booleans() | st.lists(st.text()) | JSON)
def test_no_value_does_more_than_not_fit(value: Any) -> None:
    for cast in (text, flag, number(0, 2), whole(-1), words):
        try:
            cast(value)
        except ValueError:
            continue
