"""Answers of a comparison as a conversation that goes on: one of them, or all side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..chat import Chat
from ..errors import UsageError
from ..threads.assistants import Assistant
from ..threads.columns import Column, Columns
from ..threads.message import ThreadMessage
from ..threads.record import questions
from ..threads.thread import Thread
from ..types import Message
from ..workspace import Workspace
from .values import Contestant, Grid, Row, instructed


def chat(grid: Grid, row: Row, workspace: Workspace, thread: str | None = None) -> Chat:
    """A `Chat` with the model that gave the row's answer, after it, with the same parameters and
    settings.

    `thread` is the name of a new one that keeps it. Raises `UsageError` if nothing was answered, or
    there is a thread of that name.
    """
    contestant = grid.contestants[row.call.contestant]
    if row.reply is None or not row.text:
        raise UsageError(f"{contestant.name} has given no answer there to go on with.")
    said = row.reply.messages or _said(grid, row)
    parameters = {**grid.parameters, **contestant.parameters}
    if thread is None:
        loaded = Assistant(contestant.name, settings=contestant.settings)
        return Chat(
            contestant.model, assistant=loaded, workspace=workspace, history=said, **parameters
        )
    if workspace.threads.find(thread) is not None:
        raise UsageError(f"There is a thread {thread!r} already; choose another name.")
    system = "\n\n".join(m.text for m in said if m.role == "system")
    kept = workspace.threads.create(
        thread, model=row.reply.model, engine=row.reply.engine, instructions=system
    )
    if contestant.settings:
        kept.configure(settings=contestant.settings)
    for turn in questions([m for m in said[:-1] if m.role != "system"]):
        kept.append(turn)
    kept.append(ThreadMessage.of_reply(row.reply))
    return Chat(contestant.model, thread=kept, workspace=workspace, **parameters)


def columns(grid: Grid, rows: Sequence[Row], workspace: Workspace, name: str = "") -> Thread:
    """A new thread in which each answer to a prompt stands in a column, and goes on by itself.

    Raises `UsageError` if fewer than two have answered, or there is a thread of that name.
    """
    there = [row for row in rows if row.reply is not None and row.text]
    if len(there) < 2:
        raise UsageError("Fewer than two have given an answer there to go on with.")
    if name and workspace.threads.find(name) is not None:
        raise UsageError(f"There is a thread {name!r} already; choose another name.")
    said = [[*row.reply.messages] or _said(grid, row) for row in there if row.reply is not None]
    systems = {"\n\n".join(m.text for m in one if m.role == "system") for one in said}
    if len(systems) > 1:
        raise UsageError("Contestants with instructions of their own have no thread in common.")
    talks = [[m for m in one if m.role != "system"] for one in said]
    common = _common(talks)
    thread = workspace.threads.create(name, instructions=systems.pop())
    for turn in questions(talks[0][:common]):
        thread.append(turn)
    question = thread.messages[-1].id
    who = [grid.contestants[row.call.contestant] for row in there]
    parted = [
        Column(one.name, one.model, {**grid.parameters, **one.parameters}, one.settings)
        for one in who
    ]
    thread.put_columns(Columns(question, tuple(parted)))
    asked: dict[int, ThreadMessage] = {}  # by its place: the same in the other columns
    for column, row, talk in zip(parted, there, talks, strict=True):
        _write(thread, column, row, talk, common, asked)
    first = workspace.router.model(parted[0].model)[0]
    thread.configure(model=first.reference, engine=first.engine)
    return thread


def _common(talks: Sequence[Sequence[Message]]) -> int:
    """How many messages all begin with, a question last."""
    count = 0
    while all(len(talk) > count + 1 for talk in talks) and all(
        (talk[count].role, talk[count].content) == (talks[0][count].role, talks[0][count].content)
        for talk in talks
    ):
        count += 1
    while count and talks[0][count - 1].role != "user":
        count -= 1
    if not count:
        raise UsageError("They were not asked the same, so they have no thread in common.")
    return count


def _write(
    thread: Thread,
    column: Column,
    row: Row,
    talk: Sequence[Message],
    common: int,
    asked: dict[int, ThreadMessage],
) -> None:
    """What a column says after the question at which they part."""
    assert row.reply is not None
    tip = thread.messages[common - 1].id
    for place, message in enumerate(talk[common:], common):
        turn = ThreadMessage.of(message)
        if place == len(talk) - 1:
            turn = ThreadMessage.of_reply(row.reply)
        elif message.role == "assistant":
            turn = replace(turn, model=row.reply.model, engine=row.reply.engine)
        elif (first := asked.get(place)) is not None and first.text == turn.text:
            turn = replace(turn, beside=first.id)
        if place == common:
            turn = replace(turn, column=column.name)
        written = (thread.answer if place == common else thread.follow)(turn, tip)
        if message.role == "user":
            asked.setdefault(place, written)
        tip = written.id


def profile(grid: Grid, one: Contestant) -> Assistant:
    """A contestant with all that it was asked with; instructions are its own, or those that every
    case has."""
    firsts = [instructed(case.turns, one.system)[0] for case in grid.cases]
    systems = {"\n\n".join(m.text for m in said if m.role == "system") for said in firsts}
    return Assistant(
        one.name,
        model=one.model,
        instructions=systems.pop() if len(systems) == 1 else "",
        settings=one.settings,
        parameters={**grid.parameters, **one.parameters},
    )


def _said(grid: Grid, row: Row) -> list[Message]:
    """The conversation of an answer that does not have it any more."""
    turns = instructed(
        grid.cases[row.call.case].turns, grid.contestants[row.call.contestant].system
    )
    if len(turns) > 1:
        raise UsageError("The answers before the last one are not kept; ask this prompt again.")
    return [*turns[0], Message("assistant", row.text)]
