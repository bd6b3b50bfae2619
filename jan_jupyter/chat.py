"""Asking: one prompt (`chat`, `stream`), a conversation (`Chat`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from . import errors
from .ask import Prompt, Recorder, Stream, finished, messages_of, whole
from .models.model import Model
from .precedence import Level
from .router import Target
from .structured import shape_of
from .threads.assistants import Assistant
from .threads.context import filled
from .threads.draft import Draft
from .threads.record import Record, questions
from .threads.thread import Thread
from .tools import Approve, Function, Toolbox
from .types import EMPTY, ChatRequest, Message, Priority, Reply
from .workspace import Workspace, shared

if TYPE_CHECKING:
    from .threads.columns import Column


@dataclass(frozen=True, slots=True)
class Place:
    """A cell: what is asked there again takes the place of what it has asked (`again`)."""

    cell: str
    notebook: str = ""
    again: bool = True


@dataclass
class _Turn:
    """What one question has added to a conversation in memory."""

    cell: str = ""
    messages: Sequence[Message] = ()


class Chat:
    """A conversation with a model: `ask` again and it remembers.

    `thread` (a name, made if it is new, a `Thread`, or a `Draft`, made with its first question)
    keeps it on disk, where the chat panel, the magics and Jan see it; without one nothing is
    written; `history` is what has been said before. `assistant` is the name of a profile.
    `parameters` (temperature, max_tokens, …) hold for every turn; a turn may override them. It
    touches nothing outside of its `workspace`.
    """

    def __init__(
        self,
        model: str | Model | None = None,
        *,
        thread: str | Thread | Draft | None = None,
        assistant: str | Assistant | None = None,
        system: str | None = None,
        workspace: Workspace | None = None,
        history: Sequence[Message] = (),
        **parameters: Any,
    ) -> None:
        self.model = model
        self.workspace = workspace or shared()
        self.router = self.workspace.router
        self.parameters = parameters
        self.system = system
        self.assistant = self._profile(assistant)
        self._kept = self._opened(thread) if thread is not None else None
        self._turns: list[_Turn] = [_Turn(messages=tuple(history))] if history else []

    @property
    def thread(self) -> Thread | None:
        """What keeps it on disk, made now if need be; `None` without one."""
        kept = self._now
        return kept.begin() if isinstance(kept, Draft) else kept

    @property
    def messages(self) -> list[Message]:
        """What the next question comes after; of a thread, as it stands now for everybody."""
        if (kept := self._now) is not None:
            return self._with_system(kept.conversation())
        return self._in_memory(len(self._turns), None)

    def stream(
        self,
        prompt: Prompt,
        *,
        attach: Sequence[Any] = (),
        place: Place | None = None,
        **options: Any,
    ) -> Stream:
        """Ask. When the answer ends, also one that was stopped, the turn is kept.

        `place` is the cell that asks. `options`: `model` for this turn, `priority` (who goes first
        at a busy local model), and `schema`, `tools`, `approve` and parameters as for `jan.stream`.
        """
        asked = messages_of(prompt, attach=attach)
        kept = self._now
        if kept is None:
            return self._in_turn(asked, place, options)
        cell, notebook = (place.cell, place.notebook) if place else ("", "")
        instead = kept.of_cell(cell, notebook) if place and place.again else None
        recorder = Record(kept, questions(asked, cell, notebook), instead=instead)
        before = self._with_system(kept.conversation(instead))
        return self._compose([*before, *asked], recorder, **options)

    def once(
        self,
        prompt: Prompt,
        *,
        attach: Sequence[Any] = (),
        after: str | None = None,
        column: Column | None = None,
        **options: Any,
    ) -> Stream:
        """Ask, and remember nothing. `after`: a turn of the thread, instead of the end of its line;
        `column`: as who is asked there."""
        model = options.get("model")
        before = self.messages if self._now else self._in_memory(len(self._turns), model)
        if after is not None:
            before = self._with_system(self._thread.conversation(through=after))
        asked = [*before, *messages_of(prompt, attach=attach)]
        return self._compose(asked, None, **_as_column(column, options))

    def ask(self, prompt: Prompt, **options: Any) -> Reply:
        """Ask and wait for the answer. Options as for `stream`."""
        return finished(self.stream(prompt, **options))

    async def aask(self, prompt: Prompt, **options: Any) -> Reply:
        """Ask and await the answer. Options as for `stream`."""
        return await whole(self.stream(prompt, **options))

    # With a thread: once more, otherwise, from several models, and on. Each waits, as `ask` does.

    def answer(self, question: str, **options: Any) -> Reply:
        """`stream_answer`, waited for."""
        return finished(self.stream_answer(question, **options))

    def regenerate(self, id: str | None = None, **options: Any) -> Reply:
        """`stream_regenerate`, waited for."""
        return finished(self.stream_regenerate(id, **options))

    def edit(self, id: str, prompt: Prompt, **options: Any) -> Reply:
        """`stream_edit`, waited for."""
        return finished(self.stream_edit(id, prompt, **options))

    def go_on(self, **options: Any) -> Reply:
        """`stream_go_on`, waited for; the reply holds only what is new."""
        return finished(self.stream_go_on(**options))

    def stream_answer(
        self,
        question: str,
        *,
        column: Column | None = None,
        instead: str | None = None,
        **options: Any,
    ) -> Stream:
        """Answer a turn (its id) that has no answer, or has one from another model.

        It comes after what led to that turn, on the line or in a branch. The first answer to a turn
        of the line stands on it, all are `versions` of each other; one that is given `instead` of
        another takes its place. `column` tells who answers, and how. Options, here and below, as
        for `stream`.
        """
        self._thread.message(question)  # raises if there is none
        # Up to the question, in one look: another model may be answering it at this moment.
        before = self._with_system(self._thread.conversation(through=question))
        name = column.name if column else None
        record = Record(self._thread, to=question, instead=instead, column=name)
        return self._compose(before, record, **_as_column(column, options))

    def stream_regenerate(self, id: str | None = None, **options: Any) -> Stream:
        """Another answer in the place of one (default: the last turn); that becomes a branch."""
        id, place = self._turn(id, "assistant")
        question = self._thread.messages[place - 1].id
        return self._compose(
            self._before(id), Record(self._thread, to=question, instead=id), **options
        )

    def stream_edit(
        self, id: str, prompt: Prompt, *, attach: Sequence[Any] = (), **options: Any
    ) -> Stream:
        """Ask otherwise in the place of a question; that and what followed become a branch."""
        id, _ = self._turn(id, "user")
        asked = messages_of(prompt, attach=attach)
        recorder = Record(self._thread, questions(asked), instead=id)
        return self._compose([*self._before(id), *asked], recorder, **options)

    def stream_go_on(self, **options: Any) -> Stream:
        """Go on with the last answer, which was cut; what comes is added to it.

        The stream yields only what is new.
        """
        id, _ = self._turn(None, "assistant")
        before = [*self._before(id), self._thread.message(id).message()]
        return self._compose(before, Record(self._thread, extend=id), **{**options, "n": 1})

    # Inside

    def _compose(
        self,
        messages: Sequence[Message],
        recorder: Recorder | None,
        /,
        *,
        model: str | Model | None = None,
        schema: Any = None,
        tools: Sequence[Function] = (),
        approve: Approve | bool | None = None,
        priority: Priority = "person",
        settings: Mapping[str, Any] = EMPTY,
        **parameters: Any,
    ) -> Stream:
        """The one place where a request is put together. Raises what is in its way."""
        toolbox = Toolbox(tools, approve)
        shape = shape_of(schema) if schema is not None else None
        request = ChatRequest(
            messages,
            {**self.parameters, **parameters},
            tools=toolbox.descriptions,
            schema=shape.json_schema if shape else None,
            priority=priority,
        )
        levels = self._levels(model)
        if settings:
            levels = [Level("thread", settings), *levels]
        request, target = self.router.prepare(request, model or self._model(), levels)
        return Stream(self.router, request, target, recorder=recorder, shape=shape, tools=toolbox)

    def _in_turn(
        self, asked: Sequence[Message], place: Place | None, options: Mapping[str, Any]
    ) -> Stream:
        """Ask in a conversation that is kept in memory."""
        cell = place.cell if place else ""
        again = bool(place and place.again and cell)
        end = next((i for i, t in enumerate(self._turns) if again and t.cell == cell), None)
        before = self._in_memory(len(self._turns) if end is None else end, options.get("model"))
        runs = bool(options.get("tools"))
        recorder = _InMemory(self._turns, cell, len(before), end, runs)
        return self._compose([*before, *asked], recorder, **options)

    def _in_memory(self, turns: int, model: str | Model | None) -> list[Message]:
        who = self._who(model)
        text = self.system or (filled(who.instructions) if who else "")
        said = [message for turn in self._turns[:turns] for message in turn.messages]
        return [Message("system", text), *said] if text else said

    def _before(self, id: str) -> list[Message]:
        return self._with_system(self._thread.conversation(id))

    def _with_system(self, messages: list[Message]) -> list[Message]:
        """With our system text instead of the thread's."""
        if not self.system:
            return messages
        rest = [message for message in messages if message.role != "system"]
        return [Message("system", self.system), *rest]

    def _levels(self, model: str | Model | None) -> Sequence[Level]:
        if (kept := self._now) is not None:
            return kept.levels()
        who = self._who(model)
        return (who.level,) if who is not None else ()

    def _who(self, model: str | Model | None) -> Assistant | None:
        """Whose instructions, settings and parameters hold without a thread: those of the assistant
        that was named, else of the default, where no model was named for the turn or the chat."""
        is_named = self.assistant is not None or model is not None or self.model is not None
        return self.assistant if is_named else self.workspace.profile

    def _model(self) -> str | Model | None:
        """The model that was chosen for this chat, its thread or its assistant."""
        if self.model is not None:
            return self.model
        kept = self._now
        if kept is not None and (chosen := kept.model):
            return self.router.written(chosen, kept.engine)
        return self.assistant.model if self.assistant is not None else None

    @property
    def _now(self) -> Thread | Draft | None:
        """The thread, or what is chosen for one that nobody has made yet."""
        if isinstance(self._kept, Draft) and self._kept.thread is not None:
            self._kept = self._kept.thread
        return self._kept

    @property
    def _thread(self) -> Thread:
        if (thread := self.thread) is None:
            raise errors.UsageError('This needs a thread: Chat(…, thread="NAME").')
        return thread

    def _place(self, id: str) -> int:
        place = self._thread.place(id)
        if place is None:
            raise errors.ThreadNotFound(f"Message {id!r} is not in the conversation as it stands.")
        return place

    def _turn(self, id: str | None, role: str) -> tuple[str, int]:
        """A turn of the line (default: the last) and where it stands; it must have that role."""
        line = self._thread.messages
        id = id or (line[-1].id if line else "")
        place = self._place(id) if id else -1
        if place < 0 or line[place].role != role or (role == "assistant" and not place):
            what = "no answer" if role == "assistant" else "no question"
            raise errors.UsageError(f"There is {what} there in thread {self._thread.title}.")
        return id, place

    def _opened(self, thread: str | Thread | Draft) -> Thread | Draft:
        kept = thread if isinstance(thread, Thread | Draft) else self.workspace.threads.open(thread)
        profile = self.assistant
        if profile is not None and profile.id.casefold() != kept.assistant.casefold():
            kept.configure(assistant=profile.id)
        if self.system and not kept.messages and not kept.instructions:
            kept.configure(instructions=self.system)
        return kept

    def _profile(self, assistant: str | Assistant | None) -> Assistant | None:
        if assistant is None or isinstance(assistant, Assistant):
            return assistant
        return self.workspace.threads.assistants.get(assistant)


