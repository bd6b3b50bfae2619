"""What is done with columns: several models, each with its own history, side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .. import errors
from ..threads import Thread, ThreadMessage
from ..threads.columns import Branch, Column, Columns, behind, branches, columns_of
from ..types import Message
from .answers import Answers
from .publisher import Publisher
from .selection import Selection
from .tasks import Tasks


@dataclass(eq=False)
class ColumnActions:
    """Used on the background loop alone.

    A column answers its questions in their order: one that has no answer, as after a kernel was
    killed, or one whose answer failed, is put to it again before the next.
    """

    selection: Selection
    publisher: Publisher
    answers: Answers
    tasks: Tasks

    # Asking ---------------------------------------------------------------------------------------

    async def begin(self, prompt: Message, key: str, models: Sequence[str]) -> None:
        """Put a question to several models: from here on each has a column."""
        thread = await asyncio.to_thread(self.selection.open)
        question = await asyncio.to_thread(thread.append, ThreadMessage.of(prompt))
        columns = Columns(question.id, tuple(Column(model, model) for model in models))
        await asyncio.to_thread(thread.put_columns, columns)
        await asyncio.to_thread(self.selection.keep_model)
        self.publisher.in_thread(key)
        for column in columns.columns:
            await self.answers.in_column(thread, column, question.id)

    async def follow(self, prompt: Message, key: str) -> None:
        """Put a question to the columns that it is for."""
        thread = await asyncio.to_thread(self.selection.open)
        names = await self._answered_so_far(thread)
        there = [one for one in await self._branches(thread) if one.column.name in names]
        ready = [one for one in there if one.open is None]
        if not ready:
            raise errors.UsageError(
                "No column that this is for has an answer to go on from: see why, and try again."
            )
        questions: list[ThreadMessage] = []
        for branch in ready:  # all of them are safe in the thread before anybody answers
            asked = _again(questions[0]) if questions else ThreadMessage.of(prompt)
            questions.append(await asyncio.to_thread(thread.follow, asked, branch.tip))
        self.publisher.in_thread(key)
        for branch, question in zip(ready, questions, strict=True):
            await self.answers.in_column(thread, branch.column, question.id)

    async def _answered_so_far(self, thread: Thread) -> set[str]:
        """Have the columns that are asked next answer what is still open; their names."""
        there = [
            one
            for one in await self._branches(thread)
            if one.column.name not in self.selection.left_out
        ]
        tasks = [await self._answer_open(thread, one) for one in there if one.open is not None]
        if tasks:
            await self.publisher.turns()
        if under_way := [task for task in tasks if task is not None]:
            await asyncio.wait(under_way)
        return {one.column.name for one in there}

    async def _answer_open(self, thread: Thread, branch: Branch) -> asyncio.Task[None] | None:
        """Have a column answer what it has not answered, if there is something."""
        if branch.open is None:
            return None
        failed = branch.steps[-1].answer
        instead = failed.id if failed is not None else None
        return await self.answers.in_column(thread, branch.column, branch.open.id, instead)

    async def catch_up(self, thread: Thread, name: str) -> None:
        """Have a column answer what it has not answered, and then what the longest column was asked
        since."""
        if self.answers.writes(name):
            raise errors.UsageError(f"{name} is answering: stop it first.")
        found = await self._branches(thread)
        branch = _named(found, name)
        if branch is None:
            raise errors.UsageError(f"There is no column {name}.")
        questions = behind(branch, found)
        task = await self._answer_open(thread, branch)
        if questions:
            following = self._go_on(thread, branch.column, questions, task)
            self.answers.go_on(name, self.tasks.start(following))
        await self.publisher.turns()

    async def _go_on(
        self,
        thread: Thread,
        column: Column,
        questions: Sequence[ThreadMessage],
        task: asyncio.Task[None] | None,
    ) -> None:
        """Put questions to a column, each once the one before is answered."""
        for question in questions:
            if task is not None:
                await asyncio.wait([task])
            branch = _named(await self._branches(thread), column.name)
            if branch is None or branch.open is not None:
                break  # what follows a question that was not answered has to wait
            asked = await asyncio.to_thread(thread.follow, _again(question), branch.tip)
            task = await self.answers.in_column(thread, column, asked.id)
            await self.publisher.turns()
        if task is not None:
            await asyncio.wait([task])

    async def _branches(self, thread: Thread) -> list[Branch]:
        state = await asyncio.to_thread(thread.now)
        columns = self.selection.columns
        return branches(state.tree, columns) if columns is not None else []

    # Which columns there are ----------------------------------------------------------------------

    async def put_beside(self, thread: Thread, answer: str) -> Columns:
        """Put an answer and its versions side by side, with what followed each of them."""
        state = await asyncio.to_thread(thread.now)
        question = state.tree.path(answer)[:-1]
        if not question:
            raise errors.UsageError("No question stands before that answer.")
        before = columns_of(state.head, state.tree)
        if before is not None and before.question == question[-1].id:
            columns = replace(before, open=True)
        else:
            said = [state.tree.message(id) for id in state.tree.versions(answer)]
            models = dict.fromkeys(one.model for one in said if one.model)
            columns = Columns(question[-1].id, tuple(Column(name, name) for name in models))
        await asyncio.to_thread(thread.put_columns, columns)
        return columns

    async def add(self, thread: Thread, model: str) -> None:
        """One more, which is put the questions of the longest one."""
        columns = self.selection.columns
        if columns is None or columns[model] is not None:
            return
        await asyncio.to_thread(self.selection.router.model, model)  # raises if there is none
        wider = columns.with_one(Column(model, model))
        await asyncio.to_thread(thread.put_columns, wider)
        await self.catch_up(thread, model)

    async def close(self, thread: Thread, name: str) -> None:
        """One less: its turns stay in the thread. One that is left alone goes on by itself."""
        columns = self.selection.columns
        if columns is None or columns[name] is None:
            return
        self.answers.stop_column(name)
        rest = columns.without(name)
        if len(rest.columns) < 2:
            await self._keep(thread, rest.columns[0])
            return
        self.selection.left_out.discard(name)
        await asyncio.to_thread(thread.put_columns, rest)

    async def keep(self, thread: Thread, answer: str) -> str:
        """Go on with the column in which an answer stands; gives its model."""
        for branch in await self._branches(thread):
            if any(step.answer and step.answer.id == answer for step in branch.steps):
                await self._keep(thread, branch.column)
                return branch.column.model
        raise errors.UsageError("That answer stands in no column.")

    async def _keep(self, thread: Thread, column: Column) -> None:
        branch = _named(await self._branches(thread), column.name)
        if branch is not None:
            await asyncio.to_thread(thread.switch, branch.tip)
        await self.end(thread)
        if column.settings or column.parameters:

            def configure() -> None:
                thread.configure(settings=column.settings, parameters=column.parameters)

            await asyncio.to_thread(configure)

    async def end(self, thread: Thread | None) -> None:
        """They stand side by side no more; `put_beside` leads back."""
        columns = self.selection.columns
        self.selection.left_out.clear()
        if thread is not None and columns is not None:
            await asyncio.to_thread(thread.put_columns, replace(columns, open=False))


def _again(question: ThreadMessage) -> ThreadMessage:
    """A question as another column is asked it."""
    first = question.beside or question.id
    return replace(question, id="", created=None, beside=first, cell="", notebook="", raw={})


def _named(found: Sequence[Branch], name: str) -> Branch | None:
    return next((one for one in found if one.column.name == name), None)
