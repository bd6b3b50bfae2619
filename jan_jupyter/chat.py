"""Asking: one prompt (`chat`, `stream`), a conversation (`Chat`), a vector, a voice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import bridge, errors
from .ask import Prompt, Stream, asking, finished, messages_of, whole
from .models.model import Model
from .precedence import Level
from .router import Router, shared
from .tools import Approve, Function, Toolbox
from .types import Audio, Embeddings, Message, Reply

if TYPE_CHECKING:
    from .threads import Assistant, Record, Thread


class Chat:
    """A conversation with a model: `ask` again and it remembers.

    `thread` (a name, made if it is new, or a `Thread`) keeps it on disk, where the chat panel, the
    magics and Jan see it; without one nothing is written. `assistant` is the name of a profile.
    `parameters` (temperature, max_tokens, …) hold for every turn; a turn may override them.
    """

    def __init__(
        self,
        model: str | Model | None = None,
        *,
        thread: str | Thread | None = None,
        assistant: str | Assistant | None = None,
        system: str | None = None,
        router: Router | None = None,
        **parameters: Any,
    ) -> None:
        self.model = model
        self.router = router or shared()
        self.parameters = parameters
        self.system = system
        self.thread = self._opened(thread, assistant) if thread is not None else None
        self.assistant = self._profile(assistant)
        self._messages: list[Message] = []
        if self.thread is None and (text := system or self._instructions()):
            self._messages.append(Message("system", text))

    @property
    def messages(self) -> list[Message]:
        """What the next question comes after; of a thread, as it stands now for everybody."""
        return self._before(None) if self.thread is not None else [*self._messages]

    def stream(self, prompt: Prompt, *, attach: Sequence[Any] = (), **options: Any) -> Stream:
        """Ask. When the answer ends, also one that was stopped, the turn is kept.

        `options`: `model` for this turn, and `schema`, `tools`, `approve` and parameters as for
        `jan.stream`.
        """
        asked = messages_of(prompt, attach=attach)
        before = self.messages
        answer = self._asking([*before, *asked], **options)
        if self.thread is not None:
            answer.record = self._record(asked)
        else:
            answer.on_end = lambda reply: self._keep(reply, len(before))
        return answer

    def _keep(self, reply: Reply, known: int) -> None:
        """Remember a turn, of which so many messages were there before, unless nothing came.

        Others may have been asked and answered meanwhile: theirs stay.
        """
        came = reply.text or reply.tool_calls
        if came or not (reply.error or reply.finish == "cancelled"):
            self._messages += reply.messages[known:]

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

    def stream_answer(self, question: str, **options: Any) -> Stream:
        """Answer a turn of the line (its id) that has no answer, or has one from another model.

        The first answer to end stands on the line, all are `versions` of each other. Options, here
        and below, as for `stream`.
        """
        self._place(question)  # raises if it is no turn of the line
        # Up to the question, in one look: another model may be answering it at this moment.
        before = self._before(through=question)
        return self._again(before, self._record(to=question), options)

    def stream_regenerate(self, id: str | None = None, **options: Any) -> Stream:
        """Another answer in the place of one (default: the last turn); that becomes a branch."""
        id, place = self._turn(id, "assistant")
        question = self._thread.messages[place - 1].id
        return self._again(self._before(id), self._record(to=question, instead=id), options)

    def stream_edit(
        self, id: str, prompt: Prompt, *, attach: Sequence[Any] = (), **options: Any
    ) -> Stream:
        """Ask otherwise in the place of a question; that and what followed become a branch."""
        id, _ = self._turn(id, "user")
        asked = messages_of(prompt, attach=attach)
        before = [*self._before(id), *asked]
        return self._again(before, self._record(asked, instead=id), options)

    def stream_go_on(self, **options: Any) -> Stream:
        """Go on with the last answer, which was cut; what comes is added to it.

        The stream yields only what is new.
        """
        id, _ = self._turn(None, "assistant")
        before = [*self._before(id), self._thread.message(id).message()]
        return self._again(before, self._record(extend=id), {**options, "n": 1})

    # Inside

    def _again(
        self, messages: Sequence[Message], record: Record, options: Mapping[str, Any]
    ) -> Stream:
        """A stream for messages that stand, with options as for `stream`."""
        answer = self._asking(messages, **options)
        answer.record = record
        return answer

    def _asking(
        self,
        messages: Sequence[Message],
        *,
        model: str | Model | None = None,
        schema: Any = None,
        tools: Sequence[Function] = (),
        approve: Approve | bool | None = None,
        **parameters: Any,
    ) -> Stream:
        return asking(
            self.router,
            messages,
            model or self._model(),
            {**self.parameters, **parameters},
            schema,
            Toolbox(tools, approve),
            self._levels(),
        )

    def _record(self, asked: Sequence[Message] = (), **places: str) -> Record:
        from .threads.record import Record, questions

        return Record(self._thread, questions(asked), **places)

    def _before(self, id: str | None = None, *, through: str | None = None) -> list[Message]:
        messages = self._thread.conversation(id, through=through)
        if self.system:
            rest = [message for message in messages if message.role != "system"]
            messages = [Message("system", self.system), *rest]
        return messages

    def _levels(self) -> Sequence[Level]:
        if self.thread is not None:
            return self.thread.levels()
        return (self.assistant.level,) if self.assistant is not None else ()

    def _model(self) -> str | Model | None:
        """The model that was chosen for this chat, its thread or its assistant."""
        if self.model is not None:
            return self.model
        if self.thread is not None and (chosen := self.thread.model):
            return self.router.written(chosen, self.thread.engine)
        return self.assistant.model if self.assistant is not None else None

    @property
    def _thread(self) -> Thread:
        if self.thread is None:
            raise errors.UsageError('This needs a thread: Chat(…, thread="NAME").')
        return self.thread

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

    def _opened(self, thread: str | Thread, assistant: str | Assistant | None) -> Thread:
        from .threads import Thread, shared

        found = thread if isinstance(thread, Thread) else shared().open(thread)
        name = assistant if isinstance(assistant, str) or assistant is None else assistant.id
        if name is not None and name.casefold() != found.assistant.casefold():
            found.configure(assistant=name)
        if self.system and not found.messages and not found.instructions:
            found.configure(instructions=self.system)
        return found

    def _profile(self, assistant: str | Assistant | None) -> Assistant | None:
        from .threads import Assistant, shared

        if assistant is None or isinstance(assistant, Assistant):
            return assistant
        return shared().assistants.get(assistant)

    def _instructions(self) -> str:
        if self.assistant is None:
            return ""
        from .threads.context import filled

        return filled(self.assistant.instructions)


def stream(
    prompt: Prompt,
    model: str | Model | None = None,
    *,
    system: str | None = None,
    thread: str | Thread | None = None,
    assistant: str | Assistant | None = None,
    attach: Sequence[Any] = (),
    schema: Any = None,
    tools: Sequence[Function] = (),
    approve: Approve | bool | None = None,
    engine: str | None = None,
    **parameters: Any,
) -> Stream:
    """Ask, and iterate over the pieces of the answer with `for` or `async for`.

    `prompt`: text, a `Message`, or a list of messages; `model`: an id, `engine:id`, or nothing for
    the default; `thread`, `assistant`: as for `Chat`; `attach`: figures, images, arrays, paths of
    files, one or several; `schema`: a pydantic class, a type, or a JSON schema (then
    `reply.value`); `tools`: functions that the model may ask for, run if `approve(call)` says so
    (default: you are asked; `True`: unasked); `parameters`: temperature, max_tokens, top_p, seed,
    stop …. Raises `JanError`.
    """
    if engine is not None:
        model = shared().named(model, engine)
    if thread is not None or assistant is not None:
        talk = Chat(model, thread=thread, assistant=assistant, system=system)
        return talk.stream(
            prompt, attach=attach, schema=schema, tools=tools, approve=approve, **parameters
        )
    messages = messages_of(prompt, system, attach)
    return asking(shared(), messages, model, parameters, schema, Toolbox(tools, approve))


def chat(prompt: Prompt, model: str | Model | None = None, **options: Any) -> Reply:
    """Ask and wait for the whole answer. Arguments as for `stream`; raises `JanError`."""
    return finished(stream(prompt, model, **options))


async def achat(prompt: Prompt, model: str | Model | None = None, **options: Any) -> Reply:
    """Ask and await the whole answer. Arguments as for `stream`; raises `JanError`."""
    return await whole(stream(prompt, model, **options))


def embed(
    texts: str | Sequence[str], model: str | Model | None = None, **parameters: Any
) -> Embeddings:
    """A vector for each text (one for a single text). Raises `JanError`."""
    return bridge.wait(shared().embed(_listed(texts), model, **parameters))


async def aembed(
    texts: str | Sequence[str], model: str | Model | None = None, **parameters: Any
) -> Embeddings:
    """Await a vector for each text. Raises `JanError`."""
    return await bridge.await_(shared().embed(_listed(texts), model, **parameters))


def _listed(texts: str | Sequence[str]) -> list[str]:
    if isinstance(texts, str):
        return [texts]
    if not isinstance(texts, Iterable) or isinstance(texts, bytes | bytearray | Mapping):
        raise errors.UsageError(f"What to embed is a text or a list of texts, not {texts!r:.80}.")
    return [*texts]


def speak(text: str, model: str | Model | None = None, **parameters: Any) -> Audio:
    """The text spoken; `parameters`: voice, response_format, speed …. Raises `JanError`."""
    return bridge.wait(shared().speak(text, model, **parameters))
