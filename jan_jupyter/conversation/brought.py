"""What goes with a question: what a page brings, and what its `@…` stand for; looked at, and cut.

A page may have found it anywhere, and anybody may be at the other end of a socket: nothing here is
taken as it comes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import units
from ..attachments import LARGEST
from ..errors import UsageError
from .protocol import Brought, Context
from .surroundings import Surroundings

LONGEST = 20_000
"""Characters of one thing; what is longer is cut, and says so."""
TOGETHER = 100_000
"""Characters of all things that go with one question."""
SLACK = 100
"""What is only so much longer stays whole; so does what was cut once and says so at its end."""
MOST = 50
"""Things, and pictures, that go with one question."""


async def along(
    around: Surroundings,
    text: str,
    context: Sequence[Context] | None = None,
    before: Sequence[Context] = (),
) -> list[Brought]:
    """What goes with a question: what its page brings, then what else its `@…` stand for here.

    Where the page says nothing of it (`None`), what went with the question `before` stays, as far
    as the text still names it. Raises `UsageError` for what is no such thing.
    """
    given = [] if context is None else fitting(context)
    labels = {one["label"] for one in given}
    found = [one for one in await around.references(text) if one["label"] not in labels]
    if context is None:
        labels = {one["label"] for one in found}
        given = [one for one in before if one["label"] in text and one["label"] not in labels]
    return cut([*given, *found])


def fitting(context: Sequence[Context]) -> list[Context]:
    """What a page brings, with labels that a line can hold. Raises `UsageError`."""
    if not _is_list(context):
        raise UsageError("What goes with a question is a list of texts with labels.")
    if len(context) > MOST:
        raise UsageError(f"At most {MOST} things go with a question, not {len(context):,}.")
    return [_fitting(one) for one in context]


def _fitting(one: Any) -> Context:
    label, text = (one.get(name) for name in ("label", "text")) if _is_object(one) else (None, None)
    if not isinstance(label, str) or not isinstance(text, str):
        raise UsageError("What goes with a question has a label and a text.")
    return {"label": " ".join(label.split())[:200].replace('"', "'"), "text": text}


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


def cut(context: Sequence[Context]) -> list[Brought]:
    """The same, no longer than a question may take along; each tells how much it has lost."""
    left, found = TOGETHER, []
    for one in context:
        text, most = one["text"], min(LONGEST, left)
        lost = len(text) - most if len(text) > most + SLACK else 0
        if lost:
            text = f"{text[:most]}\n… ({lost:,} more characters left out)"
        left = max(0, left - len(text))
        found.append(
            Brought(label=one["label"], text=text, tokens=about_tokens(len(text)), cut=lost)
        )
    return found


def pictures(images: Sequence[str]) -> list[dict[str, Any]]:
    """The pictures that a page brings, as parts of a message. Raises `UsageError`.

    They come as they are (`data:`), never as an address, which somebody would have to call.
    """
    if not _is_list(images) or not all(isinstance(url, str) for url in images):
        raise UsageError("Pictures come as a list of `data:` addresses.")
    if len(images) > MOST:
        raise UsageError(f"At most {MOST} pictures go with a question, not {len(images):,}.")
    for url in images:
        if not url.startswith("data:image/"):
            raise UsageError("A picture that goes with a question comes with it (`data:image/…`).")
        if len(url) * 3 // 4 > LARGEST:
            raise UsageError(f"A picture is too large: the most is {units.size(LARGEST)}.")
    return [{"type": "image_url", "image_url": {"url": url}} for url in images]


def about_tokens(letters: int) -> int:
    """How many tokens a text has where nobody counts them."""
    return round(letters / 4)
