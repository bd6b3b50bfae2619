"""What no engine can be asked is refused before anything is sent. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from . import errors
from .satisfiable import contradiction
from .settings import stay_here
from .types import EMPTY, ChatRequest, Embeddable, Message, sendable


def checked(request: ChatRequest) -> ChatRequest:
    """The request as JSON can have it. Raises `UsageError` for what no engine can be asked."""
    _check_kinds(request)
    for number, message in enumerate(request.messages, 1):
        if not _is_message(message):
            raise errors.UsageError(f"Message {number} is neither text nor parts: {message!r:.120}")
        sendable(message.content, f"Message {number}")
        for part in message.content if not isinstance(message.content, str) else ():
            for address in _addresses(part):
                stay_here(f"A picture or file in message {number}", address)
        sendable(message.extra, f"Message {number}")
    if not any(not isinstance(m.content, str) or m.content.strip() for m in request.messages):
        raise empty()
    if asked := {"messages", "model"} & request.parameters.keys():
        raise errors.UsageError(
            f"{min(asked)} is no parameter of an answer: it is what, or whom, you ask."
        )
    _refuse_contradictions(request)
    return replace(
        request,
        parameters=plain_json(request.parameters),
        tools=sendable(request.tools, "tools"),
        schema=sendable(request.schema, "schema"),
        extra=plain_json(request.extra),
    )


def check_texts(texts: Sequence[object], purpose: str) -> None:
    """Raise `UsageError` unless these are texts, one or more; `purpose`: "to embed"."""
    if not texts:
        raise errors.UsageError(f"There is no text {purpose}.")
    for number, text in enumerate(texts, 1):
        if not isinstance(sendable(text, f"Text {number}"), str):
            raise errors.UsageError(f"Text {number} {purpose} is none, but {text!r:.80}.")


def check_embeddable(texts: Sequence[Embeddable]) -> None:
    """The same, of texts to embed, each of which may be its tokens."""
    counted = [text for text in texts if isinstance(text, list | tuple)]
    for tokens in counted:
        if not tokens or not all(type(token) is int and 0 <= token < 2**31 for token in tokens):
            raise errors.UsageError(f"These are no tokens of a text to embed: {tokens!r:.80}.")
    if not counted or len(counted) < len(texts):
        check_texts([t for t in texts if not isinstance(t, list | tuple)], "to embed")


def check_ranking(query: str, documents: Sequence[str], parameters: Mapping[str, Any]) -> None:
    """Raise `UsageError` unless these documents can be ranked by that query."""
    check_texts(documents, "to rank")
    if not isinstance(sendable(query, "The query"), str) or not query.strip():
        raise errors.UsageError("There is no query to rank by.")
    most = parameters.get("top_n", 1)
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise errors.UsageError(f"`top_n` is a whole number from 1 on, not {most!r:.80}.")


def check_gap(prefix: str, suffix: str, parameters: Mapping[str, Any]) -> None:
    """Raise `UsageError` unless there can be something between these texts."""
    for text, place in ((prefix, "before"), (suffix, "after")):
        if not isinstance(sendable(text, f"The text {place} the gap"), str):
            raise errors.UsageError(f"The text {place} the gap is none, but {text!r:.80}.")
    if not (prefix.strip() or suffix.strip()):
        raise errors.UsageError("There is no text to complete.")
    if parameters.get("n", 1) != 1:
        raise errors.UsageError("There is one completion at a time: leave out `n`.")


def empty() -> errors.UsageError:
    """The error for a prompt in which nothing stands."""
    return errors.UsageError(
        "The prompt is empty: write it in the lines below %%jan, or after %jan."
    )


def _check_kinds(request: ChatRequest) -> None:
    expect = errors.expect
    expect(request, ChatRequest, "What is asked is a ChatRequest")
    expect(request.messages, list | tuple, "The messages of a request are a list")
    for message in request.messages:
        expect(message, Message, "A message of a request is a Message")
    expect(request.parameters, Mapping, "Parameters are a mapping of names to values")
    expect(request.extra, Mapping, "Extra fields of a request are a mapping of names to values")
    expect(request.schema, Mapping | None, "The schema of a request is a mapping, a JSON schema")
    expect(request.tools, list | tuple, "The tools of a request are a list")
    for tool in request.tools:
        expect(tool, Mapping, "A tool of a request is a mapping, as OpenAI describes it")
        expect(tool.get("function", tool), Mapping, "The `function` of a tool is a mapping")


def _addresses(part: object, name: str = "") -> Iterator[str]:
    """The addresses in a content part, which whoever answers would fetch."""
    if isinstance(part, Mapping):
        for key, value in part.items():
            yield from _addresses(value, str(key))
    elif isinstance(part, str) and name.endswith("url") and not part.startswith("data:"):
        yield part


def _is_message(message: Message) -> bool:
    content = message.content
    if not isinstance(content, str):
        parts = content if isinstance(content, list | tuple) else [None]
        if not all(isinstance(p, Mapping) and isinstance(p.get("text", ""), str) for p in parts):
            return False
    return isinstance(message.role, str) and isinstance(message.extra, Mapping)


def plain_json(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: sendable(value, name) for name, value in parameters.items()}


def without_empty_stops(parameters: dict[str, Any]) -> dict[str, Any]:
    """The same without stop words of no letters, at which some servers stop at once."""
    stop = parameters.get("stop")
    if not isinstance(stop, str | list | tuple):
        return parameters
    words = stop if isinstance(stop, str) else [word for word in stop if word]
    rest = {name: value for name, value in parameters.items() if name != "stop"}
    return {**rest, "stop": words} if words else rest


def _refuse_contradictions(request: ChatRequest) -> None:
    """Raises `UsageError` if no answer can fit the request's schema, or no call one of its tools'.

    Some servers go astray over such a schema instead of refusing it.
    """
    if request.schema is not None and (why := contradiction(request.schema)):
        raise errors.UsageError(f"That schema contradicts itself: {why}.")
    for tool in request.tools:
        function = tool.get("function", tool)
        if why := contradiction(function.get("parameters") or EMPTY):
            raise errors.UsageError(
                f"The schema of tool {function.get('name')} contradicts itself: {why}."
            )
