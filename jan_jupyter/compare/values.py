"""What a comparison is made of: who is asked, what, and what came. Values only: no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..types import EMPTY, Message, Reply


@dataclass(frozen=True, slots=True)
class Contestant:
    """Who is asked: a model, with parameters of requests, settings of loading and instructions of
    its own."""

    name: str
    """Its column: unique in a grid."""
    model: str
    parameters: Mapping[str, Any] = EMPTY
    settings: Mapping[str, Any] = EMPTY
    system: str = ""
    """Instructions that take the place of those of a case; empty: it has none of its own."""


Turns = tuple[tuple[Message, ...], ...]


def instructed(turns: Turns, system: str) -> Turns:
    """Turns with that system text instead of another; without one, as they are."""
    if not system:
        return turns
    first, *others = (tuple(one for one in turn if one.role != "system") for turn in turns)
    return ((Message("system", system), *first), *others)


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked of everybody: one prompt with its variables filled in.

    Of several `turns` each is asked after the contestant's own answers to those before it: so a
    thread is replayed. The last answer is the case's.
    """

    name: str
    """Its row: the index of a frame as text, or the beginning of the prompt."""
    turns: Turns
    index: Any = None
    """Its place in the frame that it came from; a tuple where that has several levels."""
    variables: Mapping[str, Any] = EMPTY
    expected: Any = None
    index_names: tuple[Any, ...] = ()
    """What the frame calls the levels of that index; empty where they have no names."""

    @property
    def text(self) -> str:
        """The last question."""
        return self.turns[-1][-1].text


class Call(NamedTuple):
    """One cell of the grid, by position, and which of its repeats (from 0)."""

    case: int
    contestant: int
    repeat: int = 0


@dataclass(frozen=True, slots=True)
class Grid:
    """Everything that is asked. `parameters` are those of all contestants."""

    cases: tuple[Case, ...]
    contestants: tuple[Contestant, ...]
    repeats: int = 1
    parameters: Mapping[str, Any] = EMPTY
    seed: int = 0
    """Of the order in which it is asked; a request has a seed only as a parameter."""
    order: tuple[int, ...] = ()
    """The cases as they are asked, where that was drawn; empty: as they stand."""

    def __len__(self) -> int:
        return len(self.cases) * len(self.contestants) * self.repeats

    @property
    def in_turn(self) -> Sequence[int]:
        """The cases in the order in which they are asked."""
        return self.order or range(len(self.cases))

    def calls(self) -> Iterator[Call]:
        for case in range(len(self.cases)):
            for contestant in range(len(self.contestants)):
                for repeat in range(self.repeats):
                    yield Call(case, contestant, repeat)


@dataclass(frozen=True, slots=True)
class Score:
    """What one scorer says of one row: from 0 to 1, yes or no, any number; `None`: it could not."""

    value: float | bool | None
    note: str = ""
    """Why, or what went wrong."""


STOPPED = "stopped"
"""The error of a call that was stopped on the way; its row has what had come."""


@dataclass(frozen=True, slots=True)
class Row:
    """One call that has ended: an answer, or why there is none."""

    call: Call
    key: str
    """The same for whatever would be asked in the same way of the same model file."""
    reply: Reply | None
    """What came; of one that failed half way the part that came."""
    error: str = ""
    """One line; empty if the call succeeded."""
    cold: bool = False
    """Whether the model had to be loaded for it."""
    reused: bool = False
    """Whether the answer is an earlier run's."""
    at: float = 0.0
    """When it ended, in seconds since 1970."""
    cost: float | None = None
    """Money, where a price is known; an estimate."""
    scores: Mapping[str, Score] = field(default=EMPTY)
    """By the name of the scorer."""

    @property
    def ok(self) -> bool:
        return not self.error and self.reply is not None

    @property
    def stopped(self) -> bool:
        """Whether it was ended on the way: what it would have come to nobody knows."""
        return self.error == STOPPED

    @property
    def failed(self) -> bool:
        return not self.ok and not self.stopped

    @property
    def text(self) -> str:
        return self.reply.text if self.reply else ""


@dataclass(frozen=True, slots=True)
class Result:
    """A grid and the rows that have ended, in any order, each call at most once."""

    grid: Grid
    rows: Sequence[Row]
    name: str = ""
    prices: Mapping[str, str] = EMPTY
    """By the name of a contestant, at which price its costs are estimates, in words."""
    decide: str = ""
    """By which scorer's word it was to end early; empty: it was to ask for all."""

    def of(self, case: int, contestant: int) -> list[Row]:
        """The repeats of one cell, in their order."""
        found = (r for r in self.rows if r.call.case == case and r.call.contestant == contestant)
        return sorted(found, key=lambda row: row.call.repeat)
