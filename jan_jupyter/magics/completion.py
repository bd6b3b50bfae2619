"""Tab completion in `%jan …` and in the first line of `%%jan …`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..commands.asking import question
from ..commands.candidates import paths, ready_models
from ..commands.command import split
from . import options as opt
from .candidates import names
from .commands import COMMANDS

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult

_LINE = re.compile(r"\s*(?:[^#]*=\s*)?(?P<percent>%%?)jan\s(?P<rest>.*)$")
_OPEN_FIELD = re.compile(r"\{[^{}]*$")


class _Nothing(list[Any]):
    """No completions, and none of anybody else: IPython lets only those suppress who have some."""

    def __len__(self) -> int:
        return 1


def matcher(context: CompletionContext) -> SimpleMatcherResult:
    """What may stand at the cursor. Silent outside our lines, and in a `{name}` of a prompt."""
    from IPython.core.completer import SimpleCompletion

    match = _LINE.match(context.text_until_cursor)
    body = context.cursor_line > 0 and context.full_text.startswith("%%jan")
    if (match is None and not body) or _OPEN_FIELD.search(context.text_until_cursor):
        return {"completions": []}
    if match is None or body:
        return {"completions": _Nothing(), "suppress": True}
    current, offered = _offered(match)
    found = [SimpleCompletion(text=text, type=kind) for text, kind in offered]
    return {"completions": found or _Nothing(), "matched_fragment": current, "suppress": True}


def _argument_matcher(completer: Any) -> Callable[[str], list[str]]:
    """The same for IPython before 8.6: what it asks for the arguments of magics."""

    def offered(_line: str) -> list[str]:
        text = completer.text_until_cursor
        match = _LINE.match(text)
        if match is None or _OPEN_FIELD.search(text):
            return []
        current, found = _offered(match)
        # It parts words also at quotation marks and colons, and puts ours in place of the last.
        last = completer.splitter.split_line(text)
        # That word itself stands for nothing: else it goes on to offer Python's.
        return sorted(word[len(current) - len(last) :] for word, _ in found) or [last]

    return offered


def _offered(line: re.Match[str]) -> tuple[str, list[tuple[str, str]]]:
    """The word at the cursor, and what may stand for it, with its kind."""
    before, current = _words(line["rest"])
    return current, [
        (text, kind)
        for text, kind in _candidates(line["percent"] == "%%", before, current)
        if text.startswith((current, f'"{current}'))
    ]


def _words(text: str) -> tuple[list[str], str]:
    """The words before the cursor, and the one at it, which may be an open quotation."""
    start = text.rindex('"') if text.count('"') % 2 else text.rfind(" ") + 1
    return split(text[:start]), text[start:]


def _candidates(cell: bool, before: list[str], current: str) -> Iterable[tuple[str, str]]:
    if not cell and before and (command := COMMANDS.get(before[0])) is not None:
        return command.candidates(before[1:], current)
    last = before[-1] if before else ""
    if last in ("-a", "--attach", "--schema", "--tool"):
        return [*names(current), *(paths(current) if last != "--tool" else ())]
    known = opt.parser().known_options
    if (action := known.get(last)) is not None and action.nargs != 0:
        return next((one.offered(current) for one in question() if last in one.names), ())
    if current.startswith("-"):
        return [(name, "option") for name in known if name.startswith("--") or len(current) < 2]
    if cell and all(word.startswith("-") for word in before[-1:]) | (not before):
        return ready_models(current)
    if not cell and not before:
        return [(name, "command") for name in COMMANDS]
    return []


def install(completer: Any) -> None:
    try:
        from IPython.core.completer import context_matcher
    except ImportError:  # before IPython 8.6, as Colab and Kaggle have it
        completer.magic_arg_matchers.append(_argument_matcher(completer))
    else:
        completer.custom_matchers.append(context_matcher()(matcher))


def remove(completer: Any) -> None:
    for name in ("custom_matchers", "magic_arg_matchers"):
        matchers = getattr(completer, name, [])
        matchers[:] = [one for one in matchers if one.__module__ != __name__]
