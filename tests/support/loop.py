"""Catches whatever makes the background loop wait for a disk: a file, a listing, a lock on one."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

from jan_jupyter import bridge

_EVENTS = {
    *("open", "fcntl.flock", "fcntl.lockf", "glob.glob", "subprocess.Popen", "os.posix_spawn"),
    *(f"os.{name}" for name in ("listdir", "scandir", "mkdir", "rmdir", "remove", "rename")),
    *(f"os.{name}" for name in ("link", "symlink", "chmod", "truncate", "utime")),
}
_UNAUDITED = ("stat", "lstat", "access", "readlink", "fsync")
"""Functions of `os` that tell no audit hook."""


class LoopWatch:
    """What code on the background loop did with the disk while it was watched."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._thread: int | None = None

    def see(self, what: str, args: tuple[Any, ...]) -> None:
        if threading.get_ident() != self._thread:
            return
        frame = sys._getframe(2)
        if not _importing(frame):  # the first use of a module may read it
            self.found.append("\n    ".join([f"{what}{args[:1]}", *_calls(frame)]))

    @contextmanager
    def watching(self) -> Iterator[None]:
        async def thread() -> int:
            return threading.get_ident()

        self._thread = bridge.wait(thread())
        try:
            yield
        finally:
            self._thread = None
        assert not self.found, "on the background loop:\n\n" + "\n".join(self.found)


def _calls(frame: FrameType | None) -> Iterator[str]:
    """The innermost calls; without their source, which would have to be read."""
    for _ in range(8):
        if frame is not None:
            yield f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"
            frame = frame.f_back


def _importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


_watch: LoopWatch | None = None


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if _watch is not None and event in _EVENTS:
        _watch.see(event, args)


@contextmanager
def watched_loop() -> Iterator[None]:
    """While open, all that the loop does is watched; at the end nothing may have been found."""
    global _watch
    if not getattr(sys, "_jan_loop_hook", False):  # a hook cannot be taken away again
        sys.addaudithook(_hook)
        sys._jan_loop_hook = True  # type: ignore[attr-defined]
    watch = LoopWatch()

    def telling(name: str) -> Any:
        real = getattr(os, name)

        def tell(*args: Any, **options: Any) -> Any:
            watch.see(f"os.{name}", args)
            return real(*args, **options)

        return tell

    with pytest.MonkeyPatch.context() as patch:
        for name in _UNAUDITED:
            patch.setattr(os, name, telling(name))
        _watch = watch
        try:
            with watch.watching():
                yield
        finally:
            _watch = None
