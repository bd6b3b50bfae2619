"""How one turn gets into a thread: the question before it goes out, the answer when it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from ..engine_options.engine_rows import canonical
from ..errors import ThreadBusy, ThreadError
from ..router import Target
from ..types import ChatRequest, Message, Reply
from . import message as turns
from . import underway
from .draft import Draft
from .message import ThreadMessage, new_id
from .thread import Thread


class Record:
    """Keeps one turn. `begin`, `keep` and `end` wait for the disk: not on an event loop.

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
        self._noting = threading.Lock()
        self._note: underway.Note | None = None
        self._before: ThreadMessage | None = None
        self._id = new_id()
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

    def keep(self, reply: Reply) -> None:
        """Note beside the messages how far the answer has come, of several the first."""
        with self._noting:
            if self._ended.is_set() or not (reply.text or reply.reasoning):
                return
            if self._note is None:
                self._note = self._new_note(reply)
            self._note.write(reply.text, reply.reasoning)

    def _new_note(self, reply: Reply) -> underway.Note:
        thread = self.thread
        place = underway.Place(self.question or "", "" if self._questions else self._instead or "")
        if self._extend is not None:
            self._before = thread.message(self._extend)
            place = underway.Place(extend=self._extend, length=underway.letters(self._before))
        empty = ThreadMessage(
            "assistant",
            id=self._id,
            model=reply.model,
            engine=reply.engine,
            column=self._column or "",
        )
        raw = turns.write(empty, thread.id, thread.seen.head.assistant)
        return underway.Note(thread.folder, place, raw)

    def _turn(self, reply: Reply) -> ThreadMessage:
        return ThreadMessage.of_reply(reply, id=self._id, column=self._column or "")

    def end(self, reply: Reply) -> None:
        """Write the answer as far as it came. Raises `ThreadError`, with the answer in `reply`.

        One that the disk does not take now is written later (`Thread.owe`).
        """
        # Each with its id from the start: what is written later is not written twice.
        others = [replace(self._turn(other), id=new_id()) for other in reply.others]
        answers = [self._turn(reply), *others]
        try:
            self._finish(*answers)
        except ThreadBusy as error:
            self.thread.owe(lambda: self._finish(*answers))
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

    def _finish(self, *answers: ThreadMessage) -> None:
        """Write them; what was noted goes then, unless that has to be tried once more."""
        is_owed = False
        try:
            self._write(*answers)
        except ThreadBusy:
            is_owed = True
            raise
        finally:
            with self._noting:
                self._ended.set()
                if self._note is not None and not is_owed:
                    self._note.remove()
                    self._note = None

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
            self.answer = self._instead_of_part(there.message(answer.id), answer)
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

    def _instead_of_part(self, found: ThreadMessage, answer: ThreadMessage) -> ThreadMessage:
        """The answer that is written already; or was, as far as it had come, by somebody who took
        us for gone."""
        if found.status != "pending":
            return found
        names = ("content", "reasoning", "status", "finish", "error", "timings", "usage")
        changes = {name: getattr(answer, name) for name in (*names, "tool_calls")}
        return self.thread.update(found.id, **changes)

    def _extended(self, id: str, more: ThreadMessage) -> ThreadMessage:
        before = self.thread.message(id)
        if self._before is not None and before.status == "pending":  # as in `_instead_of_part`
            before = self._before
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
