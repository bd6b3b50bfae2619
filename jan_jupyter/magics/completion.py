"""Tab completion in `%jan …` and in the first line of `%%jan …`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from IPython.core.completer import (
    CompletionContext,
    SimpleCompletion,
    SimpleMatcherResult,
    context_matcher,
)

from . import options as opt
from .candidates import parameters, ready_models, threads
from .commands import COMMANDS

_LINE = re.compile(r"(?:[^\W\d][\w.]*\s*=\s*)?(?P<percent>%%?)jan\s(?P<rest>.*)$")


@context_matcher()  # type: ignore[untyped-decorator]
def matcher(context: CompletionContext) -> SimpleMatcherResult:
    """What may stand at the cursor. Silent outside our lines, and in the prompt itself."""
    line = context.text_until_cursor
    match = _LINE.match(line)
    if match is None or (match["percent"] == "%%" and context.cursor_line > 0):
        return {"completions": []}
    words = match["rest"].split(" ")
    current, before = words[-1], [word for word in words[:-1] if word]
    found = [
        SimpleCompletion(text=text, type=kind)
        for text, kind in _candidates(match["percent"] == "%%", before, current)
        if text.startswith(current)
    ]
    return {"completions": found, "matched_fragment": current, "suppress": True}


def _candidates(cell: bool, before: list[str], current: str) -> Iterable[tuple[str, str]]:
    if not cell and before and (command := COMMANDS.get(before[0])) is not None:
        return command.candidates(before[1:], current)
    last = before[-1] if before else ""
    if last in ("-m", "--model"):
        return ready_models(current)
    if last == "--thread":
        return threads(current)
    if last in ("-f", "--format"):
        return [(name, "value") for name in opt.FORMATS]
    if last in ("-p", "--parameter"):
        return parameters(current)
    if (action := opt.OPTIONS.get(last)) is not None and action.nargs != 0:
        return []
    if current.startswith("-"):
        return [
            (name, "option") for name in opt.OPTIONS if name.startswith("--") or len(current) < 2
        ]
    if cell and all(word.startswith("-") for word in before[-1:]) | (not before):
        return ready_models(current)
    if not cell and not before:
        return [(name, "command") for name in COMMANDS]
    return []


def install(completer: Any) -> None:
    completer.custom_matchers.append(matcher)


def remove(completer: Any) -> None:
    if matcher in completer.custom_matchers:
        completer.custom_matchers.remove(matcher)
