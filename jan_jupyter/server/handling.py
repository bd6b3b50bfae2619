"""One request of the API behind a socket, whichever server it came to.

Who may ask is the host's: its class stands beside `Answering`, and is asked when the headers are
there, before a byte of the body is read.
"""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from collections.abc import Mapping
from contextlib import aclosing, suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler, stream_request_body

from .. import bridge
from .gathering import Gathered

if TYPE_CHECKING:
    from .. import api
    from ..workspace import Workspace

LARGEST = 32 * 2**20
"""Bytes of a body: pictures and documents travel in it."""
UPLOAD = 120.0
"""Seconds that a body may take to come."""
BRIEF, BRIEFLY = 2**20, 10.0
"""Bytes of a body that are read although its request is refused, and the seconds that it has.

If the connection closed on them, its client would hear of that, and not why it was refused.
"""
SILENCE = 15.0
"""Seconds after which a silent stream says a word that its reader skips: proxies hang up else."""
LEFT = 499
"""The status that is noted for a client that left before its answer was whole."""

_log = logging.getLogger("jan_jupyter.server")


class Refused(HTTPError):
    """What is answered with an error of ours: `said` in its envelope, of `kind`."""

    def __init__(self, status: int, said: str, kind: str = "refused", **headers: str) -> None:
        super().__init__(status)
        self.said, self.kind, self.headers = said, kind, headers


class House(Protocol):
    """What a host has for all its requests."""

    @property
    def models(self) -> frozenset[str] | None:
        """The models that may be asked; `None`: all."""

    async def workspace(self) -> Workspace:
        """Made at the first request."""

    def enter(self, handler: RequestHandler) -> object:
        """Raises `HTTPError` for whoever may not come in at all."""

    async def admit(self, handler: Answering, route: api.Route | None) -> None:
        """Raises `HTTPError` for whoever may not use the route (`None`: there is none)."""

    def ended(self, handler: Answering) -> None:
        """The request has been answered, or its client has left."""


