"""Schemas that contradict themselves are refused; all others are let through."""

from __future__ import annotations

from typing import Any

import pytest

from jan_jupyter.errors import UsageError
from jan_jupyter.structured import shape_of

LOOP = {"type": "object", "properties": {"x": {"$ref": "#"}}, "required": ["x"]}
TREE = {"type": "object", "properties": {"x": {"$ref": "#"}}}


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"type": "string", "minLength": 5, "maxLength": 2}, "#"),
        ({"type": "array", "minItems": 5, "maxItems": 2}, "#"),
        ({"type": "integer", "minimum": 5, "maximum": 2}, "#"),
        ({"type": "string", "const": 5}, "#"),
        ({"anyOf": [False, {"type": "string", "minLength": 3, "maxLength": 1}]}, "#/anyOf/1"),
        (
            {"type": "object", "properties": {"a": False}, "required": ["a"]},
            "#/properties/a",
        ),
        (LOOP, "#"),
    ],
)
def test_what_nothing_fits(schema: dict[str, Any], place: str) -> None:
    with pytest.raises(UsageError, match=place):
        shape_of(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": ["string", "null"], "enum": ["a", None]},
        {"type": "array", "items": False},
        {"anyOf": [False, {"type": "string"}]},
        {"type": "string", "minLength": 2, "maxLength": 2, "pattern": "^a{1,2}$"},
        TREE,
    ],
)
def test_what_something_fits(schema: dict[str, Any]) -> None:
    assert shape_of(schema).json_schema == schema
