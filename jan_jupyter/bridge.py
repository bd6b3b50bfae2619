"""One background event loop owns all I/O; every blocking face waits for it here.

`wait` for a coroutine; a `Pump` for a stream: it runs an async iterator on the background loop
and hands its items to whoever drains it, in a thread or in another loop. Stopping either way
closes the iterator on the loop.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import sys
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")

HEARTBEAT = 0.05
"""Seconds: a wait wakes so often, so that an interrupt is seen (an idle loop does not see it)."""

LEAVING = 2.0
"""Seconds that whoever leaves an iteration waits at most until it has ended: milliseconds do."""

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_thread: threading.Thread | None = None
_owner: int | None = None
_at_close: list[Callable[[], Coroutine[Any, Any, None]]] = []


def loop() -> asyncio.AbstractEventLoop:
    """The background loop, started at first use; a forked child gets one of its own."""
    global _loop, _thread, _owner
    with _lock:
        if _loop is None or _owner != os.getpid() or _loop.is_closed():
            _loop, _owner = asyncio.new_event_loop(), os.getpid()
            # Its threads wait for disks and locks; a few that wait long hold up no others.
            _loop.set_default_executor(ThreadPoolExecutor(64, "jan-jupyter-disk"))
            _thread = threading.Thread(target=_loop.run_forever, name="jan-jupyter", daemon=True)
            _thread.start()
            atexit.unregister(_shut_down)
            atexit.register(_shut_down)
        return _loop


def submit(coroutine: Coroutine[Any, Any, T]) -> Future[T]:
    """Run a coroutine on the background loop, in the caller's context."""
    return asyncio.run_coroutine_threadsafe(coroutine, loop())


class _Errand(Generic[T]):
    """A coroutine for the background loop that can be left at any moment.

    An interrupt may come when it runs already, and its starter has no future of it yet.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine
        self._task: asyncio.Task[Any] | None = None
        self._future: Future[T] | None = None
        self._left = False

    def start(self) -> Future[T]:
        self._future = submit(self._run())
        return self._future

    async def _run(self) -> T:
        self._task = asyncio.current_task()
        if self._left and self._task is not None:
            self._task.cancel()
        return await self._coroutine

    def leave(self) -> None:
        """Cancel it; returns at once."""
        self._left = True
        if self._future is not None:
            self._future.cancel()  # then nobody hears how it ends
        elif (task := self._task) is not None and not task.done():
            with contextlib.suppress(RuntimeError):  # its loop may be closed
                task.get_loop().call_soon_threadsafe(task.cancel)


def wait(coroutine: Coroutine[Any, Any, T]) -> T:
    """Block until the coroutine is done; `KeyboardInterrupt` cancels it first.

    A loop that already runs in this thread keeps turning meanwhile, where that is safe.
    """
    if _on_own_loop():
        coroutine.close()
        raise RuntimeError("A blocking call of jan_jupyter was made on its own background loop.")
    errand = _Errand(coroutine)
    try:
        future = errand.start()
        if (running := _pumpable_loop()) is not None:
            return _nested(running, _beating(future))
        while True:
            # Timeouts, because Windows cannot interrupt a wait without one.
            with contextlib.suppress(TimeoutError):
                return future.result(HEARTBEAT)
            if future.done():
                return future.result()
    except BaseException:
        errand.leave()
        raise


async def await_(coroutine: Coroutine[Any, Any, T]) -> T:
    """Await, in any loop, what runs on the background loop."""
    errand = _Errand(coroutine)
    try:
        return await _beating(errand.start())
    except BaseException:
        errand.leave()
        raise


async def _beating(future: Future[T]) -> T:
    with _awake():
        return await asyncio.wrap_future(future)


class _Heart:
    """Wakes a loop at every heartbeat while anybody waits in it, so that it sees an interrupt.

    One timer for all who wait: hundreds of requests under way would spend their time waking.
    """

    def __init__(self) -> None:
        self._waiting = 0
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        self._waiting += 1
        if self._timer is None:
            self._beat(asyncio.get_running_loop())

    def __exit__(self, *_: object) -> None:
        self._waiting -= 1
        if not self._waiting and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(HEARTBEAT, self._beat, loop)


_hearts: WeakKeyDictionary[asyncio.AbstractEventLoop, _Heart] = WeakKeyDictionary()


def _awake() -> _Heart:
    """`with` it, a wait in the running loop sees an interrupt."""
    return _hearts.setdefault(asyncio.get_running_loop(), _Heart())


class Pump(Generic[T]):
    """Runs an async iterator on the background loop and buffers what it yields.

    `wake` is called on the background loop's thread, once after each `drain` that emptied the
    buffer, and when `done` becomes true. `error` holds what ended the iterator, if anything did.
    """

    def __init__(self, items: AsyncGenerator[T, None], wake: Callable[[], object]) -> None:
        self._items = items
        self._buffer: deque[T] = deque()
        self._wake = wake
        self._woken = False
        self.done = False
        self.error: BaseException | None = None
        self._errand = _Errand(self._run())
        self._started = False

    def start(self) -> None:
        """Begin; asked again, it goes on."""
        if not self._started:
            self._started = True
            self._errand.start()

    async def _run(self) -> None:
        try:
            async with contextlib.aclosing(self._items):
                async for item in self._items:
                    self._buffer.append(item)
                    if not self._woken:
                        self._woken = True
                        self._wake()
        except BaseException as error:
            self.error = error
        finally:
            self.done = True
            self._wake()

    def drain(self) -> list[T]:
        """What came since the last call."""
        self._woken = False  # before emptying: what comes from now on wakes again
        buffer, items = self._buffer, []
        while buffer:
            items.append(buffer.popleft())
        return items

    def cancel(self) -> None:
        """Stop the iterator, which closes its socket; returns at once."""
        self._errand.leave()


def iterate(items: AsyncGenerator[T, None]) -> Generator[T, None, None]:
    """Iterate, blocking, over what an async iterator yields on the background loop."""
    if _on_own_loop():
        raise RuntimeError("A blocking call of jan_jupyter was made on its own background loop.")
    if (running := _pumpable_loop()) is not None:
        yield from _iterate_nested(items, running)
        return
    ready = threading.Event()
    pump = Pump(items, ready.set)
    try:
        pump.start()
        while True:
            ready.wait(HEARTBEAT)
            ready.clear()
            done = pump.done  # read before draining, so that nothing can slip in between
            yield from pump.drain()
            if done:
                break
        if pump.error is not None:
            raise pump.error
    finally:
        pump.cancel()
        end = monotonic() + LEAVING
        while not pump.done and monotonic() < end:
            ready.wait(HEARTBEAT)
            ready.clear()


def _iterate_nested(
    items: AsyncGenerator[T, None], running: asyncio.AbstractEventLoop
) -> Generator[T, None, None]:
    pieces = aiterate(items)
    try:
        while True:
            try:
                yield _nested(running, anext(pieces))
            except StopAsyncIteration:
                return
    finally:
        _nested(running, pieces.aclose())


class aiterate(Generic[T]):  # noqa: N801  it is used as a function
    """Iterate, in any loop, over what an async iterator yields on the background loop.

    No generator: one that is left by a `break` is closed only when its loop comes to it; this stops
    at once.
    """

    def __init__(self, items: AsyncGenerator[T, None]) -> None:
        self._items = items
        self._got: deque[T] = deque()
        self._ready = asyncio.Event()
        self._pump: Pump[T] | None = None

    def __aiter__(self) -> aiterate[T]:
        return self

    async def __anext__(self) -> T:
        if self._pump is None:
            here = asyncio.get_running_loop()
            ready = self._ready

            def wake() -> None:
                with contextlib.suppress(RuntimeError):  # the reader's loop may be gone already
                    here.call_soon_threadsafe(ready.set)

            self._pump = Pump(self._items, wake)
        try:
            self._pump.start()
            while not self._got:
                done = self._pump.done  # read before draining, so that nothing can slip in between
                self._got.extend(self._pump.drain())
                if self._got:
                    break
                if done:
                    raise self._pump.error or StopAsyncIteration
                with _awake():
                    await self._ready.wait()
                self._ready.clear()
        except BaseException:
            self._pump.cancel()
            raise
        return self._got.popleft()

    async def aclose(self) -> None:
        """Stop; returns when it has ended, or nearly at once if that takes its time."""
        end = monotonic() + LEAVING
        if self._pump is not None:
            self._pump.cancel()
            while not self._pump.done and monotonic() < end:
                await heartbeat(self._ready)

    def __del__(self) -> None:
        if self._pump is not None and not self._pump.done:
            self._pump.cancel()


async def heartbeat(ready: asyncio.Event) -> None:
    """Wait until `ready` is set, but never longer than a heartbeat; clears it.

    (Not `asyncio.wait_for`: in Python 3.11 it can swallow a cancellation.)
    """
    timer = asyncio.get_running_loop().call_later(HEARTBEAT, ready.set)
    try:
        await ready.wait()
    finally:
        timer.cancel()
    ready.clear()


def at_close(close: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run `close` on the background loop when the process ends."""
    _at_close.append(close)


