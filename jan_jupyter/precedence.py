"""Which value wins, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .types import EMPTY

LevelName = Literal["request", "thread", "assistant", "model", "engine", "default"]


@dataclass(frozen=True, slots=True)
class Level:
    """What one place sets: load-time `settings` and sampling `parameters`, under the names of
    `jan_jupyter/parameters.py`."""

    name: LevelName
    settings: Mapping[str, Any] = EMPTY
    parameters: Mapping[str, Any] = EMPTY


@dataclass(frozen=True, slots=True)
class Value:
    """A value that holds, and the level that set it."""

    value: Any
    level: LevelName


@dataclass(frozen=True, slots=True)
class Values:
    """All values that hold for a request, each with its level."""

    settings: Mapping[str, Value] = EMPTY
    parameters: Mapping[str, Value] = EMPTY


def resolve(levels: Iterable[Level]) -> Values:
    """The winner for each name; `levels` come strongest first, an absent value falls through."""
    settings: dict[str, Value] = {}
    parameters: dict[str, Value] = {}
    for level in levels:
        for found, given in ((settings, level.settings), (parameters, level.parameters)):
            for name, value in given.items():
                if value is not None:
                    found.setdefault(name, Value(value, level.name))
    return Values(settings, parameters)


def plain(values: Mapping[str, Value]) -> dict[str, Any]:
    """The values without their levels."""
    return {name: value.value for name, value in values.items()}
