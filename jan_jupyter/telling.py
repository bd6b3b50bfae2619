"""What watchers are told when a request does not end as it should."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from . import errors
from .engines.base import Engine
from .models.model import Model


@contextlib.contextmanager
def told(model: Model, engine: Engine) -> Iterator[None]:
    """Tell the watchers what went wrong; a fault in an engine's own code is named as one."""
    try:
        yield
    except errors.Replaced:
        engine.tell("ready", model)
        raise
    except errors.JanError as error:
        engine.tell("failed", model, message=str(error))
        raise
    except Exception as error:
        fault = errors.EngineError(
            f"Engine {engine.options.name} failed on model {model.id}: {type(error).__name__}:"
            f" {error}. This is a fault in the engine: tell those who make it.",
            model=model.id,
            engine=engine.options.name,
        )
        engine.tell("failed", model, message=str(fault))
        raise fault from error
