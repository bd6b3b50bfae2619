"""What is the user's runs in the kernel's own thread, which a busy cell keeps busy."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from .. import bridge

T = TypeVar("T")


def listen_while_busy(comm: Any) -> None:
    """Let the front end choose the subshell for its messages.

    ipykernel 7.4 remembers where a comm was used last and sends everything there: a widget made in
    a cell would hear nothing while that thread is busy.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = None


class KernelThread:
    """The thread in which it was made: a kernel's own. Without a loop: one beside it."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._waiting: deque[Callable[[], None]] = deque()
        self._one_at_a_time = threading.RLock()
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
            self._beside = ThreadPoolExecutor(1, "jan-jupyter-panel")

    def call(self, function: Callable[[], T]) -> Future[T]:
        """Run `function` there as soon as no cell is running; returns at once."""
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)

        self._waiting.append(run)
        if self._loop is None:
            self._beside.submit(self._run_waiting)
        else:
            with contextlib.suppress(RuntimeError):  # the kernel ends
                self._loop.call_soon_threadsafe(self._run_waiting)
        return future

    def wait(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Wait for what runs on the background loop, which may need this very thread meanwhile."""
        if threading.get_ident() != self._thread:
            bridge.wait(coroutine)
            return
        future = bridge.submit(coroutine)
        try:
            while not future.done():
                self._run_waiting()
                with contextlib.suppress(TimeoutError):
                    future.result(bridge.HEARTBEAT)
            self._run_waiting()
            future.result()
        except BaseException:
            future.cancel()
            raise

    def _run_waiting(self) -> None:
        with self._one_at_a_time:
            while self._waiting:
                self._waiting.popleft()()