def _as_column(column: Column | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options with whom, and how, a column is asked."""
    if column is None:
        return {**options}
    own = {"model": column.model, "settings": column.settings}
    return {**own, **column.parameters, **options}


class _InMemory:
    """Keeps a turn of a conversation in memory, unless nothing came.

    Others may have been asked and answered meanwhile: theirs stay. `known` messages of the request
    were there before; `instead` is the turn whose place it takes, with all that followed.
    """

    def __init__(
        self, turns: list[_Turn], cell: str, known: int, instead: int | None, runs: bool
    ) -> None:
        self._turns = turns
        self._turn = _Turn(cell)
        self._known = known
        self._instead = instead
        self._runs = runs
        """Whether functions are run here: then what asks for them is no answer yet."""

    def begin(self, target: Target, request: ChatRequest) -> None:
        """Nothing stands before it is answered."""

    def keep(self, reply: Reply) -> None:
        """What is in memory goes with the process."""

    def end(self, reply: Reply) -> None:
        came = reply.text or reply.tool_calls
        if not came and (reply.error or reply.finish == "cancelled"):
            return
        if reply.tool_calls and self._runs:
            return
        if self._instead is not None:
            del self._turns[self._instead :]
        self._turn.messages = reply.messages[self._known :]
        self._turns.append(self._turn)

    def settle(self) -> None:
        """It takes no time."""

    def following(self, results: Sequence[Message]) -> Self:
        return self


def stream(
    prompt: Prompt,
    model: str | Model | None = None,
    *,
    system: str | None = None,
    thread: str | Thread | None = None,
    assistant: str | Assistant | None = None,
    engine: str | None = None,
    **options: Any,
) -> Stream:
    """Ask, and iterate over the pieces of the answer with `for` or `async for`.

    `prompt`: text, a `Message`, or a list of messages; `model`: an id, `engine:id`, or nothing for
    the default; `thread`, `assistant`: as for `Chat`; `attach`: figures, images, arrays, paths of
    files, one or several; `schema`: a pydantic class, a type, or a JSON schema (then
    `reply.value`); `tools`: functions that the model may ask for, run if `approve(call)` says so
    (default: you are asked; `True`: unasked); other names are parameters: temperature, max_tokens,
    top_p, seed, stop …. Raises `JanError`.
    """
    if engine is not None:
        model = shared().router.named(model, engine)
    talk = Chat(model, thread=thread, assistant=assistant, system=system)
    return talk.stream(prompt, **options) if thread is not None else talk.once(prompt, **options)


def chat(prompt: Prompt, model: str | Model | None = None, **options: Any) -> Reply:
    """Ask and wait for the whole answer. Arguments as for `stream`; raises `JanError`."""
    return finished(stream(prompt, model, **options))


async def achat(prompt: Prompt, model: str | Model | None = None, **options: Any) -> Reply:
    """Ask and await the whole answer. Arguments as for `stream`; raises `JanError`."""
    return await whole(stream(prompt, model, **options))
