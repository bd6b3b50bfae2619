"""Answers of a given shape: what a user gives as a schema -> a JSON schema and a reader.

Takes a pydantic class, any type that pydantic understands (dataclass, TypedDict, `list[int]`,
`Literal["yes", "no"]` …), or a JSON schema as a mapping.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import UsageError
from .markdown import code_blocks


@dataclass(frozen=True)
class Shape:
    """The shape that an answer has, and what makes a value of its text.

    `json_schema` describes an object, as services demand; a type that is none (a list, a choice)
    stands under the only name `value` of one.
    """

    json_schema: Mapping[str, Any]
    read: Callable[[str], Any] = field(repr=False)
    """Text of an answer -> its value; raises `ValueError` whose message is one line."""


def shape_of(schema: Any) -> Shape:
    """Raises `UsageError` for what is no schema."""
    if isinstance(schema, Shape):
        return schema
    if isinstance(schema, Mapping):
        return _of_mapping(schema)
    if inspect.isroutine(schema) or isinstance(schema, int | str):
        raise UsageError(f"{schema!r} is no schema: give a class, a type, or a JSON schema.")
    try:
        from pydantic import TypeAdapter
        from pydantic.errors import PydanticUserError
    except ImportError:
        raise UsageError(
            "A type as schema needs pydantic: `pip install pydantic`; a JSON schema does not."
        ) from None
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(schema)
        described = adapter.json_schema()
    except (PydanticUserError, TypeError, ValueError) as error:
        raise UsageError(f"{schema!r} cannot be a schema: {str(error).splitlines()[0]}") from error
    if _target(described).get("type") == "object":
        return Shape(described, lambda text: _validated(adapter, _json(text)))
    definitions = described.pop("$defs", None)
    whole = {
        "type": "object",
        "properties": {"value": described},
        "required": ["value"],
        "additionalProperties": False,
        **({"$defs": definitions} if definitions else {}),
    }
    return Shape(whole, lambda text: _validated(adapter, _only(_json(text))))


def _target(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a recursive type's `$ref` at the top refers to."""
    name = str(schema.get("$ref", "")).removeprefix("#/$defs/")
    found: Mapping[str, Any] = schema["$defs"][name] if name else schema
    return found


def _only(value: Any) -> Any:
    return value["value"] if isinstance(value, dict) and set(value) == {"value"} else value


def _validated(adapter: Any, value: Any) -> Any:
    from pydantic import ValidationError

    try:
        return adapter.validate_json(json.dumps(value))  # JSON has no tuples, dates or enumerations
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the answer"
        raise ValueError(f"{place}: {first['msg']}") from error


def _of_mapping(schema: Mapping[str, Any]) -> Shape:
    import jsonschema

    try:
        kind = jsonschema.validators.validator_for(schema)
        kind.check_schema(dict(schema))
    except jsonschema.SchemaError as error:
        raise UsageError(f"That is no JSON schema: {error.message}.") from error
    validator = kind(schema)

    def read(text: str) -> Any:
        value = _json(text)
        if wrong := jsonschema.exceptions.best_match(validator.iter_errors(value)):
            place = ".".join(map(str, wrong.absolute_path)) or "the answer"
            raise ValueError(f"{place}: {wrong.message}")
        return value

    return Shape(dict(schema), read)


def _json(text: str) -> Any:
    text = text.strip()
    blocks = [] if text.startswith(("{", "[", '"')) else code_blocks(text)
    try:
        return json.loads(blocks[0].code if blocks else text)
    except ValueError as error:
        raise ValueError(f"it is not JSON ({error})") from error
