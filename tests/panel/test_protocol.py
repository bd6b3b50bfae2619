"""The two halves of the protocol, Python's and TypeScript's, say the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import is_typeddict

import pytest

from jan_jupyter import lookout
from jan_jupyter.conversation import protocol
from jan_jupyter.conversation.actions import Actions
from jan_jupyter.conversation.queries import Queries

SOURCES = Path(__file__).parent.parent.parent / "labextension/src"
AT_ONCE = {"hello", "stop", "resync"}
"""Actions that wait for no other."""


def block(begin: str, end: str, file: str = "protocol.ts") -> str:
    """What stands between two lines of a file, without comments."""
    text = re.sub(r"/\*\*.*?\*/", "", (SOURCES / file).read_text("utf-8"), flags=re.DOTALL)
    return text.partition(begin)[2].partition(end)[0]


def test_each_action_has_a_method_and_each_method_an_action() -> None:
    actions = set(re.findall(r'\{ type: "(\w+)"', block("export type Action =", ";\n\n")))
    methods = {name.removeprefix("do_") for name in vars(Actions) if name.startswith("do_")}
    assert actions == methods | AT_ONCE
    assert actions > AT_ONCE


def test_each_query_is_answered() -> None:
    queries = set(re.findall(r"^  (\w+): \{", block("export interface Queries {", "\n}"), re.M))
    methods = {name.removeprefix("answer_") for name in vars(Queries) if name.startswith("answer_")}
    assert queries
    assert queries == methods


@pytest.mark.parametrize(
    "name", [name for name, found in vars(protocol).items() if is_typeddict(found)]
)
def test_what_is_sent_has_the_same_fields(name: str) -> None:
    begin = f"export interface {name} {{"
    if name not in {"SettingValue"}:  # that stands within another there
        fields = set(re.findall(r"^  (\w+)\??:", block(begin, "\n}"), re.M))
        assert fields == set(vars(protocol)[name].__annotations__)


@pytest.mark.parametrize(
    "name", [name for name, found in vars(lookout).items() if is_typeddict(found)]
)
def test_what_is_told_of_all_models_has_the_same_fields(name: str) -> None:
    found = block(f"export interface {name} {{", "\n}", "overview.ts")
    fields = set(re.findall(r"^  (\w+)\??:", found, re.M))
    assert fields == set(vars(lookout)[name].__annotations__)
