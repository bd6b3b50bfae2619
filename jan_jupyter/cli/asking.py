"""`jan-jupyter chat` with a question: its answer, and nothing else, goes to standard output."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import errors
from ..chat import Chat, Place
from ..console import in_format
from ..settings import settings
from ..workspace import Workspace, shared
from .answering import Outcome, Paper, show
from .codes import PIPE_CLOSED
from .shapes import write

if TYPE_CHECKING:
    from ..ask import Stream
    from ..threads.draft import Draft
    from ..threads.thread import Thread
    from ..types import Reply

LIVE = ("markdown", "text")
"""Formats in which the text can be shown as it comes."""


class Asker:
    """Whom a question goes to, how, and in which conversation; `options` are those of `chat`."""

    def __init__(self, options: Namespace, workspace: Workspace | None = None) -> None:
        from ..commands.options import parameters_of

        self.workspace = workspace or shared()
        self.model: str | None = options.model
        self.format: str = options.format
        self.schema = _schema(options.schema)
        self.parameters: dict[str, Any] = parameters_of(options)
        self.system: str | None = options.system
        self.kept: Thread | Draft | None = None
        self.talk = self.open(self._thread(options))
        self._turn = 0

    def _thread(self, options: Namespace) -> str | None:
        if not options.go_on:
            return options.thread  # type: ignore[no-any-return]
        if options.thread is not None:
            raise errors.UsageError("--continue is for the last thread, --thread for that one.")
        found = [one for one in self.workspace.threads.list() if one.state != "broken"]
        if not found:
            raise errors.UsageError("There is no thread to go on with; --thread NAME makes one.")
        return found[0].id

    def open(self, thread: str | None) -> Chat:
        """A conversation: in a thread, made with its first question if it is new, or in memory."""
        self.kept = None
        if thread is not None:
            if not thread.strip():
                raise errors.UsageError("--thread needs a name.")
            threads = self.workspace.threads
            self.kept = threads.find(thread) or threads.draft(thread)
        return Chat(thread=self.kept, workspace=self.workspace, system=self.system)

    def stream(self, text: str, attach: Sequence[Any] = (), *, again: bool = False) -> Stream:
        """Ask, or ask the last question once more. Raises what is in the way."""
        options = {**self.parameters, "model": self.model, "schema": self.schema}
        if self.kept is None:
            self._turn += not again
            # What is asked again takes the place of what was asked there.
            return self.talk.stream(text, attach=attach, place=Place(str(self._turn)), **options)
        thread = self.talk.thread if again else None
        if thread is None:
            return self.talk.stream(text, attach=attach, **options)
        last = thread.messages[-1]
        if last.role == "user":  # it has no answer yet
            return self.talk.stream_answer(last.id, **options)
        return self.talk.stream_regenerate(**options)

    def end(self, outcome: Outcome, paper: Paper, *, live: bool) -> None:
        """Show what is still to be shown of an answer. Raises what cut it."""
        reply = outcome.reply
        came = bool(reply.text) or outcome.error is None
        if came and not live:
            paper.write(_formatted(reply, self.format))
        paper.end_line()
        if came:
            for number, other in enumerate(reply.others, 2):
                ended = f" · {other.ended_early}" if other.ended_early else ""
                paper.write(f"\nAnswer {number}{ended}\n\n{_formatted(other, self.format)}")
                paper.end_line()
        if outcome.error is not None:
            raise outcome.error
        _tell(reply, paper)
        whole = not outcome.signal
        if whole and self.schema is not None:
            for one in reply.choices:
                one.value  # noqa: B018  raises if it does not fit
        if whole and self.format == "json":
            _check_json(reply)


def run(options: Namespace, text: str, attach: Sequence[Any]) -> int:
    """Ask one question; the exit code. Raises `JanError`."""
    asker = Asker(options)
    answer = asker.stream(text, [*attach, *options.attach])
    paper = Paper(sys.stdout)
    if options.dry_run:
        target = answer.target
        preview = target.engine.preview(target.model, answer.request)
        write(preview)
        return 0
    live = asker.format in LIVE and not options.as_json
    outcome = show(answer, paper, live=live)
    if outcome.reader_gone:
        return PIPE_CLOSED
    if options.as_json:
        if outcome.reply.text or outcome.error is None:
            write(as_json(outcome.reply, asker))
        if outcome.error is not None:
            raise outcome.error
    else:
        asker.end(outcome, paper, live=live)
    return 128 + outcome.signal if outcome.signal else 0


def as_json(reply: Reply, asker: Asker) -> dict[str, Any]:
    """The answer with all that is known of it."""
    thread = asker.talk.thread
    told: dict[str, Any] = {"text": reply.text, **reply.provenance()}
    if reply.reader is not None:
        try:
            told["value"] = json.loads(reply.text)
        except ValueError:
            told["value"] = None
    if reply.reasoning:
        told["reasoning"] = reply.reasoning
    if reply.others:
        told["choices"] = [one.text for one in reply.choices]
    if reply.notes:
        told["notes"] = [*reply.notes]
    if thread is not None:
        told["thread"] = {"id": thread.id, "title": thread.title}
    return told


def _formatted(reply: Reply, format_: str) -> str:
    try:
        return in_format(reply, format_)
    except ValueError:
        return reply.text


def _check_json(reply: Reply) -> None:
    try:
        reply.json()
    except ValueError as error:
        raise errors.AnswerMismatch(
            f"The answer of {reply.model} ({reply.engine}) is no JSON: {error}.",
            model=reply.model,
            engine=reply.engine,
            partial=reply.text,
        ) from error


def _tell(reply: Reply, paper: Paper) -> None:
    """The line below an answer: for people, where they are; elsewhere only what is amiss."""
    below = paper if paper.is_terminal else Paper(sys.stderr)
    if below.is_terminal:
        if settings().footer:
            below.quiet(reply.footer)
    elif told := [*filter(None, [reply.ended_early]), *reply.notes]:
        below.quiet(" · ".join(told))


def _schema(name: str | None) -> Any:
    """That of a file. Raises `UsageError`."""
    if name is None:
        return None
    from .given import values

    found = values("--schema", name)
    if not isinstance(found, dict | bool):
        raise errors.UsageError(f"--schema {name} holds no JSON schema: name a .json file.")
    return found
