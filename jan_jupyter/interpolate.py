"""Fill `{name}`, `{object.attribute}` and `{mapping["key"]}` in a prompt; nothing else is touched.

JSON, code and LaTeX are full of braces, so only what resolves in the namespace is replaced, once,
and a filled-in value is never read again. Nothing is evaluated: names, attributes and plain keys
are looked up. `{{name}}` stays as typed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

_STEP = r"""\.[^\W\d]\w*|\[(?:-?\d+|"[^"\n]*"|'[^'\n]*')\]"""
_FIELD = re.compile(rf"(?<!{{){{([^\W\d]\w*(?:{_STEP})*)}}(?!}})")
_STEPS = re.compile(_STEP)
_PATH = re.compile(rf"[^\W\d]\w*(?:{_STEP})*")


class Filled(NamedTuple):
    """A prompt after filling: its text, what was filled in, and what looked like it but was not."""

    text: str
    filled: tuple[str, ...]
    unresolved: tuple[str, ...]


def fill(prompt: str, namespace: Mapping[str, Any]) -> Filled:
    filled: dict[str, None] = {}
    unresolved: dict[str, None] = {}

    def one(match: re.Match[str]) -> str:
        path = match[1]
        try:
            text = str(resolve(path, namespace))
        except Exception:
            unresolved[match[0]] = None
            return match[0]
        filled[match[0]] = None
        return text

    return Filled(_FIELD.sub(one, prompt), tuple(filled), tuple(unresolved))


def resolve(path: str, namespace: Mapping[str, Any]) -> Any:
    """The value of `name`, `object.attribute` or `mapping["key"]`; raises what looking it up does.

    `LookupError` if it is no such path or there is no such name.
    """
    head = re.match(r"\w+", path)
    if head is None or not _PATH.fullmatch(path):
        raise LookupError(path)
    value = namespace[head[0]]
    for step in _STEPS.findall(path, head.end()):
        if step.startswith("."):
            value = getattr(value, step[1:])
        else:
            value = value[ast.literal_eval(step[1:-1])]
    return value
