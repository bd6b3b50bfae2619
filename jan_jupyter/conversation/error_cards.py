"""An error as a card: what happened in a few words, the whole line, and what a click may mend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from ..errors import JanError
from .protocol import ErrorCard

Mend = Literal["retry", "model", "settings", ""]

_KINDS: Mapping[str, tuple[str, Mend]] = {
    "model_not_found": ("No such model", "model"),
    "model_not_ready": ("The model is not ready", "model"),
    "model_broken": ("The model cannot be read", "model"),
    "engine_not_found": ("No such engine", "model"),
    "engine_unavailable": ("The engine cannot start here", "model"),
    "auth": ("The key was refused", "model"),
    "permission": ("The key may not do this", "model"),
    "billing": ("No credit is left", "model"),
    "not_found": ("The server does not know the model", "model"),
    "rate_limit": ("Too many requests", "retry"),
    "overloaded": ("The server is overloaded", "retry"),
    "loading": ("The model is still loading", "retry"),
    "context_length": ("Too long for this model", "settings"),
    "content_filter": ("Refused by a content filter", ""),
    "bad_request": ("The server refused the request", "settings"),
    "server": ("The server failed", "retry"),
    "timeout": ("Nothing came for too long", "retry"),
    "connection": ("The server cannot be reached", "model"),
    "stream_broken": ("The answer was cut off", "retry"),
    "worker_died": ("The model’s process ended", "retry"),
    "malformed": ("The server sent something odd", "retry"),
}


INTERRUPTED: ErrorCard = {
    "title": "Not answered yet",
    "message": "Whoever asked this ended before the answer was there.",
    "mend": "retry",
}


def error_card(error: BaseException) -> ErrorCard:
    """The card of an error. Foreign errors name their class; nothing else of them is shown."""
    if isinstance(error, JanError):
        title, mend = _KINDS.get(error.kind, ("It did not work", ""))
        return {"title": title, "message": str(error), "mend": mend}
    message = f"{type(error).__name__}: {error}"
    return {"title": "Something went wrong", "message": message, "mend": "retry"}


def saved_card(message: str) -> ErrorCard:
    """The card of an error that a thread tells of."""
    return {"title": "This was not answered", "message": message, "mend": "retry"}


def unsaved_card(error: BaseException) -> ErrorCard:
    """The card of a whole answer that its thread could not take."""
    message = f"{error.__cause__ or error} It is written with the next question."
    return {"title": "Not in the thread yet", "message": message, "mend": ""}
