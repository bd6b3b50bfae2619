"""Whoever leaves at the moment at which an answer begins leaves none that goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tornado.iostream import StreamClosedError

from jan_jupyter import api
from jan_jupyter.server.handling import Answering
from jan_jupyter.workspace import Workspace


class Asked(Answering):
    """A request whose connection is gone when the answer's head is written."""

    def __init__(self) -> None:
        self.house = cast(Any, SimpleNamespace(workspace=self._workspace))
        self.response, self._left = None, False

    async def _workspace(self) -> Workspace:
        return cast(Workspace, None)

    def _asked(self) -> api.Request:
        return api.Request("GET", "/")

    async def _write(self, response: api.Response) -> None:
        raise StreamClosedError


@pytest.mark.parametrize("late", [False, True], ids=["at its head", "before it is there"])
def test_no_answer_goes_on(late: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, closed = threading.Event(), threading.Event()

    async def pieces() -> AsyncGenerator[bytes, None]:
        try:
            yield b""
            yield b"never"
        finally:
            closed.set()

    async def respond(workspace: object, request: object) -> api.Response:
        await anext(body := pieces())
        asked.set()
        if late:  # a cancellation that comes as an answer does may be lost on its way
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(60)
        return api.Response(200, {}, body)

    async def leave() -> None:
        answer = asyncio.ensure_future(Asked()._answer())
        await asyncio.to_thread(asked.wait, 30)
        if late:
            answer.cancel()
        await asyncio.wait([answer])
        assert answer.cancelled() or isinstance(answer.exception(), StreamClosedError)

    monkeypatch.setattr(api, "respond", respond)
    asyncio.run(leave())
    assert closed.wait(30)
