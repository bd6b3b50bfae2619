"""Text to be written between two others, as models have learnt it whose files have tokens for that;
how llama.cpp's server is asked for it. What changes least stands first in the prompt, so that what
the server has read of it holds while somebody types."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from .. import errors
from ..types import Delta
from ..wire import openai as wire
from ..wire.errors import status_within
from ..wire.sse import ServerEvent
from .http import client as http

T = TypeVar("T")
Ask = Callable[[str, Mapping[str, Any] | None], Awaitable[Any]]
"""Asks a server: a path, and the body of the request, if it has one; gives the JSON of its
answer."""

HAS_NONE = (404, 501)
"""What a server says that has no such route, or a model without tokens for gaps."""

MOST_READ = 1024
"""Tokens around a gap that are read: on a processor, more would be waited for too long."""
MOST_SIGNS = 3 * MOST_READ
"""The same in characters, for a text whose tokens are not known."""
WENT_ON = "it went on from the text before: it has not learnt to fill gaps"
"""The note of such an answer."""
LEAST_WRITTEN = 64
"""Tokens of a context that are left to be written, where no number is asked for."""
_BEFORE, _AFTER = "\x11", "\x12"
_REMEMBERED = 24
"""Texts whose tokens are known: those around the gaps of some cells."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The tokens that stand before a text, before what follows it, and before what is to be written
    between; and how many tokens a prompt has room for."""

    before: Sequence[int]
    after: Sequence[int]
    between: Sequence[int]
    context: int

    def prompt(
        self, before: Sequence[int], after: Sequence[int], begun: Sequence[int], writes: int
    ) -> list[int]:
        """Text before and after a gap, and what the gap begins with."""
        marks = len(self.before) + len(self.after) + len(self.between)
        room = min(MOST_READ, max(LEAST_WRITTEN, self.context - writes - marks))
        begun = begun[-room // 2 :]
        after = after[: room // 4]
        before = latest(before, room - len(begun) - len(after))
        return [*self.before, *before, *self.after, *after, *self.between, *begun]


def latest(tokens: Sequence[T], most: int) -> Sequence[T]:
    """The end of a text. It begins at the same place until a quarter more has come: else nothing
    that was read of it would hold."""
    step = max(1, most // 4)
    over = len(tokens) - most
    return tokens[-(-over // step) * step :] if over > 0 else tokens


def split(prefix: str) -> tuple[str, str]:
    """The lines that stand before a gap, and the line that it is in: so the lines stay as they are
    until the next one."""
    lines = prefix.rfind("\n") + 1
    return prefix[:lines], prefix[lines:]


def healed(prefix: str) -> tuple[str, str]:
    """A prefix without the spaces that its last word ends with, and these: most models write a word
    and the space before it as one token, and know not how to go on behind a space."""
    lines, line = split(prefix)
    words = line.rstrip(" ")
    return (lines + words, line[len(words) :]) if words.strip() else (prefix, "")


async def without(spaces: str, deltas: AsyncGenerator[Delta, None]) -> AsyncGenerator[Delta, None]:
    """An answer without the spaces that are there already; one that begins otherwise does not fit,
    and is empty."""
    held, fits = spaces, True
    async with aclosing(deltas):
        async for delta in deltas:
            if held and delta.text:
                common = min(len(held), len(delta.text))
                fits = fits and delta.text[:common] == held[:common]
                delta = replace(delta, text=delta.text[common:])
                held = held[common:]
            if fits or delta.is_last:
                yield delta if fits else replace(delta, text="")


def until(suffix: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Parameters that end an answer where it begins to repeat what follows it."""
    line = next((line for line in suffix.splitlines() if line.strip()), "")
    if len(line.strip()) < 3:  # a bracket, which an answer may well have
        return parameters
    given = parameters.get("stop") or []
    return {**parameters, "stop": [*([given] if isinstance(given, str) else given), line]}


class Filler:
    """What is known of models and texts, so that each is asked for once. `model` is the key of a
    file and of what its context depends on."""

    def __init__(self) -> None:
        self._marks: dict[Hashable, Marks | None] = {}
        self._tokens: OrderedDict[tuple[Hashable, str], list[int]] = OrderedDict()

    async def prompt(
        self, model: Hashable, prefix: str, suffix: str, parameters: Mapping[str, Any], ask: Ask
    ) -> list[int] | None:
        """The tokens to go on from; `None` for a model that has not learnt to fill a gap."""
        marks = await self._known(model, ask)
        if marks is None:
            return None
        texts = (*split(prefix), suffix)
        before, begun, after = await asyncio.gather(*(self._read(model, t, ask) for t in texts))
        limit = parameters.get("max_tokens")
        return marks.prompt(before, after, begun, limit if isinstance(limit, int) else 0)

    async def _known(self, model: Hashable, ask: Ask) -> Marks | None:
        if model not in self._marks:
            try:
                about = await ask("/props", None)
                context = int(about["default_generation_settings"]["n_ctx"])
                self._marks[model] = await learn(ask, context)
            except errors.EngineError as error:
                if error.http_status not in HAS_NONE:
                    raise
                self._marks[model] = None
        return self._marks[model]

    async def _read(self, model: Hashable, text: str, ask: Ask) -> list[int]:
        """The tokens of a text; what looks like a mark in it is none."""
        if not text:
            return []
        key = (model, text)
        found = self._tokens[key] = self._tokens.get(key) or await tokens(text, ask)
        self._tokens.move_to_end(key)
        while len(self._tokens) > _REMEMBERED:
            self._tokens.popitem(last=False)
        return found


async def tokens(text: str, ask: Ask, *, special: bool = False) -> list[int]:
    body = {"content": text, "add_special": False, "parse_special": special}
    return [int(token) for token in (await ask("/tokenize", body))["tokens"]]


async def learn(ask: Ask, context: int) -> Marks | None:
    """The marks of a model, of which only its server knows: they may be told by their names alone.

    `None` where they cannot be read; raises what the server says that has none.
    """
    body = {"input_prefix": _BEFORE, "input_suffix": _AFTER, "n_predict": 0, "cache_prompt": False}
    shown = (await ask("/infill", body)).get("prompt")
    before, found, rest = str(shown).partition(_BEFORE)
    after, also, between = rest.partition(_AFTER)
    if not (found and also):
        return None
    written = (mark.rstrip(" \u2581") for mark in (before, after, between))
    marks = [await tokens(mark, ask, special=True) for mark in written]
    if not all(0 < len(mark) < 3 for mark in marks):  # one, or one after that of a beginning
        return None
    return Marks(marks[0], marks[1], marks[2], context)


class InfillParser(http.Parser):
    """Reads llama.cpp's own events; the one that says `stop` is the last."""

    def parse(self, event: ServerEvent) -> http.Parsed:
        chunk = json.loads(event.data)
        if "error" in chunk:
            raise http.Refusal(status_within(chunk), chunk)
        return wire.read_infill(chunk)