class Plain(RequestHandler):
    """Says nothing of itself, and what goes wrong in our envelope, without what was asked."""

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.clear_header("Server")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")

    def compute_etag(self) -> None:
        """Answers are not asked for a second time."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = (kwargs.get("exc_info") or (None, None))[1]
        self.set_header("Content-Type", "application/json")
        for name, value in getattr(error, "headers", {}).items():
            self.set_header(name.replace("_", "-"), value)
        said = getattr(error, "said", "") or getattr(error, "log_message", "") or self._reason
        kind = getattr(error, "kind", "server" if status_code >= 500 else "refused")
        self.finish(json.dumps(envelope(status_code, said, kind)))

    def log_exception(self, *exc_info: Any) -> None:
        """What is ours to mend, without what was asked; what was refused stands in the access log.

        The words of an error may repeat those of the request.
        """
        kind, error, where = exc_info
        if not isinstance(error, HTTPError):
            steps = "".join(traceback.format_tb(where))
            _log.error("%s %s: %s\n%s", self.request.method, self.request.path[:200], kind, steps)


@stream_request_body
class Answering(Plain):
    """Reads a request within bounds, has it answered, and writes the answer as it comes."""

    SUPPORTED_METHODS: tuple[str, ...] = ("GET", "POST", "PUT", "PATCH", "DELETE")

    def initialize(self, house: House, prefix: str) -> None:
        """`prefix` is what stands before the path of the API."""
        self.house, self._prefix = house, prefix
        self.route: api.Route | None = None
        self.response: api.Response | None = None
        self.begun, self.noted = monotonic(), False
        self._parts: list[bytes] = []
        self._size = 0
        self._slow: asyncio.TimerHandle | None = None
        self._work: asyncio.Task[None] | None = None
        self._left = False

    # The request ----------------------------------------------------------------------------------

    async def prepare(self) -> None:
        """Called when the headers have come; the body is read afterwards."""
        patience = UPLOAD
        try:
            await self._admit()
        except HTTPError as refusal:
            if not self._is_brief():
                raise
            self._refuse(refusal)
            patience = min(UPLOAD, BRIEFLY)
        self._slow = asyncio.get_running_loop().call_later(patience, self._too_slow)

    async def _admit(self) -> None:
        waiting = super().prepare()
        if waiting is not None:
            await waiting
        self.house.enter(self)
        self.route = await _route_of(self.request.method or "", self._path)
        await self.house.admit(self, self.route)
        self.request.connection.set_max_body_size(LARGEST)  # type: ignore[union-attr]
        length = self.request.headers.get("Content-Length", "0")
        if not length.isdecimal() or len(length) > 15 or int(length) > LARGEST:
            raise Refused(413, f"A request has at most {LARGEST >> 20} MB.", "too_large")

    def _is_brief(self) -> bool:
        length = self.request.headers.get("Content-Length", "")
        return length.isdecimal() and len(length) < 8 and 0 < int(length) <= BRIEF

    def _refuse(self, refusal: HTTPError) -> None:
        """When the body is there, and forgotten."""

        def refuse(*_: str) -> None:
            raise refusal

        self._size = LARGEST
        setattr(self, (self.request.method or "").lower(), refuse)

    def data_received(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size <= LARGEST:  # else the connection ends it
            self._parts.append(chunk)

    def _too_slow(self) -> None:
        if not self._finished:
            self.send_error(408)  # the rest of the body is not waited for: it closes

    @property
    def _path(self) -> str:
        return self.request.path[len(self._prefix) :]

    def _asked(self) -> api.Request:
        from .. import api

        query = {
            name: values[-1].decode("utf-8", "replace")
            for name, values in self.request.query_arguments.items()
            if name not in ("token", "_xsrf")
        }
        body = b"".join(self._parts)
        self._parts = []
        method = self.request.method or ""
        return api.Request(method, self._path, query, body, self.house.models)

    # The answer -----------------------------------------------------------------------------------

    async def answer(self, *_: str) -> None:
        """What each method does."""
        if self._slow is not None:
            self._slow.cancel()
        self._work = asyncio.ensure_future(self._answer())
        # A client that leaves cancels the work, never the handler: that would be logged as a fault.
        await asyncio.wait([self._work])
        if self._work.cancelled():
            self._note(LEFT)
        elif (error := self._work.exception()) is not None:
            raise error

    get = post = put = patch = delete = answer

    async def _answer(self) -> None:
        workspace = await self.house.workspace()
        try:
            await self._write(await _there(self._respond(workspace, self._asked())))
        except BaseException:
            # The response may be there though nobody has begun to take its pieces.
            self._left = True
            if self.response is not None:
                bridge.submit(self.response.close())
            raise

    async def _respond(self, workspace: Workspace, asked: api.Request) -> api.Response:
        """On the background loop. Where the client has left meanwhile, no answer goes on."""
        from .. import api

        self.response = response = await api.respond(workspace, asked)
        if self._left:
            await response.close()
        return response

    async def _write(self, response: api.Response) -> None:
        self.set_status(response.status)
        for name, value in response.headers.items():
            self.set_header(name, value)
        if isinstance(response.body, bytes):
            with suppress(StreamClosedError):
                await self.finish(response.body)
            return
        events = response.headers.get("content-type", "").startswith("text/event-stream")
        try:
            await self.flush()
            async with aclosing(Gathered(response.body, SILENCE).batches()) as batches:
                async for batch in batches:
                    self.write(batch or (b": \n\n" if events else b""))
                    await self.flush()
            await self.finish()
        except StreamClosedError:
            raise asyncio.CancelledError from None

    def on_connection_close(self) -> None:
        super().on_connection_close()
        if self._slow is not None:
            self._slow.cancel()
        if self._work is not None:
            self._work.cancel()

    def on_finish(self) -> None:
        if self._slow is not None:
            self._slow.cancel()
        self._note(self.get_status())
        super().on_finish()

    def _note(self, status: int) -> None:
        if not self.noted:
            self.noted = True
            self.set_status(status, "Client left" if status == LEFT else None)
            self.house.ended(self)


async def shared() -> Workspace:
    """The workspace of this process; imported and made where others are served meanwhile."""

    def made() -> Workspace:
        from .. import workspace

        return workspace.shared()

    return await asyncio.to_thread(made)


def other_key(headers: Mapping[str, str]) -> str:
    """The key of a request, if it stands where Anthropic's and Azure's clients send theirs."""
    return headers.get("x-api-key") or headers.get("api-key") or ""


_TYPES = {401: "authentication_error", 403: "permission_error", 413: "request_too_large"}
"""What Anthropic's clients, and those of llama.cpp, look for."""


def envelope(status: int, said: str, kind: str) -> dict[str, Any]:
    """An error as clients of OpenAI, of Anthropic (`type`) and of Jupyter (`message`) read it."""
    known = _TYPES.get(status, kind)
    error = {"message": said, "type": known, "param": None, "code": kind}
    return {"type": "error", "message": said, "error": {**error, "http_status_code": status}}


async def _there(answer: Any) -> Any:
    """Await on the background loop, wherever we are."""
    if asyncio.get_running_loop() is bridge.loop():
        return await answer
    return await bridge.await_(answer)


async def _route_of(method: str, path: str) -> api.Route | None:
    """The route of a request; `None`: the answer will say what is wrong with it."""

    def find() -> api.Route | None:
        from .. import api, errors

        try:
            return api.route_of(method, path)[0]
        except errors.UsageError:
            return None

    global _imported
    if not _imported:  # it takes its time, and others are served meanwhile
        await asyncio.to_thread(find)
        _imported = True
    return find()


_imported = False
