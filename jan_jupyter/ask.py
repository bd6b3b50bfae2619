"""An answer on its way: deltas fold into a `Reply`, functions run between two rounds."""

from __future__ import annotations

import asyncio
import reprlib
import threading
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any, Protocol, Self

from . import bridge, errors
from .attachments import message_with
from .fold import NOTHING, Fold
from .router import Router, Target
from .structured import Shape
from .tools import MOST_ROUNDS, Toolbox, listed, run_here
from .types import ChatRequest, Delta, Message, Reply, Usage

Prompt = str | Message | Sequence[Message | Mapping[str, Any]]
KEPT_EVERY = 1.0
"""Seconds of an answer that are lost at most where its process is killed."""


def messages_of(
    prompt: Prompt, system: str | None = None, attach: Sequence[Any] = ()
) -> list[Message]:
    """A prompt in any of its forms as messages: text, a message, or OpenAI's list of messages.

    Attachments (one, or a list) go with a prompt that is text. Raises `UsageError`.
    """
    attached = listed(attach)
    if isinstance(prompt, str):
        messages = [message_with(prompt, attached)]
    elif attached:
        raise errors.UsageError("`attach` goes with a prompt that is text.")
    elif isinstance(prompt, Message):
        messages = [prompt]
    elif isinstance(prompt, Iterable) and not isinstance(prompt, bytes | bytearray | Mapping):
        messages = [m if isinstance(m, Message) else _message(m) for m in prompt]
    else:
        raise errors.UsageError(
            f"A prompt is text, a Message or a list of messages, not {reprlib.repr(prompt)}."
        )
    return [Message("system", system), *messages] if system else messages


def _message(written: Mapping[str, Any]) -> Message:
    if not isinstance(written, Mapping) or "role" not in written:
        raise errors.UsageError(
            'A message looks like {"role": "user", "content": "…"}, not like '
            f"{reprlib.repr(written)}."
        )
    content = written.get("content")
    extra = {k: v for k, v in written.items() if k not in ("role", "content")}
    return Message(written["role"], "" if content is None else content, extra)


class Recorder(Protocol):
    """Keeps one turn: in a thread, in a conversation, as a row of a comparison.

    `begin`, `keep` and `end` may wait for a disk; they are never called on the background loop.
    """

    def begin(self, target: Target, request: ChatRequest) -> object:
        """The request goes out now."""

    def keep(self, reply: Reply) -> object:
        """What has come so far, about once a second: this process may be killed at any moment."""

    def end(self, reply: Reply) -> object:
        """What came, whole or not. It may raise, with the answer in the error's `reply`."""

    def settle(self) -> object:
        """After a stop: wait, for milliseconds as a rule, until `end` is done."""

    def following(self, results: Sequence[Message]) -> Self:
        """What keeps the answer to the results of the functions that this answer asked for."""


