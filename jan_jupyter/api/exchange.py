"""What goes in and out of the API: a request, a response, and the rows of the table of routes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from .. import errors
from ..models.chosen import ChosenModels, is_among
from ..types import EMPTY, ChatRequest, Embeddings, Ranking, Reply
from ..wire import sse

if TYPE_CHECKING:
    from ..models.store import ModelStore
    from ..precedence import Level
    from ..router import Router, Target
    from ..wire.bodies import Object
    from ..workspace import Workspace

Action = Literal["read", "execute", "write"]
"""What a route does to the workspace, in Jupyter's words for who may do what: look, ask a model, or
change models, threads and runs."""
Dialect = Literal["openai", "anthropic"]
"""In whose envelope an error goes back."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks.

    `path` is what follows `/v1`, percent-encoded as it came (`/models/a%2Fb`); `query` the decoded
    arguments. `models` are the ids of those that this caller may use and see; all, if it is `None`.
    """

    method: str
    path: str
    query: Mapping[str, str] = EMPTY
    body: bytes = b""
    models: Collection[str] | None = None


Made = Reply | Embeddings | Ranking
"""What an answer has cost and who gave it: `.model`, `.engine`, `.usage`, of a reply `.timings`."""


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back: `body` is whole, or its pieces as they come.

    Pieces are to be closed (`aclose`) by whoever does not take them all: that stops the answer.
    `made()` tells what has been made of tokens so far; `None` where nothing is.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes | AsyncGenerator[bytes, None]
    made: Callable[[], Made | None] = lambda: None

    async def close(self) -> None:
        """On the background loop: stop the answer, unless whoever takes its pieces does so."""
        if not isinstance(self.body, bytes):
            with suppress(RuntimeError):  # it runs, and is stopped by whom it runs for
                await self.body.aclose()


@dataclass(frozen=True, slots=True)
class Call:
    """A request at its route: `body` was looked at, `names` are those of the path, decoded."""

    workspace: Workspace
    request: Request
    body: Mapping[str, Any] = EMPTY
    names: Mapping[str, str] = EMPTY

    @property
    def router(self) -> Router:
        return self.workspace.router

    @property
    def store(self) -> ModelStore:
        """The models that this caller sees."""
        allowed, all = self.request.models, self.router.store
        return all if allowed is None else ChosenModels(all, allowed)

    def model(self, name: str | None) -> str | None:
        """The name of a model, if this caller may use it; looks at files. Raises `ModelNotFound`.

        A model is refused as if there were none, so that nobody learns of the others.
        """
        allowed = self.request.models
        if allowed is not None and not self._is_among(name, allowed):
            listed = ", ".join(sorted(allowed)) or "none"
            what = f"model {name!r}" if name else "default model"
            raise errors.ModelNotFound(f"There is no {what} for you here, but these: {listed}.")
        return name or None

    def _is_among(self, name: str | None, allowed: Collection[str]) -> bool:
        try:
            model, _ = self.router.model(name or None)
        except errors.ModelNotFound:  # which tells the names of others
            return False
        return is_among(model, allowed)

    def sees(self, id: str) -> bool:
        """Whether this caller may know of a model with that id, also of one that is still being
        fetched; looks at files."""
        allowed = self.request.models
        if allowed is None or id in allowed:
            return True
        return any(model.id == id for model in self.store.list())

    def prepare(
        self, request: ChatRequest, name: str | None, levels: Sequence[Level] = ()
    ) -> tuple[ChatRequest, Target]:
        """As `Router.prepare`, of a model that this caller may use; looks at files."""
        return self.router.prepare(request, self.model(name), levels)

    def flag(self, name: str) -> bool:
        """Whether an argument of the query says yes."""
        return self.request.query.get(name, "").lower() in ("1", "true", "yes")


Handler = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """One thing that can be asked.

    `path` names its parts in braces: `{thread}` is one step of the path, `{model...}` one or more.
    `kind` is what the body must hold; without one, no body is looked at. `answers` are the content
    types of what comes back, and `shape` tells what a JSON answer holds (a JSON schema).
    """

    method: str
    path: str
    handler: Handler = field(repr=False)
    summary: str
    action: Action = "read"
    kind: type[Object] | None = None
    answers: tuple[str, ...] = ("application/json",)
    shape: Mapping[str, Any] = EMPTY
    query: Mapping[str, str] = EMPTY
    """The arguments that it knows, each with its words for people."""
    status: int = 200
    dialect: Dialect = "openai"


def as_json(
    value: Any,
    status: int = 200,
    headers: Mapping[str, str] = EMPTY,
    made: Made | None = None,
) -> Response:
    given = {"content-type": "application/json", **headers}
    return Response(status, given, sse.as_json(value), made=lambda: made)


def beside(work: Callable[[Call], Any], status: int = 200) -> Handler:
    """A handler of what looks at files: not on the loop."""

    async def handle(call: Call) -> Response:
        return as_json(await asyncio.to_thread(work, call), status)

    return handle
