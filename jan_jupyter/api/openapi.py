"""The OpenAPI description of the API, made from the table of routes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic.json_schema import models_json_schema

from .. import __version__
from ..wire.bodies import Object
from .exchange import Call, Response, Route, as_json

_ERRORS = {
    "openai": {
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["message", "type", "code"],
                "properties": {"message": {"type": "string"}, "type": {"type": "string"}},
            }
        },
    },
    "anthropic": {
        "required": ["type", "error"],
        "properties": {
            "type": {"const": "error"},
            "error": {
                "type": "object",
                "required": ["type", "message"],
                "properties": {"message": {"type": "string"}, "type": {"type": "string"}},
            },
        },
    },
}
"""The envelopes of errors, whatever their status."""


def description(routes: Sequence[Route]) -> dict[str, Any]:
    """OpenAPI 3.1, of these routes. Pure."""
    kinds = list(dict.fromkeys(route.kind for route in routes if route.kind is not None))
    names, schemas = _schemas(kinds)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = route.path.replace("...}", "}")
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, names)
    return {
        "openapi": "3.1.0",
        "info": {"title": "jan_jupyter", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": {
                **schemas,
                **{f"{name}_error": {"type": "object", **s} for name, s in _ERRORS.items()},
            },
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}],
    }


def _schemas(kinds: Sequence[type[Object]]) -> tuple[Mapping[Any, Any], Mapping[str, Any]]:
    references, found = models_json_schema(
        [(kind, "validation") for kind in kinds], ref_template="#/components/schemas/{model}"
    )
    return {kind: references[kind, "validation"] for kind in kinds}, found.get("$defs", {})


def _operation(route: Route, names: Mapping[Any, Any]) -> dict[str, Any]:
    words = re.findall(r"\w+", route.path)
    error = f"#/components/schemas/{route.dialect}_error"
    operation: dict[str, Any] = {
        "operationId": "_".join([route.method.lower(), *words]),
        "summary": route.summary,
        "tags": [words[0]],
        "parameters": [*_parameters(route)],
        "responses": {
            str(route.status): {"description": "The answer.", "content": _content(route)},
            "default": {
                "description": "What is wrong, in one line.",
                "content": {"application/json": {"schema": {"$ref": error}}},
            },
        },
    }
    if route.kind is not None:
        content = {"application/json": {"schema": names[route.kind]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    text = {"type": "string"}
    path = [
        {"name": name, "in": "path", "required": True, "schema": {**text, "minLength": 1}}
        for name in re.findall(r"\{(\w+)", route.path)
    ]
    query = [
        {"name": name, "in": "query", "description": words, "schema": text}
        for name, words in route.query.items()
    ]
    return [*path, *query]


def _content(route: Route) -> dict[str, Any]:
    return {
        kind: {"schema": {"type": "object", **route.shape}} if kind == "application/json" else {}
        for kind in route.answers
    }


def route(others: Sequence[Route]) -> Route:
    """Where the description is asked for; it describes itself, too."""

    async def handle(call: Call) -> Response:
        return as_json(description([*others, here]))

    here = Route(
        "GET",
        "/openapi.json",
        handle,
        "This description.",
        shape={"required": ["openapi", "info", "paths"]},
    )
    return here
