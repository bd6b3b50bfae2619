"""Votes and judgements of a run, and how each is a note of it, kept when it is given. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields
from typing import Any

from ...errors import UsageError
from ..scoring.votes import Judgement, Vote
from ..values import Grid

_KINDS: Mapping[str, type[Vote | Judgement]] = {"vote": Vote, "judgement": Judgement}
_TOGETHER = "votes"
"""The note that once held all votes of a run."""


def noted(said: Vote | Judgement) -> tuple[str, dict[str, Any]]:
    """The name and the value of its note. A later word on the same answers has the same name."""
    kind = next(name for name, kind in _KINDS.items() if isinstance(said, kind))
    pair = sorted((said.left, said.right))
    name = " ".join([kind, *map(str, (said.case, said.repeat, *pair)), said.by])
    return name, {field.name: getattr(said, field.name) for field in fields(said)}


def said(notes: Mapping[str, Any], grid: Grid) -> Iterator[Vote | Judgement]:
    """What notes hold of both, the oldest first; what does not belong to the grid is left out."""
    for name, value in notes.items():
        kind = "vote" if name == _TOGETHER else name.split(" ")[0]
        for each in value if name == _TOGETHER and isinstance(value, list) else [value]:
            if kind in _KINDS and (one := _read(_KINDS[kind], each, grid)) is not None:
                yield one


def _read(kind: Callable[..., Vote | Judgement], value: Any, grid: Grid) -> Vote | Judgement | None:
    with suppress(TypeError, AttributeError, UsageError):
        one = kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in value.items()})
        if isinstance(one, Judgement):
            _ = one.vote  # raises if its verdict is none
        sizes = len(grid.cases), len(grid.contestants), len(grid.contestants), grid.repeats
        places = zip((one.case, one.left, one.right, one.repeat), sizes, strict=True)
        if all(type(place) is int and 0 <= place < size for place, size in places):
            return one
    return None


class Heard:
    """What people and judges have said so far; a later word on the same answers counts alone."""

    def __init__(self) -> None:
        self._said: dict[str, Vote | Judgement] = {}  # by the names of their notes

    def add(self, given: Iterable[Vote | Judgement]) -> None:
        for one in given:
            name, _ = noted(one)
            self._said.pop(name, None)  # a later word stands behind the others
            self._said[name] = one

    def drop(self, vote: Vote) -> None:
        self._said.pop(noted(vote)[0], None)

    @property
    def votes(self) -> tuple[Vote, ...]:
        """Those of people and of judges, the oldest first."""
        given = (one if isinstance(one, Vote) else one.vote for one in [*self._said.values()])
        return tuple({noted(one)[0]: one for one in given if one is not None}.values())

    @property
    def judgements(self) -> tuple[Judgement, ...]:
        return tuple(one for one in self._said.values() if isinstance(one, Judgement))
