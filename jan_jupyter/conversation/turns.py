"""A turn as the front end shows it, from what the thread keeps."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..threads import ThreadMessage
from ..types import Message, ended_early, measured
from . import error_cards
from .protocol import Context, Turn

_BEGIN, _END = '<context label="', "</context>"
_TAG, _QUOTED = re.compile(r"<(?=/?context)"), r"<\\"
_CONTEXT = re.compile(r'\n\n<context label="([^"\n]*)">\n(.*?)\n</context>', re.DOTALL)
_STATUS: Mapping[str, Any] = {
    "ready": "done",
    "stopped": "stopped",
    "error": "error",
    "pending": "interrupted",
}


def with_context(text: str, context: Sequence[Context]) -> str:
    """A question and what goes with it, as the model reads it (and the thread keeps it)."""
    parts = [
        f'\n\n{_BEGIN}{one["label"]}">\n{_TAG.sub(_QUOTED, one["text"])}\n{_END}' for one in context
    ]
    return text + "".join(parts)


def question(
    text: str, context: Sequence[Context], others: Sequence[Mapping[str, Any]] = ()
) -> Message:
    """What is asked: a text with what goes with it, and parts that are no text (images)."""
    content = with_context(text, context)
    if not others:
        return Message("user", content)
    return Message("user", [*([{"type": "text", "text": content}] if content else []), *others])


def split_context(text: str) -> tuple[str, list[Context]]:
    """The opposite of `with_context`."""
    found: list[Context] = []
    end = len(text)
    while match := _last(text[:end]):
        found.insert(0, {"label": match[1], "text": match[2]})
        end = match.start()
    return text[:end], found


def _last(text: str) -> re.Match[str] | None:
    """The context with which a text ends."""
    if not text.endswith("\n</context>"):
        return None
    at = text.rfind('\n\n<context label="')
    return _CONTEXT.fullmatch(text, at) if at >= 0 else None


def turn_of(message: ThreadMessage, id: str, versions: Sequence[str]) -> Turn:
    text = message.text
    context: list[Context] = []
    if message.role == "user":
        text, context = split_context(text)
    error = error_cards.saved_card(message.error) if message.error else None
    return {
        "id": id,
        "role": message.role,
        "text": text,
        "reasoning": message.reasoning,
        "images": images(message.content),
        "context": context,
        "status": _STATUS[message.status],
        "wait": "",
        "model": message.model,
        "engine": message.engine,
        "footer": footer(message),
        "cut": message.finish == "length" or (message.status == "pending" and bool(message.text)),
        "error": error,
        "versions": [*versions],
        "columns": [],
        "column": "",
        "compared": False,
        "seq": 0,
    }


def images(content: str | Sequence[Mapping[str, Any]]) -> list[str]:
    """The images of a turn that the page may show: those that are in it, never an address."""
    if isinstance(content, str):
        return []
    return [part["image_url"]["url"] for part in content if is_shown(part)]


def is_shown(part: Mapping[str, Any]) -> bool:
    """Whether a part of a turn is an image that the page may show."""
    url = str((part.get("image_url") or {}).get("url", ""))
    return part.get("type") == "image_url" and url.startswith("data:image/")


def footer(message: ThreadMessage) -> list[str]:
    """Tokens, speed, first token, and why it ended early."""
    if message.role != "assistant":
        return []
    finish = "cancelled" if message.status == "stopped" else message.finish
    error = message.error if message.text else None  # a card says why; nothing was cut off
    early = "interrupted" if message.status == "pending" else ended_early(finish, error)
    return [*measured(message.usage, message.timings), *([early] if early else [])]
