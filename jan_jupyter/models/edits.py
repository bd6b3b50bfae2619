"""What an edit makes of the text of a description; pure, and nothing that was not asked is changed.

`model.json` is written anew with its fields in their order and with its indent. `model.yml` is
changed line by line, so that its comments stay. What cannot be kept (comments in JSON) is refused.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from typing import Any

from ..errors import ModelBroken, UsageError
from ..parameters import GROUPS, OLD_GROUPS, OLD_NAMES
from ..reading import parse_json, parse_yaml
from . import disk

_TOP = ("name", "description", "version", "engine", "format", "sources", "created", "owned_by")


def place_of(key: str) -> tuple[str, str]:
    """In which group of a `model.json` a key belongs (empty: at the top), and its name there.

    `settings.NAME`, `parameters.NAME` and `metadata.NAME` may hold any name. Raises `UsageError`
    for a name alone that we do not know.
    """
    group, dot, name = key.partition(".")
    if dot and name and group in GROUPS:
        return group, name
    key = OLD_NAMES.get(key, key)
    if key in _TOP:
        return "", key
    for group, names in GROUPS.items():
        if key in names:
            return group, key
    if key == "id":
        raise UsageError("The id of a model cannot be edited: import it under another one.")
    raise UsageError(
        f"No field is called {key!r}; settings.{key}, parameters.{key} or metadata.{key} would set"
        " one of any name."
    )


def fitted(key: str, value: Any) -> tuple[str, str, Any]:
    """Group, name and value of an edit. Raises `UsageError` for a value that cannot fit."""
    group, name = place_of(key)
    cast = GROUPS.get(group, {}).get(OLD_NAMES.get(name, name))
    if cast is not None and value is not None:
        try:
            value = cast(value)
        except ValueError as error:
            raise UsageError(f"{key}: {value!r:.80} {error}.") from None
    return group, name, value


# JSON -------------------------------------------------------------------------------------------


def edited_json(text: str, where: str, changes: Mapping[str, Any]) -> str:
    """The text of a `model.json` with these values; `None` takes a field away."""
    try:
        raw = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        parse_json(text, where)  # tells what is wrong, unless it is what we would lose
        raise UsageError(
            f"{where} holds comments, trailing commas or a field twice, which would be lost: edit"
            " it by hand."
        ) from None
    if not isinstance(raw, dict):
        raise ModelBroken(f"{where}, line 1: not an object")
    new = copy.deepcopy(raw)
    for key, value in changes.items():
        group, name, value = fitted(key, value)
        place = _group(new, group, value is not None)
        if value is None:
            for spelling in _spellings(place, name):
                del place[spelling]
        else:
            place[next(iter(_spellings(place, name)), name)] = value
    if new == raw:
        return text
    indent = re.search(r"^([ \t]+)\S", text, re.MULTILINE)
    try:
        return disk.to_json(new, indent[1] if indent else 2)
    except ValueError as error:  # NaN, infinity
        raise UsageError(f"{where}: {error}.") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a field twice")
    return found


def _group(raw: dict[str, Any], group: str, make: bool) -> dict[str, Any]:
    """The object that holds a group's fields, under the name that the file has for it."""
    if not group:
        return raw
    for name in (group, *OLD_GROUPS.get(group, ())):
        if isinstance(raw.get(name), dict):
            found: dict[str, Any] = raw[name]
            return found
    if make:
        raw[group] = {}
        return raw[group]  # type: ignore[no-any-return]
    return {}


def _spellings(place: Mapping[str, Any], name: str) -> list[str]:
    """The keys of a place that mean this name, that of today first."""
    return sorted((k for k in place if name in (k, OLD_NAMES.get(k))), key=lambda k: k != name)


# YAML -------------------------------------------------------------------------------------------

_TOP_LINE = re.compile(
    r"""(?:(?P<q>["'])(?P<quoted>.*?)(?P=q)|(?P<plain>[^\s#:"'\-][^:#]*?))\s*:(?=\s|$)"""
)
_COMMENT = re.compile(r"""[^"'\n]*?(\s+#[^\n]*)?\n?\Z""")


def edited_yaml(text: str, where: str, changes: Mapping[str, Any]) -> str:
    """The text of a flat `model.yml` with these values; `None` takes a field away.

    Raises `UsageError` if the file is written so oddly that another field would change too.
    """
    raw = parse_yaml(text, where)
    if not isinstance(raw, Mapping):
        raise ModelBroken(f"{where}, line 1: not a mapping")
    expected = dict(raw)
    for key, value in changes.items():
        _, name, value = fitted(key, value)
        keys = _spellings({str(k): v for k, v in raw.items()}, name)
        if value is None:
            for old in keys:
                expected.pop(old, None)
                text = _without(text, old)
            continue
        written = keys[0] if keys else name
        expected[written] = value
        text = _with(text, written, json.dumps(value, ensure_ascii=False))
    try:
        found = parse_yaml(text, where)
    except ModelBroken:
        found = None
    if (found or {}) != expected:
        raise UsageError(f"{where} is written so that we cannot change it safely: edit it by hand.")
    return text


def _blocks(text: str) -> list[tuple[str, str]]:
    """The lines of a flat mapping in groups, each with the key that it begins with."""
    blocks: list[tuple[str, str]] = []
    for line in text.splitlines(keepends=True):
        match = _TOP_LINE.match(line)
        if match:
            blocks.append((match["quoted"] or (match["plain"] or "").strip(), line))
        elif blocks and (line[:1] in " \t-" or not line.strip()) and not _ends(line):
            blocks[-1] = (blocks[-1][0], blocks[-1][1] + line)
        else:
            blocks.append(("", line))
    return blocks


def _ends(line: str) -> bool:
    return line.startswith(("---", "..."))


def _with(text: str, key: str, value: str) -> str:
    blocks = _blocks(text)
    for index, (name, block) in enumerate(blocks):
        if name == key:
            comment = _COMMENT.match(block.rstrip())
            blank = block[len(block.rstrip()) :].partition("\n")[2]
            tail = (comment[1] if comment else None) or ""
            blocks[index] = (name, f"{key}: {value}{tail}\n{blank}")
            return "".join(block for _, block in blocks)
    return f"{text}{'' if not text or text.endswith(chr(10)) else chr(10)}{key}: {value}\n"


def _without(text: str, key: str) -> str:
    return "".join(block for name, block in _blocks(text) if name != key)
