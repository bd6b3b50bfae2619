"""`jan.openai()`: the `openai` package's own client, whose requests our router answers.

There is no server and no socket: its HTTP transport calls `api.respond` on the background loop. So
code that is written for `openai` runs on every model and engine here, streaming included.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx2

from . import api, bridge, errors
from .workspace import Workspace, shared

if TYPE_CHECKING:
    import openai

BASE_URL = "http://jan.invalid/v1"  # never looked up


def client(workspace: Workspace | None = None, **options: Any) -> openai.OpenAI:
    """An `openai.OpenAI` over a workspace, that of the user's settings if none is given.

    `options` are those of that class. Raises `UsageError` if the package is not installed.
    """
    http = httpx2.Client(transport=_Transport(workspace or shared()))
    made: openai.OpenAI = _package().OpenAI(http_client=http, **_given(options))
    return made


def async_client(workspace: Workspace | None = None, **options: Any) -> openai.AsyncOpenAI:
    """The same as an `openai.AsyncOpenAI`, for any event loop."""
    http = httpx2.AsyncClient(transport=_AsyncTransport(workspace or shared()))
    made: openai.AsyncOpenAI = _package().AsyncOpenAI(http_client=http, **_given(options))
    return made


def _package() -> Any:
    try:
        import openai
    except ImportError as error:
        raise errors.UsageError(
            "jan.openai() needs the openai package: `pip install 'jan-jupyter[openai]'`."
        ) from error
    return openai


def _given(options: dict[str, Any]) -> dict[str, Any]:
    # The router keeps the keys, tries again where that helps, and waits for what is starting.
    ours = {"base_url": BASE_URL, "api_key": "unused", "max_retries": 0, "timeout": None}
    return {**ours, **options}


async def _respond(workspace: Workspace, request: httpx2.Request, body: bytes) -> api.Response:
    """The answer; as over a network, a time without a byte that is too long ends it."""
    asked = api.Request(
        request.method,
        request.url.raw_path.decode("ascii").partition("?")[0].removeprefix("/v1"),
        dict(request.url.params),
        body,
    )
    with _limited(request):
        async with asyncio.timeout(_patience(request)):
            answer = await api.respond(workspace, asked)
    if isinstance(answer.body, bytes):
        return answer
    return replace(answer, body=_timed(answer.body, request))


async def _timed(
    pieces: AsyncGenerator[bytes, None], request: httpx2.Request
) -> AsyncGenerator[bytes, None]:
    async with aclosing(pieces):
        with _limited(request):
            while True:
                async with asyncio.timeout(_patience(request)):
                    piece = await anext(pieces, None)
                if piece is None:
                    return
                yield piece


def _patience(request: httpx2.Request) -> float | None:
    """Seconds that may pass without a byte, as the caller has set them (`timeout`)."""
    seconds: float | None = request.extensions.get("timeout", {}).get("read")
    return seconds


@contextmanager
def _limited(request: httpx2.Request) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise httpx2.ReadTimeout(
            f"There was nothing for {_patience(request)} s (`timeout`).", request=request
        ) from error


def _made(answer: api.Response, streamed: type[_Body | _AsyncBody]) -> httpx2.Response:
    if isinstance(answer.body, bytes):
        return httpx2.Response(answer.status, headers=answer.headers, content=answer.body)
    return httpx2.Response(answer.status, headers=answer.headers, stream=streamed(answer.body))


class _Transport(httpx2.BaseTransport):
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = bridge.wait(_respond(self._workspace, request, request.read()))
        return _made(answer, _Body)


class _Body(httpx2.SyncByteStream):
    def __init__(self, pieces: AsyncGenerator[bytes, None]) -> None:
        self._pieces = pieces
        self._iterator: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        self._iterator = bridge.iterate(self._pieces)
        return self._iterator

    def close(self) -> None:
        if self._iterator is None:
            bridge.wait(self._pieces.aclose())
        elif hasattr(self._iterator, "close"):
            self._iterator.close()


class _AsyncTransport(httpx2.AsyncBaseTransport):
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = await bridge.await_(_respond(self._workspace, request, await request.aread()))
        return _made(answer, _AsyncBody)


class _AsyncBody(httpx2.AsyncByteStream):
    def __init__(self, pieces: AsyncGenerator[bytes, None]) -> None:
        self._pieces = pieces
        self._iterator: bridge.aiterate[bytes] | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._iterator = bridge.aiterate(self._pieces)
        return self._iterator

    async def aclose(self) -> None:
        if self._iterator is None:
            await bridge.await_(self._pieces.aclose())
        else:
            await self._iterator.aclose()
