"""The panel's side of a conversation: takes what the user does, tells the front end what happens.

It lives on the background loop. `take` may be called from any thread and only enqueues; whatever
needs the notebook (its variables, its own thread) is asked of `Surroundings`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from .. import bridge, errors
from ..ask import Stream
from ..chat import Chat
from ..engines.listening import not_running
from ..threads import Thread, ThreadMessage
from ..types import Event, Message, Reply
from ..workspace import Workspace
from . import views
from .actions import Order
from .error_cards import fault, unkept
from .live import Live, drive, record_of
from .protocol import Context, Send, Turn
from .queries import Asked
from .selection import Choices
from .timeline import Line
from .turns import with_context

KEYS = 50
"""So many keys of what was typed are remembered, of all pages together."""

LOOK = 1.0
"""Seconds between two looks at whether somebody else has written into the thread."""


@dataclass
class Surroundings:
    """What a conversation needs of the place it is shown in."""

    send: Send
    """Tell the front end; from any thread, without waiting."""
    changed: Callable[[], None] = lambda: None
    """The model, the thread, or whether an answer is on its way may have changed."""
    context: Callable[[str], Future[list[Context]]] | None = None
    """What the references of a question stand for, found out in the notebook's own thread."""
    complete: Callable[[str], Sequence[Any]] = lambda text: ()


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
        self.around = around
        self.router = workspace.router
        self.choices = Choices(workspace, model=model, thread=thread, instructions=instructions)
        self.reply: Reply | None = None
        """The last answer that ended."""
        self._line = Line()
        self._asked = Asked(self.choices, self._context, around.complete)
        self._order = Order(self._failed)
        self._events: dict[str, Event] = {}
        self._notice = ""
        self._keys: deque[str] = deque(maxlen=KEYS)
        """Keys of what was typed and has come here: told once more, it is not done once more."""
        self._stand: deque[str] = deque(maxlen=KEYS)
        """Those of them that stand in the thread."""
        self._threads = 0
        """How many threads have been renamed or removed here."""
        self._sent: dict[str, Turn] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._answering: set[asyncio.Task[Any]] = set()
        self._works = False
        self._models_due = False
        self._unwatch = self.router.watch(self._on_event)

    @property
    def thread(self) -> Thread | None:
        return self.choices.thread

    @property
    def model(self) -> str:
        """The model that the next question goes to, when last looked; empty if there is none."""
        return self.choices.reference

    @property
    def messages(self) -> list[ThreadMessage]:
        """The line, with the answers that are being written as far as they have come."""
        thread = self.thread
        if thread is None:
            return []
        lives = [live for live in [*self._line.lives] if live.thread is thread]
        replaced = {live.replaces for live in lives}
        stands = [message for message in thread.seen.tree.line if message.id not in replaced]
        return [*stands, *(live.so_far for live in lives)]

    @property
    def busy(self) -> bool:
        return self._line.busy(self.thread)

    # What the front end sends ---------------------------------------------------------------------

    def take(self, message: Mapping[str, Any]) -> None:
        """Take a message of the front end; from any thread, returns at once."""
        self._loop = bridge.loop()
        self._loop.call_soon_threadsafe(self._take, dict(message))

    def _take(self, message: dict[str, Any]) -> None:
        kind = str(message.pop("type", ""))
        try:
            self._understood(kind, message)
        except Exception as error:  # what is malformed ends nothing, and is answered
            self._failed(kind, error)

    def _understood(self, kind: str, message: dict[str, Any]) -> None:
        if "ask" in message:
            self._spawn(self._answer(kind, message.pop("ask"), message))
        elif kind == "stop":
            self._stop(message.get("id"))
        elif kind == "hello":
            self._spawn(self._hello())
        elif kind == "resync":
            self._spawn(self._resync(str(message.get("id"))))
        elif (action := getattr(self, f"_do_{kind}", None)) is not None:
            key = str(message.get("key", ""))
            if key and key in self._keys:
                return  # a page whose connection was cut cannot know that it has come
            try:
                work = action(**message)
            except TypeError as error:
                raise errors.UsageError(f"This is no {kind!r}: {error}.") from None
            self._work()
            self._order.take(kind, self._typed(key, work) if key else work)
        else:
            raise errors.UsageError(f"The panel knows no {kind!r}.")

    def _work(self) -> None:
        """From the first action on: do what is asked for, and see what others do."""
        if not self._works:
            self._works = True
            self._spawn(self._order.run())
            self._spawn(self._follow())

    def _typed(self, key: str, work: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None]:
        """The same; a text that is refused goes back to whoever typed it."""
        self._keys.append(key)

        async def do() -> None:
            try:
                await work
            except Exception:
                with contextlib.suppress(ValueError):
                    self._keys.remove(key)
                self.around.send({"type": "refused", "key": key})
                raise

        return do()

    def _stands(self, key: str) -> None:
        if key and key not in self._stand:
            self._stand.append(key)

    def _failed(self, kind: str, error: Exception) -> None:
        self._tell(notice=fault(error)["message"])

    async def _answer(self, kind: str, to: Any, question: Mapping[str, Any]) -> None:
        try:
            value = await self._asked.answer(kind, question)
        except Exception as error:
            self.around.send({"type": "answer", "to": to, "error": fault(error)["message"]})
        else:
            self.around.send({"type": "answer", "to": to, "value": value})

    async def wait(self) -> None:
        """Return when all that was asked for is done and no answer is on its way."""
        while True:
            await self._order.wait()
            if not self._answering:
                return
            await asyncio.wait(self._answering)

    def close(self) -> None:
        """Stop all; from any thread."""

        def end() -> None:
            for task in self._tasks:
                task.cancel()

        self._unwatch()
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended with the process
                self._loop.call_soon_threadsafe(end)

    def _spawn(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = bridge.loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # Asking ---------------------------------------------------------------------------------------

    async def _do_send(self, text: str, images: Sequence[str] = (), key: str = "") -> None:
        await self._send(text, images, key)
        await self._publish()

    async def _send(self, text: str, images: Sequence[str], key: str) -> None:
        if self.busy:
            raise errors.UsageError("An answer is on its way: stop it first.")
        context = await self._context(text)
        thread = await asyncio.to_thread(self.choices.opened)
        self.around.changed()
        self._line.one_column()
        content: Any = with_context(text, context)
        if images:
            pictures = [{"type": "image_url", "image_url": {"url": url}} for url in images]
            content = [*([{"type": "text", "text": content}] if content else []), *pictures]
        prompt = Message("user", content)
        model, chosen = self.choices.model, self.model
        others = [name for name in self.choices.compare if name != chosen]
        first = Live(thread, model or chosen)
        try:
            stream = await self._stream(lambda chat: chat.stream(prompt), model)
        except errors.JanError as error:
            question = await asyncio.to_thread(thread.append, ThreadMessage.of(prompt))
            self._stands(key)
            await self._refused(question.id, first, error)
            return
        await self._begin(first, stream)
        self._stands(key)
        asked = record_of(stream).question
        if others and asked is not None:
            self.choices.model = first.model
            await self._beside(first, asked, others)

    async def _beside(self, first: Live, question: str, models: Sequence[str]) -> None:
        """Further answers to a question, each in its column."""
        column = self._line.column(question, first.id)
        for model in models:
            live = Live(first.thread, model)
            column.append(live.id)
            try:
                stream = await self._stream(lambda chat: chat.stream_answer(question), model)
            except errors.JanError as error:
                await self._refused(question, live, error)
                continue
            await self._begin(live, stream)

    async def _refused(self, question: str, live: Live, error: errors.JanError) -> None:
        """What cannot even be asked is kept as well: the question, and why it has no answer."""
        message = ThreadMessage("assistant", "", status="error", error=str(error), model=live.model)
        written = await asyncio.to_thread(live.thread.answer, message, question)
        self._line.named(written.id, live.id)
        self._line.faults[live.id] = fault(error)
        await self._publish()

    async def _do_regenerate(self, id: str, model: str = "") -> None:
        thread, real = await self._turn(id)
        tree = thread.seen.tree
        if tree.message(real).role == "user":
            after = tree.line[(tree.place(real) or 0) + 1 :][:1]
            if not after:  # its answer was lost, or removed
                live = Live(thread, model or self.model)
                await self._run(
                    live, lambda chat: chat.stream_answer(real), model or self.choices.model
                )
                return
            real = after[0].id
        self._line.one_column()
        live = Live(thread, model or self.model, replaces=real)
        await self._run(
            live, lambda chat: chat.stream_regenerate(real), model or self.choices.model
        )

    async def _do_edit(self, id: str, text: str, key: str = "") -> None:
        thread, real = await self._turn(id)
        context = await self._context(text)
        old = thread.seen.tree.message(real).content
        pictures = (
            [] if isinstance(old, str) else [part for part in old if part.get("type") != "text"]
        )
        content: Any = with_context(text, context)
        if pictures:
            content = [{"type": "text", "text": content}, *pictures]
        self._line.one_column()
        prompt = Message("user", content)
        live = Live(thread, self.model, replaces=real)
        await self._run(live, lambda chat: chat.stream_edit(real, prompt), self.choices.model, key)

    async def _do_continue(self, id: str) -> None:
        thread, real = await self._turn(id)
        before = thread.seen.tree.message(real)
        live = Live(
            thread,
            before.model or self.model,
            base=before.text,
            reasoning_base=before.reasoning,
            id=self._line.name(real),
            replaces=real,
        )
        await self._run(live, lambda chat: chat.stream_go_on(), before.model or self.choices.model)

    async def _run(
        self, live: Live, ask: Callable[[Chat], Stream], model: str, key: str = ""
    ) -> None:
        await self._begin(live, await self._stream(ask, model))
        self._stands(key)
        await self._publish()

    async def _stream(self, ask: Callable[[Chat], Stream], model: str) -> Stream:
        """An answer that is ready to be streamed; raises what is in its way."""
        return await asyncio.to_thread(lambda: ask(self.choices.chat(model)))

    async def _begin(self, live: Live, stream: Stream) -> None:
        """Start an answer; return when its question is in the thread, or when it has ended."""
        loop, begun = asyncio.get_running_loop(), asyncio.Event()
        record_of(stream).on_begin = lambda: loop.call_soon_threadsafe(begun.set)
        live.stream = stream
        live.model = stream.target.model.reference
        live.engine = stream.target.engine.options.name
        self._line.lives.append(live)
        live.task = self._spawn(self._drive(live, stream))
        live.task.add_done_callback(lambda task: begun.set())
        self._answering.add(live.task)
        live.task.add_done_callback(self._answering.discard)
        self.around.changed()
        await begun.wait()
        if self._order.halted:  # stopped before it was there; the question is kept
            live.task.cancel()

    async def _drive(self, live: Live, stream: Stream) -> None:
        """Send an answer on as it comes, then as the thread has it."""
        try:
            await drive(live, stream, self.around.send)
        except asyncio.CancelledError:
            pass  # the stop that was asked for
        except errors.ThreadError as error:
            if error.reply is None:
                self._line.faults[live.id] = fault(error)
            else:
                live.unkept = unkept(error)
        except Exception as error:
            self._line.faults[live.id] = fault(error)
        ending = self._spawn(self._ended(live, stream))
        while not ending.done():  # whoever stops it once more does not stop its end
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([ending])

    async def _ended(self, live: Live, stream: Stream) -> None:
        """Tell that an answer has ended, as the thread has it."""
        line = self._line
        with contextlib.suppress(errors.JanError):  # the thread was deleted meanwhile
            await asyncio.to_thread(live.thread.now)  # what it was is seen before it is gone here
        line.lives.remove(live)
        if live.unkept is not None:
            line.unkept.append(live)
        answer = record_of(stream).answer
        if answer is not None:
            line.named(answer.id, live.id)
        if live.id in line.faults and not line.stands(live, answer):
            self._tell(notice=line.faults[live.id]["message"])
        self.reply = stream.reply_so_far()
        self.around.changed()
        await self._publish()
        self._models_soon()

    def _stop(self, id: str | None) -> list[asyncio.Task[None]]:
        """Stop one answer, or all: also those that are asked for but have not begun.

        Returns the tasks that are about to end.
        """
        if id is None:
            self._order.halt()
        lives = [live for live in self._line.lives if live.thread is self.thread]
        tasks = [live.task for live in lives if live.task and id in (None, live.id)]
        for task in tasks:
            task.cancel()
        return tasks

    async def _context(self, text: str) -> list[Context]:
        if self.around.context is None or "@" not in text:
            return []
        return await asyncio.wrap_future(self.around.context(text))

    async def _turn(self, id: str) -> tuple[Thread, str]:
        """The thread, seen now, and in it the id of the turn that the front end calls `id`."""
        if self.thread is None:
            raise errors.UsageError("Nothing has been said in this thread yet.")
        if self.busy:
            raise errors.UsageError("An answer is on its way: stop it first.")
        thread = self.thread
        await asyncio.to_thread(thread.now)
        return thread, self._line.real(id)

    # Changing -------------------------------------------------------------------------------------

    async def _do_version(self, id: str) -> None:
        thread, real = await self._turn(id)
        self._line.one_column()
        await asyncio.to_thread(thread.switch, real)
        await self._publish()

    async def _do_keep(self, id: str) -> None:
        """Go on with one of several answers: the others stay as its versions."""
        thread, real = await self._turn(id)
        self.choices.compare = []
        if model := thread.seen.tree.message(real).model:
            await self._do_model(model)  # who sees the answer stand there asks its model next
        await self._do_version(id)
        await self._state()

    async def _do_columns(self, id: str) -> None:
        """Put an answer and its versions side by side again: their models answer again, too."""
        thread, real = await self._turn(id)
        tree = thread.seen.tree
        if not (place := tree.place(real)):
            raise errors.UsageError("No question stands before that answer.")
        names = self._line.beside(tree.line[place - 1].id, tree.versions(real))
        models = [tree.message(self._line.real(name)).model for name in names]
        await asyncio.to_thread(self.choices.choose_all, models)
        self.around.changed()
        await self._publish()
        await self._state()

    async def _do_delete(self, id: str) -> None:
        thread, real = await self._turn(id)
        place, messages = thread.seen.tree.place(real), thread.seen.tree.line
        await asyncio.to_thread(thread.delete, *with_what_belongs(messages, place, real))
        await self._publish()

    async def _do_model(self, model: str) -> None:
        await asyncio.to_thread(self.choices.choose, model)
        self.around.changed()
        await self._state()
        self._spawn(self._load(model))

    async def _do_load(self, model: str) -> None:
        self._spawn(self._load(model))

    async def _do_unload(self, model: str) -> None:
        await self.router.unload(model)
        self._models_soon()

    async def _load(self, model: str) -> None:
        try:
            levels = await asyncio.to_thread(self.choices.wanted, model)
            if levels is not None:
                await self.router.load(model or None, levels)
        except Exception as error:
            self._tell(notice=fault(error)["message"])
        self._models_soon()

    async def _do_compare(self, models: Sequence[str]) -> None:
        self.choices.compare = [model for model in models if model != self.model]
        self._tell(compare=[*self.choices.compare])

    async def _do_beside(self, model: str, on: bool) -> None:
        others = [name for name in self.choices.compare if name != model]
        await self._do_compare([*others, model] if on else others)

    async def _do_set(self, kind: str, name: str, value: Any) -> None:
        await asyncio.to_thread(self.choices.set, kind, name, value)
        await self._state()

    async def _do_instructions(self, text: str) -> None:
        await asyncio.to_thread(self.choices.instruct, text)
        await self._state()

    async def _do_assistant(self, id: str) -> None:
        if model := await asyncio.to_thread(self.choices.assist, id):
            await self._do_model(model)
        await self._state()

    async def _do_thread(self, id: str) -> None:
        """Go on with another thread, or begin one (`""`)."""
        await self._show(await asyncio.to_thread(self.choices.store.get, id) if id else None)
        await self._hello()

    async def _show(self, thread: Thread | None) -> None:
        await asyncio.to_thread(self.choices.show, thread)
        self._line.one_column()
        self._notice = ""
        self.around.changed()

    async def _do_rename(self, id: str, title: str) -> None:
        thread = await asyncio.to_thread(self.choices.store.get, id)
        await asyncio.to_thread(thread.rename, title)
        self._threads += 1
        await self._state()

    async def _do_remove(self, id: str) -> None:
        if self.thread is not None and self.thread.id == id:
            # Else their last words would be written behind its back.
            await asyncio.gather(*self._stop(None), return_exceptions=True)
            await self._show(None)
        await asyncio.to_thread(self.choices.store.delete, id)
        self._threads += 1
        await self._hello()

    async def _do_dismiss(self) -> None:
        self._tell(notice="")

    # Telling the front end ------------------------------------------------------------------------

    async def _hello(self) -> None:
        """Everything, as it is now."""
        state = await self._all_state()
        sent = [*self._stand]  # never one that the line does not show yet
        await self._look()
        path, turns = self._line.turns(self.thread)  # last: what has happened meanwhile is in it
        self._sent = {turn["id"]: turn for turn in turns}
        state |= {"path": path, "notice": self._notice, "sent": sent, **self._now()}
        self.around.send({"type": "snapshot", "state": state, "turns": turns})
        self.around.changed()

    async def _publish(self) -> None:
        """The turns that have changed, then the line."""
        sent = [*self._stand]
        await self._look()
        path, turns = self._line.turns(self.thread)
        known = {turn["id"]: turn for turn in turns}
        for id, turn in known.items():
            if self._sent.get(id) != turn:
                self.around.send({"type": "message", "turn": turn})
        self._sent = known
        self._tell(path=path, sent=sent, **self._now())

    async def _resync(self, id: str) -> None:
        await self._look()
        _, turns = self._line.turns(self.thread)
        for turn in turns:
            if turn["id"] == id:
                self.around.send({"type": "message", "turn": turn})

    async def _state(self) -> None:
        state = await self._all_state()
        await self._look()
        self._tell(**state, **self._now())

    def _tell(self, **state: Any) -> None:
        self._notice = state.get("notice", self._notice)
        self.around.send({"type": "state", "state": state})

    async def _look(self) -> None:
        """See what is on the disk: what is told then is as of now, and told at once."""
        await asyncio.to_thread(self.choices.look)

    def _now(self) -> dict[str, Any]:
        """What changes by itself, as it was at the last look."""
        thread = self.thread
        return {
            "thread": {"id": thread.id, "title": thread.seen.head.title} if thread else None,
            "threads": self._threads,
            "model": self.model,
            "compare": [*self.choices.compare],
            "reload": self.choices.reload,
        }

    async def _all_state(self) -> dict[str, Any]:
        state = await asyncio.to_thread(self.choices.state)
        return {**state, "models": await self._models()}

    async def _models(self) -> list[Any]:
        try:
            running = await self.router.running()
        except errors.JanError:
            running = []
        store, events = self.router.store, {**self._events}
        silent = await not_running(store)
        return await asyncio.to_thread(views.model_rows, store, running, events, silent)

    # What happens elsewhere -----------------------------------------------------------------------

    def _on_event(self, event: Event) -> None:
        self._events[event.model] = event
        if event.state == "ready" and event.model == self.choices.id:
            self.choices.reload = False
        self._models_soon()

    def _models_soon(self) -> None:
        """The states of the models, at most a few times a second."""
        if self._models_due or not self._works:
            return
        self._models_due = True

        async def later() -> None:
            await asyncio.sleep(0.25)
            self._models_due = False
            self._tell(models=await self._models(), reload=self.choices.reload)

        self._spawn(later())

    async def _follow(self) -> None:
        """Magics, `jan.Chat` and other kernels write into the same thread: show what they do."""
        while True:
            await asyncio.sleep(LOOK)
            thread = self.thread
            if self.busy:
                self.around.changed()  # the saved notebook follows an answer under way
            if thread is None or self.busy:
                continue
            try:
                messages = await asyncio.to_thread(_messages, thread)
            except errors.JanError as error:  # it was deleted
                await self._show(None)
                await self._hello()
                self._tell(notice=str(error))
                continue
            if messages is not self._line.seen and thread is self.thread:
                await self._publish()
                await self._state()


def calls(message: ThreadMessage) -> bool:
    """Whether a message is a call of tools, or what one has returned."""
    return message.role == "tool" or bool(message.tool_calls)


def with_what_belongs(line: Sequence[ThreadMessage], place: int | None, id: str) -> Sequence[str]:
    """Ids of what is deleted with a turn: a question's answer, an answer's calls and results."""
    if place is None:
        return [id]
    start, end = place, place + 1
    if line[place].role == "user" or line[place].tool_calls:
        while end < len(line) and line[end].role not in ("user", "system"):
            end += 1
    while line[place].role != "user" and start and calls(line[start - 1]):
        start -= 1
    return [message.id for message in line[start:end]]


def _messages(thread: Thread) -> tuple[ThreadMessage, ...]:
    return thread.messages
