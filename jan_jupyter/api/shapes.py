"""What JSON answers hold, for the OpenAPI description: JSON schemas. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Shape = Mapping[str, Any]

TEXT: Shape = {"type": "string"}
TEXT_OR_NONE: Shape = {"type": ["string", "null"]}
WHOLE: Shape = {"type": "integer", "minimum": 0}
FLAG: Shape = {"type": "boolean"}
OBJECT: Shape = {"type": "object"}


def holds(**properties: Shape) -> dict[str, Any]:
    """An object that has all of these, and others besides."""
    return {"type": "object", "required": [*properties], "properties": properties}


def several(items: Shape, least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": items, **({"minItems": least} if least else {})}


def one_of(*values: str | bool | None) -> dict[str, Any]:
    return {"enum": [*values]}


def listing(shape: Shape) -> dict[str, Any]:
    """The shape of a list of such."""
    return holds(
        object=one_of("list"),
        data=several(shape),
        has_more=one_of(False),
        first_id=TEXT_OR_NONE,
        last_id=TEXT_OR_NONE,
    )


DELETED = holds(id=TEXT, object=TEXT, deleted=one_of(True))


# Answers ------------------------------------------------------------------------------------------

READ = holds(prompt_tokens=WHOLE, total_tokens=WHOLE)
USAGE = holds(prompt_tokens=WHOLE, completion_tokens=WHOLE, total_tokens=WHOLE)
FINISH = one_of("stop", "length", "tool_calls", "content_filter", None)


def _answer(kind: str, **choice: Shape) -> dict[str, Any]:
    return holds(
        id=TEXT,
        object=one_of(kind),
        created=WHOLE,
        model=TEXT,
        choices=several(holds(index=WHOLE, **choice, finish_reason=FINISH), 1),
        usage=USAGE,
    )


CHAT = _answer("chat.completion", message=holds(role=one_of("assistant"), content=TEXT_OR_NONE))
COMPLETION = _answer("text_completion", text=TEXT)
VECTORS = holds(
    object=one_of("list"),
    model=TEXT,
    data=several(
        holds(
            object=one_of("embedding"),
            index=WHOLE,
            embedding={"anyOf": [TEXT, several({"type": "number"}, 1)]},
        )
    ),
    usage=READ,
)
RANKING = holds(
    object=one_of("list"),
    model=TEXT,
    results=several(holds(index=WHOLE, relevance_score={"type": "number"})),
    usage=READ,
)
MESSAGE = holds(
    id=TEXT,
    type=one_of("message"),
    role=one_of("assistant"),
    model=TEXT,
    content=several(holds(type=one_of("text", "thinking", "redacted_thinking", "tool_use"))),
    stop_reason=one_of("end_turn", "max_tokens", "tool_use", "refusal", "stop_sequence"),
    stop_sequence=TEXT_OR_NONE,
    usage=holds(input_tokens=WHOLE, output_tokens=WHOLE, cache_read_input_tokens=WHOLE),
)
RESPONSE = holds(
    id=TEXT,
    object=one_of("response"),
    created_at=WHOLE,
    status=one_of("completed", "incomplete", "failed", "cancelled"),
    model=TEXT,
    output=several(holds(id=TEXT, type=one_of("message", "reasoning", "function_call"))),
    tools=several(OBJECT),
    usage={"type": ["object", "null"]},
    error={"type": ["object", "null"]},
)

# What there is ------------------------------------------------------------------------------------

MODEL = holds(
    id=TEXT, object=one_of("model"), created=WHOLE, owned_by=TEXT, engine=TEXT, state=TEXT
)
PULLED = holds(id=TEXT, object=TEXT, done={"type": "integer"}, message=TEXT)
THREAD = holds(
    id=TEXT,
    object=one_of("thread"),
    title=TEXT,
    assistants=several(OBJECT),
    created={},
    metadata=OBJECT,
)
SAID = holds(
    id=TEXT,
    object=one_of("thread.message"),
    thread_id=TEXT,
    role=TEXT,
    content=several(OBJECT),
    status=TEXT,
)
ASSISTANT = holds(
    id=TEXT,
    object=one_of("assistant"),
    name=TEXT,
    instructions=TEXT,
    model=TEXT_OR_NONE,
    created_at={},
)
ENGINE = holds(id=TEXT, object=one_of("engine"), kind=TEXT, state=TEXT)
RUN = holds(
    id=TEXT,
    object=one_of("run"),
    created={},
    models=several(TEXT),
    prompts=WHOLE,
    calls=WHOLE,
    done=WHOLE,
)
