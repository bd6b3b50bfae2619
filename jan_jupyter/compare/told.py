"""A comparison of answers that stand in a thread: nobody is asked for them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from ..errors import UsageError
from ..threads.columns import Branch, branches, rows
from ..threads.context import filled
from ..threads.message import ThreadMessage
from ..threads.thread import Thread
from ..types import EMPTY, Message, Reply, Timings, Usage
from .grids.grid import with_names
from .keeping import written
from .values import Call, Case, Contestant, Grid, Row

OWN = "as it was"
"""The name of who has answered in the thread, where others are compared with that."""


class Told(NamedTuple):
    """What a thread tells."""

    grid: Grid
    rows: list[Row]


def conversation(thread: Thread) -> Told:
    """A thread as it went: a prompt for each of its questions that was answered, after all those
    before it. Raises `UsageError` if there is none.
    """
    turns: list[list[ThreadMessage]] = [[]]
    answers: list[ThreadMessage] = []
    for message in thread.messages:
        if message.role == "assistant" and message.sent and not message.tool_calls and turns[-1]:
            answers.append(message)
            turns.append([])
        elif message.role in ("user", "system") and message.sent:
            turns[-1].append(message)
    del turns[-1]
    if not answers:
        raise UsageError(f"Thread {thread.title} has no answered question.")
    asked = _asked(thread, turns)
    own = Contestant(OWN, thread.model or answers[-1].model)
    said = [_row(thread, answers, n, 0, asked) for n in range(len(answers))]
    return Told(Grid(_cases(asked), (own,)), said)


def columns(thread: Thread) -> Told:
    """The columns of a thread as contestants, each question a prompt. Raises `UsageError`."""
    state = thread.now()
    parted = thread.columns
    if parted is None:
        raise UsageError(f"Thread {thread.title} has no columns to compare.")
    found = branches(state.tree, parted)
    start = [m for m in state.tree.path(parted.question)[:-1] if m.sent]
    asked = rows(found)
    who = tuple(Contestant(c.name, c.model, c.parameters, c.settings) for c in parted.columns)
    cases = _cases([*_column_turns(thread, start, found, asked)])
    said = [
        row
        for contestant, branch in enumerate(found)
        for row in _column_rows(thread, start, branch, contestant, asked)
    ]
    return Told(Grid(cases, who), said)


def _column_turns(
    thread: Thread, start: Sequence[ThreadMessage], found: Sequence[Branch], asked: Sequence[str]
) -> list[tuple[Message, ...]]:
    """The questions of all columns; before the first stands what they have in common."""
    steps = [next(step for one in found if (step := one.step(row))) for row in asked]
    first = [*_system(thread, start), *(m.message() for m in start if m.role != "system")]
    return [
        (*(first if not place else ()), step.question.message()) for place, step in enumerate(steps)
    ]


def _column_rows(
    thread: Thread,
    start: Sequence[ThreadMessage],
    branch: Branch,
    contestant: int,
    asked: Sequence[str],
) -> list[Row]:
    said = [*_system(thread, start), *(m.message() for m in start if m.role != "system")]
    made = []
    for step in branch.steps:
        said.append(step.question.message())
        if step.answer is None:
            break
        call = Call(asked.index(step.row), contestant)
        made.append(_told(thread, step.answer, call, said))
        if step.answered:
            said.append(step.answer.message())
    return made


def _asked(thread: Thread, turns: Sequence[Sequence[ThreadMessage]]) -> list[tuple[Message, ...]]:
    """The questions, the first with all that is said to the model beforehand."""
    system = _system(thread, [message for turn in turns for message in turn])
    asked = [tuple(m.message() for m in turn if m.role != "system") for turn in turns]
    return [(*system, *asked[0]), *asked[1:]]


def _system(thread: Thread, line: Sequence[ThreadMessage]) -> list[Message]:
    texts = [filled(thread.instructions), *(m.text for m in line if m.role == "system")]
    text = "\n\n".join(one for one in texts if one.strip())
    return [Message("system", text)] if text else []


def _cases(turns: Sequence[tuple[Message, ...]]) -> tuple[Case, ...]:
    return tuple(with_names([Case("", tuple(turns[: n + 1])) for n in range(len(turns))]))


def _row(
    thread: Thread,
    answers: Sequence[ThreadMessage],
    place: int,
    contestant: int,
    asked: Sequence[tuple[Message, ...]],
) -> Row:
    before = [
        message
        for turn, answer in zip(asked[:place], answers, strict=False)
        for message in (*turn, answer.message())
    ]
    return _told(thread, answers[place], Call(place, contestant), [*before, *asked[place]])


def _told(thread: Thread, answer: ThreadMessage, call: Call, said: Sequence[Message]) -> Row:
    # A key of its own: with which values it was asked nobody knows any more.
    key = written.fingerprint(["thread", thread.id, answer.id])
    reply = Reply(
        answer.text,
        answer.model,
        answer.engine,
        messages=(*said, replace(answer.message(), extra=EMPTY)),
        usage=answer.usage or Usage(),
        timings=answer.timings or Timings(),
        finish=answer.finish or ("cancelled" if answer.status == "stopped" else "stop"),
        reasoning=answer.reasoning,
    )
    return Row(call, key, reply, answer.error, reused=True, at=answer.created or 0.0)
