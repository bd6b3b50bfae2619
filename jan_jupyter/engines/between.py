"""Text to be written between two others, by way of a chat: the question, and what of the answer it
is. Pure."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, Literal

from ..types import ChatRequest, Delta, Message, Priority
from .stops import overlap

_HERE, _BEFORE, _AFTER = "<|here|>", "<|before|>", "<|after|>"
_ALONE = """\
Answer with what fills the gap and with nothing else: no code fence, no explanation, nothing of what
stands before or after."""
_INSTRUCTION = f"""\
Below is code, or text, that is being written; {_HERE} marks a gap in it. {_ALONE}"""
_TYPING = f"""\
Below is code, or text, that is being written: after {_AFTER} what follows a gap, after {_BEFORE}
what stands before it. {_ALONE}"""
CHATTED = "it was asked by a chat: it has not learnt to fill gaps"
"""The note of such an answer."""
_FENCE = "```"
_CLOSE = f"\n{_FENCE}"


def asking(
    prefix: str, suffix: str, parameters: Mapping[str, Any], priority: Priority
) -> ChatRequest:
    """The request to a model that chats. While somebody types, what they have written last stands
    last, so that what a server has read before it holds."""
    if priority == "completion":
        said = f"{_TYPING}\n\n{_AFTER}\n{suffix}\n{_BEFORE}\n{prefix}"
    else:
        said = f"{_INSTRUCTION}\n\n{prefix}{_HERE}{suffix}"
    return ChatRequest([Message("user", said)], parameters, priority=priority)


async def unfenced(deltas: AsyncIterator[Delta]) -> AsyncGenerator[Delta, None]:
    """An answer without the code fence that many models put around it all the same."""
    fence = Unfenced()
    async for delta in deltas:
        if delta.text or delta.is_last:
            delta = replace(delta, text=fence.feed(delta.text, last=delta.is_last))
        yield delta


class Unfenced:
    """Takes the fence off a text, whatever pieces it comes in. What follows the fence is left out;
    a text that begins otherwise passes as it is."""

    def __init__(self) -> None:
        self._held = ""
        self._place: Literal["before", "first", "inside", "after", "none"] = "before"

    def feed(self, piece: str, *, last: bool = False) -> str:
        """The part of the text that is certain now; at the `last` piece all of it."""
        if self._place == "after":
            return ""
        text, self._held = self._held + piece, ""
        if self._place == "before":
            text = self._opened(text, last)
        if self._place in ("first", "inside"):
            text = self._within(text, last)
        return text

    def _opened(self, text: str, last: bool) -> str:
        start = text.lstrip()
        if not start.startswith(_FENCE) and (last or not _FENCE.startswith(start)):
            self._place = "none"
            return text
        _, newline, rest = start.partition("\n")
        if not newline:  # the name of the language is not whole
            self._held = "" if last else text
            return start.strip("`") if last else ""
        self._place = "first"
        return newline + rest  # it is a part of the closing fence, too, if nothing stands between

    def _within(self, text: str, last: bool) -> str:
        inside, closed, _ = text.partition(_CLOSE)
        keep = 0 if closed or last else overlap(inside, _CLOSE)
        inside, self._held = inside[: len(inside) - keep], inside[len(inside) - keep :]
        if inside and self._place == "first":
            inside, self._place = inside[1:], "inside"
        if closed:
            self._place = "after"
        return inside
