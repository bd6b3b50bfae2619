"""What a request of OpenAI's API may hold: looked at once, before anything else reads it.

Names that are not here are left to the engines and their servers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

import pydantic
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from ..errors import UsageError
from ..parameters import TABLE
from ..types import EMPTY


def read(body: bytes, kind: type[Object]) -> dict[str, Any]:
    """The object that a body holds. Raises `UsageError`, which names the place that is wrong."""
    found: Any = None
    try:
        found = json.loads(body.decode())
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()  # what can be sent on
        kind.model_validate(found)
    except ValidationError as error:
        # Of the forms that a value may have, the one that fits furthest is what was meant.
        place, said = max(
            (_wrong(found, one) for one in error.errors()), key=lambda one: len(one[0])
        )
        where = ".".join(map(str, place)) or "its body"
        raise UsageError(f"The request cannot be used: {where}: {said}.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The request is not JSON: {error}.") from error
    assert isinstance(found, dict)
    return found


def _wrong(body: Any, error: ErrorDetails) -> tuple[list[int | str], str]:
    """The steps to what is wrong, without those that name one of several forms; and what it is."""
    *_, last = (None, *error["loc"])
    place: list[int | str] = []
    for step in error["loc"]:
        inside = isinstance(body, list) and isinstance(step, int)
        if inside or (isinstance(body, Mapping) and step in body):
            body = body[step]
            place.append(step)
        elif step == last and error["type"] == "missing":
            place.append(step)
    return place, re.sub(r"a valid dictionary or instance of \w+", "an object", error["msg"])


def _schema(written: dict[str, Any]) -> dict[str, Any]:
    """Raises `ValueError` if it is no JSON schema."""
    # At the first schema: with what other packages bring along, it takes a second.
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import validator_for

    kind = written.get("$schema", "")
    if not isinstance(kind, str):
        raise ValueError("`$schema` is no text")
    try:
        validator_for(written).check_schema(written)
    except SchemaError as error:
        raise ValueError(f"this is no JSON schema: {error.message:.200}") from error
    return written


Schema = Annotated[dict[str, Any], AfterValidator(_schema)]
Whole = Annotated[int, Field(ge=-(2**63), lt=2**63)]


class Object(BaseModel):
    """What a body must be: names that are not here are left as they are."""

    model_config = ConfigDict(extra="allow", strict=True, protected_namespaces=())


class Typed(Object):
    """An object whose `type` tells what it `needs`."""

    needs: ClassVar[Mapping[str, Sequence[str]]] = EMPTY
    type: str

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        for name in self.needs.get(self.type, ()):
            if getattr(self, name, None) is None:
                raise ValueError(f"needs `{name.rstrip('_')}`")
        return self


class Body(Object):
    model: str | None = None

    @model_validator(mode="after")
    def _holds_no_key(self) -> Self:
        """Some clients write the key of this server here, and what we do not know goes on."""
        for name in ("api_key", "api_key_name"):
            if name in (self.model_extra or {}):
                raise ValueError(f"a key belongs into the headers, not into `{name}`")
        return self


# Chat ---------------------------------------------------------------------------------------------


class _Picture(Object):
    url: str


class _File(Object):
    filename: str | None = None
    file_data: str | None = None
    file_id: str | None = None

    @model_validator(mode="after")
    def _has_content(self) -> Self:
        if self.file_data is None and self.file_id is None:
            raise ValueError("needs `file_data` or `file_id`")
        return self


class _Part(Typed):
    needs: ClassVar = {name: (name,) for name in ("text", "image_url", "file", "input_audio")}
    text: str | None = None
    image_url: str | _Picture | None = None
    file: _File | None = None
    input_audio: dict[str, Any] | None = None


class _Called(Object):
    name: str
    arguments: str | None = None


class _Call(Object):
    id: str | None = None
    function: _Called | None = None


class _Message(Object):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[_Part] | None = None
    name: str | None = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None
    thinking_blocks: list[dict[str, Any]] | None = None


class _Function(Object):
    name: str
    description: str | None = None
    parameters: Schema | None = None
    strict: bool | None = None


class _Tool(Typed):
    needs: ClassVar = {"function": ("function",)}
    function: _Function | None = None


class _Named(Object):
    name: str


class _Choice(Object):
    type: str
    function: _Named | None = None


class _Described(Object):
    name: str | None = None
    schema_: Schema | None = Field(None, alias="schema")


class _Form(Typed):
    needs: ClassVar = {"json_schema": ("json_schema",)}
    json_schema: _Described | None = None
    schema_: Schema | None = Field(None, alias="schema")


class _StreamOptions(Object):
    include_usage: bool | None = None


class _Thinking(Object):
    budget_tokens: Whole | None = None


class _Chat(Body):
    messages: list[_Message] = Field(min_length=1)
    stream_options: _StreamOptions | None = None
    tools: list[_Tool] | None = None
    tool_choice: str | _Choice | None = None
    parallel_tool_calls: bool | None = None
    response_format: _Form | None = None
    typical_p: float | None = None
    max_completion_tokens: Whole | None = None
    n: Whole | None = None
    logprobs: bool | None = None
    top_logprobs: Whole | None = None
    reasoning_effort: str | None = None
    thinking: str | bool | Whole | _Thinking | None = None


_KINDS: dict[str, Any] = {"number": float, "integer": Whole, "text": str, "flag": bool}
_KINDS["list"] = str | list[str]
_ASKED = [field for field in TABLE["parameters"].values() if field.own_cast is None]
_FIELDS: dict[str, Any] = {field.name: (_KINDS[field.kind] | None, None) for field in _ASKED}
Chat = pydantic.create_model("Chat", __base__=_Chat, **_FIELDS)


# Gaps ---------------------------------------------------------------------------------------------


MOST_PROMPTS = 20


class _Completions(Body):
    prompt: str | Annotated[list[str], Field(min_length=1, max_length=MOST_PROMPTS)]
    suffix: str | None = None
    stream_options: _StreamOptions | None = None
    n: Annotated[Whole, Field(ge=1, le=1)] | None = None
    best_of: Annotated[Whole, Field(ge=1, le=1)] | None = None
    echo: Literal[False] | None = None
    logprobs: None = None
    priority: Literal["completion"] | Whole | None = None
    """`completion`: an editor offers it while somebody types; a number is vLLM's."""
    key: Annotated[str, Field(max_length=500)] | None = None
    """With that: where somebody types (a cell). A newer request ends an older one of its key."""


