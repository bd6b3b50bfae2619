"""Whether an answer can fit a JSON schema at all: what certainly cannot is refused, not sent.

llama.cpp's grammar builder takes all memory over a schema that contradicts itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

_BOUNDS = (
    ("minLength", "maxLength", False),
    ("minItems", "maxItems", False),
    ("minContains", "maxContains", False),
    ("minProperties", "maxProperties", False),
    ("minimum", "maximum", False),
    ("exclusiveMinimum", "maximum", True),
    ("minimum", "exclusiveMaximum", True),
    ("exclusiveMinimum", "exclusiveMaximum", True),
)
"""Pairs of which the first must not be above the second; true: nor the same."""
_ONE = ("items", "additionalProperties", "contains", "propertyNames", "additionalItems")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems", "items")
_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
"""Where a schema has others: one, a list of them, or each under a name."""


def contradiction(schema: Mapping[str, Any]) -> str:
    """One line on what in a schema contradicts itself, with its place; `""`: something may fit.

    Also of a part that an answer may leave out: whoever wrote it has erred, and a server that
    makes a grammar of the whole goes astray over it.
    """
    try:
        for place, part in _parts(schema, "#"):
            if why := _in_itself(part):
                return f"{place} {why}"
        return _Endless(schema).at(schema, "#", frozenset())
    except RecursionError:
        return "it is nested too deeply"
    except (TypeError, ValueError, AttributeError, LookupError):
        return ""  # it is no schema: whoever reads it says so


def _parts(schema: Any, place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A schema and all within it, each with its place."""
    if not isinstance(schema, Mapping):
        return
    yield place, schema
    for name in _ONE:
        yield from _parts(schema.get(name), f"{place}/{name}")
    for name in _LISTS:
        if isinstance(several := schema.get(name), list | tuple):
            for at, part in enumerate(several):
                yield from _parts(part, f"{place}/{name}/{at}")
    for name in _NAMED:
        if isinstance(named := schema.get(name), Mapping):
            for key, part in named.items():
                yield from _parts(part, f"{place}/{name}/{key}")


def _in_itself(schema: Mapping[str, Any]) -> str:
    """What contradicts itself in a schema, its parts left aside."""
    for least, most, same in _BOUNDS:
        low, high = schema.get(least), schema.get(most)
        # The oldest drafts have truth values in `exclusiveMinimum`.
        if _is_number(low) and _is_number(high) and (low > high or (same and low == high)):
            return f"has {least} {low} and {most} {high}"
    kinds = schema.get("type")
    kinds = {kinds} if isinstance(kinds, str) else set(kinds or ())
    allowed = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if allowed is not None and not allowed:
        return "has an empty enum"
    if kinds and allowed is not None and not any(_is_of(value, kinds) for value in allowed):
        return f"has only values that are not of its type {'/'.join(sorted(kinds))}"
    properties = schema.get("properties") or {}
    if schema.get("additionalProperties") is False and not schema.get("patternProperties"):
        for name in schema.get("required") or ():
            if name not in properties:
                return f"requires {name!r}, and allows no such property"
    return ""


class _Endless:
    """Looks for what a value cannot do without and that is nothing, or has itself within it."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root
        self.fine: set[str] = set()
        """References that something fits."""

    def at(self, schema: Any, place: str, within: frozenset[str]) -> str:
        """Why nothing fits; `within`: the references that led here."""
        if schema is False:
            return f"{place} allows nothing"
        if not isinstance(schema, Mapping):
            return ""
        for part, where in self.needed(schema, place):
            if why := self.at(part, where, within):
                return why
        for each in ("anyOf", "oneOf"):
            if isinstance(options := schema.get(each), list | tuple):
                parts = enumerate(options)
                whys = [self.at(part, f"{place}/{each}/{at}", within) for at, part in parts]
                if all(whys):
                    return whys[0] if whys else f"{place} has an empty {each}"
        reference = schema.get("$ref")
        if not isinstance(reference, str) or reference in self.fine:
            return ""
        if reference in within:
            return f"{place} needs itself without an end ({reference})"
        if why := self.at(self.found(reference), place, within | {reference}):
            return why
        self.fine.add(reference)
        return ""

    def needed(self, schema: Mapping[str, Any], place: str) -> Iterator[tuple[Any, str]]:
        """The parts that a value cannot do without."""
        for at, part in enumerate(schema.get("allOf") or ()):
            yield part, f"{place}/allOf/{at}"
        if schema.get("type") == "object" and isinstance(schema.get("properties"), Mapping):
            for name in schema.get("required") or ():
                yield schema["properties"].get(name), f"{place}/properties/{name}"
        least = schema.get("minItems")
        if schema.get("type") == "array" and _is_number(least) and least > 0:
            first = (schema.get("prefixItems") or [schema.get("items")])[0]
            yield first, f"{place}/items"

    def found(self, reference: str) -> Any:
        """What a reference within the schema refers to; `None` if it is not there."""
        part: Any = self.root
        if not reference.startswith("#"):
            return None
        for name in reference.removeprefix("#").strip("/").split("/"):
            if name:
                name = name.replace("~1", "/").replace("~0", "~")
                part = part.get(name) if isinstance(part, Mapping) else None
        return part


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


_KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "object": (Mapping,),
    "array": (list, tuple),
    "boolean": (bool,),
    "null": (type(None),),
}


def _is_of(value: Any, kinds: set[str]) -> bool:
    if _is_number(value):
        return "number" in kinds or ("integer" in kinds and float(value).is_integer())
    return any(isinstance(value, _KINDS.get(kind, ())) for kind in kinds)
