"""Anthropic's Messages API as others ask it of us: bodies -> `ChatRequest`, answers back. Pure.

What an engine is asked in that API stands in `engines/claude_messages.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from .. import errors
from ..types import ChatRequest, Delta, Message, Reply, Usage
from . import sse
from .bodies import Body, Object, Schema, Typed, Whole
from .parts import Part, Parts, Step, parts_of

# Bodies -------------------------------------------------------------------------------------------


class _Source(Typed):
    needs: ClassVar = {
        "base64": ("data",),
        "url": ("url",),
        "text": ("data",),
        "file": ("file_id",),
        "content": ("content",),
    }
    type: Literal["base64", "url", "text", "file", "content"]
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    file_id: str | None = None
    content: str | list[dict[str, Any]] | None = None


class _Inner(Typed):
    needs: ClassVar = {
        "text": ("text",),
        "image": ("source",),
        "document": ("source",),
        "tool_use": ("id", "name", "input"),
        "tool_result": ("tool_use_id",),
        "thinking": ("thinking",),
    }
    text: str | None = None
    source: _Source | None = None


class _Block(_Inner):
    id: str | None = None
    name: str | None = None
    input: dict[str, Any] | None = None
    tool_use_id: str | None = None
    content: str | list[_Inner] | None = None
    thinking: str | None = None
    title: str | None = None


class _Said(Object):
    role: Literal["user", "assistant", "system"]
    content: str | list[_Block]


class _Tool(Object):
    name: str
    type: str | None = None
    description: str | None = None
    input_schema: Schema | None = None
    strict: bool | None = None


class _Choice(Typed):
    needs: ClassVar = {"tool": ("name",)}
    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class _Thinking(Object):
    type: str
    budget_tokens: Whole | None = None


class _Form(Object):
    type: Literal["json_schema"]
    schema_: Schema = Field(alias="schema")


class _Output(Object):
    effort: str | None = None
    format: _Form | None = None


class Counted(Body):
    """What tokens are counted of."""

    messages: list[_Said] = Field(min_length=1)
    system: str | list[_Inner] | None = None
    tools: list[_Tool] | None = None
    tool_choice: _Choice | None = None
    thinking: _Thinking | None = None
    output_config: _Output | None = None


class Asked(Counted):
    """A body of `/messages`."""

    max_tokens: Whole
    stop_sequences: list[str] | None = None
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: Whole | None = None


# Requests -----------------------------------------------------------------------------------------

_PARAMETERS = {"max_tokens": "max_tokens", "temperature": "temperature", "top_p": "top_p"}
_PARAMETERS |= {"top_k": "top_k", "stop_sequences": "stop", "thinking": "thinking"}


def read_request(body: Mapping[str, Any]) -> ChatRequest:
    """A body (looked at by `bodies.read`) as our request. Raises `UsageError`."""
    messages = [message for said in body["messages"] for message in _read_message(said)]
    if system := _text_of(body.get("system")):
        messages.insert(0, Message("system", system))
    parameters = {
        ours: body[name] for name, ours in _PARAMETERS.items() if body.get(name) is not None
    }
    output = body.get("output_config") or {}
    if output.get("effort"):
        parameters["reasoning_effort"] = output["effort"]
    parameters |= _read_choice(body.get("tool_choice") or {})
    schema = (output.get("format") or {}).get("schema")
    tools = [_read_tool(tool) for tool in body.get("tools") or ()]
    return ChatRequest(messages, parameters, tools, schema)


def _text_of(content: Any) -> str:
    if isinstance(content, str) or not content:
        return content or ""
    return "\n\n".join(part["text"] for part in content if part["type"] == "text")


def _read_message(said: Mapping[str, Any]) -> Iterator[Message]:
    content = said["content"]
    if isinstance(content, str):
        yield Message(said["role"], content)
        return
    if said["role"] == "assistant":
        yield _read_answer(content)
        return
    for block in content:  # before what is said with them, as OpenAI's API has it
        if block["type"] == "tool_result":
            result = block.get("content") or ""
            inner = result if isinstance(result, str) else _shortest(map(_read_part, result))
            yield Message("tool", inner, {"tool_call_id": block["tool_use_id"]})
    parts = [_read_part(block) for block in content if block["type"] != "tool_result"]
    if parts:
        yield Message(said["role"], _shortest(parts))


def _read_answer(blocks: Sequence[Mapping[str, Any]]) -> Message:
    """An earlier answer; its thinking goes back to who signed it."""
    extra: dict[str, Any] = {}
    calls = [_read_call(block) for block in blocks if block["type"] == "tool_use"]
    thought = [dict(b) for b in blocks if b["type"] in ("thinking", "redacted_thinking")]
    if calls:
        extra["tool_calls"] = calls
    if thought:
        extra["thinking_blocks"] = thought
    return Message("assistant", "".join(b["text"] for b in blocks if b["type"] == "text"), extra)


def _read_call(block: Mapping[str, Any]) -> dict[str, Any]:
    arguments = json.dumps(block["input"], ensure_ascii=False)
    function = {"name": block["name"], "arguments": arguments}
    return {"id": block["id"], "type": "function", "function": function}


def _shortest(parts: Any) -> str | list[dict[str, Any]]:
    """Text, where there is nothing else."""
    listed = [*parts]
    if all(part["type"] == "text" for part in listed):
        return "\n\n".join(part["text"] for part in listed)
    return listed


def _read_part(block: Mapping[str, Any]) -> dict[str, Any]:
    kind, source = block["type"], block.get("source") or {}
    match kind, source.get("type"):
        case "text", _:
            return {"type": "text", "text": block["text"]}
        case "document", "text":
            return {"type": "text", "text": source["data"]}
        case "image", "base64" | "url":
            return {"type": "image_url", "image_url": {"url": _address(source, "image/png")}}
        case "document", "base64" | "url":
            address = _address(source, "application/pdf")
            return {
                "type": "file",
                "file": {"filename": block.get("title") or "document", "file_data": address},
            }
        case _:
            held = f" from {source['type']}" if source else ""
            raise errors.UsageError(f"A block of type {kind}{held} cannot be taken here.")


def _address(source: Mapping[str, Any], usual: str) -> str:
    if source["type"] == "url":
        return str(source["url"])
    return f"data:{source.get('media_type') or usual};base64,{source['data']}"


def _read_tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    if tool.get("type", "custom") != "custom":
        return dict(tool)  # one that runs at Anthropic: its engine knows it
    function = {"name": tool["name"], "parameters": tool.get("input_schema") or {"type": "object"}}
    for name in ("description", "strict"):
        if tool.get(name) is not None:
            function[name] = tool[name]
    return {"type": "function", "function": function}


def _read_choice(choice: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if choice.get("type") == "tool":
        found["tool_choice"] = {"type": "function", "function": {"name": choice["name"]}}
    elif choice:
        found["tool_choice"] = {"any": "required"}.get(choice["type"], choice["type"])
    if choice.get("disable_parallel_tool_use"):
        found["parallel_tool_calls"] = False
    return found


# Answers ------------------------------------------------------------------------------------------

_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "cancelled": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}


def write_reply(reply: Reply, id: str) -> dict[str, Any]:
    """A whole answer as a message."""
    content = [_written(part) for part in parts_of(reply)]
    if signed := reply.messages[-1].extra.get("thinking_blocks") if reply.messages else None:
        content = [*map(dict, signed), *(c for c in content if c["type"] != "thinking")]
    return {**_message(id, reply.model, content, reply.usage), **_ended(reply)}


def _ended(answer: Reply | Delta) -> dict[str, Any]:
    reason = _REASONS.get(answer.finish or "stop", "end_turn")
    if answer.stop and reason == "end_turn":
        return {"stop_reason": "stop_sequence", "stop_sequence": answer.stop}
    return {"stop_reason": reason, "stop_sequence": None}


def _message(id: str, model: str, content: Sequence[Any], usage: Usage) -> dict[str, Any]:
    return {
        "id": id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [*content],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": _write_usage(usage),
    }


def _write_usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": max(0, usage.prompt - usage.cached),
        "cache_read_input_tokens": usage.cached,
        "cache_creation_input_tokens": 0,
        "output_tokens": usage.completion,
    }


def _written(part: Part) -> dict[str, Any]:
    match part.kind:
        case "reasoning":
            return {"type": "thinking", "thinking": part.text, "signature": ""}
        case "text":
            return {"type": "text", "text": part.text}
    return {**_begun(part), "input": part.arguments}


def _begun(part: Part) -> dict[str, Any]:
    """A block as it begins, empty."""
    match part.kind:
        case "reasoning":
            return {"type": "thinking", "thinking": "", "signature": ""}
        case "text":
            return {"type": "text", "text": ""}
    id = part.id or f"toolu_{part.place}"
    return {"type": "tool_use", "id": id, "name": part.name, "input": {}}


_GROWS = {
    "reasoning": ("thinking_delta", "thinking"),
    "text": ("text_delta", "text"),
    "call": ("input_json_delta", "partial_json"),
}


class Events:
    """The deltas of an answer as the events of a stream."""

    def __init__(self, id: str, model: str) -> None:
        self._id = id
        self._model = model
        self._parts = Parts()

    def begin(self) -> bytes:
        message = _message(self._id, self._model, (), Usage())
        return _event("message_start", message=message)

    def add(self, delta: Delta) -> bytes:
        return b"".join(map(_step, self._parts.add(delta)))

    def end(self, last: Delta) -> bytes:
        """`last` has the finish and the usage."""
        events = [_step(step) for step in self._parts.end()]
        for part in self._parts.parts:
            if part.kind == "reasoning" and (signature := _signature(last)):
                delta = {"type": "signature_delta", "signature": signature}
                events.append(_event("content_block_delta", index=part.place, delta=delta))
                break
        usage = _write_usage(last.usage or Usage())
        events += [_event("message_delta", delta=_ended(last), usage=usage), _event("message_stop")]
        return b"".join(events)


def _signature(last: Delta) -> str:
    """With which Anthropic knows its own thinking again; it comes at the end."""
    blocks = last.extra.get("thinking_blocks") or ()
    return next((b["signature"] for b in blocks if b.get("signature")), "")


def _step(step: Step) -> bytes:
    what, part, piece = step
    if what == "begins":
        return _event("content_block_start", index=part.place, content_block=_begun(part))
    if what == "ends":
        return _event("content_block_stop", index=part.place)
    kind, name = _GROWS[part.kind]
    return _event("content_block_delta", index=part.place, delta={"type": kind, name: piece})


def _event(kind: str, **fields: Any) -> bytes:
    return sse.written({"type": kind, **fields}, kind)


# Errors -------------------------------------------------------------------------------------------

_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}


def write_error(error: errors.JanError) -> dict[str, Any]:
    usual = "invalid_request_error" if error.status < 500 else "api_error"
    said = {"type": _TYPES.get(error.status, usual), "message": str(error)}
    return {"type": "error", "error": said, "request_id": None}


def write_failure(error: errors.JanError) -> bytes:
    """An error in a stream."""
    return sse.written(write_error(error), "error")
