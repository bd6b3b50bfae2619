"""Tolerant reading: text, JSON, JSON with comments, YAML; values made to fit."""

from __future__ import annotations

import functools
import json
import math
import os
import re
import reprlib
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from .errors import ModelBroken

MAX_JSON = 8 * 2**20
MAX_YAML = 2**18  # PyYAML takes seconds for more; real ones have a few kilobytes
_LONGEST_NUMBER = 400  # digits; more than any float has, and Python refuses to read 4,300

# Files ------------------------------------------------------------------------------------------


def read_json(path: Path) -> Any:
    """What a JSON file holds. Raises `ModelBroken` naming file, line and reason."""
    return parse_json(read_text(path, MAX_JSON), str(path))


def read_yaml(path: Path) -> Any:
    """What a YAML file holds. Raises `ModelBroken` naming file, line and reason."""
    return parse_yaml(read_text(path, MAX_YAML), str(path))


def read_text(path: Path, limit: int = MAX_JSON) -> str:
    """The text of a UTF-8 file of at most `limit` bytes, without its byte-order mark."""
    return decoded(read_bytes(path, limit)[0], path)


def read_bytes(path: Path | str, limit: int) -> tuple[bytes, os.stat_result]:
    """The bytes of a file of at most `limit`, and in which state it was before they were read."""
    try:
        # Not to wait for a pipe, which would never answer.
        handle = os.open(path, os.O_RDONLY | _NO_WAIT)
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise ModelBroken(f"{path}: not a file")
            data = os.read(handle, min(limit, status.st_size) + 1)
            if len(data) != status.st_size:  # it grows, or the system gives less at once
                while 0 < len(data) <= limit and (more := os.read(handle, limit + 1 - len(data))):
                    data += more
        finally:
            os.close(handle)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise ModelBroken(f"{path}: cannot be read: {reason or error}") from error
    if len(data) > limit:
        raise ModelBroken(f"{path}: longer than {limit:,} bytes")
    return data, status


_NO_WAIT: int = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def decoded(data: bytes, path: Path | str) -> str:
    """The text of a UTF-8 file, without its byte-order mark; `path` names it in errors."""
    try:
        return data.decode() if data[:3] != _MARK else data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ModelBroken(f"{path}, line {line}: not UTF-8 text") from error


_MARK = "\ufeff".encode()

# Formats ----------------------------------------------------------------------------------------

# Strings come first in both, so that nothing inside one is touched. Every alternative also matches
# at the end of the text: one unterminated string or comment must not be looked at twice.
_STRING = r'"(?:[^"\\]++|\\.)*+(?:"|\Z|\\\Z)'
_COMMENT = re.compile(rf"{_STRING}|(//[^\n]*|/\*.*?(?:\*/|\Z))", re.DOTALL)
_TRAILING_COMMA = re.compile(rf"{_STRING}|,(?=\s*+[\]}}])", re.DOTALL)


def parse_json(text: str, where: str) -> Any:
    """Strict JSON, else without comments and trailing commas; `where` names it in errors."""
    if not text or text.isspace():
        raise ModelBroken(f"{where}, line 1: the file is empty")
    try:
        try:
            return _loads(text)
        except ValueError:
            return _loads(_plain_json(text))
    except json.JSONDecodeError as error:
        raise ModelBroken(f"{where}, line {error.lineno}: {error.msg}") from error
    except RecursionError as error:
        raise ModelBroken(f"{where}, line 1: nested too deeply") from error


def _loads(text: str) -> Any:
    try:
        return _fast(text)
    except json.JSONDecodeError:
        raise
    except ValueError:  # a whole number of thousands of digits
        return _careful(text)


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else math.inf


_fast = json.JSONDecoder().decode
_careful = json.JSONDecoder(parse_int=_whole_number).decode


def _plain_json(text: str) -> str:
    """`text` without comments and trailing commas; lines keep their numbers."""
    text = _COMMENT.sub(lambda m: "\n" * m[1].count("\n") + " " if m[1] else m[0], text)
    return _TRAILING_COMMA.sub(lambda m: m[0] if m[0] != "," else " ", text)


_INDENT = re.compile(r"^[ \t\u00a0]*", re.MULTILINE)
_ODD_INDENT = re.compile(r"^[ \t]*\u00a0", re.MULTILINE)


