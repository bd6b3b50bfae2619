"""Columns: conversations with several models that part at a question, side by side.

They are branches like all others: each column begins with its own answer to that question, and a
further question stands once in each column that it was put to. So Jan, which knows no branches,
shows the column on the line. Which branches stand side by side is written into `thread.json`, in
our place of its `metadata`. Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..types import EMPTY
from . import thread_file
from .message import OURS, ThreadMessage
from .thread_file import Head
from .tree import Tree


@dataclass(frozen=True, slots=True)
class Column:
    """Who answers in a column: a model, with parameters and load settings of its own."""

    name: str
    """Unique in its thread; the model's, if that stands there once."""
    model: str
    parameters: Mapping[str, Any] = EMPTY
    settings: Mapping[str, Any] = EMPTY


@dataclass(frozen=True, slots=True)
class Columns:
    """The question at which they part, and who answers from there on, from left to right."""

    question: str
    columns: tuple[Column, ...]
    open: bool = True
    """Whether they are shown; else one of them has been chosen to go on with."""

    def __getitem__(self, name: str) -> Column | None:
        return next((one for one in self.columns if one.name == name), None)

    def with_one(self, column: Column) -> Columns:
        return replace(self, columns=(*self.columns, column))

    def without(self, name: str) -> Columns:
        return replace(self, columns=tuple(one for one in self.columns if one.name != name))

    def json(self) -> dict[str, Any]:
        """As `thread.json` has it."""
        return {
            "question": self.question,
            "open": self.open,
            "columns": [
                {"name": one.name, "model": one.model}
                | ({"parameters": dict(one.parameters)} if one.parameters else {})
                | ({"settings": dict(one.settings)} if one.settings else {})
                for one in self.columns
            ],
        }


def columns_of(head: Head, tree: Tree) -> Columns | None:
    """What a `thread.json` says of columns, also of those that are not open any more.

    `None` if there are not two at least, or their question is gone.
    """
    ours = head.metadata.get(OURS)
    raw = ours.get("columns") if isinstance(ours, Mapping) else None
    if not isinstance(raw, Mapping) or not isinstance(raw.get("columns"), list):
        return None
    question, found = str(raw.get("question")), dict[str, Column]()
    for one in raw["columns"]:
        if isinstance(one, Mapping) and isinstance(one.get("model"), str) and one["model"]:
            # A thread may come from anybody: as everywhere in it, only what tunes a model counts.
            settings, parameters = thread_file.tuning(
                one.get("settings"), one.get("parameters"), []
            )
            name = str(one.get("name") or one["model"])
            found.setdefault(name, Column(name, one["model"], parameters, settings))
    if len(found) < 2 or question not in tree:
        return None
    return Columns(question, tuple(found.values()), raw.get("open") is True)


@dataclass(frozen=True, slots=True)
class Step:
    """A question in a column, and its answer, if there is one."""

    question: ThreadMessage
    answer: ThreadMessage | None = None

    @property
    def row(self) -> str:
        """The same for one question in all columns."""
        return self.question.beside or self.question.id

    @property
    def answered(self) -> bool:
        """Whether it has an answer that one may go on from: none that failed."""
        said = self.answer
        return said is not None and (
            said.status == "ready" or (said.status == "stopped" and bool(said.text))
        )


@dataclass(frozen=True, slots=True)
class Branch:
    """A column as far as it has come: its steps, and the turn that the next one follows."""

    column: Column
    steps: tuple[Step, ...]
    tip: str

    @property
    def open(self) -> ThreadMessage | None:
        """The question that is to be answered before another one."""
        last = self.steps[-1]
        return None if last.answered else last.question

    def step(self, row: str) -> Step | None:
        return next((step for step in self.steps if step.row == row), None)


def branches(tree: Tree, columns: Columns) -> list[Branch]:
    """All columns, in their order. Raises `ThreadNotFound` if their question is not there."""
    question = tree.message(columns.question)
    return [_branch(tree, question, column) for column in columns.columns]


def _branch(tree: Tree, question: ThreadMessage, column: Column) -> Branch:
    answers = [m for m in tree.children(question.id) if m.role == "assistant"]
    own = [m for m in answers if m.column == column.name] or [
        m for m in answers if not m.column and m.model == column.model
    ]
    steps = [Step(question)]
    tip = question.id
    following = own
    while following:
        # Where several follow, the one on the line was chosen; else the newest counts.
        message = next((m for m in following if tree.place(m.id) is not None), following[-1])
        if message.role == "user":
            steps.append(Step(message))
        elif message.role == "assistant":
            steps[-1] = replace(steps[-1], answer=message)
        tip = message.id
        following = tree.children(tip)
    return Branch(column, tuple(steps), tip)


def rows(found: Sequence[Branch]) -> list[str]:
    """The questions of all columns, each once, in the order in which they were put."""
    asked: dict[str, float] = {}
    for step in (step for branch in found for step in branch.steps):
        at = step.question.created or 0
        asked[step.row] = min(asked.get(step.row, at), at)
    return sorted(asked, key=lambda row: asked[row])


def behind(branch: Branch, found: Sequence[Branch]) -> list[ThreadMessage]:
    """The questions that a column has not been put, though the longest column was, since its last
    one."""
    longest = max(found, key=lambda one: len(one.steps))
    last = branch.steps[-1].row
    at = next((i for i, step in enumerate(longest.steps) if step.row == last), None)
    return [] if at is None else [step.question for step in longest.steps[at + 1 :]]
