"""The panel's side of a conversation: takes what the user does, tells the front end what happens.

It lives on the background loop. `take` may be called from any thread and only enqueues; whatever
needs the notebook (its variables, its own thread) is asked of `Surroundings`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import bridge, errors
from ..answers import Stream
from ..chat import Chat
from ..levels import Level
from ..router import Router
from ..threads import Thread, ThreadMessage, ThreadStore
from ..types import ChatRequest, Event, Message, Reply
from . import rows
from .faults import fault
from .live import Live, drive
from .protocol import Context, Fault, Send, ThreadRow, Turn
from .turns import shown, with_context

STATIC = Path(__file__).parent.parent / "static"
PARTS = ("code", "math")

Action = tuple[int, str, Coroutine[Any, Any, None]]
"""Its number, its name, and what it does."""

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


@dataclass
class Draft:
    """What was chosen before the first question: a thread is made only then."""

    model: str = ""
    assistant: str = ""
    instructions: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)


class Conversation:
    """One conversation with its answers under way. Made in any thread, used on the loop alone."""

    def __init__(
        self,
        around: Surroundings,
        router: Router,
        store: ThreadStore,
        *,
        model: str = "",
        thread: Thread | None = None,
        instructions: str = "",
    ) -> None:
        self.around = around
        self.router = router
        self.store = store
        self.thread = thread
        self.draft = Draft(model, instructions=instructions)
        self.model = model
        """What was chosen here; empty: the thread's, else the default."""
        self.reply: Reply | None = None
        """The last answer that ended."""
        self._compare: list[str] = []
        self._lives: list[Live] = []
        self._names: dict[str, str] = {}
        """Ids in the thread -> ids in the front end, of answers that were seen being written."""
        self._columns: dict[str, list[str]] = {}
        """Ids of questions -> answers that stand side by side until one is chosen."""
        self._faults: dict[str, Fault] = {}
        """What went wrong with answers of this session, by their id in the front end."""
        self._events: dict[str, Event] = {}
        self._reload = False
        self._notice = ""
        self._line: tuple[ThreadMessage, ...] = ()
        self._sent: dict[str, Turn] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._order: asyncio.Queue[Action] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._waiting = 0
        self._taken = 0
        """How many actions have been taken; each has its number."""
        self._doing = 0
        self._halt = 0
        """Answers to actions up to this one are not wanted any more."""
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._models_due = False
        self._unwatch = router.watch(self._on_event)

    # What the front end sends ---------------------------------------------------------------------

    def take(self, message: Mapping[str, Any]) -> None:
        """Take a message of the front end; from any thread, returns at once."""
        self._loop = bridge.loop()
        self._loop.call_soon_threadsafe(self._take, dict(message))

    def _take(self, message: dict[str, Any]) -> None:
        kind = str(message.pop("type", ""))
        if "ask" in message:
            self._spawn(self._answer(kind, int(message.pop("ask")), message))
        elif kind == "stop":
            self._stop(message.get("id"))
        elif kind == "hello":
            self._spawn(self._hello())
        elif kind == "resync":
            self._resync(str(message.get("id")))
        elif (action := getattr(self, f"_do_{kind}", None)) is not None:
            self._enqueue(kind, action(**message))

    def _enqueue(self, kind: str, action: Coroutine[Any, Any, None]) -> None:
        """Do things one after the other, in the order in which they were asked for."""
        self._waiting += 1
        self._taken += 1
        self._quiet.clear()
        if self._order is None:
            self._order = asyncio.Queue()
            self._spawn(self._work(self._order))
            self._spawn(self._follow())
        self._order.put_nowait((self._taken, kind, action))

    async def _work(self, order: asyncio.Queue[Action]) -> None:
        while True:
            self._doing, kind, action = await order.get()
            try:
                await action
            except Exception as error:
                self._tell(notice=fault(error)["message"])
                if kind == "send":
                    self.around.send({"type": "refused"})
            self._waiting -= 1
            self._settle()

    def _settle(self) -> None:
        if not self._waiting and not self._lives:
            self._quiet.set()

    async def wait(self) -> None:
        """Return when all that was asked for is done and no answer is on its way."""
        await self._quiet.wait()

    def _spawn(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = bridge.loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def close(self) -> None:
        """Stop all; from any thread."""

        def end() -> None:
            for live in self._lives:
                if live.task:
                    live.task.cancel()
            for task in self._tasks:
                task.cancel()

        self._unwatch()
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended with the process
                self._loop.call_soon_threadsafe(end)

    @property
    def busy(self) -> bool:
        return any(live.thread is self.thread for live in self._lives)

    # Asking ---------------------------------------------------------------------------------------

    async def _do_send(self, text: str, images: Sequence[str] = ()) -> None:
        if self.busy:
            raise errors.UsageError("An answer is on its way: stop it first.")
        context = await self._context(text)
        thread = await self._opened()
        self._columns.clear()
        content: Any = with_context(text, context)
        if images:
            pictures = [{"type": "image_url", "image_url": {"url": url}} for url in images]
            content = [*([{"type": "text", "text": content}] if content else []), *pictures]
        prompt = Message("user", content)
        models = [self.model, *(m for m in self._compare if m != self.chosen())]
        first = Live(thread, models[0] or self.chosen())
        try:
            stream = await self._stream(lambda chat: chat.stream(prompt), models[0])
        except errors.JanError as error:
            question = await asyncio.to_thread(thread.append, ThreadMessage.of(prompt))
            await self._refused(thread, question.id, first, error)
            return
        await self._begin(first, stream)
        if len(models) > 1 and stream.record is not None and stream.record.question is not None:
            self.model = first.model
            await self._beside(first, stream.record.question, models[1:])
        await self._publish()

    async def _beside(self, first: Live, question: str, models: Sequence[str]) -> None:
        """Further answers to a question, each in its column."""
        column = self._columns[question] = [first.id]
        for model in models:
            live = Live(first.thread, model)
            column.append(live.id)
            try:
                stream = await self._stream(lambda chat: chat.answer(question), model)
            except errors.JanError as error:
                await self._refused(first.thread, question, live, error)
                continue
            await self._begin(live, stream)

    async def _refused(
        self, thread: Thread, question: str, live: Live, error: errors.JanError
    ) -> None:
        """What cannot even be asked is kept as well: the question, and why it has no answer."""
        message = ThreadMessage("assistant", "", status="error", error=str(error), model=live.model)
        written = await asyncio.to_thread(thread.answer, message, question)
        self._names[written.id] = live.id
        live.error = fault(error)
        self._faults[live.id] = live.error
        await self._publish()

    async def _do_regenerate(self, id: str, model: str = "") -> None:
        thread, real = self._turn(id)
        message = thread.message(real)
        if message.role == "user":  # its answer was lost, or removed
            line = thread.messages
            after = [m.id for m in line[(thread.place(real) or 0) + 1 :][:1]]
            if not after:
                live = Live(thread, model or self.chosen())
                stream = await self._stream(lambda chat: chat.answer(real), model or self.model)
                await self._run(live, stream)
                return
            real = after[0]
        self._columns.clear()
        live = Live(thread, model or self.chosen(), replaces=real)
        stream = await self._stream(lambda chat: chat.regenerate(real), model or self.model)
        await self._run(live, stream)

    async def _do_edit(self, id: str, text: str) -> None:
        thread, real = self._turn(id)
        context = await self._context(text)
        old = thread.message(real).content
        pictures = (
            [] if isinstance(old, str) else [part for part in old if part.get("type") != "text"]
        )
        content: Any = with_context(text, context)
        if pictures:
            content = [{"type": "text", "text": content}, *pictures]
        self._columns.clear()
        live = Live(thread, self.chosen(), replaces=real)
        prompt = Message("user", content)
        stream = await self._stream(lambda chat: chat.edit(real, prompt), self.model)
        await self._run(live, stream)

    async def _do_continue(self, id: str) -> None:
        thread, real = self._turn(id)
        before = thread.message(real)
        live = Live(
            thread,
            before.model or self.chosen(),
            base=before.text,
            reasoning_base=before.reasoning,
            id=self._name(real),
            replaces=real,
        )
        stream = await self._stream(lambda chat: chat.go_on(), before.model or self.model)
        await self._run(live, stream)

    async def _run(self, live: Live, stream: Stream) -> None:
        await self._begin(live, stream)
        await self._publish()

    async def _stream(self, ask: Callable[[Chat], Stream], model: str) -> Stream:
        """An answer that is ready to be streamed; raises what is in its way."""
        chat = Chat(model or None, thread=self.thread, router=self.router)
        return await asyncio.to_thread(ask, chat)

    async def _begin(self, live: Live, stream: Stream) -> None:
        """Start an answer; return when its question is in the thread, or when it has ended."""
        loop, begun = asyncio.get_running_loop(), asyncio.Event()
        if stream.record is not None:
            stream.record.on_begin = lambda: loop.call_soon_threadsafe(begun.set)
        live.stream = stream
        live.model = stream.route.model.reference
        live.engine = stream.route.engine.options.name
        self._lives.append(live)
        live.task = self._spawn(self._drive(live, stream))
        live.task.add_done_callback(lambda task: begun.set())
        self.around.changed()
        await begun.wait()
        if self._doing <= self._halt:  # stopped before it was there; the question is kept
            live.task.cancel()

    async def _drive(self, live: Live, stream: Stream) -> None:
        """Send an answer on as it comes, then as the thread has it."""
        try:
            await drive(live, stream, self.around.send)
        except asyncio.CancelledError:
            pass  # the stop that was asked for
        except Exception as error:
            self._faults[live.id] = fault(error)
        self._lives.remove(live)
        answer = stream.record.answer if stream.record is not None else None
        if answer is not None:
            self._names[answer.id] = live.id
        if live.id in self._faults and not self._stands(live, answer):
            self._tell(notice=self._faults[live.id]["message"])
        self.reply = stream.reply_so_far()
        self.around.changed()
        await self._publish()
        self._models_soon()
        self._settle()

    def _stands(self, live: Live, answer: ThreadMessage | None) -> bool:
        """Whether an answer is where it is seen: one that failed leaves a better one its place."""
        if answer is None:
            return False
        return self._in_column(live.id) or live.thread.place(answer.id) is not None

    def _stop(self, id: str | None) -> None:
        """Stop one answer, or all: also those that are asked for but have not begun."""
        if id is None:
            self._halt = self._taken
        for live in [*self._lives]:
            if (id is None or live.id == id) and live.thread is self.thread and live.task:
                live.task.cancel()

    async def _context(self, text: str) -> list[Context]:
        if self.around.context is None or "@" not in text:
            return []
        return await asyncio.wrap_future(self.around.context(text))

    async def _opened(self) -> Thread:
        """The thread, made now if this is its first question."""
        if self.thread is None:
            draft = self.draft

            def make() -> Thread:
                thread = self.store.create(
                    assistant=draft.assistant or None, instructions=draft.instructions
                )
                if draft.settings or draft.parameters:
                    thread.configure(settings=draft.settings, parameters=draft.parameters)
                return thread

            self.thread = await asyncio.to_thread(make)
            self.around.changed()
        return self.thread

    # Changing -------------------------------------------------------------------------------------

    async def _do_version(self, id: str) -> None:
        thread, real = self._turn(id)
        self._columns.clear()
        await asyncio.to_thread(thread.switch, real)
        await self._publish()

    async def _do_keep(self, id: str) -> None:
        """Go on with one of several answers: the others stay as its versions."""
        await self._do_version(id)
        model = self._turn(id)[0].message(self._real(id)).model
        self._compare = []
        if model:
            await self._do_model(model)
        await self._state()

    async def _do_delete(self, id: str) -> None:
        thread, real = self._turn(id)
        line = thread.messages
        place = thread.place(real)
        gone = [real]
        if place is not None and line[place].role == "user":
            rest = line[place + 1 :]
            gone += [m.id for m in rest[:1] if m.role == "assistant"]
        await asyncio.to_thread(thread.delete, *gone)
        await self._publish()

    async def _do_model(self, model: str) -> None:
        self.model = self.draft.model = model
        self._reload = False
        if model in self._compare:
            self._compare.remove(model)
        if self.thread is not None:
            found, engine = self.router.model(model)
            name = engine if isinstance(engine, str) else found.engine
            await asyncio.to_thread(self.thread.configure, model=found.reference, engine=name)
        self.around.changed()
        await self._state()
        self._spawn(self._load(model))

    async def _do_load(self, model: str) -> None:
        self._spawn(self._load(model))

    async def _do_unload(self, model: str) -> None:
        await self.router.unload(model)
        self._models_soon()

    async def _load(self, model: str) -> None:
        """Load what was chosen before it is asked; a remote model needs nothing."""
        try:
            found = self.router.model(model or None)[0]
            if found.file is not None and found.state == "ready":
                await self.router.load(model or None, self._levels())
        except Exception as error:
            self._tell(notice=fault(error)["message"])
        self._models_soon()

    async def _do_compare(self, models: Sequence[str]) -> None:
        self._compare = [model for model in models if model != self.chosen()]
        self._tell(compare=self._compare)

    async def _do_set(self, kind: str, name: str, value: Any) -> None:
        known = rows.PARAMETERS if kind == "parameter" else rows.SETTINGS
        if name not in known:
            raise errors.UsageError(f"No setting is called {name!r}.")
        fitting = rows.fitting(name, value)
        place = self.draft.parameters if kind == "parameter" else self.draft.settings
        if self.thread is not None:
            thread, values = self.thread, {name: fitting}
            if kind == "parameter":
                await asyncio.to_thread(thread.configure, parameters=values)
            else:
                await asyncio.to_thread(thread.configure, settings=values)
        elif fitting is None:
            place.pop(name, None)
        else:
            place[name] = fitting
        if kind == "setting":
            self._reload = True
        await self._state()

    async def _do_instructions(self, text: str) -> None:
        self.draft.instructions = text
        if self.thread is not None:
            await asyncio.to_thread(self.thread.configure, instructions=text)
        await self._state()

    async def _do_assistant(self, id: str) -> None:
        self.draft.assistant = id
        profile = self.store.assistants.get(id)
        self.draft.instructions = profile.instructions
        if self.thread is not None:
            await asyncio.to_thread(self.thread.configure, assistant=id)
        if profile.model:
            await self._do_model(profile.model)
        await self._state()

    async def _do_thread(self, id: str) -> None:
        """Go on with another thread, or begin one (`""`)."""
        self.show(await asyncio.to_thread(self.store.get, id) if id else None)
        await self._hello()

    def show(self, thread: Thread | None) -> None:
        self.thread = thread
        self._columns.clear()
        self._notice = ""
        if thread is None:
            self.draft = Draft(self.model)
        elif thread.model:
            self.model = ""
        self.around.changed()

    async def _do_rename(self, id: str, title: str) -> None:
        thread = await asyncio.to_thread(self.store.get, id)
        await asyncio.to_thread(thread.rename, title)
        await self._state()

    async def _do_remove(self, id: str) -> None:
        if self.thread is not None and self.thread.id == id:
            self._stop(None)
            await asyncio.sleep(0)
            self.show(None)
        await asyncio.to_thread(self.store.delete, id)
        await self._hello()

    async def _do_dismiss(self) -> None:
        self._tell(notice="")

    # Asked by the front end -----------------------------------------------------------------------

    async def _answer(self, kind: str, to: int, question: Mapping[str, Any]) -> None:
        asks: Mapping[str, Callable[..., Awaitable[Any]]] = {
            "threads": self._threads,
            "complete": self._complete,
            "preview": self._preview,
            "export": self._export,
            "part": self._part,
        }
        try:
            if kind not in asks:
                raise errors.UsageError(f"The panel knows no {kind!r}.")
            value = await asks[kind](**question)
        except Exception as error:
            self.around.send({"type": "answer", "to": to, "error": fault(error)["message"]})
        else:
            self.around.send({"type": "answer", "to": to, "value": value})

    async def _threads(self, pattern: str) -> list[ThreadRow]:
        def find() -> list[ThreadRow]:
            found = {listed.id: (listed, "") for listed in self.store.list(pattern)}
            if pattern.strip():
                for hit in self.store.search(pattern):
                    found.setdefault(hit.thread.id, (hit.thread, hit.excerpt))
            return [
                {
                    "id": listed.id,
                    "title": listed.title,
                    "updated": listed.updated,
                    "excerpt": excerpt or listed.last_message,
                    "own": listed.own,
                    "state": listed.state,
                    "reason": listed.reason,
                }
                for listed, excerpt in found.values()
            ]

        return await asyncio.to_thread(find)

    async def _complete(self, text: str) -> list[dict[str, str]]:
        return [candidate._asdict() for candidate in self.around.complete(text)]

    async def _preview(self, text: str, images: int = 0) -> dict[str, Any]:
        context = await self._context(text)
        prompt = with_context(text, context) or " "
        pictures = [{"type": "image_url", "image_url": {"url": "data:…"}}] * images
        content: Any = [{"type": "text", "text": prompt}, *pictures] if pictures else prompt
        stream = await asyncio.to_thread(self._routed, content)
        request = stream.route.engine.preview(stream.route.model, stream.route.request)
        words = sum(len(message.text) for message in stream.route.request.messages)
        return {
            "request": json.dumps(request, ensure_ascii=False, indent=2, default=str),
            "tokens": round(words / 4) if text.strip() else 0,
            "context": context,
        }

    def _routed(self, content: Any) -> Stream:
        """The request that a question would make, which is not sent."""
        before = self.thread.conversation() if self.thread else self._first()
        request = ChatRequest([*before, Message("user", content)])
        return Stream(self.router, request, self.chosen() or None, levels=self._levels())

    def _first(self) -> list[Message]:
        text = self.draft.instructions
        return [Message("system", text)] if text.strip() else []

    async def _export(self, format: str) -> dict[str, str]:
        if self.thread is None:
            raise errors.UsageError("Nothing has been said in this thread yet.")
        text = await asyncio.to_thread(self.thread.export, format)
        name = "".join(c if c.isalnum() else "-" for c in self.thread.title).strip("-")[:60]
        suffix = {"markdown": "md", "jsonl": "jsonl", "ipynb": "ipynb"}[format]
        return {"name": f"{name or 'thread'}.{suffix}", "text": text}

    async def _part(self, name: str) -> str:
        if name not in PARTS:
            raise errors.UsageError(f"The panel has no part {name!r}.")
        return await asyncio.to_thread((STATIC / f"{name}.js").read_text, "utf-8")

    # Telling the front end ------------------------------------------------------------------------

    async def _hello(self) -> None:
        """Everything, as it is now."""
        state = await self._settings_state()
        path, turns = self._path()  # last: what happened meanwhile must not be told as it was
        self._sent = {turn["id"]: turn for turn in turns}
        state |= {"path": path, "notice": self._notice, **self._now()}
        self.around.send({"type": "snapshot", "state": state, "turns": turns})

    async def _publish(self) -> None:
        """The turns that have changed, then the line."""
        path, turns = self._path()
        known = {turn["id"]: turn for turn in turns}
        for id, turn in known.items():
            if self._sent.get(id) != turn:
                self.around.send({"type": "message", "turn": turn})
        self._sent = known
        self._tell(path=path, **self._now())

    def _now(self) -> dict[str, Any]:
        """What changes by itself, as it is at this moment."""
        thread = self.thread
        return {
            "thread": {"id": thread.id, "title": thread.title} if thread else None,
            "model": self.chosen(),
            "compare": [*self._compare],
            "reload": self._reload,
        }

    def _resync(self, id: str) -> None:
        _, turns = self._path()
        for turn in turns:
            if turn["id"] == id:
                self.around.send({"type": "message", "turn": turn})

    async def _state(self) -> None:
        self._tell(**await self._settings_state(), **self._now())

    def _tell(self, **state: Any) -> None:
        self._notice = state.get("notice", self._notice)
        self.around.send({"type": "state", "state": state})

    async def _settings_state(self) -> dict[str, Any]:
        def find() -> dict[str, Any]:
            thread = self.thread
            assistants = [
                {"id": a.id, "name": a.name, "description": a.description}
                for a in self.store.assistants.list()
                if a.state == "ready"
            ]
            return {
                "assistant": thread.assistant if thread else self.draft.assistant or "jan",
                "assistants": assistants,
                "instructions": thread.instructions if thread else self.draft.instructions,
                "settings": self._settings(),
            }

        state = await asyncio.to_thread(find)
        return {**state, "models": await self._models()}

    def _settings(self) -> list[Any]:
        try:
            model, _ = self.router.model(self.chosen() or None)
            levels = self._levels()
            name = self.chosen() or None
            return rows.setting_rows(
                self.router.values(name, levels),
                self.router.values(name, rows.without_thread(levels)),
                model.file is not None,
            )
        except errors.JanError:
            return []

    def _levels(self) -> Sequence[Level]:
        if self.thread is not None:
            return self.thread.levels()
        return (
            Level("thread", self.draft.settings, self.draft.parameters),
            *self.store.levels(),
        )

    async def _models(self) -> list[Any]:
        models = await asyncio.to_thread(self.router.store.list)
        try:
            running = await self.router.running()
        except errors.JanError:
            running = []
        return rows.model_rows(models, running, self._events)

    def chosen(self) -> str:
        """The reference of the model that the next question goes to; empty if there is none."""
        name = self.model
        if not name and self.thread is not None and self.thread.model:
            name = self.router.written(self.thread.model, self.thread.engine)
        try:
            found, engine = self.router.model(name or None)
        except errors.JanError:
            return name
        return name if isinstance(engine, str) and ":" in name else found.reference

    # The line -------------------------------------------------------------------------------------

    def _path(self) -> tuple[list[str], list[Turn]]:
        """The turns on the line, with those that are being written, as the front end names them."""
        thread = self.thread
        if thread is None:
            return [], []
        line = self._line = thread.messages
        lives = [live for live in self._lives if live.thread is thread]
        replaced = {live.replaces: live for live in lives if live.replaces}
        path: list[str] = []
        turns: list[Turn] = []
        for message in line:
            if message.role == "system" or (message.role == "tool"):
                continue
            live = replaced.get(message.id)
            if live is not None and self._name(message.id) != live.id:
                break  # it is about to leave the line
            if live is not None:
                path.append(live.id)
                turns.append(live.turn([]))
                continue
            turn = shown(message, self._name(message.id), self._versions(thread, message.id))
            turn["error"] = self._faults.get(turn["id"], turn["error"])
            column = self._column_of(thread, message.id)
            if column:
                turns += self._column_turns(thread, column, lives)
                path.append(column[0])
                continue
            path.append(turn["id"])
            turns.append(turn)
        rest = [live for live in lives if live.id not in path and not self._in_column(live.id)]
        for question, column in self._columns.items():
            last = line[-1].id if line else ""
            if last == question:
                turns += self._column_turns(thread, column, lives)
                path.append(column[0])
        for live in rest[-1:]:
            path.append(live.id)
            turns.append(live.turn([]))
        return path, turns

    def _column_of(self, thread: Thread, answer: str) -> list[str] | None:
        name = self._name(answer)
        return next((column for column in self._columns.values() if name in column), None)

    def _in_column(self, id: str) -> bool:
        return any(id in column for column in self._columns.values())

    def _column_turns(
        self, thread: Thread, column: Sequence[str], lives: Sequence[Live]
    ) -> list[Turn]:
        by_id = {live.id: live for live in lives}
        found: list[Turn] = []
        for id in column:
            if id in by_id:
                found.append(by_id[id].turn([*column]))
                continue
            real = self._real(id)
            with contextlib.suppress(errors.ThreadNotFound):
                turn = shown(thread.message(real), id, [])
                turn["columns"] = [*column]
                turn["error"] = self._faults.get(id, turn["error"])
                found.append(turn)
        return found

    def _versions(self, thread: Thread, id: str) -> list[str]:
        found = thread.versions(id)
        return [self._name(one) for one in found] if len(found) > 1 else []

    def _turn(self, id: str) -> tuple[Thread, str]:
        if self.thread is None:
            raise errors.UsageError("Nothing has been said in this thread yet.")
        if self.busy:
            raise errors.UsageError("An answer is on its way: stop it first.")
        return self.thread, self._real(id)

    def _name(self, real: str) -> str:
        return self._names.get(real, real)

    def _real(self, name: str) -> str:
        return next((real for real, shown in self._names.items() if shown == name), name)

    # What happens elsewhere -----------------------------------------------------------------------

    def _on_event(self, event: Event) -> None:
        self._events[event.model] = event
        if event.state == "ready" and event.model == self.chosen():
            self._reload = False
        self._models_soon()

    def _models_soon(self) -> None:
        """The states of the models, at most a few times a second."""
        if self._models_due or self._order is None:
            return
        self._models_due = True

        async def later() -> None:
            await asyncio.sleep(0.25)
            self._models_due = False
            self._tell(models=await self._models(), reload=self._reload)

        self._spawn(later())

    async def _follow(self) -> None:
        """Magics, `jan.Chat` and other kernels write into the same thread: show what they do."""
        while True:
            await asyncio.sleep(LOOK)
            thread = self.thread
            if thread is None or self.busy:
                continue
            try:
                line = await asyncio.to_thread(lambda: thread.messages)  # noqa: B023
            except errors.JanError as error:  # it was deleted
                self.show(None)
                await self._hello()
                self._tell(notice=str(error))
                continue
            if line is not self._line and thread is self.thread:
                await self._publish()
                await self._state()
