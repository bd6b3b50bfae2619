"""Tab completion in `%jan …` and in the first line of `%%jan …`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..commands.offering import in_field, offered

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult


class _Nothing(list[Any]):
    """No completions, and none of anybody else: IPython lets only those suppress who have some."""

    def __len__(self) -> int:
        return 1


def matcher(context: CompletionContext) -> SimpleMatcherResult:
    """What may stand at the cursor. Silent outside our lines, and in a `{name}` of a prompt.

    What the words mean has no place in what IPython tells a page: our server tells it.
    """
    from IPython.core.completer import SimpleCompletion

    text = context.text_until_cursor
    body = context.cursor_line > 0 and context.full_text.startswith("%%jan")
    found = None if body else offered(text)
    if in_field(text) or (found is None and not body):
        return {"completions": []}
    if found is None:
        return {"completions": _Nothing(), "suppress": True}
    words = [SimpleCompletion(text=word, type=kind) for word, kind in found.words]
    return {
        "completions": words or _Nothing(),
        "matched_fragment": found.current,
        "suppress": True,
    }


def _argument_matcher(completer: Any) -> Callable[[str], list[str]]:
    """The same for IPython before 8.6: what it asks for the arguments of magics."""

    def of_line(_line: str) -> list[str]:
        text = completer.text_until_cursor
        if (found := offered(text)) is None:
            return []
        # It parts words also at quotation marks and colons, and puts ours in place of the last.
        last = completer.splitter.split_line(text)
        # That word itself stands for nothing: else it goes on to offer Python's.
        return sorted(word[len(found.current) - len(last) :] for word, _ in found.words) or [last]

    return of_line


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
