"""A cell of a comparison as a conversation that goes on."""

from __future__ import annotations

from ..chat import Chat
from ..errors import UsageError
from ..threads.assistants import Assistant
from ..threads.message import ThreadMessage
from ..threads.record import questions
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
