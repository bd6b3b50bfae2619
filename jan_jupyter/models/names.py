"""From the id of a model, which may be anything, to the folder that it gets."""

from __future__ import annotations

import hashlib
import re
import unicodedata

MAX_PART = 80  # bytes; file systems allow 255, and Windows 260 for a whole path
MAX_PARTS = 4

_SEPARATORS = re.compile(r"[/\\:]")
_FORBIDDEN = frozenset('<>"|?*')  # on Windows
_TELLING = frozenset('./\\:<>"|?*')
_DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [f"{device}{number}" for device in ("COM", "LPT") for number in "0123456789¹²³"]
)
_SKIPPED = {"config"}  # no model is looked for there


def folder_parts(name: str) -> tuple[str, ...]:
    """The folders, one inside the other, for a model of this id: at least one, safe everywhere.

    `/` and `:` of an id part folders, as in Jan. No part is hidden, leads elsewhere, is a device of
    Windows or longer than file systems allow; different ids may get the same folder.
    """
    parts = [part for part in map(_part, _SEPARATORS.split(name)) if part]
    if len(parts) > MAX_PARTS:
        parts[MAX_PARTS - 1 :] = ["-".join(parts[MAX_PARTS - 1 :])]
    parts = [_short(part) for part in parts] or ["model"]
    if parts[0].casefold() in _SKIPPED:
        parts[0] += "_"
    return tuple(parts)


def _part(text: str) -> str:
    plain = "".join(map(_character, unicodedata.normalize("NFC", text)))
    plain = plain.strip(" .")
    device = plain.partition(".")[0].rstrip().upper()
    return f"_{plain}" if device in _DEVICES else plain


def _character(character: str) -> str:
    """Itself, unless some system reads it as something else, or shows nothing for it."""
    if character in _FORBIDDEN or unicodedata.category(character)[0] == "C":
        return "-"
    if character.isspace():
        return " "
    same = unicodedata.normalize("NFKC", character)
    return "-" if same != character and not _TELLING.isdisjoint(same) else character


def _short(part: str) -> str:
    data = part.encode()
    if len(data) <= MAX_PART:
        return part
    start = data[: MAX_PART - 10].decode("utf-8", "ignore").rstrip(" .")
    return f"{start}-{hashlib.sha256(data).hexdigest()[:9]}"
