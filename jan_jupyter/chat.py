"""Asking: one prompt (`chat`, `stream`) or a conversation (`Chat`); deltas fold into a `Reply`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import bridge, errors
from .attachments import message_with
from .levels import Level
from .models.model import Model
from .router import Route, Router, shared
from .structured import Shape, shape_of
from .tools import MOST_ROUNDS, Approve, Function, Toolbox, run_here
from .types import Audio, ChatRequest, Delta, Embeddings, Finish, Message, Reply, Timings, Usage

if TYPE_CHECKING:
    from .threads import Assistant, Record, Thread

NOTHING = Usage()
Prompt = str | Message | Sequence[Message | Mapping[str, Any]]


def messages_of(
    prompt: Prompt, system: str | None = None, attach: Sequence[Any] = ()
) -> list[Message]:
    """A prompt in any of its forms as messages: text, a message, or OpenAI's list of messages.

    Attachments go with a prompt that is text. Raises `UsageError`.
    """
    if isinstance(prompt, str):
        messages = [message_with(prompt, attach)]
    elif attach:
        raise errors.UsageError("`attach` goes with a prompt that is text.")
    elif isinstance(prompt, Message):
        messages = [prompt]
    else:
        messages = [m if isinstance(m, Message) else _message(m) for m in prompt]
    return [Message("system", system), *messages] if system else messages


def _message(written: Mapping[str, Any]) -> Message:
    extra = {k: v for k, v in written.items() if k not in ("role", "content")}
    try:
        return Message(written["role"], written.get("content") or "", extra)
    except KeyError:
        raise errors.UsageError(
            'A message needs a role: {"role": "user", "content": "…"}.'
        ) from None


class Fold:
    """Gathers deltas into a `Reply`; what has come is there at any moment."""

    def __init__(self, route: Route, shape: Shape | None = None, spent: Usage = NOTHING) -> None:
        self.route = route
        self._shape = shape
        self._spent = spent
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._tool_calls: list[Mapping[str, Any]] = []
        self._logprobs: list[Mapping[str, Any]] = []
        self._last = Delta()

    def add(self, delta: Delta) -> None:
        if delta.text:
            self._text.append(delta.text)
        if delta.reasoning:
            self._reasoning.append(delta.reasoning)
        if delta.tool_calls:
            _gather(self._tool_calls, delta.tool_calls)
        self._logprobs += delta.logprobs
        if delta.finish is not None:
            self._last = delta

    @property
    def text(self) -> str:
        if len(self._text) > 1:
            self._text = ["".join(self._text)]
        return self._text[0] if self._text else ""

    def reply(self, error: BaseException | None = None) -> Reply:
        """The answer so far; `error` says why there is no more."""
        finish: Finish | None = self._last.finish
        reason = None
        if isinstance(error, KeyboardInterrupt | asyncio.CancelledError | GeneratorExit):
            finish = "cancelled"
        elif error is not None:
            reason = str(error)
        request = self.route.request
        calls = {"tool_calls": self._tool_calls} if self._tool_calls else {}
        extra = {**self._last.extra, **calls}
        return Reply(
            text=self.text,
            model=self.route.model.id,
            engine=self.route.engine.options.name,
            messages=(*request.messages, Message("assistant", self.text, extra)),
            usage=self._spent + (self._last.usage or NOTHING),
            timings=self._last.timings or Timings(),
            finish=finish,
            reasoning="".join(self._reasoning),
            tool_calls=tuple(self._tool_calls),
            request=request,
            error=reason,
            notes=tuple(self._last.notes),
            logprobs=tuple(self._logprobs),
            reader=self._shape.read if self._shape else None,
        )


def _gather(calls: list[Mapping[str, Any]], pieces: Sequence[Mapping[str, Any]]) -> None:
    """Put pieces of streamed tool calls together: same index, arguments joined."""
    for piece in pieces:
        index = piece.get("index", len(calls))
        function = dict(piece.get("function") or {})
        if index < len(calls):
            known = dict(calls[index])
            before = dict(known.get("function") or {})
            before["arguments"] = before.get("arguments", "") + (function.get("arguments") or "")
            if function.get("name"):
                before["name"] = function["name"]
            calls[index] = {**known, "function": before}
        else:
            rest = {k: v for k, v in piece.items() if k not in ("index", "function")}
            function.setdefault("arguments", "")
            calls.append({"type": "function", **rest, "function": function})


class Stream:
    """An answer under way: iterate over its pieces of text, with `for` or `async for`.

    Nothing is sent before someone iterates or asks for `reply`. What came is kept, so iterating
    again replays it. With `tools`, the functions that the model asks for are run between two of its
    answers, in the thread that iterates, and the text of all answers is one stream.
    """

    def __init__(
        self,
        router: Router,
        request: ChatRequest,
        model: str | Model | Route | None,
        *,
        levels: Sequence[Level] = (),
        shape: Shape | None = None,
        tools: Toolbox | None = None,
        spent: Usage = NOTHING,
        rounds: int = 0,
    ) -> None:
        self.router = router
        self.route = model if isinstance(model, Route) else router.route(request, model, levels)
        self.record: Record | None = None
        """What keeps the turn in a thread, if anything does."""
        self._shape = shape
        self._tools = tools
        self._rounds = rounds
        self._fold = Fold(self.route, shape, spent)
        self._pieces: list[str] = []
        self._reply: Reply | None = None
        self._error: BaseException | None = None
        self._begun = False
        self._next: Stream | None = None

    async def deltas(self) -> AsyncGenerator[Delta, None]:
        """The deltas as they come, on the background loop; they are folded on the way."""
        if self._begun:
            raise errors.UsageError("This answer is streamed elsewhere already.")
        self._begun = True
        try:
            if self.record is not None:  # not on the loop: a disk may be slow
                model, engine = self.route.model.reference, self.route.engine.options.name
                await asyncio.to_thread(self.record.begin, model, engine)
            async with aclosing(self.router.chat(self.route.request, self.route)) as deltas:
                async for delta in deltas:
                    self._fold.add(delta)
                    if delta.text:
                        self._pieces.append(delta.text)
                    yield delta
        except BaseException as error:
            self._error = error
            self._reply = self._fold.reply(error)
            await self._record(error)
            raise
        self._reply = self._fold.reply()
        await self._record()

    async def _record(self, error: BaseException | None = None) -> None:
        """Write the answer down, also while all around is being cancelled."""
        if self.record is None:
            return
        reply = self._reply or self._fold.reply()
        try:
            writing = asyncio.get_running_loop().run_in_executor(None, self.record.end, reply)
        except RuntimeError:  # the process ends, and takes no work for its threads any more
            self.record.end(reply)
            return
        cancelled = False
        while not writing.done():
            try:
                await asyncio.wait([writing])
            except asyncio.CancelledError:
                cancelled = True
        failure = writing.exception()
        if error is not None:
            if failure is not None:
                error.add_note(f"The answer was not kept: {failure}")
        elif failure is not None:
            raise failure
        elif cancelled:
            raise asyncio.CancelledError

    def __iter__(self) -> Iterator[str]:
        yield from self._pieces
        if not self._begun:
            try:
                for delta in bridge.iterate(self.deltas()):
                    if delta.text:
                        yield delta.text
            finally:
                if self.record is not None:
                    self.record.settle()
        elif isinstance(self._error, errors.JanError):
            raise self._error
        if following := run_here(self.follow()):
            yield from following

    async def __aiter__(self) -> AsyncIterator[str]:
        for piece in self._pieces:
            yield piece
        if not self._begun:
            try:
                async with aclosing(bridge.aiterate(self.deltas())) as deltas:
                    async for delta in deltas:
                        if delta.text:
                            yield delta.text
            finally:
                if self.record is not None:
                    await asyncio.to_thread(self.record.settle)
        elif isinstance(self._error, errors.JanError):
            raise self._error
        if following := await self.follow():
            async for piece in following:
                yield piece

    async def follow(self, told: Callable[[str, str], None] | None = None) -> Stream | None:
        """Run, here, the functions that the answer asks for; the stream that goes on with them.

        `None` if it asks for none. `told(call, result)` is called after each.
        """
        if self._next is None and self._reply and self._reply.tool_calls and self._tools:
            if self._rounds >= MOST_ROUNDS:
                raise errors.UsageError(
                    f"{self.route.model.id} has asked for functions {MOST_ROUNDS} times in a row"
                    " and was stopped."
                )
            results = await self._tools.answers(self._reply.tool_calls, told)
            request = replace(self.route.request, messages=(*self._reply.messages, *results))
            self._next = Stream(
                self.router,
                request,
                replace(self.route, request=request),
                shape=self._shape,
                tools=self._tools,
                spent=self._reply.usage,
                rounds=self._rounds + 1,
            )
            if self.record is not None:
                self._next.record = self.record.following(results)
        return self._next

    @property
    def text(self) -> str:
        """The text so far."""
        return self._fold.text

    @property
    def reply(self) -> Reply:
        """The whole answer; waits for it if need be. After an error: what had come."""
        if self._reply is None and not self._begun:
            for _ in self:
                pass
        if self._next is not None:
            return self._next.reply
        return self._reply or self._fold.reply()

    def reply_so_far(self, error: BaseException | None = None) -> Reply:
        """What has come, without waiting; `error` says why there will be no more."""
        return self._fold.reply(error) if error is not None else self._reply or self._fold.reply()


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
        self.thread = self._opened(thread, assistant) if thread else None
        self.assistant = self._profile(assistant)
        self._messages: list[Message] = []
        if self.thread is None and (text := system or self._instructions()):
            self._messages.append(Message("system", text))

    @property
    def messages(self) -> list[Message]:
        """What the next question comes after; of a thread, as it stands now for everybody."""
        return self._before(None) if self.thread is not None else [*self._messages]

    def stream(self, prompt: Prompt, *, attach: Sequence[Any] = (), **options: Any) -> Stream:
        """Ask. A thread keeps the turn by itself; else it is remembered once `keep` is called.

        `options`: `model` for this turn, and `schema`, `tools`, `approve` and parameters as for
        `jan.stream`.
        """
        asked = messages_of(prompt, attach=attach)
        answer = self._asking([*self.messages, *asked], **options)
        if self.thread is not None:
            answer.record = self._record(asked)
        return answer

    def keep(self, reply: Reply) -> Reply:
        """Remember a turn, also one that was cut."""
        if self.thread is None:
            self._messages = [*reply.messages]
        return reply

    def ask(self, prompt: Prompt, **options: Any) -> Reply:
        """Ask and wait for the answer. Options as for `stream`."""
        return self.keep(finished(self.stream(prompt, **options)))

    async def aask(self, prompt: Prompt, **options: Any) -> Reply:
        """Ask and await the answer. Options as for `stream`."""
        return self.keep(await whole(self.stream(prompt, **options)))

    # With a thread: once more, otherwise, from several models, and on

    def answer(self, question: str, **options: Any) -> Stream:
        """Answer a turn of the line (its id) that has no answer, or has one from another model.

        The first answer to end stands on the line, all are `versions` of each other. Options, here
        and below, as for `stream`.
        """
        after = self._thread.messages[self._place(question) + 1 :]
        before = self._before(after[0].id if after else None)
        return self._again(before, self._record(to=question), options)

    def regenerate(self, id: str | None = None, **options: Any) -> Stream:
        """Another answer in the place of one (default: the last turn); that becomes a branch."""
        id, place = self._turn(id, "assistant")
        question = self._thread.messages[place - 1].id
        return self._again(self._before(id), self._record(to=question, instead=id), options)

    def edit(
        self, id: str, prompt: Prompt, *, attach: Sequence[Any] = (), **options: Any
    ) -> Stream:
        """Ask otherwise in the place of a question; that and what followed become a branch."""
        id, _ = self._turn(id, "user")
        asked = messages_of(prompt, attach=attach)
        before = [*self._before(id), *asked]
        return self._again(before, self._record(asked, instead=id), options)

    def go_on(self, **options: Any) -> Stream:
        """Go on with the last answer, which was cut; what comes is added to it.

        The stream yields only what is new.
        """
        id, _ = self._turn(None, "assistant")
        before = [*self._before(id), self._thread.message(id).message()]
        return self._again(before, self._record(extend=id), options)

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

    def _before(self, id: str | None) -> list[Message]:
        messages = self._thread.conversation(id)
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
        from .threads import shared

        found = shared().open(thread) if isinstance(thread, str) else thread
        name = assistant if isinstance(assistant, str) or assistant is None else assistant.id
        if name is not None and name.casefold() != found.assistant.casefold():
            found.configure(assistant=name)
        if self.system and not found.messages and not found.instructions:
            found.configure(instructions=self.system)
        return found

    def _profile(self, assistant: str | Assistant | None) -> Assistant | None:
        if not isinstance(assistant, str):
            return assistant
        from .threads import shared

        return shared().assistants.get(assistant)

    def _instructions(self) -> str:
        if self.assistant is None:
            return ""
        from .threads.context import filled

        return filled(self.assistant.instructions)


async def whole(answer: Stream) -> Reply:
    """Await, in any loop, the whole of an answer, and run the functions that it asks for."""
    while True:
        reply = await bridge.await_(_drained(answer))
        if (following := await answer.follow()) is None:
            return reply
        answer = following


def finished(answer: Stream) -> Reply:
    """Wait for the whole of an answer, and run the functions that it asks for."""
    while True:
        reply = bridge.wait(_drained(answer))
        if (following := run_here(answer.follow())) is None:
            return reply
        answer = following


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
    files; `schema`: a pydantic class, a type, or a JSON schema (then `reply.value`); `tools`:
    functions that the model may ask for, run if `approve(call)` says so (default: you are asked;
    `True`: unasked); `parameters`: temperature, max_tokens, top_p, seed, stop …. Raises `JanError`.
    """
    if engine is not None:
        model = f"{engine}:{shared().model(model)[0].id}"
    if thread is not None or assistant is not None:
        talk = Chat(model, thread=thread, assistant=assistant, system=system)
        return talk.stream(
            prompt, attach=attach, schema=schema, tools=tools, approve=approve, **parameters
        )
    messages = messages_of(prompt, system, attach)
    return asking(shared(), messages, model, parameters, schema, Toolbox(tools, approve))


def asking(
    router: Router,
    messages: Sequence[Message],
    model: str | Model | None,
    parameters: Mapping[str, Any],
    schema: Any = None,
    tools: Toolbox | None = None,
    levels: Sequence[Level] = (),
) -> Stream:
    """The stream for messages that stand, with what the answer shall fit and may ask for."""
    shape = shape_of(schema) if schema is not None else None
    request = ChatRequest(
        messages,
        parameters,
        tools=tools.descriptions if tools else (),
        schema=shape.json_schema if shape else None,
    )
    return Stream(router, request, model, levels=levels, shape=shape, tools=tools)


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
    return [texts] if isinstance(texts, str) else [*texts]


def speak(text: str, model: str | Model | None = None, **parameters: Any) -> Audio:
    """The text spoken; `parameters`: voice, response_format, speed …. Raises `JanError`."""
    return bridge.wait(shared().speak(text, model, **parameters))


async def _drained(answer: Stream) -> Reply:
    """On the background loop: nobody looks at the pieces, so none has to cross to another."""
    async with aclosing(answer.deltas()) as deltas:
        async for _ in deltas:
            pass
    return answer.reply_so_far()
