"""What Python and TypeScript say of a comparison is the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args, is_typeddict

import pytest

from jan_jupyter.compare.live import protocol

SOURCE = Path(__file__).parent.parent.parent / "labextension/src/compare/protocol.ts"
TEXT = re.sub(r"/\*\*.*?\*/|//[^\n]*", "", SOURCE.read_text("utf-8"), flags=re.DOTALL)
WITHIN = {"Said", "LiveId", "Figures"}
"""What has no name of its own there."""


def block(begin: str, end: str) -> str:
    """What stands between two lines."""
    return TEXT.partition(begin)[2].partition(end)[0]


def fields(name: str) -> set[str]:
    return set(re.findall(r"^  (\w+)\??:", block(f"export interface {name} {{", "\n}"), re.M))


@pytest.mark.parametrize(
    "name",
    [n for n, found in vars(protocol).items() if is_typeddict(found) and n not in WITHIN],
)
def test_what_is_sent_has_the_same_fields(name: str) -> None:
    assert fields(name) == set(vars(protocol)[name].__annotations__)


def test_each_interface_is_written_in_python_too() -> None:
    theirs = set(re.findall(r"export interface (\w+) ", TEXT)) - {"Queries"}
    assert theirs
    assert theirs == {n for n, one in vars(protocol).items() if is_typeddict(one)} - WITHIN


def test_figures_are_those_of_the_event_and_of_the_document() -> None:
    event = block('{ type: "figures";', "}")
    named = set(re.findall(r"(\w+):", event))
    assert named == set(protocol.Figures.__annotations__)
    assert named < fields("Comparison")


def test_choices_and_the_kind_of_output_are_the_same() -> None:
    choices = re.search(r"export type Choice = (.*?);", TEXT)
    assert choices is not None
    assert [*re.findall(r'"(\w+)"', choices[1])] == [*get_args(protocol.Choice)]
    assert f'"{protocol.COMPARISON}"' in TEXT
