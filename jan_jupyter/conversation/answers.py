"""Answers under way: begun, sent on as they come, and ended as the thread has them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .. import errors
from ..ask import Stream
from ..chat import Chat
from ..threads import Thread, ThreadMessage
from ..threads.columns import Column
from ..types import Message, Reply
from .action_queue import ActionQueue
from .error_cards import error_card, unsaved_card
from .live import LiveAnswer, record_of, stream_to
from .publisher import Publisher
from .selection import Selection
from .surroundings import Surroundings
from .tasks import Tasks
from .timeline import Timeline

Ask = Callable[[Chat], Stream]
"""Makes of a chat the stream of one answer."""


@dataclass(eq=False)
class Answers:
    """Used on the background loop alone."""

    around: Surroundings
    selection: Selection
    timeline: Timeline
    publisher: Publisher
    tasks: Tasks
    queue: ActionQueue

    def __post_init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._following: dict[str, asyncio.Task[None]] = {}
        """By column: what puts the next question to it."""
        self.reply: Reply | None = None
        """The last answer that ended."""

    @property
    def busy(self) -> bool:
        """Whether an answer of the thread that is shown is on its way."""
        return bool(self._following) or self.timeline.busy(self.selection.thread)

    def writes(self, column: str) -> bool:
        """Whether an answer of that column is on its way."""
        return column in self._following or any(
            live.column == column and live.thread is self.selection.thread
            for live in self.timeline.live
        )

    async def wait(self) -> None:
        """Return when no action is left to do and no answer is on its way."""
        while True:
            await self.queue.wait()
            if not self._running:
                return
            await asyncio.wait(self._running)

    # Asking ---------------------------------------------------------------------------------------

    async def ask(self, prompt: Message, key: str) -> None:
        """Put a question to the model that is chosen."""
        selection = self.selection
        thread = await asyncio.to_thread(selection.open)
        self.around.changed()
        live = LiveAnswer(thread, selection.model or selection.reference)
        try:
            stream = await self._stream(lambda chat: chat.stream(prompt), selection.model)
        except errors.JanError as error:
            question = await asyncio.to_thread(thread.append, ThreadMessage.of(prompt))
            self.publisher.in_thread(key)
            await self._refused(question.id, live, error)
            return
        await self._begin(live, stream)
        self.publisher.in_thread(key)

    async def in_column(
        self, thread: Thread, column: Column, question: str, instead: str | None = None
    ) -> asyncio.Task[None] | None:
        """Have a column answer a question of its own, maybe `instead` of an answer that failed.

        Gives what does it; `None` if it cannot even be asked.
        """
        live = LiveAnswer(thread, column.model, question=question, column=column.name)
        try:
            stream = await self._stream(
                lambda chat: chat.stream_answer(question, column=column, instead=instead),
                column.model,
            )
        except errors.JanError as error:
            await self._refused(question, live, error)
            return None
        await self._begin(live, stream)
        return live.task

    def go_on(self, column: str, task: asyncio.Task[None]) -> None:
        """What puts further questions to a column, after the answer that is on its way."""
        self._following[column] = task
        self._running.add(task)

        def done(_: object) -> None:
            self._running.discard(task)
            if self._following.get(column) is task:
                del self._following[column]

        task.add_done_callback(done)

    async def _refused(self, question: str, live: LiveAnswer, error: errors.JanError) -> None:
        """What cannot even be asked is kept as well: the question, and why it has no answer."""
        message = ThreadMessage(
            "assistant",
            "",
            status="error",
            error=str(error),
            model=live.model,
            column=live.column,
        )
        written = await asyncio.to_thread(live.thread.answer, message, question)
        self.timeline.set_name(written.id, live.id)
        self.timeline.error_cards[live.id] = error_card(error)
        await self.publisher.turns()

    async def run(self, live: LiveAnswer, ask: Ask, model: str, key: str = "") -> None:
        """One more answer at a place of the thread. Raises what is in its way."""
        await self._begin(live, await self._stream(ask, model))
        self.publisher.in_thread(key)
        await self.publisher.turns()

    async def _stream(self, ask: Ask, model: str) -> Stream:
        """An answer that is ready to be streamed; raises what is in its way."""
        return await asyncio.to_thread(lambda: ask(self.selection.chat(model)))

    async def place(self, id: str) -> tuple[Thread, str]:
        """The thread, seen now, and in it the id of the turn that the front end calls `id`.

        Raises `UsageError` where there is none, or while it is being written to.
        """
        thread = self.selection.thread
        if thread is None:
            raise errors.UsageError("Nothing has been said in this thread yet.")
        self.not_busy()
        await asyncio.to_thread(thread.now)
        return thread, self.timeline.real_id(id)

    def not_busy(self) -> None:
        """Raises `UsageError` while an answer is on its way."""
        if self.busy:
            raise errors.UsageError("An answer is on its way: stop it first.")

    # Under way ------------------------------------------------------------------------------------

    async def _begin(self, live: LiveAnswer, stream: Stream) -> None:
        """Start an answer; return when its question is in the thread, or when it has ended."""
        loop, begun = asyncio.get_running_loop(), asyncio.Event()
        record_of(stream).on_begin = lambda: loop.call_soon_threadsafe(begun.set)
        live.stream = stream
        live.model = stream.target.model.reference
        live.engine = stream.target.engine.options.name
        self.timeline.live.append(live)
        live.task = self.tasks.start(self._drive(live, stream))
        live.task.add_done_callback(lambda task: begun.set())
        self._running.add(live.task)
        live.task.add_done_callback(self._running.discard)
        self.around.changed()
        await begun.wait()
        if self.queue.stopped:  # before it was there; the question is kept
            live.task.cancel()

    async def _drive(self, live: LiveAnswer, stream: Stream) -> None:
        """Send an answer on as it comes, then as the thread has it."""
        try:
            await stream_to(live, stream, self.around.send)
        except asyncio.CancelledError:
            pass  # the stop that was asked for
        except errors.ThreadError as error:
            if error.reply is None:
                self.timeline.error_cards[live.id] = error_card(error)
            else:
                live.unsaved = unsaved_card(error)
        except Exception as error:
            self.timeline.error_cards[live.id] = error_card(error)
        ending = self.tasks.start(self._end(live, stream))
        while not ending.done():  # whoever stops it once more does not stop its end
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([ending])

    async def _end(self, live: LiveAnswer, stream: Stream) -> None:
        """Publish that an answer has ended, as the thread has it."""
        timeline = self.timeline
        with contextlib.suppress(errors.JanError):  # the thread was deleted meanwhile
            await asyncio.to_thread(live.thread.now)  # what it was is seen before it is gone here
        timeline.live.remove(live)
        if live.unsaved is not None:
            timeline.unsaved.append(live)
        answer = record_of(stream).answer
        if answer is not None:
            timeline.set_name(answer.id, live.id)
        if live.id in timeline.error_cards and not timeline.shows(live, answer):
            self.publisher.notice(timeline.error_cards[live.id]["message"])
        self.reply = stream.reply_so_far()
        self.around.changed()
        await self.publisher.turns()
        self.publisher.models_soon()

    def stop(self, id: str | None = None) -> list[asyncio.Task[None]]:
        """Stop one answer, or all: also those that are asked for but have not begun.

        Returns the tasks that are about to end.
        """
        if id is None:
            self.queue.stop()
        shown = [live for live in self.timeline.live if live.thread is self.selection.thread]
        meant = [live for live in shown if id in (None, live.id)]
        columns = [live.column for live in meant] if id is not None else [*self._following]
        tasks = [live.task for live in meant if live.task]
        return self._cancelled([*tasks, *self._putting(columns)])

    def stop_column(self, name: str) -> None:
        """Stop what a column is writing, and what it is to be asked."""
        lives = [live for live in self.timeline.live if live.column == name]
        self._cancelled([*(live.task for live in lives if live.task), *self._putting([name])])

    def _putting(self, columns: Sequence[str]) -> list[asyncio.Task[None]]:
        return [self._following[name] for name in columns if name in self._following]

    @staticmethod
    def _cancelled(tasks: list[asyncio.Task[None]]) -> list[asyncio.Task[None]]:
        for task in tasks:
            task.cancel()
        return tasks
