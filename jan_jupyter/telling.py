"""Who is told what happens, and what is told when a request does not end as it should."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from traceback import format_tb
from typing import Generic, ParamSpec

from . import errors
from .engines.base import Engine
from .models.model import Model

P = ParamSpec("P")

_log = logging.getLogger("jan_jupyter")


class Watchers(Generic[P]):
    """They are called whenever something happens; a fault of one is not that of what happens."""

    def __init__(self) -> None:
        self._watchers: list[Callable[P, None]] = []

    def add(self, watcher: Callable[P, None]) -> Callable[[], None]:
        """Call it from now on; returns how to stop that."""
        self._watchers.append(watcher)

        def leave() -> None:
            with contextlib.suppress(ValueError):
                self._watchers.remove(watcher)

        return leave

    def tell(self, *args: P.args, **kwargs: P.kwargs) -> None:
        for watcher in [*self._watchers]:
            with contextlib.suppress(Exception):
                watcher(*args, **kwargs)


def fault(error: Exception) -> errors.JanError:
    """What is wrong in our own code, as a line; where it is stands in the log alone."""
    kind = type(error).__name__
    # Without its words, in which may stand what was asked.
    _log.error("A request failed: %s\n%s", kind, "".join(format_tb(error.__traceback__)))
    return errors.JanError(f"This is a fault in jan_jupyter ({kind}): please report it.")


@contextlib.contextmanager
def told(model: Model, engine: Engine) -> Iterator[None]:
    """Tell the watchers what went wrong; a fault in an engine's own code is named as one."""
    try:
        yield
    except errors.Replaced:
        engine.tell("ready", model)
        raise
    except asyncio.CancelledError:
        if not engine.local:  # else who watches sees it loading for ever; a local one tells itself
            engine.tell("ready", model)
        raise
    except errors.JanError as error:
        engine.tell("failed", model, message=str(error))
        raise
    except Exception as error:
        theirs = errors.EngineError(
            f"Engine {engine.options.name} failed on model {model.id}: {type(error).__name__}:"
            f" {error}. This is a fault in the engine: tell those who make it.",
            model=model.id,
            engine=engine.options.name,
        )
        engine.tell("failed", model, message=str(theirs))
        raise theirs from error
