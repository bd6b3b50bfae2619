"""Whether a class keeps the promises of the seam; said when it is found, not at its first use."""

from __future__ import annotations

import inspect
from functools import cache

from .base import Engine

_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "chat": ("model", "request"),
    "complete": ("model", "prefix", "suffix", "parameters", "priority"),
    "load": ("model",),
    "unload": ("model",),
    "embed": ("model", "texts", "parameters"),
    "rerank": ("model", "query", "documents", "parameters"),
    "count": ("model", "request"),
    "speak": ("model", "text", "parameters"),
    "models": (),
    "running": (),
    "close": (),
    "preview": ("model", "request"),
}
"""How each method is called, by position."""
_STREAMS = {"chat", "complete"}
_PLAIN = {"preview"}


def refusal(found: object) -> str:
    """Why an object is no engine class; empty if it is one."""
    if not inspect.isclass(found) or not issubclass(found, Engine):
        return f"{found!r} is not a subclass of jan_jupyter.engines.base.Engine."
    return _refusal(found)


@cache
def _refusal(found: type[Engine]) -> str:
    name = found.__qualname__
    if missing := sorted(found.__abstractmethods__):
        return f"{name} lacks {', '.join(missing)}."
    if not (isinstance(getattr(found, "name", None), str) and found.name):
        return f"{name} lacks `name`, the text that a model.json gives as its engine."
    if wrong := _wrong_arguments(found, "__init__", ("options", "notify")):
        return wrong
    for method, arguments in _ARGUMENTS.items():
        if not hasattr(found, method):
            continue
        if wrong := _wrong_kind(found, method) or _wrong_arguments(found, method, arguments):
            return wrong
    return ""


def _wrong_kind(found: type[Engine], method: str) -> str:
    what = inspect.unwrap(getattr(found, method))
    coroutine = inspect.iscoroutinefunction(what)
    name = f"{found.__qualname__}.{method}"
    if method in _STREAMS:
        # A plain function may return an async generator that somebody else has made.
        if coroutine:
            return f"{name} is a coroutine, but must be an async generator: `yield` each Delta."
        if inspect.isgeneratorfunction(what):
            return f"{name} is a plain generator, but must be an async one: `async def`."
    elif method in _PLAIN:
        if coroutine or inspect.isasyncgenfunction(what):
            return f"{name} must be a plain function: `def`."
    elif not coroutine:
        return f"{name} must be a coroutine: `async def`."
    return ""


def _wrong_arguments(found: type[Engine], method: str, arguments: tuple[str, ...]) -> str:
    try:
        inspect.signature(getattr(found, method)).bind("self", *arguments)
    except TypeError as error:
        called = ", ".join(("self", *arguments))
        return f"{found.__qualname__}.{method} is called as {method}({called}), but: {error}."
    return ""
