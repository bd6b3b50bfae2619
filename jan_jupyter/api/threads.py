"""Jan's threads and their messages, in its own shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .. import errors
from ..threads import message as turns
from ..threads.message import ThreadMessage
from ..threads.store import Listed
from ..threads.thread import Thread
from ..types import EMPTY
from ..wire import resources as wire
from .exchange import Call, Route, beside
from .shapes import DELETED, SAID, THREAD, listing


def thread_of(call: Call, id: str) -> Thread:
    """The thread of exactly that id: a title, which the user sees, is no name here."""
    threads = call.workspace.threads
    if not any(thread.id == id for thread in threads.list()):
        raise errors.ThreadNotFound(f"There is no thread {id!r}.")
    return threads.get(id)


# Threads ------------------------------------------------------------------------------------------


def _list(call: Call) -> dict[str, Any]:
    return wire.listed([brief(thread) for thread in call.workspace.threads.list()])


def brief(thread: Listed) -> dict[str, Any]:
    """As Jan's `thread.json` has it; its messages are not read for it."""
    model = {"id": thread.model or "*"}
    return {
        "id": thread.id,
        "object": "thread",
        "title": thread.title,
        "assistants": [{"assistant_id": thread.assistant, "model": model}],
        "model": model,
        **_times(thread),
        "metadata": {"lastMessage": thread.last_message},
        "state": thread.state,
    }


def _times(thread: Thread | Listed) -> dict[str, int]:
    """Milliseconds, as Jan has them; `created_at` in seconds, as OpenAI has it."""
    created, updated = thread.created or 0, thread.updated or 0
    return {
        "created": round(created * 1000),
        "updated": round(updated * 1000),
        "created_at": int(created),
    }


def whole(thread: Thread) -> dict[str, Any]:
    """Its head, without its messages."""
    head = thread.now().head
    return {
        **wire.public(head.raw),
        "id": thread.id,
        "object": "thread",
        "title": head.title,
        "assistants": wire.public(head.raw.get("assistants")) or [],
        **_times(thread),
        "metadata": dict(head.metadata),
    }


def _get(call: Call) -> dict[str, Any]:
    return whole(thread_of(call, call.names["thread"]))


def _create(call: Call) -> dict[str, Any]:
    given = _given(call, call.body)
    assistant = given.pop("assistant", None)
    threads = call.workspace.threads
    said = [_read(one) for one in call.body.get("messages") or ()]
    draft = threads.draft(call.body.get("title") or "", assistant=assistant)
    if given:
        draft.configure(**given)
    thread = draft.begin()
    for message in said:
        thread.append(message)
    return whole(thread)


def _update(call: Call) -> dict[str, Any]:
    thread = thread_of(call, call.names["thread"])
    given = _given(call, call.body)
    if (title := call.body.get("title")) is not None and title != thread.title:
        thread.rename(title)
    if given:
        thread.configure(**given)
    return whole(thread)


def _given(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    """What a body says of a thread, as `Thread.configure` takes it."""
    entry = next(iter(body.get("assistants") or ()), EMPTY)
    chosen = body.get("model")
    outer = {"id": chosen} if isinstance(chosen, str) else chosen or {}
    inner = entry.get("model") or {}
    model = outer if outer.get("id") else inner
    name = model.get("id")
    assistant = body.get("assistant") or entry.get("assistant_id") or entry.get("id")
    found = {
        "model": None if name == "*" else name,
        "engine": model.get("engine") or model.get("provider"),
        "assistant": _known(call, assistant),
        "instructions": body.get("instructions", entry.get("instructions")),
        "settings": body.get("settings") or model.get("settings"),
        "parameters": body.get("parameters") or model.get("parameters"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _known(call: Call, assistant: str | None) -> str | None:
    """Jan's own assistant is meant where none is: it need not be there."""
    if assistant is None or assistant.casefold() == "jan":
        return None
    return call.workspace.threads.assistants.get(assistant).id


def _delete(call: Call) -> dict[str, Any]:
    thread = thread_of(call, call.names["thread"])
    call.workspace.threads.delete(thread.id)
    return wire.deleted("thread.deleted", thread.id)


# Messages -----------------------------------------------------------------------------------------


def _messages(call: Call) -> dict[str, Any]:
    thread = thread_of(call, call.names["thread"])
    return wire.listed([written(thread, message) for message in thread.messages])


def written(thread: Thread, message: ThreadMessage) -> dict[str, Any]:
    """As it stands in `messages.jsonl`, or would stand there."""
    usual = turns.write(message, thread.id, thread.seen.head.assistant)
    kept = {**usual, **message.raw}
    content = kept["content"] if isinstance(kept["content"], list) else usual["content"]
    ours = {"id": message.id, "object": "thread.message", "thread_id": thread.id}
    return {**kept, **ours, "role": message.role, "status": message.status, "content": content}


def _read(said: Mapping[str, Any]) -> ThreadMessage:
    read = turns.read({"role": said["role"], "content": said["content"]})
    if read is None or not (read.text.strip() or not isinstance(read.content, str)):
        raise errors.UsageError("A message has text, or parts that are known: this has neither.")
    return replace(read, raw=EMPTY)


def _message(call: Call) -> dict[str, Any]:
    thread = thread_of(call, call.names["thread"])
    return written(thread, thread.message(call.names["message"]))


def _say(call: Call) -> dict[str, Any]:
    thread = thread_of(call, call.names["thread"])
    return written(thread, thread.append(_read(call.body)))


def _edit(call: Call) -> dict[str, Any]:
    thread = thread_of(call, call.names["thread"])
    before = thread.message(call.names["message"])
    read = _read({"role": before.role, "content": call.body["content"]})
    return written(thread, thread.update(before.id, content=read.content))


def _forget(call: Call) -> dict[str, Any]:
    thread = thread_of(call, call.names["thread"])
    message = thread.message(call.names["message"])
    thread.delete(message.id)
    return wire.deleted("thread.message.deleted", message.id)


_ONE, _ALL = "/threads/{thread}", "/threads/{thread}/messages"
_SAID = "/threads/{thread}/messages/{message}"
ROUTES = (
    Route("GET", "/threads", beside(_list), "All threads.", shape=listing(THREAD)),
    Route(
        "POST",
        "/threads",
        beside(_create, 201),
        "A new thread.",
        "write",
        wire.ThreadBody,
        shape=THREAD,
        status=201,
    ),
    Route("GET", _ONE, beside(_get), "One thread.", shape=THREAD),
    *(
        Route(
            method,
            _ONE,
            beside(_update),
            "Change title, model, assistant, instructions or values of a thread.",
            "write",
            wire.ThreadBody,
            shape=THREAD,
        )
        for method in ("PATCH", "POST")  # as Jan has it, and as OpenAI has it
    ),
    Route("DELETE", _ONE, beside(_delete), "Remove a thread.", "write", shape=DELETED),
    Route("GET", _ALL, beside(_messages), "Its messages in order.", shape=listing(SAID)),
    Route(
        "POST",
        _ALL,
        beside(_say, 201),
        "A message at its end; nobody is asked.",
        "write",
        wire.Said,
        shape=SAID,
        status=201,
    ),
    Route("GET", _SAID, beside(_message), "One message.", shape=SAID),
    Route(
        "PATCH",
        _SAID,
        beside(_edit),
        "Other content for a message.",
        "write",
        wire.MessageEdit,
        shape=SAID,
    ),
    Route("DELETE", _SAID, beside(_forget), "Remove a message.", "write", shape=DELETED),
)
