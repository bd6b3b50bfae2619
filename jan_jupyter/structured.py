"""Answers of a given shape: what a user gives as a schema -> a JSON schema and a reader.

Takes a pydantic class, any type that pydantic understands (dataclass, TypedDict, `list[int]`,
`Literal["yes", "no"]` …), or a JSON schema as a mapping.
"""

from __future__ import annotations

import inspect
import json
import pickle
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .errors import UsageError
from .markdown import code_blocks
from .satisfiable import contradiction


class Shape(ABC):
    """The shape that an answer has, and what makes a value of its text.

    `json_schema` describes an object, as services demand; a type that is none (a list, a choice)
    stands under the only name `value` of one.
    """

    json_schema: Mapping[str, Any]

    @abstractmethod
    def read(self, text: str) -> Any:
        """Text of an answer -> its value; raises `ValueError` whose message is one line."""


@dataclass(frozen=True)
class _Described(Shape):
    """A shape whose values are plain JSON."""

    json_schema: Mapping[str, Any]

    def read(self, text: str) -> Any:
        import jsonschema

        validator = jsonschema.validators.validator_for(self.json_schema)(self.json_schema)
        value = _json(text)
        if wrong := jsonschema.exceptions.best_match(validator.iter_errors(value)):
            place = ".".join(map(str, wrong.absolute_path)) or "the answer"
            raise ValueError(f"{place}: {wrong.message}")
        return value


@dataclass(frozen=True)
class _Typed(Shape):
    """A shape whose values are of a type; `wrapped` if they stand under `value`."""

    json_schema: Mapping[str, Any]
    type: Any
    wrapped: bool

    @cached_property
    def _adapter(self) -> Any:
        from pydantic import TypeAdapter

        return TypeAdapter(self.type)

    def read(self, text: str) -> Any:
        from pydantic import ValidationError

        value = _json(text)
        if self.wrapped and isinstance(value, dict) and set(value) == {"value"}:
            value = value["value"]
        try:  # as JSON, which has no tuples, dates or enumerations
            return self._adapter.validate_json(json.dumps(value))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"])) or "the answer"
            raise ValueError(f"{place}: {first['msg']}") from error

    def __reduce__(self) -> tuple[Any, ...]:
        """A type that cannot be pickled (made in a function) leaves its values plain JSON."""
        try:
            pickle.dumps(self.type)
        except Exception:
            return _Described, (self.json_schema,)
        return _Typed, (self.json_schema, self.type, self.wrapped)


def shape_of(schema: Any) -> Shape:
    """Raises `UsageError` for what is no schema, and for one that no answer can fit."""
    if isinstance(schema, Shape):
        return schema
    shape = _shape_of(schema)
    if why := contradiction(shape.json_schema):
        raise UsageError(f"That schema contradicts itself: {why}.")
    return shape


_NO_TYPES = (int, float, str, bytes, list, tuple, set)


def _shape_of(schema: Any) -> Shape:
    if isinstance(schema, Mapping):
        return _of_mapping(schema)
    if inspect.isroutine(schema) or isinstance(schema, _NO_TYPES):
        raise UsageError(f"{schema!r} is no schema: give a class, a type, or a JSON schema.")
    try:
        from pydantic import TypeAdapter
        from pydantic.errors import PydanticUserError
        from pydantic_core import SchemaError
    except ImportError:
        raise UsageError(
            "A type as schema needs pydantic: `pip install pydantic`; a JSON schema does not."
        ) from None
    try:
        described = TypeAdapter(schema).json_schema()
    except (PydanticUserError, SchemaError, TypeError, ValueError) as error:
        said = " ".join(str(error).split())
        raise UsageError(f"{schema!r} cannot be a schema: {said[:300]}") from error
    if _target(described).get("type") == "object":
        return _Typed(described, schema, wrapped=False)
    definitions = described.pop("$defs", None)
    whole = {
        "type": "object",
        "properties": {"value": described},
        "required": ["value"],
        "additionalProperties": False,
        **({"$defs": definitions} if definitions else {}),
    }
    return _Typed(whole, schema, wrapped=True)


def _target(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a recursive type's `$ref` at the top refers to."""
    name = str(schema.get("$ref", "")).removeprefix("#/$defs/")
    found: Mapping[str, Any] = schema["$defs"][name] if name else schema
    return found


def _of_mapping(schema: Mapping[str, Any]) -> Shape:
    import jsonschema

    schema = dict(schema)
    try:
        jsonschema.validators.validator_for(schema).check_schema(schema)
    except jsonschema.SchemaError as error:
        raise UsageError(f"That is no JSON schema: {error.message}.") from error
    return _Described(schema)


def _json(text: str) -> Any:
    text = text.strip()
    blocks = [] if text.startswith(("{", "[", '"')) else code_blocks(text)
    try:
        return json.loads(blocks[0].code if blocks else text)
    except ValueError as error:
        raise ValueError(f"it is not JSON ({error})") from error
