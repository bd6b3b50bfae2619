"""What the front end does: one method for each action of `Action` in `protocol.ts`.

They are done one after the other. What goes wrong is raised, and becomes a notice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from ..threads import Thread, ThreadMessage
from . import brought
from .answers import Answers
from .columns import ColumnActions
from .live import LiveAnswer
from .protocol import Context
from .publisher import Publisher
from .selection import Selection
from .surroundings import Surroundings
from .tasks import Tasks
from .timeline import Timeline
from .turns import is_shown, question, split_context

Action = Callable[..., Coroutine[Any, Any, None]]


@dataclass(eq=False)
class Actions:
    """Used on the background loop alone. Parameters are the fields of the action."""

    around: Surroundings
    selection: Selection
    timeline: Timeline
    publisher: Publisher
    answers: Answers
    columns: ColumnActions
    tasks: Tasks

    def named(self, kind: str) -> Action | None:
        """The method for actions of that kind; `None`: there are no such actions."""
        found: Action | None = getattr(self, f"do_{kind}", None)
        return found

    # Asking ---------------------------------------------------------------------------------------

    async def do_send(
        self,
        text: str,
        images: Sequence[str] = (),
        context: Sequence[Context] = (),
        key: str = "",
    ) -> None:
        self.answers.not_busy()
        pictures = brought.pictures(images)
        prompt = question(text, await brought.along(self.around, text, context), pictures)
        selection = self.selection
        await asyncio.to_thread(selection.refresh)
        others = [name for name in selection.compare if name != selection.reference]
        if selection.columns is not None:
            await self.columns.follow(prompt, key)
        elif others:
            await self.columns.begin(prompt, key, [selection.reference, *others])
        else:
            await self.answers.ask(prompt, key)
        await self.publisher.turns()

    async def do_regenerate(self, id: str, model: str = "") -> None:
        """A further answer to a question, or instead of an answer."""
        thread, real = await self.answers.place(id)
        tree = thread.seen.tree
        replaces: str | None = real
        if tree.message(real).role == "user":
            after = tree.line[(tree.place(real) or 0) + 1 :][:1]
            replaces = after[0].id if after else None  # its answer was lost, or removed
        await self.columns.end(thread)
        live = LiveAnswer(thread, model or self.selection.reference, replaces=replaces)
        await self.answers.run(
            live,
            lambda chat: (
                chat.stream_answer(real) if replaces is None else chat.stream_regenerate(replaces)
            ),
            model or self.selection.model,
        )

    async def do_edit(
        self,
        id: str,
        text: str,
        images: Sequence[str] | None = None,
        context: Sequence[Context] | None = None,
        key: str = "",
    ) -> None:
        """Ask otherwise: `images` and `context` that are left out stay as they were."""
        thread, real = await self.answers.place(id)
        before = thread.seen.tree.message(real)
        old = [] if isinstance(before.content, str) else before.content
        others = [part for part in old if part.get("type") != "text"]
        if images is not None:
            others = [part for part in others if not is_shown(part)]
            others += brought.pictures(images)
        found = await brought.along(self.around, text, context, split_context(before.text)[1])
        prompt = question(text, found, others)
        await self.columns.end(thread)
        live = LiveAnswer(thread, self.selection.reference, replaces=real)
        await self.answers.run(
            live, lambda chat: chat.stream_edit(real, prompt), self.selection.model, key
        )

    async def do_continue(self, id: str) -> None:
        thread, real = await self.answers.place(id)
        before = thread.seen.tree.message(real)
        live = LiveAnswer(
            thread,
            before.model or self.selection.reference,
            base=before.text,
            reasoning_base=before.reasoning,
            id=self.timeline.name(real),
            replaces=real,
        )
        await self.answers.run(
            live, lambda chat: chat.stream_go_on(), before.model or self.selection.model
        )

    # What stands in the thread --------------------------------------------------------------------

    async def do_version(self, id: str) -> None:
        thread, real = await self.answers.place(id)
        await self.columns.end(thread)
        await asyncio.to_thread(thread.switch, real)
        await self.publisher.turns()

    async def do_keep(self, id: str) -> None:
        """Go on with the column of an answer: the others stay in the thread."""
        thread, real = await self.answers.place(id)
        model = await self.columns.keep(thread, real)
        self.selection.compare = []
        await self.do_model(model)  # who sees the answer stand there asks its model next
        await self.publisher.turns()
        await self.publisher.state()

    async def do_columns(self, id: str) -> None:
        """Put an answer and its versions side by side again, with what followed each."""
        thread, real = await self.answers.place(id)
        columns = await self.columns.put_beside(thread, real)
        await asyncio.to_thread(self.selection.choose_all, [one.model for one in columns.columns])
        self.around.changed()
        await self.publisher.turns()
        await self.publisher.state()

    async def do_next(self, column: str, on: bool) -> None:
        """Whether the next question is for a column."""
        (self.selection.left_out.discard if on else self.selection.left_out.add)(column)
        await self.publisher.turns()

    async def do_catch_up(self, column: str) -> None:
        """Have a column answer what it has not answered, or was not asked."""
        if self.selection.thread is not None:
            await self.columns.catch_up(self.selection.thread, column)

    async def do_delete(self, id: str) -> None:
        thread, real = await self.answers.place(id)
        place, messages = thread.seen.tree.place(real), thread.seen.tree.line
        await asyncio.to_thread(thread.delete, *deleted_with(messages, place, real))
        await self.publisher.turns()

    # Models ---------------------------------------------------------------------------------------

    async def do_model(self, model: str) -> None:
        await asyncio.to_thread(self.selection.choose, model)
        await self.columns.end(self.selection.thread)
        self.around.changed()
        await self.publisher.turns()
        await self.publisher.state()
        await self.do_load(model)

    async def do_load(self, model: str) -> None:
        self.tasks.start(self._load(model))

    async def _load(self, model: str) -> None:
        try:
            levels = await asyncio.to_thread(self.selection.load_levels, model)
            if levels is not None:
                await self.selection.router.load(model or None, levels)
        except Exception as error:
            self.publisher.failed(error)
        self.publisher.models_soon()

    async def do_unload(self, model: str) -> None:
        await self.selection.router.unload(model)
        self.publisher.models_soon()

    async def do_compare(self, models: Sequence[str]) -> None:
        columns = self.selection.columns
        if columns is not None:
            before = [one.name for one in columns.columns[1:]]
            for name in [*models, *before]:
                if (name in models) != (name in before):
                    await self.do_beside(name, name in models)
            return
        chosen = self.selection.reference
        self.selection.compare = [model for model in models if model != chosen]
        self.publisher.update(compare=[*self.selection.compare])

    async def do_beside(self, model: str, on: bool) -> None:
        thread = self.selection.thread
        if thread is not None and self.selection.columns is not None:
            await (self.columns.add if on else self.columns.close)(thread, model)
            await self.publisher.turns()
            return
        others = [name for name in self.selection.compare if name != model]
        await self.do_compare([*others, model] if on else others)

    # What goes with each question -----------------------------------------------------------------

    async def do_set(self, kind: str, name: str, value: Any) -> None:
        await asyncio.to_thread(self.selection.set, kind, name, value)
        await self.publisher.state()

    async def do_instructions(self, text: str) -> None:
        await asyncio.to_thread(self.selection.set_instructions, text)
        await self.publisher.state()

    async def do_assistant(self, id: str) -> None:
        if model := await asyncio.to_thread(self.selection.choose_assistant, id):
            await self.do_model(model)
        await self.publisher.state()

    # Threads --------------------------------------------------------------------------------------

    async def do_thread(self, id: str) -> None:
        """Go on with another thread, or begin one (`""`)."""
        await self.show(await asyncio.to_thread(self.selection.threads.get, id) if id else None)
        await self.publisher.snapshot()

    async def show(self, thread: Thread | None) -> None:
        await asyncio.to_thread(self.selection.show, thread)
        self.publisher.forget_notice()
        self.around.changed()

    async def do_rename(self, id: str, title: str) -> None:
        thread = await asyncio.to_thread(self.selection.threads.get, id)
        await asyncio.to_thread(thread.rename, title)
        self.publisher.threads_changed()
        await self.publisher.state()

    async def do_remove(self, id: str) -> None:
        thread = self.selection.thread
        if thread is not None and thread.id == id:
            # Else their last words would be written behind its back.
            await asyncio.gather(*self.answers.stop(), return_exceptions=True)
            await self.show(None)
        await asyncio.to_thread(self.selection.threads.delete, id)
        self.publisher.threads_changed()
        await self.publisher.snapshot()

    async def do_dismiss(self) -> None:
        self.publisher.notice("")


def deleted_with(path: Sequence[ThreadMessage], place: int | None, id: str) -> Sequence[str]:
    """Ids of what is deleted with a turn: a question's answer, an answer's calls and results."""
    if place is None:
        return [id]
    start, end = place, place + 1
    if path[place].role == "user" or path[place].tool_calls:
        while end < len(path) and path[end].role not in ("user", "system"):
            end += 1
    while path[place].role != "user" and start and _calls_tools(path[start - 1]):
        start -= 1
    return [message.id for message in path[start:end]]


def _calls_tools(message: ThreadMessage) -> bool:
    """Whether a message is a call of tools, or what one has returned."""
    return message.role == "tool" or bool(message.tool_calls)
