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
from .candidates import names, parameters, paths, ready_models, threads
from .commands import COMMANDS
from .commands.command import split

_LINE = re.compile(r"\s*(?:[^#]*=\s*)?(?P<percent>%%?)jan\s(?P<rest>.*)$")
_OPEN_FIELD = re.compile(r"\{[^{}]*$")


class _Nothing(list[SimpleCompletion]):
    """No completions, and none of anybody else: IPython lets only those suppress who have some."""

    def __len__(self) -> int:
        return 1


@context_matcher()  # type: ignore[untyped-decorator]
def matcher(context: CompletionContext) -> SimpleMatcherResult:
    """What may stand at the cursor. Silent outside our lines, and in a `{name}` of a prompt."""
    match = _LINE.match(context.text_until_cursor)
    body = context.cursor_line > 0 and context.full_text.startswith("%%jan")
    if (match is None and not body) or _OPEN_FIELD.search(context.text_until_cursor):
        return {"completions": []}
    if match is None or body:
        return {"completions": _Nothing(), "suppress": True}
    before, current = _words(match["rest"])
    found = [
        SimpleCompletion(text=text, type=kind)
        for text, kind in _candidates(match["percent"] == "%%", before, current)
        if text.startswith((current, f'"{current}'))
    ]
    return {"completions": found or _Nothing(), "matched_fragment": current, "suppress": True}


def _words(text: str) -> tuple[list[str], str]:
    """The words before the cursor, and the one at it, which may be an open quotation."""
    start = text.rindex('"') if text.count('"') % 2 else text.rfind(" ") + 1
    return split(text[:start]), text[start:]


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
    if last in ("-a", "--attach", "--schema", "--tool"):
        return [*names(current), *(paths(current) if last != "--tool" else ())]
    if last in ("-p", "--parameter"):
        return parameters(current)
    known = opt.parser().known_options
    if (action := known.get(last)) is not None and action.nargs != 0:
        return []
    if current.startswith("-"):
        return [(name, "option") for name in known if name.startswith("--") or len(current) < 2]
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
