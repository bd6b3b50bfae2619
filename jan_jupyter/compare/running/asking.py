"""One request of a run: composed, asked turn by turn, and made rows of, whatever comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from time import monotonic, time

from ...ask import Stream
from ...errors import JanError
from ...router import Target
from ...types import ChatRequest, Event, Reply
from ..values import STOPPED, Row
from .compose import Composer
from .plan import Ask, Fact
from .prices import cost
from .watching import Watcher

WAITED = "refused at first and asked again: its times are not known"


@dataclass(eq=False, slots=True)
class Asking:
    """A request under way, or one that will be sent again."""

    ask: Ask
    position: int = 0
    """Its place in the order of its stage."""
    tries: int = 0
    """How often it was refused because too much was asked at once."""
    sent: float = 0.0
    """When it was sent, as `monotonic` tells."""
    has_slots: bool = False
    """Whether a worker of ours answers it: to wait for a slot there is no refusal."""
    who: tuple[str, str] = ("", "")
    """Model and engine, as events name them."""
    cold: bool = False
    """Whether the model was loaded while it waited."""
    waited: bool = False
    """Whether the engine itself has asked again: what it measured then holds that wait."""
    partial: Reply | None = None
    """What had come when it failed, or was stopped."""
    keys: Mapping[int, str] = field(default_factory=dict)
    """By repeat, as far as they are known."""
    watcher: Watcher | None = None


ASKING: ContextVar[Asking | None] = ContextVar("asking", default=None)
"""The request that an event is about, where it is told while that is under way."""


def notice(event: Event, under_way: Iterable[Asking]) -> Asking | None:
    """What an event says of requests: that they wait for a model to be loaded, or for a server
    that has refused one of them, which is given the first time."""
    if event.state == "loading":
        for each in under_way:
            each.cold = each.cold or each.who == (event.model, event.engine)
    asking = ASKING.get()
    if event.state != "queued" or asking is None or asking.waited or asking.has_slots:
        return None
    asking.waited = True
    return asking


async def reply_to(
    composer: Composer, asking: Asking, request: ChatRequest, target: Target, answers: int
) -> Reply:
    """The last answer to the turns of a case, each asked after the contestant's own answers.

    `request` is the first of them, `answers` how many are wanted of it. The usage is that of all
    turns. Raises `JanError`, with what had come in `asking.partial`.
    """
    asking.partial, asking.cold, asking.waited = None, False, False
    asking.has_slots = target.engine.local
    asking.who = target.model.id, target.engine.options.name
    _, *following = composer.turns(asking.ask.case, asking.ask.contestant)
    if answers > 1:
        request = replace(request, parameters={**request.parameters, "n": answers})
    asking.sent = monotonic()
    reply = await _streamed(composer, asking, Stream(composer.router, request, target))
    for turn in following:
        messages = (*reply.messages, *turn)
        request, target = await asyncio.to_thread(composer.request, asking.ask.contestant, messages)
        stream = Stream(composer.router, request, target, spent=reply.usage)
        reply = await _streamed(composer, asking, stream)
    return reply


async def _streamed(composer: Composer, asking: Asking, stream: Stream) -> Reply:
    calls, watcher = [asking.ask.call(n) for n in asking.ask.repeats], asking.watcher
    if watcher is not None:
        watcher.begins(calls)
    try:
        async with aclosing(stream.deltas()) as deltas:
            async for delta in deltas:
                if watcher is not None and delta.choice < len(calls):
                    watcher.came(calls[delta.choice], delta)
    except (JanError, asyncio.CancelledError) as error:
        came = stream.reply_so_far(error)
        if came.text or came.reasoning or came.tool_calls:
            asking.partial = came
        raise
    return stream.reply_so_far()


def rows_of(
    asking: Asking, keys: Mapping[int, str], reply: Reply, fact: Fact, *, together: bool
) -> list[Row]:
    """The rows of an answer: several if several repeats were asked for `together`.

    Usage, timings and cost of them all are the first's, which they are counted for once.
    """
    if asking.waited:
        times = replace(reply.timings, first_token=None, total=None)
        reply = replace(reply, timings=times, notes=(*reply.notes, WAITED))
    replies = [replace(each, others=()) for each in reply.choices] if together else [reply]
    money = cost(fact.price, reply)
    now = time()
    rows = [
        Row(asking.ask.call(n), keys[n], each, cold=asking.cold, at=now)
        for n, each in zip(keys, replies, strict=False)
    ]
    return [replace(rows[0], cost=money), *rows[1:]]


def failures(asking: Asking, line: str) -> list[Row]:
    """A row for each repeat of a request that has failed."""
    now, keys = time(), asking.keys
    return [
        Row(asking.ask.call(n), keys.get(n, ""), asking.partial, line, cold=asking.cold, at=now)
        for n in asking.ask.repeats
    ]


def stopped(asking: Asking) -> list[Row]:
    """Of a request that was stopped on the way, what had come; of several repeats the first."""
    if asking.partial is None:
        return []
    return failures(asking, STOPPED)[:1]