class Stream:
    """An answer under way: iterate over its pieces of text, with `for` or `async for`.

    Nothing is sent before someone iterates or asks for `reply`. What came is kept: whoever iterates
    gets every piece, also beside others or afterwards. When the last of them leaves, it is stopped.
    With `tools`, the functions that the model asks for are run between two of its answers, in the
    thread that iterates, and the text of all answers is one stream. Of several answers to one
    request (`n`) it yields the first; `reply.choices` has all.
    """

    def __init__(
        self,
        router: Router,
        request: ChatRequest,
        target: Target,
        *,
        recorder: Recorder | None = None,
        shape: Shape | None = None,
        tools: Toolbox | None = None,
        spent: Usage = NOTHING,
        rounds: int = 0,
    ) -> None:
        self.router = router
        self.request = request
        self.target = target
        self.recorder = recorder
        self._shape = shape
        self._tools = tools
        self._rounds = rounds
        self._fold = Fold(request, target, shape, spent)
        self._pieces: list[str] | None = None
        """For whoever iterates; none are kept for `deltas` alone."""
        self._reply: Reply | None = None
        self._error: BaseException | None = None
        self._begun = self._ended = False
        self._readers: set[asyncio.Event] = set()
        """Woken, on the background loop, when there is more to read."""
        self._driver: asyncio.Task[Reply] | None = None
        self._keeping: asyncio.TimerHandle | None = None
        self._functions = threading.Lock()
        """Held while they run, so that they run once however many read."""
        self._next: Stream | None = None

    async def deltas(self) -> AsyncGenerator[Delta, None]:
        """The deltas as they come, on the background loop; they are folded on the way."""
        if self._begun:
            raise errors.UsageError("This answer is streamed elsewhere already.")
        self._begun = True
        try:
            try:
                if self.recorder is not None:  # not on the loop: a disk may be slow
                    begin = asyncio.to_thread(self.recorder.begin, self.target, self.request)
                    beginning = asyncio.ensure_future(begin)
                    if await settled(beginning):  # a stop does not come between question and answer
                        beginning.exception()
                        raise asyncio.CancelledError
                    await beginning
                async with aclosing(self.router.chat(self.request, self.target)) as deltas:
                    async for delta in deltas:
                        self._fold.add(delta)
                        if self._keeping is None and self.recorder is not None:
                            self._keep_soon()
                        if delta.text and not delta.choice:
                            self._wake(delta.text)
                        yield delta
            except BaseException as error:
                await self._end(error)
                raise
            await self._end()
        except BaseException as error:
            self._error = error
            raise
        finally:
            self._ended = True
            self._wake()

    async def _end(self, error: BaseException | None = None) -> None:
        """The answer is final: it is kept by whoever keeps it."""
        if self._keeping is not None:
            self._keeping.cancel()
        self._reply = self._fold.reply(error)
        await self._record(error)

    def _keep_soon(self) -> None:
        self._keeping = asyncio.get_running_loop().call_later(KEPT_EVERY, self._keep)

    def _keep(self) -> None:
        """Have kept what has come: not on the loop, a disk may be slow."""
        assert self.recorder is not None
        loop = asyncio.get_running_loop()
        with suppress(RuntimeError):  # the process ends, and takes no work for its threads any more
            keeping = loop.run_in_executor(None, self.recorder.keep, self._fold.reply())
            keeping.add_done_callback(self._kept)

    def _kept(self, keeping: asyncio.Future[object]) -> None:
        if not keeping.cancelled():
            keeping.exception()  # it is tried again, and `end` tells what is wrong
        if self._reply is None:
            self._keep_soon()

    @property
    def goes_on(self) -> bool:
        """Whether the model has asked for functions that are here."""
        return bool(self._reply and self._reply.tool_calls and self._tools)

    def _wake(self, piece: str = "") -> None:
        if self._pieces is not None and piece:
            self._pieces.append(piece)
        for reader in self._readers:
            reader.set()

    async def _read(self) -> AsyncGenerator[str, None]:
        """The pieces, on the background loop: what has come, and what comes.

        The first reader starts the answer, the last one that leaves it early stops it. Raises what
        went wrong with it.
        """
        if not self._begun and self._driver is None:
            self._driver = asyncio.create_task(drained(self))
            self._driver.add_done_callback(lambda task: task.cancelled() or task.exception())
        if self._pieces is None:  # what came before anybody iterated is one piece
            self._pieces = [self._fold.text] if self._fold.text else []
        news = asyncio.Event()
        self._readers.add(news)
        place = 0
        try:
            while True:
                ended = self._ended
                while place < len(self._pieces):
                    place += 1
                    yield self._pieces[place - 1]
                if ended:
                    break
                await news.wait()
                news.clear()
        finally:
            self._readers.discard(news)
            if self._driver is not None and not self._readers and not self._ended:
                self._driver.cancel()
                await asyncio.wait([self._driver])
        if isinstance(self._error, Exception):
            raise self._error

    async def _record(self, error: BaseException | None = None) -> None:
        """Write the answer down, also while all around is being cancelled."""
        if self.recorder is None:
            return
        reply = self._reply or self._fold.reply()
        try:
            writing = asyncio.get_running_loop().run_in_executor(None, self.recorder.end, reply)
        except RuntimeError:  # the process ends, and takes no work for its threads any more
            self.recorder.end(reply)
            return
        cancelled = await settled(writing)
        failure = writing.exception()
        if error is not None:
            if failure is not None:
                error.add_note(f"The answer was not kept: {failure}")
        elif failure is not None:
            raise failure
        elif cancelled:
            raise asyncio.CancelledError

    def __iter__(self) -> Iterator[str]:
        yield from bridge.iterate(self._read())
        if self.goes_on and (following := run_here(self.follow())):
            yield from following

    def __aiter__(self) -> Pieces:
        return Pieces(self)

    async def follow(self, told: Callable[[str, str], None] | None = None) -> Stream | None:
        """Run, here, the functions that the answer asks for; the stream that goes on with them.

        `None` if it asks for none. `told(call, result)` is called after each.
        """
        if not self.goes_on:
            return None
        # Another reader, perhaps in another loop, runs them.
        while not self._functions.acquire(blocking=False):  # noqa: ASYNC110
            await asyncio.sleep(bridge.HEARTBEAT)
        try:
            if self._next is None:
                self._next = await self._followed(told)
        finally:
            self._functions.release()
        return self._next

    async def _followed(self, told: Callable[[str, str], None] | None) -> Stream:
        assert self._reply is not None
        assert self._tools is not None
        if self._rounds >= MOST_ROUNDS:
            raise errors.UsageError(
                f"{self.target.who} has asked for"
                f" functions {MOST_ROUNDS} times in a row and was stopped. Look at what they"
                " return (`reply.messages`), give it fewer, or ask another model."
            )
        results = await self._tools.answers(self._reply.tool_calls, told)
        messages = (*self._reply.messages, *results)
        return Stream(
            self.router,
            replace(self.request, messages=messages),
            self.target,
            recorder=self.recorder.following(results) if self.recorder else None,
            shape=self._shape,
            tools=self._tools,
            spent=self._reply.usage,
            rounds=self._rounds + 1,
        )

    @property
    def text(self) -> str:
        """The text so far."""
        return self._fold.text

    @property
    def reply(self) -> Reply:
        """The whole answer; waits for it if need be, whoever reads it.

        Raises what goes wrong if nobody had asked for it yet; else gives what had come.
        """
        if self._reply is None and self._begun:
            with suppress(Exception):
                bridge.wait(self._over())
        elif self._reply is None:
            for _ in self:
                pass
        if self._next is not None:
            return self._next.reply
        return self._reply or self._fold.reply()

    async def _over(self) -> None:
        async with aclosing(self._read()) as pieces:
            async for _ in pieces:
                pass

    def reply_so_far(self, error: BaseException | None = None) -> Reply:
        """What has come, without waiting; `error` says why there will be no more."""
        return self._reply or self._fold.reply(error)


