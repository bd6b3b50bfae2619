"""One table of parameters and settings: what all places offer derives from it."""

from __future__ import annotations

from typing import Any

import pytest

from jan_jupyter.commands import asking, candidates
from jan_jupyter.commands.options import parameters_of
from jan_jupyter.conversation.views import setting_rows
from jan_jupyter.engines.local import llama_options, serve
from jan_jupyter.models.edits import fitted
from jan_jupyter.parameters import TABLE, Field, collect, unknown
from jan_jupyter.precedence import Values

FIELDS = [field for fields in TABLE.values() for field in fields.values()]


def test_each_name_has_one_meaning() -> None:
    names = [field.name for field in FIELDS] + [old for f in FIELDS for old in f.old_names]
    assert len(names) == len({*names})
    assert all(field.help for field in FIELDS if field.title or field.options)


def test_the_panel_shows_what_has_a_title() -> None:
    rows = {row["name"]: row for row in setting_rows(Values(), Values(), local=True)}
    assert list(rows) == [
        f.name for g in ("parameters", "settings") for f in TABLE[g].values() if f.title
    ]
    assert rows["temperature"]["title"] == "Variety"
    assert (rows["temperature"]["min"], rows["temperature"]["max"]) == (0, 2)
    assert (rows["repeat_penalty"]["min"], rows["repeat_penalty"]["max"]) == (0.5, 2)
    assert rows["ctx_len"]["kind"] == "setting"
    remote = {row["name"] for row in setting_rows(Values(), Values(), local=False)}
    assert remote == {
        name for g in TABLE.values() for name, f in g.items() if f.title and not f.local
    }


def test_each_option_of_the_line_sets_its_parameter() -> None:
    typed = {"number": ("0.5", 0.5), "integer": ("7", 7), "list": ("x", ["x"])}
    offered = [field for field in TABLE["parameters"].values() if field.options]
    assert offered
    for field in offered:
        text, value = typed[field.kind]
        for option in field.options:
            found = asking.parser().parse_args([option, text])
            assert parameters_of(found) == {field.name: value}


def test_tab_offers_what_may_be_set() -> None:
    assert [text for text, _ in candidates.parameters("")] == [
        f"{f.name}=" for f in TABLE["parameters"].values() if f.help
    ]
    assert {f"{f.name}=" for f in FIELDS} < {text for text, _ in candidates.fields("")}


@pytest.mark.parametrize("field", FIELDS, ids=lambda f: f.name)
def test_edits_and_files_take_the_same_values(field: Field) -> None:
    good: dict[str, Any] = {"number": 1, "integer": 1, "text": "x", "flag": True, "list": ["x"]}
    group, name, value = fitted(field.name, good[field.kind])
    assert TABLE[group][name] is field
    warnings: list[str] = []
    for written in (field.name, *field.old_names):
        read = collect({written: value}, {field.name: field.cast}, warnings)
        assert read == {field.name: good[field.kind]}
    assert not warnings


def test_what_our_servers_read_is_known() -> None:
    assert [unknown(name) for name in serve._NUMBERS if unknown(name)] == []
    settings = {*llama_options.OTHER_NAMES.values()} & {*TABLE["settings"]}
    assert settings >= {"ctx_len", "ngl", "cpu_threads"}