Completions = pydantic.create_model("Completions", __base__=_Completions, **_FIELDS)

_Name = Annotated[str, Field(min_length=1, max_length=500)]
_Count = Annotated[int, Field(ge=0, le=1_000_000)]


class _Shown(Object):
    model: _Name
    shown: _Count
    taken: _Count
    words: _Count
    characters: _Count
    seconds: float = Field(ge=0, le=1e9)


class _Pair(Object):
    models: Annotated[list[_Name], Field(min_length=2, max_length=2)]
    offered: _Count
    taken: Annotated[list[_Count], Field(min_length=2, max_length=2)]


class Taken(Object):
    """What was shown at the cursor since it was told last, and what of it was taken."""

    models: list[_Shown] = Field(min_length=1, max_length=20)
    pairs: list[_Pair] = Field(default=[], max_length=50)


# Embeddings, rankings and speech ------------------------------------------------------------------


_Tokens = Annotated[list[Annotated[int, Field(ge=0, lt=2**31)]], Field(min_length=1)]


class Embeddings(Body):
    input: str | _Tokens | Annotated[list[str | _Tokens], Field(min_length=1)]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Whole | None = None


class _Document(Object):
    text: str


class Ranked(Body):
    query: str
    documents: list[str | _Document] = Field(min_length=1)
    top_n: Whole | None = None
    return_documents: bool | None = None


class Speech(Body):
    input: str
    voice: str | dict[str, Any] | None = None
    response_format: str | None = None
    speed: float | None = None
