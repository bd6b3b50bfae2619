"""How texts, numbers and amounts are written for people."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_HIDDEN = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff]|\r(?!\n)")
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""They turn the order of what follows them, so that it reads as something else."""


_ENDS = re.compile(r"\s*\n\s*")


def visible(text: str) -> str:
    """The text without anything that steers a terminal; what would turn the order of letters is
    written as its number."""
    text = _HIDDEN.sub("\ufffd", text.replace("\r\n", "\n"))
    return _TURNING.sub(lambda m: f"[U+{ord(m[0]):04X}]", text)


def line(text: object, longest: int = 0) -> str:
    """The text on one line, cut with an ellipsis at `longest` characters."""
    text = " ".join(visible(str(text)).split())
    return text if not longest or len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def on_one_line(text: str) -> str:
    """What is gone from a text, its line ends as signs: so it takes no lines."""
    return _ENDS.sub("⏎", text)


def width(text: str) -> int:
    """The columns of a terminal that a line takes."""
    if text.isascii():
        return len(text)
    wide = (unicodedata.east_asian_width(c) in "WF" for c in text)
    marks = sum(unicodedata.combining(c) > 0 or c in "\u200b\u200d\ufe0f" for c in text)
    return len(text) + sum(wide) - marks


def number(value: float) -> str:
    """A score: at most two digits after the point, more where it is small."""
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value):,}".replace("-", "−")
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.01 else 3
    return (f"{value:,.{digits}f}" if abs(value) >= 0.0005 else f"{value:.2g}").replace("-", "−")


def change(value: float) -> str:
    """A difference, always with its sign."""
    return f"+{number(value)}" if value > 0 else number(value)


def seconds(value: float) -> str:
    """A time: `120 ms`, `1.4 s`, `42 s`, `12 min`."""
    if value < 0.9995:
        return f"{value * 1000:.0f} ms"
    if value < 90:
        return f"{value:.1f} s" if value < 9.95 else f"{value:.0f} s"
    return f"{value / 60:.0f} min" if value < 5400 else f"{value / 3600:.1f} h"


def counted(count: int, one: str, more: str = "") -> str:
    """`1 answer`, `12 answers`."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def joined(parts: Iterable[str], by: str = " · ") -> str:
    return by.join(part for part in parts if part)
