"""Values as JSON can hold them, and a page can show them: text, finite numbers, lists."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from ...redaction import is_secret_name
from ...types import Message
from ..keeping.written import text_of
from . import protocol

MASK = "…"
LONGEST_ADDRESS = 200
"""So much of an image that stands in a request is shown."""


def text(value: object) -> str:
    """As text that UTF-8 can hold: two halves of a character become one, half a one a sign."""
    found = value if isinstance(value, str) else str(value)
    try:
        found.encode()
    except UnicodeEncodeError:
        return found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return found


def value(given: Any) -> str:
    """What is expected, or a variable: text as it is, all else as JSON."""
    return text(given if isinstance(given, str) else text_of(given))


def number(given: Any, digits: int | None = None) -> float | None:
    """A finite number, or nothing: JSON has no others."""
    if given is None or not math.isfinite(found := float(given)):
        return None
    return found if digits is None else round(found, digits)


def cut(long: str, most: int) -> str:
    return long if len(long) <= most else f"{long[: max(0, most - 1)]}…"


def said(message: Message, most: int) -> protocol.Said:
    parts = () if isinstance(message.content, str) else message.content
    images = sum(part.get("type") == "image_url" for part in parts)
    return {"role": text(message.role), "text": cut(text(message.text), most), "images": images}


def own(values: Mapping[str, Any]) -> list[str]:
    """What a contestant has of its own, without keys."""
    return [f"{text(name)}={_shown(name, one)}" for name, one in values.items()]


def _shown(name: str, given: Any) -> str:
    return MASK if is_secret_name(name) else value(_masked(given))


def request(written: Any) -> str:
    """A request as people read it, without keys, and without the bytes of images."""
    shown = json.dumps(_masked(written), ensure_ascii=False, indent=2, default=str)
    return text(shown)


def _masked(given: Any) -> Any:
    if isinstance(given, Mapping):
        return {
            text(name): MASK if isinstance(one, str) and is_secret_name(str(name)) else _masked(one)
            for name, one in given.items()
        }
    if isinstance(given, str):
        return cut(given, LONGEST_ADDRESS) if given.startswith("data:") else given
    if isinstance(given, Sequence) and not isinstance(given, bytes):
        return [_masked(one) for one in given]
    return given