def _shut_down() -> None:
    # Daemon threads still run while atexit's functions do.
    if _loop is None or _owner != os.getpid() or not _loop.is_running():
        return

    async def end() -> None:
        current = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not current]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for close in _at_close:
            with contextlib.suppress(Exception):
                await close()

    with contextlib.suppress(Exception):
        submit(end()).result(2)
    _loop.call_soon_threadsafe(_loop.stop)
    if _thread is not None:
        _thread.join(1)
    if not _loop.is_running():
        _loop.close()


def _on_own_loop() -> bool:
    return _loop is not None and _running_loop() is _loop


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _pumpable_loop() -> asyncio.AbstractEventLoop | None:
    """This thread's running loop, patched to run nested, where that is safe; else `None`.

    Never in an ipykernel of 7 or later: each shell message is a task in one shared context there,
    and a nested loop drops messages (measured with ipykernel 7.4).
    """
    running = _running_loop()
    if running is None:
        return None
    ipykernel = sys.modules.get("ipykernel")
    if ipykernel is not None and _in_kernel() and ipykernel.version_info[0] >= 7:
        return None
    try:
        import nest_asyncio

        nest_asyncio.apply(running)
    except (ImportError, ValueError):  # not installed; a loop that is not asyncio's (uvloop)
        return None
    return running


def _nested(running: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    """Run it in a loop that runs, which `_pumpable_loop` gave.

    The turn that the loop is in may have begun before it was patched: then it has counted what was
    ready, and fails if there is less. What ran meanwhile is made up for with what does nothing.
    """
    ready = getattr(running, "_ready", ())
    counted = len(ready)
    try:
        return running.run_until_complete(work)
    finally:
        for _ in range(counted - len(ready)):
            running.call_soon(lambda: None)


def _in_kernel() -> bool:
    application = sys.modules.get("ipykernel.kernelapp")
    return application is not None and application.IPKernelApp.initialized()
