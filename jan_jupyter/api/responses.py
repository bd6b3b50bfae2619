"""OpenAI's Responses API; what it keeps (`store`) is a thread, which the user sees as any other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from .. import errors
from ..ask import Stream, drained
from ..threads.message import ThreadMessage, new_id
from ..threads.record import Record, questions
from ..threads.thread import Thread
from ..types import Message, Reply, Usage
from ..wire import resources
from ..wire import responses as wire
from .exchange import Call, Response, Route, as_json, beside
from .shapes import DELETED, RESPONSE
from .streams import streamed
from .threads import thread_of

_PREFIX = "resp_"
_INTERRUPTED = "The server ended before the answer did: this is as far as it came."


# Ids ----------------------------------------------------------------------------------------------
# `resp_QUESTION_THREAD`: the last question that it answers, and where that stands.


def _id(question: str, thread: str = "") -> str:
    return f"{_PREFIX}{question}_{thread}" if thread else _PREFIX + question


def _place(call: Call, id: str) -> tuple[Thread, str]:
    """The thread of a response, and the question in it. Raises `ThreadNotFound`."""
    question, _, thread = id.removeprefix(_PREFIX).partition("_")
    if not id.startswith(_PREFIX) or not thread:
        raise errors.ThreadNotFound(f"There is no response {id!r:.200}, or it was not kept.")
    try:
        found = thread_of(call, thread)
        found.message(question)
    except errors.ThreadNotFound:
        raise errors.ThreadNotFound(f"There is no response {id!r:.200} any more.") from None
    return found, question


def _answer_to(thread: Thread, question: str) -> ThreadMessage | None:
    """The first answer to a question, on the line or off it."""
    answers = thread.now().tree.children(question)
    return next((turn for turn in answers if turn.role == "assistant"), None)


# Asking -------------------------------------------------------------------------------------------


@dataclass
class _Asked:
    """A request on its way, and how its response describes itself."""

    id: str
    answer: Stream
    said: wire.Head


def _prepare(call: Call) -> _Asked:
    """Put the request together, and begin the turn that keeps it. Looks at files."""
    body = call.body
    asked = wire.read_request(body)
    new = asked.messages
    before: list[Message] = []
    thread, instead, name = None, None, body.get("model")
    if previous := body.get("previous_response_id"):
        thread, question = _place(call, previous)
        before, instead = _before(thread, question, new[0].role == "tool")
        name = name or (thread.model and call.router.written(thread.model, thread.engine))
    instructions = body.get("instructions")
    first = [Message("system", instructions)] if instructions else []
    request = replace(asked, messages=[*first, *before, *new])
    levels = thread.levels() if thread is not None else ()
    request, target = call.prepare(request, name, levels)
    turns = questions(new)
    turns[-1] = replace(turns[-1], id=new_id())
    recorder = None
    if body.get("store") is not False:
        thread = thread or call.workspace.threads.create()
        if thread.instructions != (instructions or ""):
            thread.configure(instructions=instructions or "")
        recorder = Record(thread, turns, instead=instead)
    id = _id(turns[-1].id, thread.id if recorder and thread else "")
    answer = Stream(call.router, request, target, recorder=recorder)
    return _Asked(id, answer, wire.Head(id, target.model.id, body))


def _before(thread: Thread, question: str, with_calls: bool) -> tuple[list[Message], str | None]:
    """What was said up to an answer, and the turn that stood behind it, which gives way.

    The functions that it asked for are told of if their results come now.
    """
    answer = _answer_to(thread, question)
    if answer is None:
        raise errors.ThreadError("That response has no answer to go on from.")
    if thread.place(answer.id) is None:
        thread.switch(answer.id)
    line = thread.messages
    place = next(i for i, turn in enumerate(line) if turn.id == answer.id)
    said = [m for m in thread.conversation(through=answer.id) if m.role != "system"]
    if with_calls and answer.tool_calls:
        said = [*(said[:-1] if answer.text.strip() else said), answer.message()]
    return said, line[place + 1].id if place + 1 < len(line) else None


async def _create(call: Call) -> Response:
    asked = await asyncio.to_thread(_prepare, call)
    if not call.body.get("stream"):
        reply = await drained(asked.answer)
        return as_json(asked.said.whole(reply), made=reply)
    events = wire.Events(asked.said)
    return await streamed(_events(asked.answer, events), events.failed, asked.answer.reply_so_far)


async def _events(answer: Stream, events: wire.Events) -> AsyncGenerator[bytes, None]:
    begun = False
    async with aclosing(answer.deltas()) as deltas:
        async for delta in deltas:
            # Not before something has come: until then an error is a status.
            head, begun = (b"" if begun else events.begin()), True
            if piece := head + events.add(delta):
                yield piece
    yield events.end(answer.reply_so_far())


# What was kept ------------------------------------------------------------------------------------


def _get(call: Call) -> dict[str, Any]:
    thread, question = _place(call, call.names["response"])
    answer = _answer_to(thread, question)
    if answer is None:
        raise errors.ThreadNotFound(f"Response {call.names['response']!r:.200} has no answer.")
    reply = Reply(
        answer.text,
        answer.model,
        answer.engine,
        usage=answer.usage or Usage(),
        finish=answer.finish,
        reasoning=answer.reasoning,
        tool_calls=answer.tool_calls,
        error=answer.error or (_INTERRUPTED if answer.status == "pending" else None),
    )
    head = wire.Head(call.names["response"], answer.model, {}, int(answer.created or 0))
    return head.whole(reply)


def _delete(call: Call) -> dict[str, Any]:
    thread, question = _place(call, call.names["response"])
    answers = [turn.id for turn in thread.now().tree.children(question) if turn.role != "user"]
    thread.delete(question, *answers)
    return resources.deleted("response", call.names["response"])


ROUTES = (
    Route(
        "POST",
        "/responses",
        _create,
        "An answer, as OpenAI's Responses API has it; kept in a thread unless `store` is false.",
        "execute",
        wire.Asked,
        answers=("application/json", "text/event-stream"),
        shape=RESPONSE,
    ),
    Route("GET", "/responses/{response}", beside(_get), "A kept answer.", shape=RESPONSE),
    Route(
        "DELETE",
        "/responses/{response}",
        beside(_delete),
        "Remove a kept answer.",
        "write",
        shape=DELETED,
    ),
)
