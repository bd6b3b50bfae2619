"""OpenAI's messages, tools and schemas in the words of Anthropic's Messages API. Pure."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

from ..types import Message

Block = dict[str, Any]
Refuse = Callable[[str], Exception]
"""What is raised for content that cannot be taken; it gets the content's name."""


def conversation(messages: Sequence[Message], refuse: Refuse) -> tuple[str, list[dict[str, Any]]]:
    """The system text, and the turns: roles in a row are one turn, empty texts are left out."""
    system = "\n\n".join(m.text for m in messages if m.role == "system" and m.text.strip())
    turns: list[tuple[str, list[Block]]] = []
    for message in messages:
        if message.role == "system":
            continue
        role = "assistant" if message.role == "assistant" else "user"
        if not turns or turns[-1][0] != role:
            turns.append((role, []))
        turns[-1][1].extend(_blocks(message, refuse))
    if turns and turns[-1][0] == "assistant":
        _without_space_at_the_end(turns[-1][1])
    return system, [
        {"role": role, "content": _shortest(blocks)} for role, blocks in turns if blocks
    ]


def _blocks(message: Message, refuse: Refuse) -> Iterator[Block]:
    if message.role == "tool":
        content = _shortest([*_content(message, refuse)])
        call = message.extra.get("tool_call_id", "")
        yield {"type": "tool_result", "tool_use_id": call, "content": content}
        return
    calls = message.extra.get("tool_calls") or ()
    if calls:
        yield from map(dict, message.extra.get("thinking_blocks") or ())
    yield from _content(message, refuse)
    for call in calls:
        function = call.get("function") or {}
        arguments = _arguments(function.get("arguments"))
        name = function.get("name", "")
        yield {"type": "tool_use", "id": call.get("id") or name, "name": name, "input": arguments}


def _content(message: Message, refuse: Refuse) -> Iterator[Block]:
    if isinstance(message.content, str):
        parts: Sequence[Mapping[str, Any]] = [{"type": "text", "text": message.content}]
    else:
        parts = message.content
    for part in parts:
        match part.get("type"):
            case "text":
                if str(part.get("text") or "").strip():
                    yield dict(part)
            case "image_url":
                image = part["image_url"]
                yield _source("image", image if isinstance(image, str) else image["url"], refuse)
            case "file":
                yield _document(part["file"], refuse)
            case _ if "source" in part or part.get("type") == "search_result":  # Claude's own
                yield dict(part)
            case kind:
                raise refuse(f"content of type {kind}")


def _source(kind: str, address: str, refuse: Refuse) -> Block:
    """A block for an address: what a `data:` one holds goes along, any other is fetched there."""
    data = re.match(r"data:([^;,]*)[^,]*?(;base64)?,", address)
    if data is None:
        return {"type": kind, "source": {"type": "url", "url": address}}
    media, rest = data[1] or "text/plain", address[data.end() :]
    if media == "text/plain":
        try:
            read = base64.b64decode(rest) if data[2] else unquote_to_bytes(rest)
        except ValueError as error:
            raise refuse(f"a {kind} whose data is no base64") from error
        text = read.decode("utf-8", "replace")
        return {"type": kind, "source": {"type": "text", "media_type": media, "data": text}}
    content = rest if data[2] else base64.b64encode(unquote_to_bytes(rest)).decode()
    return {"type": kind, "source": {"type": "base64", "media_type": media, "data": content}}


def _document(file: Mapping[str, Any], refuse: Refuse) -> Block:
    if file.get("file_id"):
        return {"type": "document", "source": {"type": "file", "file_id": file["file_id"]}}
    title = {"title": file["filename"]} if file.get("filename") else {}
    return {**_source("document", file["file_data"], refuse), **title}


def _arguments(written: Any) -> Mapping[str, Any]:
    """The object that the arguments of a call are; what is none is kept under a name."""
    try:
        read = json.loads(written or "{}")
    except (ValueError, TypeError):
        read = written
    return read if isinstance(read, dict) else {"arguments": read}


def _without_space_at_the_end(blocks: list[Block]) -> None:
    """An answer that shall be continued may not end with white space."""
    if blocks and blocks[-1].get("type") == "text":
        blocks[-1]["text"] = blocks[-1]["text"].rstrip()


def _shortest(blocks: list[Block]) -> str | list[Block]:
    """A text alone is a text."""
    if not blocks:
        return ""
    return blocks[0]["text"] if [set(block) for block in blocks] == [{"type", "text"}] else blocks


# Tools --------------------------------------------------------------------------------------------


def tool(described: Mapping[str, Any]) -> Mapping[str, Any]:
    """OpenAI's tool object in Claude's words; what is Claude's own (a server tool) as it is."""
    function = described.get("function")
    if not isinstance(function, Mapping):
        return described
    about = {"description": function["description"]} if function.get("description") else {}
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    strict = {"strict": function["strict"]} if "strict" in function else {}
    return {"name": function["name"], **about, "input_schema": schema, **strict}


def tool_choice(written: Any, parallel: Any) -> Mapping[str, Any] | None:
    """OpenAI's `tool_choice` and `parallel_tool_calls`; `None` if neither says anything."""
    if isinstance(written, Mapping):
        name = (written.get("function") or {}).get("name")
        choice = {"type": "tool", "name": name} if name else {**written}
    elif written:
        choice = {"type": {"required": "any"}.get(written, written)}
    else:
        choice = {} if parallel else {"type": "auto"}
    if not parallel and choice.get("type") != "none":
        choice["disable_parallel_tool_use"] = True
    return choice or None


# Schemas ------------------------------------------------------------------------------------------

_KEPT = {
    *("type", "enum", "const", "title", "$ref", "description", "required"),
    *("properties", "items", "anyOf", "allOf", "$defs"),
}
_FORMATS = (
    *("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"),
)
_KEPT_VALUES: Mapping[str, Sequence[Any]] = {"format": _FORMATS, "minItems": (0, 1)}


def output_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "schema": closed(schema)}


def closed(schema: Any) -> Any:
    """A JSON schema as the API demands it: objects take no other names than theirs.

    What it does not know (bounds, patterns) moves into the description: the model reads it there,
    and the answer is checked here. Of a schema that allows all or nothing there is nothing to say.
    """
    if not isinstance(schema, Mapping):
        return schema
    found: dict[str, Any] = {}
    told: list[str] = []
    for name, value in schema.items():
        if name in ("properties", "$defs"):
            found[name] = {key: closed(inner) for key, inner in value.items()}
        elif name in ("anyOf", "oneOf", "allOf"):
            found["anyOf" if name == "oneOf" else name] = [closed(inner) for inner in value]
        elif name == "items":
            found[name] = closed(value)
        elif name in _KEPT or value in _KEPT_VALUES.get(name, ()):
            found[name] = value
        elif name != "additionalProperties":
            told.append(f"{name}: {value}")
    if found.get("type") == "object":
        found["additionalProperties"] = False
        found.setdefault("properties", {})
    if told:
        about = f"{found['description']}\n\n" if found.get("description") else ""
        found["description"] = f"{about}{{{', '.join(told)}}}"
    return found
