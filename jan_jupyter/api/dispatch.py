"""The table of all routes, and the way of a request to its own."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

from .. import errors
from ..telling import fault
from ..types import EMPTY
from ..wire import bodies
from ..wire.errors import headers_of, write_error
from ..wire.messages import write_error as write_anthropic_error
from . import (
    assistants,
    chat,
    complete,
    completions,
    embeddings,
    engines,
    events,
    generating,
    hub,
    keys,
    messages,
    models,
    openapi,
    pulls,
    responses,
    runs,
    speech,
    threads,
)
from .exchange import Call, Dialect, Request, Response, Route, as_json

if TYPE_CHECKING:
    from ..workspace import Workspace

_RESOURCES: tuple[Route, ...] = (
    *models.ROUTES,
    *generating.ROUTES,
    *pulls.ROUTES,
    *hub.ROUTES,
    *chat.ROUTES,
    *completions.ROUTES,
    *complete.ROUTES,
    *embeddings.ROUTES,
    *speech.ROUTES,
    *responses.ROUTES,
    *messages.ROUTES,
    *threads.ROUTES,
    *assistants.ROUTES,
    *engines.ROUTES,
    *keys.ROUTES,
    *runs.ROUTES,
    *events.ROUTES,
)
ROUTES = (*_RESOURCES, openapi.route(_RESOURCES))
"""The first that fits a path is the one that is meant."""


async def respond(workspace: Workspace, request: Request) -> Response:
    """Answer one request. What goes wrong becomes the response; only a cancellation is raised.

    Runs on the background loop, and waits for no disk there. Where it is cancelled, or the pieces
    of its body are closed, the answer is stopped.
    """
    dialect: Dialect = "openai"
    try:
        route, names = route_of(request.method, request.path)
        dialect = route.dialect
        body: Mapping[str, object] = EMPTY
        if route.kind is not None:
            # Megabytes of pictures, or the first schema of a process, would hold up all streams.
            body = await asyncio.to_thread(bodies.read, request.body, route.kind)
        return await route.handler(Call(workspace, request, body, names))
    except errors.JanError as error:
        return refused(error, dialect)
    except Exception as error:
        return refused(fault(error), dialect)


def refused(error: errors.JanError, dialect: Dialect = "openai") -> Response:
    """An error as its caller reads it."""
    headers = headers_of(error)
    if isinstance(error, errors.MethodNotAllowed):
        headers["allow"] = ", ".join(error.allowed)
    write = write_anthropic_error if dialect == "anthropic" else write_error
    return as_json(write(error), error.status, headers)


def route_of(method: str, path: str) -> tuple[Route, Mapping[str, str]]:
    """The route of a request, and the names in its path, decoded.

    Raises `RouteNotFound`, `MethodNotAllowed`, or `UsageError` for a name that cannot be one.
    """
    path = "/" + path.strip("/")
    others = []
    for route in ROUTES:
        if (found := _pattern(route.path).fullmatch(path)) is not None:
            if route.method == method:
                return route, {name: _name(text) for name, text in found.groupdict().items()}
            others.append(route.method)
    if others:
        raise errors.MethodNotAllowed(
            f"{path:.200} is asked with {' or '.join(sorted({*others}))}, not {method:.20}.",
            allowed=sorted({*others}),
        )
    raise errors.RouteNotFound(f"There is no {path:.200} here; /openapi.json tells what there is.")


@lru_cache(256)
def _pattern(path: str) -> re.Pattern[str]:
    written = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path.replace(".", r"\."))
    return re.compile(re.sub(r"\{(\w+)(?:\\\.){3}\}", r"(?P<\1>.+)", written))


def _name(written: str) -> str:
    """A name in a path, which no file system and no protocol can misread."""
    try:
        name = unquote(written, errors="strict")
    except UnicodeDecodeError:
        name = "\0"
    if not name.isprintable():
        raise errors.UsageError(f"{written[:80]!r} in the path is no name.")
    return name