def parse_yaml(text: str, where: str) -> Any:
    """Safe YAML without tags and aliases; `where` names it in errors.

    If that fails, once more with the no-break spaces of indentation and all tabs as spaces.
    """
    import yaml

    if not _UNUSUAL.search(text):
        # libyaml, where it is there, is ten times as fast; its errors are not those told here.
        with suppress(yaml.YAMLError, ValueError, TypeError, RecursionError):
            return yaml.load(text, _yaml_loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)))  # noqa: S506
    loader = _yaml_loader(yaml.SafeLoader)
    plain = _INDENT.sub(lambda m: m[0].replace("\u00a0", " "), text).replace("\t", "  ")
    try:
        if not _ODD_INDENT.search(text):  # it may parse, with the space as part of the key
            try:
                return yaml.load(text, loader)  # noqa: S506  a SafeLoader
            except yaml.YAMLError:
                if plain == text:
                    raise
        return yaml.load(plain, loader)  # noqa: S506
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ModelBroken(f"{where}, line {line}: {error.problem}") from error
    except yaml.reader.ReaderError as error:
        line = plain.count("\n", 0, error.position) + 1
        raise ModelBroken(f"{where}, line {line}: {error.reason}") from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else error
        raise ModelBroken(f"{where}, line 1: {reason}") from error


# Aliases and tags, and what the two parsers do not read alike.
_UNUSUAL = re.compile("[&*!\\t\u00a0\ufeff]|^%", re.MULTILINE)


@functools.cache
def _yaml_loader(base: Any) -> Any:
    import yaml

    class Loader(base):  # type: ignore[misc]
        """No description needs aliases, and a few of them can stand for billions of values."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                mark = self.get_event().start_mark
                raise yaml.MarkedYAMLError(problem="aliases are not supported", problem_mark=mark)
            return super().compose_node(parent, index)

    # Dates stay text: nothing in a description is one, and JSON knows none.
    Loader.yaml_constructors = {
        **yaml.SafeLoader.yaml_constructors,
        "tag:yaml.org,2002:timestamp": yaml.SafeLoader.construct_yaml_str,
    }
    return Loader


# Values -----------------------------------------------------------------------------------------

Cast = Callable[[Any], Any]
"""Makes a value fit: returns it, or `None` for absent; raises `ValueError` if it cannot fit."""


def is_absent(value: Any) -> bool:
    """Whether a value counts as not given: Jan writes some as empty or as `N/A`."""
    return value is None or (isinstance(value, str) and value in ("", "N/A"))


def text(value: Any) -> str | None:
    """Text; a number is written out."""
    if type(value) is str and value.isascii() and value and value != "N/A":
        return value
    if is_absent(value):
        return None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode() if not value.isprintable() else value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise ValueError("is not text")


def flag(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else value
    if is_absent(value) or word == "":
        return None
    if word in ("true", "false"):
        return bool(word == "true")
    raise ValueError("is not true or false")


def number(low: float = -math.inf, high: float = math.inf) -> Cast:
    """A finite number from `low` to `high`."""

    def cast(value: Any) -> int | float | None:
        if type(value) in (float, int) and low <= value <= high and abs(value) < _LARGE:
            return value  # type: ignore[no-any-return]
        found = _number(value)
        return None if found is None else _within(found, low, high)

    return cast


def whole(low: float = -(2**63), high: float = 2**63 - 1, *, zero: bool = True) -> Cast:
    """A whole number from `low` to `high`; without `zero`, 0 means absent."""

    def cast(value: Any) -> int | None:
        if type(value) is int and low <= value <= high and value:
            return value
        found = _number(value)
        if found is None or (found == 0 and not zero):
            return None
        if found != int(found):
            raise ValueError("is not a whole number")
        return int(_within(found, low, high))

    return cast


def words(value: Any) -> list[str] | None:
    """A list of texts, empty ones dropped; a single text is a list of one."""
    if value is None:
        return None
    items = value if isinstance(value, list) else [value]
    found = [word for word in map(text, items) if word]
    return items if found == items else found


def _number(value: Any) -> int | float | None:
    if isinstance(value, str):
        value = value.strip()
        if len(value) > _LONGEST_NUMBER:
            raise ValueError("is not a number")
        if not is_absent(value):
            try:
                value = int(value)
            except ValueError:
                value = float(value) if _DECIMAL.fullmatch(value) else "x"
    if is_absent(value):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("is not a number")
    try:
        if not math.isfinite(value):
            raise ValueError("is not a finite number")
    except OverflowError as error:  # a whole number beyond any float
        raise ValueError("is too large") from error
    return value


_LARGE = 2**64
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def _within(value: int | float, low: float, high: float) -> int | float:
    if low <= value <= high:
        return value
    raise ValueError(f"is not within {low:g} and {high:g}" if math.isfinite(high) else "is too low")


IGNORED = "; ignored"
"""How a warning ends of a value that does not count."""


def fit(value: Any, cast: Cast, name: str, warnings: list[str]) -> Any:
    """`value` made to fit, or `None` with a warning that names it."""
    try:
        return cast(value)
    except ValueError as error:
        warnings.append(f"{name}: {reprlib.repr(value)} {error}{IGNORED}")
        return None


def mapping(value: Any, name: str, warnings: list[str]) -> Mapping[str, Any]:
    """An object, else an empty one, with a warning unless it is just absent."""
    if type(value) is dict or isinstance(value, Mapping):
        return value
    if not is_absent(value):
        warnings.append(f"{name}: {reprlib.repr(value)} is not an object{IGNORED}")
    return {}
