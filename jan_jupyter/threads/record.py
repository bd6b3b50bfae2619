"""How one turn gets into a thread: the question before it goes out, the answer when it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from ..engine_options.engine_rows import canonical
from ..errors import ThreadBusy, ThreadError
from ..router import Target
from ..types import ChatRequest, Message, Reply
from .draft import Draft
from .message import ThreadMessage, new_id
from .thread import Thread


class Record:
    """Keeps one turn. `begin` and `end` write and wait for the disk: not on an event loop.

    `questions` are the messages that are new, none when an answer is asked for again; then `to` is
    the turn that is answered. `instead` is the turn whose place is taken: it and what followed it
    go into a branch (an answer only once there is another). `extend` is an answer that was cut:
    what comes is added to it. `column` is the one that it stands in: the thread's model stays then.
    """

    def __init__(
        self,
        thread: Thread | Draft,
        questions: Sequence[ThreadMessage] = (),
        *,
        to: str | None = None,
        instead: str | None = None,
        extend: str | None = None,
        column: str | None = None,
    ) -> None:
        self._thread = thread
        self.question = to
        """Id of the turn that is answered; known once it has begun."""
        self.answer: ThreadMessage | None = None
        """The answer as written; known at the end."""
        self.on_begin: Callable[[], object] | None = None
        """Called, in the thread that writes, once the question stands."""
        self._begun = False
        self._ended = threading.Event()
        self._questions = questions
        self._instead = instead
        self._extend = extend
        self._column = column

    @property
    def thread(self) -> Thread:
        """Where it is kept; one that is not there yet is made."""
        if isinstance(self._thread, Draft):
            self._thread = self._thread.begin()
        return self._thread

    def begin(self, target: Target, request: ChatRequest) -> None:
        """Write the questions; the thread's model becomes the one that is asked."""
        self._begun = True
        model, engine = target.model.reference, target.engine.options.name
        before = self.thread.engine
        same = before is None or canonical(before) == canonical(engine)
        # Jan's spelling of an engine stays.
        if self._column is None and (self.thread.model != model or not same):
            self.thread.configure(model=model, engine=engine)
        for place, question in enumerate(self._questions):  # last: what cannot be sent is not kept
            instead = None if place else self._instead
            self.question = self.thread.append(question, instead).id
        if self.on_begin is not None:
            self.on_begin()

    def end(self, reply: Reply) -> None:
        """Write the answer as far as it came. Raises `ThreadError`, with the answer in `reply`.

        One that the disk does not take now is written later (`Thread.owe`).
        """
        # Each with its id from the start: what is written later is not written twice.
        answers = [
            ThreadMessage.of_reply(one, id=new_id(), column=self._column or "")
            for one in (reply, *reply.others)
        ]
        try:
            self._write(*answers)
        except ThreadBusy as error:
            self.thread.owe(lambda: self._write(*answers))
            whole = "is whole, but" if reply.error is None else "as far as it came"
            unkept = ThreadBusy(
                f"The answer of {reply.model} ({reply.engine}) {whole} could not be written into"
                f" thread {self.thread.seen.head.title}: {error} It is in `.reply` of this error,"
                " and is written with the next turn, once that is possible."
            )
            unkept.reply = reply
            raise unkept from error
        except ThreadError as error:
            error.reply = reply
            raise
        finally:
            self._ended.set()

    def following(self, results: Sequence[Message]) -> Record:
        """What keeps the answer to the results of the functions that this answer asked for."""
        return Record(self.thread, questions(results))

    def settle(self, timeout: float = 2.0) -> None:
        """After a stop: wait, for milliseconds as a rule, until the answer is in the thread."""
        if self._begun:
            self._ended.wait(timeout)

    def _write(self, answer: ThreadMessage, *others: ThreadMessage) -> None:
        something = bool(answer.text or answer.tool_calls)
        there = self.thread.now().tree
        if answer.id in there:
            self.answer = there.message(answer.id)
        elif self._extend is not None:
            if something:
                self.answer = self._extended(self._extend, answer)
        elif self.question is None:
            return  # it did not even begin
        elif self._replaces and something:
            self.answer = self.thread.append(answer, self._instead)
        elif self._replaces and answer.status == "stopped":
            return  # nothing came, and nobody misses it
        else:
            self.answer = self.thread.answer(answer, self.question)
        if self.question is not None and self._extend is None:
            for other in others:  # versions of the first, which stands on the line
                if other.id not in there:
                    self.thread.answer(other, self.question)

    @property
    def _replaces(self) -> bool:
        """Whether an answer that stands there is to give way to a new one."""
        if self._instead is None or self._questions:
            return False
        return self.thread.place(self._instead) is not None

    def _extended(self, id: str, more: ThreadMessage) -> ThreadMessage:
        before = self.thread.message(id)
        return self.thread.update(
            id,
            content=before.text + more.text,
            reasoning=before.reasoning + more.reasoning,
            status=more.status,
            finish=more.finish,
            error=more.error,
            timings=more.timings,
            usage=before.usage + more.usage if before.usage and more.usage else more.usage,
        )


def questions(
    messages: Sequence[Message], cell: str = "", notebook: str = ""
) -> list[ThreadMessage]:
    """The new messages of a request as turns; the last of them is the one that a cell asked."""
    found = [ThreadMessage.of(message) for message in messages]
    if found and cell:
        found[-1] = replace(found[-1], cell=cell, notebook=notebook)
    return found
