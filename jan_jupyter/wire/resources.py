"""Models, threads, messages, assistants and runs as JSON: what bodies may hold, what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from ..redaction import is_secret_name, without_secrets
from .bodies import Object

Values = dict[str, Any]


class NewModel(Object):
    """What its `model.json` shall say."""

    id: str = Field(min_length=1)


class Edit(Object):
    """Fields by name, or below `settings`, `parameters`, `metadata`; `null` takes one away."""


class Pull(Object):
    model: str = Field(min_length=1)
    id: str | None = None
    stream: bool | None = None
    background: bool | None = None


class Import(Object):
    source: str = Field(min_length=1)
    id: str | None = None
    how: Literal["refer", "link", "copy"] | None = None
    trust_address: bool | None = None


class Line(Object):
    """A line, and where in it the cursor stands (default: its end)."""

    line: str = Field(max_length=10_000)
    cursor: int | None = Field(None, ge=0, le=10_000)


class GivenKey(Object):
    """`for` is the host that it goes to alone."""

    key: Annotated[
        str,
        Field(
            min_length=1,
            max_length=10_000,
            json_schema_extra={"format": "password", "writeOnly": True},
        ),
    ]
    host: str | None = Field(None, alias="for", max_length=300)


class _ModelOf(Object):
    id: str | None = None
    engine: str | None = None
    provider: str | None = None
    settings: Values | None = None
    parameters: Values | None = None


class _AssistantOf(Object):
    assistant_id: str | None = None
    id: str | None = None
    instructions: str | None = None
    model: _ModelOf | None = None


class Said(Object):
    role: Literal["system", "user", "assistant"]
    content: str | list[dict[str, Any]]


class ThreadBody(Object):
    """As Jan writes a thread; `assistant`, `instructions`, `parameters` are short for the first of
    its `assistants`."""

    title: str | None = None
    model: str | _ModelOf | None = None
    assistant: str | None = None
    instructions: str | None = None
    settings: Values | None = None
    parameters: Values | None = None
    assistants: list[_AssistantOf] | None = None
    messages: list[Said] | None = None


class MessageEdit(Object):
    content: str | list[dict[str, Any]]


class AssistantEdit(Object):
    name: str | None = None
    description: str | None = None
    avatar: str | None = None
    instructions: str | None = None
    model: str | None = None
    settings: Values | None = None
    parameters: Values | None = None


class NewAssistant(AssistantEdit):
    name: str


def listed(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A list as OpenAI, Anthropic and Jan write it; all of it at once."""
    return {
        "object": "list",
        "data": [*rows],
        "has_more": False,
        "first_id": rows[0].get("id") if rows else None,
        "last_id": rows[-1].get("id") if rows else None,
    }


def deleted(kind: str, id: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "object": kind, "deleted": True, **more}


def moment(seconds: float | None) -> str:
    """A time as text; of what nobody knows the beginning of time."""
    return datetime.fromtimestamp(int(seconds or 0), UTC).isoformat().replace("+00:00", "Z")


def public(value: Any) -> Any:
    """A description without what may be a key."""
    if isinstance(value, Mapping):
        return {str(k): public(v) for k, v in value.items() if not is_secret_name(str(k))}
    if isinstance(value, list | tuple):
        return [public(one) for one in value]
    return without_secrets(value) if isinstance(value, str) and "://" in value else value
