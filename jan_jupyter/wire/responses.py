"""OpenAI's Responses API as others ask it of us: bodies -> `ChatRequest`, answers back. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from .. import errors
from ..types import ChatRequest, Delta, Message, Reply, Role, Usage
from . import sse
from .bodies import Body, Object, Schema, Typed, Whole
from .errors import write_error
from .parts import Part, Parts, Step, parts_of

# Bodies -------------------------------------------------------------------------------------------

_NEEDED = {
    "message": ("role", "content"),
    "function_call": ("call_id", "name", "arguments"),
    "function_call_output": ("call_id", "output"),
    "input_text": ("text",),
    "output_text": ("text",),
    "refusal": ("refusal",),
    "input_image": ("image_url",),
    "input_file": ("file_data",),
}


class _Part(Typed):
    needs: ClassVar = _NEEDED
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    file_data: str | None = None
    filename: str | None = None


class _Item(Typed):
    needs: ClassVar = _NEEDED
    type: str = "message"
    role: Literal["user", "assistant", "system", "developer"] | None = None
    content: str | list[_Part] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | list[_Part] | None = None


class _Tool(Typed):
    needs: ClassVar = {"function": ("name",)}
    name: str | None = None
    description: str | None = None
    parameters: Schema | None = None
    strict: bool | None = None


class _Named(Object):
    type: str
    name: str | None = None


class _Format(Typed):
    needs: ClassVar = {"json_schema": ("schema_",)}
    type: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    schema_: Schema | None = Field(None, alias="schema")


class _Text(Object):
    format: _Format | None = None
    verbosity: str | None = None


class _Reasoning(Object):
    effort: str | None = None


class Asked(Body):
    """A body of `/responses`."""

    input: str | list[_Item]
    instructions: str | None = None
    previous_response_id: str | None = None
    store: bool | None = None
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_output_tokens: Whole | None = None
    top_logprobs: Whole | None = None
    include: list[str] | None = None
    tools: list[_Tool] | None = None
    tool_choice: str | _Named | None = None
    parallel_tool_calls: bool | None = None
    text: _Text | None = None
    reasoning: _Reasoning | None = None
    metadata: dict[str, Any] | None = None
    background: Literal[False] | None = None
    conversation: None = None
    prompt: None = None


# Requests -----------------------------------------------------------------------------------------

_LOGPROBS = "message.output_text.logprobs"
_KEPT = ("temperature", "top_p", "parallel_tool_calls", "top_logprobs")


def read_request(body: Mapping[str, Any]) -> ChatRequest:
    """A body (looked at by `bodies.read`) as our request, without its `instructions` and what was
    said before. Raises `UsageError`."""
    given = body["input"]
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    messages = [*_read_items(items)]
    if not messages:
        raise errors.UsageError("The request asks nothing: `input` has no message.")
    parameters = {name: body[name] for name in _KEPT if body.get(name) is not None}
    if body.get("max_output_tokens") is not None:
        parameters["max_tokens"] = body["max_output_tokens"]
    if effort := (body.get("reasoning") or {}).get("effort"):
        parameters["reasoning_effort"] = effort
    if _LOGPROBS in (body.get("include") or ()) or body.get("top_logprobs"):
        parameters["logprobs"] = True
    choice = body.get("tool_choice")
    if isinstance(choice, Mapping) and choice.get("name"):
        choice = {"type": "function", "function": {"name": choice["name"]}}
    if choice is not None:
        parameters["tool_choice"] = choice
    schema, extra = _read_format((body.get("text") or {}).get("format") or {})
    tools = [_read_tool(tool) for tool in body.get("tools") or ()]
    return ChatRequest(messages, parameters, tools, schema, extra)


def _read_format(form: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, dict[str, Any]]:
    if form.get("type") == "json_object":
        return None, {"response_format": {"type": "json_object"}}
    schema = form.get("schema")
    return ({"title": form["name"], **schema} if schema and form.get("name") else schema), {}


def _read_tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    if tool["type"] != "function":
        raise errors.UsageError(
            f"A tool of type {tool['type']:.80} runs at OpenAI and is not here; functions are."
        )
    function = {k: v for k, v in tool.items() if k != "type" and v is not None}
    return {"type": "function", "function": function}


def _read_items(items: Sequence[Mapping[str, Any]]) -> Iterator[Message]:
    """Messages; calls of functions that follow an answer are its own."""
    held: Message | None = None
    for item in items:
        kind = item.get("type", "message")
        if kind == "reasoning":
            continue  # who has thought it does not read it again
        if kind == "function_call":
            held = held or Message("assistant", "")
            calls = [*held.extra.get("tool_calls", ()), _read_call(item)]
            held = Message("assistant", held.content, {"tool_calls": calls})
            continue
        if held is not None:
            yield held
            held = None
        message = _read_item(kind, item)
        if message.role == "assistant":
            held = message
        else:
            yield message
    if held is not None:
        yield held


def _read_item(kind: str, item: Mapping[str, Any]) -> Message:
    if kind == "function_call_output":
        return Message("tool", _content(item["output"]), {"tool_call_id": item["call_id"]})
    if kind != "message":
        raise errors.UsageError(f"An item of type {kind:.80} cannot be taken here.")
    role: Role = "system" if item["role"] == "developer" else item["role"]
    return Message(role, _content(item["content"]))


def _read_call(item: Mapping[str, Any]) -> dict[str, Any]:
    function = {"name": item["name"], "arguments": item["arguments"]}
    return {"id": item["call_id"], "type": "function", "function": function}


def _content(content: Any) -> str | list[dict[str, Any]]:
    if isinstance(content, str):
        return content
    parts = [*map(_read_part, content)]
    if all(part["type"] == "text" for part in parts):
        return "".join(part["text"] for part in parts)
    return parts


def _read_part(part: Mapping[str, Any]) -> dict[str, Any]:
    match part["type"]:
        case "input_text" | "output_text" | "text":
            return {"type": "text", "text": part.get("text") or ""}
        case "refusal":
            return {"type": "text", "text": part["refusal"]}
        case "input_image":
            return {"type": "image_url", "image_url": {"url": part["image_url"]}}
        case "input_file":
            name = part.get("filename") or "file"
            return {"type": "file", "file": {"filename": name, "file_data": part["file_data"]}}
    raise errors.UsageError(f"Content of type {part['type']:.80} cannot be taken here.")


# Answers ------------------------------------------------------------------------------------------

_REASONS = {"length": "max_output_tokens", "content_filter": "content_filter"}


class Head:
    """What a response says of itself beside the answer."""

    def __init__(
        self, id: str, model: str, body: Mapping[str, Any], created: int | None = None
    ) -> None:
        self.id = id
        self._fields = {
            "object": "response",
            "created_at": int(time.time()) if created is None else created,
            "model": model,
            "instructions": body.get("instructions"),
            "max_output_tokens": body.get("max_output_tokens"),
            "metadata": body.get("metadata") or {},
            "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
            "previous_response_id": body.get("previous_response_id"),
            "reasoning": {"effort": None, "summary": None, **(body.get("reasoning") or {})},
            "store": body.get("store") is not False,
            "temperature": body.get("temperature"),
            "text": {"format": {"type": "text"}, **(body.get("text") or {})},
            "tool_choice": body.get("tool_choice") or "auto",
            "tools": [*(body.get("tools") or ())],
            "top_p": body.get("top_p"),
            "truncation": "disabled",
        }

    def so_far(
        self,
        status: str,
        output: Sequence[Any] = (),
        usage: Usage | None = None,
        error: Mapping[str, Any] | None = None,
        incomplete: str | None = None,
    ) -> dict[str, Any]:
        return {
            "id": self.id,
            **self._fields,
            "status": status,
            "error": error,
            "incomplete_details": {"reason": incomplete} if incomplete else None,
            "output": [*output],
            "usage": _write_usage(usage) if usage is not None else None,
        }

    def whole(self, reply: Reply) -> dict[str, Any]:
        """A whole answer, or as far as it came."""
        return self.ended(reply, parts_of(reply))

    def ended(self, reply: Reply, parts: Sequence[Part]) -> dict[str, Any]:
        incomplete = _REASONS.get(reply.finish or "stop")
        status = "incomplete" if incomplete else "completed"
        error = None
        if reply.error:
            status, error = "failed", {"code": "server_error", "message": reply.error}
        elif reply.finish == "cancelled":
            status = "cancelled"
        output = [_item(part, self.id, "completed") for part in parts]
        return self.so_far(status, output, reply.usage, error, incomplete)


def _write_usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.prompt,
        "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": 0},
        "output_tokens": usage.completion,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.total,
    }


_PREFIXES = {"reasoning": "rs", "text": "msg", "call": "fc"}


def _item_id(part: Part, response: str) -> str:
    return f"{_PREFIXES[part.kind]}_{response.removeprefix('resp_')}_{part.place}"


def _item(part: Part, response: str, status: str) -> dict[str, Any]:
    """A part as an item of the output; one that is in progress is empty."""
    id, whole = _item_id(part, response), status != "in_progress"
    match part.kind:
        case "reasoning":
            content = [_content_of(part, part.text)] if whole else []
            return {"id": id, "type": "reasoning", "summary": [], "content": content}
        case "text":
            content = [_content_of(part, part.text)] if whole else []
            said = {"id": id, "type": "message", "role": "assistant"}
            return {**said, "status": status, "content": content}
    return {
        "id": id,
        "type": "function_call",
        "call_id": part.id or f"call_{part.place}",
        "name": part.name,
        "arguments": part.text if whole else "",
        "status": status,
    }


def _content_of(part: Part, text: str) -> dict[str, Any]:
    if part.kind == "reasoning":
        return {"type": "reasoning_text", "text": text}
    logprobs = [*part.logprobs] if text else []
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": logprobs}


# Events -------------------------------------------------------------------------------------------


class Events:
    """The deltas of an answer as the events of a stream."""

    def __init__(self, head: Head) -> None:
        self._head = head
        self._parts = Parts()
        self._count = 0

    def begin(self) -> bytes:
        response = self._head.so_far("in_progress")
        return b"".join(
            self._event(f"response.{name}", response=response)
            for name in ("created", "in_progress")
        )

    def add(self, delta: Delta) -> bytes:
        steps = self._parts.add(delta)
        return b"".join(event for step in steps for event in self._step(step, delta))

    def end(self, reply: Reply) -> bytes:
        steps = self._parts.end()
        events = [event for step in steps for event in self._step(step, Delta())]
        response = self._head.ended(reply, self._parts.parts)
        return b"".join([*events, self._event(f"response.{response['status']}", response=response)])

    def failed(self, error: errors.JanError) -> bytes:
        """What goes wrong in the stream, with what has come."""
        said = write_error(error)["error"]
        output = [_item(part, self._head.id, "incomplete") for part in self._parts.parts]
        why = {"code": said["code"] or "server_error", "message": said["message"]}
        return self._event(
            "response.failed", response=self._head.so_far("failed", output, error=why)
        )

    def _step(self, step: Step, delta: Delta) -> Iterator[bytes]:
        what, part, piece = step
        item = {"item_id": _item_id(part, self._head.id), "output_index": part.place}
        if what == "begins":
            begun = _item(part, self._head.id, "in_progress")
            yield self._event("response.output_item.added", output_index=part.place, item=begun)
        if part.kind == "call":
            yield from self._call(what, part, piece, item)
        else:
            yield from self._text(what, part, piece, {**item, "content_index": 0}, delta)
        if what == "ends":
            done = _item(part, self._head.id, "completed")
            yield self._event("response.output_item.done", output_index=part.place, item=done)

    def _call(self, what: str, part: Part, piece: str, item: dict[str, Any]) -> Iterator[bytes]:
        name = "response.function_call_arguments"
        if what == "grows":
            yield self._event(f"{name}.delta", delta=piece, **item)
        elif what == "ends":
            yield self._event(f"{name}.done", name=part.name, arguments=part.text, **item)

    def _text(
        self, what: str, part: Part, piece: str, item: dict[str, Any], delta: Delta
    ) -> Iterator[bytes]:
        is_text = part.kind == "text"
        name = "response.output_text" if is_text else "response.reasoning_text"

        def likely(logprobs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
            return {"logprobs": [*logprobs]} if is_text else {}

        if what == "begins":
            empty = _content_of(part, "")
            yield self._event("response.content_part.added", part=empty, **item)
        elif what == "grows":
            yield self._event(f"{name}.delta", delta=piece, **item, **likely(delta.logprobs))
        else:
            whole = _content_of(part, part.text)
            yield self._event(f"{name}.done", text=part.text, **item, **likely(part.logprobs))
            yield self._event("response.content_part.done", part=whole, **item)

    def _event(self, kind: str, **fields: Any) -> bytes:
        number, self._count = self._count, self._count + 1
        return sse.written({"type": kind, "sequence_number": number, **fields}, kind)