class Pieces:
    """`async for` over a stream, and over those that go on with it."""

    def __init__(self, answer: Stream) -> None:
        self._answer = answer
        self._items = bridge.aiterate(answer._read())

    def __aiter__(self) -> Pieces:
        return self

    async def __anext__(self) -> str:
        while True:
            try:
                return await anext(self._items)
            except StopAsyncIteration:
                if (following := await self._answer.follow()) is None:
                    raise
            self._answer, self._items = following, bridge.aiterate(following._read())

    async def aclose(self) -> None:
        """Leave it; `break` does, too."""
        await self._items.aclose()


async def whole(answer: Stream) -> Reply:
    """Await, in any loop, the whole of an answer, and run the functions that it asks for."""
    while True:
        reply = await bridge.await_(drained(answer))
        if (following := await answer.follow()) is None:
            return reply
        answer = following


def finished(answer: Stream) -> Reply:
    """Wait for the whole of an answer, and run the functions that it asks for."""
    while True:
        reply = bridge.wait(drained(answer))
        if not answer.goes_on or (following := run_here(answer.follow())) is None:
            return reply
        answer = following


async def settled(work: asyncio.Future[Any]) -> bool:
    """Wait until it is done, also while all around is being cancelled; whether that happened."""
    cancelled = False
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError:
            cancelled = True
    return cancelled


async def drained(answer: Stream) -> Reply:
    """On the background loop: the whole of one answer. Nobody looks at the pieces, so none has to
    cross to another loop."""
    async with aclosing(answer.deltas()) as deltas:
        async for _ in deltas:
            pass
    return answer.reply_so_far()
