"""Jan's assistants."""

from __future__ import annotations

from typing import Any

from ..threads.assistants import Assistant
from ..wire import resources as wire
from .exchange import Call, Route, beside
from .shapes import ASSISTANT, DELETED, listing


def _written(assistant: Assistant) -> dict[str, Any]:
    """As its `assistant.json` has it."""
    return {
        **wire.public(assistant.raw),
        "id": assistant.id,
        "object": "assistant",
        "name": assistant.name or assistant.id,
        "description": assistant.description,
        "avatar": assistant.avatar,
        "instructions": assistant.instructions,
        "model": assistant.model or "*",
        "settings": wire.public(assistant.settings),
        "parameters": wire.public(assistant.parameters),
        "created_at": round((assistant.created or 0) * 1000),
        "state": assistant.state,
        "reason": assistant.reason,
    }


def _list(call: Call) -> dict[str, Any]:
    return wire.listed([_written(one) for one in call.workspace.threads.assistants.list()])


def _get(call: Call) -> dict[str, Any]:
    return _written(call.workspace.threads.assistants.get(call.names["assistant"]))


def _create(call: Call) -> dict[str, Any]:
    given = _given(call)
    return _written(call.workspace.threads.assistants.create(given.pop("name"), **given))


def _update(call: Call) -> dict[str, Any]:
    assistants = call.workspace.threads.assistants
    return _written(assistants.update(call.names["assistant"], **_given(call)))


def _given(call: Call) -> dict[str, Any]:
    known = wire.AssistantEdit.model_fields
    return {k: v for k, v in call.body.items() if k in known and v is not None}


def _delete(call: Call) -> dict[str, Any]:
    assistants = call.workspace.threads.assistants
    assistant = assistants.get(call.names["assistant"])
    assistants.delete(assistant.id)
    return wire.deleted("assistant.deleted", assistant.id)


_ALL, _ONE = "/assistants", "/assistants/{assistant}"
ROUTES = (
    Route("GET", _ALL, beside(_list), "All assistants.", shape=listing(ASSISTANT)),
    Route(
        "POST",
        _ALL,
        beside(_create, 201),
        "A new assistant.",
        "write",
        wire.NewAssistant,
        shape=ASSISTANT,
        status=201,
    ),
    Route("GET", _ONE, beside(_get), "One assistant.", shape=ASSISTANT),
    *(
        Route(
            method,
            _ONE,
            beside(_update),
            "Change an assistant of ours.",
            "write",
            wire.AssistantEdit,
            shape=ASSISTANT,
        )
        for method in ("PATCH", "POST")
    ),
    Route(
        "DELETE",
        _ONE,
        beside(_delete),
        "Remove an assistant of ours.",
        "write",
        shape=DELETED,
    ),
)
