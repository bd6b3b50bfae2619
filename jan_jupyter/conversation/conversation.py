"""One conversation: takes what a front end does, sends it what happens.

It lives on the background loop. `take` may be called from any thread and only enqueues; whatever
needs the notebook (its variables, its own thread) is asked of `Surroundings`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Coroutine, Mapping
from typing import Any

from .. import bridge, errors
from ..threads import Thread, ThreadMessage
from ..types import Reply
from ..workspace import Workspace
from .action_queue import ActionQueue
from .actions import Actions
from .answers import Answers
from .columns import ColumnActions
from .error_cards import error_card
from .publisher import KEYS, Publisher
from .queries import Queries
from .selection import Selection
from .surroundings import Surroundings
from .tasks import Tasks
from .timeline import Timeline

LOOK = 1.0
"""Seconds between two looks at whether somebody else has written into the thread."""


class Conversation:
    """One conversation with its answers under way. Made in any thread, used on the loop alone."""

    def __init__(
        self,
        around: Surroundings,
        workspace: Workspace,
        *,
        model: str = "",
        thread: Thread | None = None,
        instructions: str = "",
    ) -> None:
        self.selection = Selection(workspace, model=model, thread=thread, instructions=instructions)
        self._around = around
        self._timeline = Timeline()
        self._tasks = Tasks()
        self._queue = ActionQueue(lambda error: self._publisher.failed(error))
        self._publisher = Publisher(around, self.selection, self._timeline, self._tasks)
        self._answers = Answers(
            around, self.selection, self._timeline, self._publisher, self._tasks, self._queue
        )
        self._columns = ColumnActions(self.selection, self._publisher, self._answers, self._tasks)
        self._actions = Actions(
            around,
            self.selection,
            self._timeline,
            self._publisher,
            self._answers,
            self._columns,
            self._tasks,
        )
        self._queries = Queries(self.selection, around)
        self._keys: deque[str] = deque(maxlen=KEYS)
        """Keys of what was typed and has come here: sent once more, it is not done once more."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unwatch = workspace.router.watch(self._publisher.on_event)

    # For whoever shows it -------------------------------------------------------------------------

    @property
    def thread(self) -> Thread | None:
        return self.selection.thread

    @property
    def model(self) -> str:
        """The model that the next question goes to, when last looked; empty if there is none."""
        return self.selection.reference

    @property
    def messages(self) -> list[ThreadMessage]:
        """What is shown, with the answers that are being written as far as they have come."""
        return self._timeline.messages(self.thread)

    @property
    def busy(self) -> bool:
        return self._answers.busy

    @property
    def reply(self) -> Reply | None:
        """The last answer that ended."""
        return self._answers.reply

    async def wait(self) -> None:
        """Return when all that was asked for is done and no answer is on its way."""
        await self._answers.wait()

    def close(self) -> None:
        """Stop all; from any thread."""
        self._unwatch()
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended with the process
                self._loop.call_soon_threadsafe(self._tasks.cancel)

    # What the front end sends ---------------------------------------------------------------------

    def take(self, message: Mapping[str, Any]) -> None:
        """Take a message of the front end; from any thread, returns at once."""
        self._loop = bridge.loop()
        self._loop.call_soon_threadsafe(self._take, dict(message))

    def _take(self, message: dict[str, Any]) -> None:
        kind = str(message.pop("type", ""))
        try:
            if "ask" in message:
                self._tasks.start(self._answer(kind, message.pop("ask"), message))
            elif kind == "stop":
                self._answers.stop(message.get("id"))
            elif kind == "hello":
                self._tasks.start(self._greet())
            elif kind == "resync":
                self._tasks.start(self._publisher.turn(str(message.get("id"))))
            else:
                self._act(kind, message)
        except Exception as error:  # what is malformed ends nothing, and is answered
            self._publisher.failed(error)

    async def _answer(self, kind: str, to: Any, query: Mapping[str, Any]) -> None:
        try:
            value = await self._queries.answer(kind, query)
        except Exception as error:
            message = error_card(error)["message"]
            self._around.send({"type": "answer", "to": to, "error": message})
        else:
            self._around.send({"type": "answer", "to": to, "value": value})

    def _act(self, kind: str, fields: dict[str, Any]) -> None:
        """Enqueue an action."""
        action = self._actions.named(kind)
        if action is None:
            raise errors.UsageError(f"The panel knows no {kind!r}.")
        key = str(fields.get("key", ""))
        if key and key in self._keys:
            return  # a page whose connection was cut cannot know that it has come
        try:
            work = action(**fields)
        except TypeError as error:
            raise errors.UsageError(f"This is no {kind!r}: {error}.") from None
        if not self._publisher.follows_models:  # the first one
            self._publisher.follows_models = True
            self._tasks.start(self._queue.run())
            self._tasks.start(self._follow())
        self._queue.put(self._typed(key, work) if key else work)

    def _typed(self, key: str, work: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None]:
        """The same; a text that is refused goes back to whoever typed it."""
        self._keys.append(key)

        async def do() -> None:
            try:
                await work
            except Exception:
                with contextlib.suppress(ValueError):
                    self._keys.remove(key)
                self._around.send({"type": "refused", "key": key})
                raise

        return do()

    async def _greet(self) -> None:
        try:
            await self._publisher.snapshot()
        except errors.JanError as error:
            await self._leave(error)

    # What happens elsewhere -----------------------------------------------------------------------

    async def _leave(self, error: errors.JanError) -> None:
        """The thread was deleted."""
        await self._actions.show(None)
        await self._publisher.snapshot()
        self._publisher.notice(str(error))

    async def _follow(self) -> None:
        """Magics, `jan.Chat` and other kernels write into the same thread: show what they do."""
        while True:
            await asyncio.sleep(LOOK)
            thread = self.thread
            if self.busy:
                self._around.changed()  # the saved notebook follows an answer under way
            if thread is None or self.busy:
                continue
            try:
                now = await asyncio.to_thread(thread.now)
            except errors.JanError as error:
                await self._leave(error)
                continue
            if now is not self._timeline.seen and thread is self.thread:
                await self._publisher.turns()
                await self._publisher.state()
