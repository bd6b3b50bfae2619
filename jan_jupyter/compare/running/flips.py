"""Top-token flips: where a quantisation would have gone on with another token than the largest.

The largest answers each prompt greedily. Every other contestant is led along that very answer: it
goes on from each of its beginnings until it takes another token, which is a flip, and then from
behind the token that the largest took. So each position is asked after the same text.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from ...ask import Stream
from ...errors import JanError
from ...models.machine import probe
from ...router import Router
from ...types import EMPTY, Message, Reply
from ..values import Grid
from .compose import Composer

GREEDY: Mapping[str, Any] = {
    "temperature": 0,
    "repeat_penalty": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "logprobs": True,
    "top_logprobs": 1,
    # Who thinks first does not go on from the beginning of an answer.
    "chat_template_kwargs": {"enable_thinking": False},
}
BLOCK, LEAST = 16, 4
"""Tokens that are asked for at once: what comes behind a flip is thrown away. Of a single one that
is a blank llama.cpp tells nothing: it holds it back until the next."""
_LETTER = 4
"""Bytes of the longest letter: one that is cut off is not in the text."""
NO_TOKENS = "its engine does not tell tokens and their probabilities"
OTHER_TOKENS = "it reads the beginning of an answer in other tokens"


@dataclass(frozen=True, slots=True)
class Flips:
    """What came of one contestant and prompt: of so many `positions` so many `flipped`.

    `why` says why there are none, or not all of them.
    """

    case: int
    contestant: int
    positions: int = 0
    flipped: int = 0
    why: str = ""
    key: str = ""
    """The same for the same files, settings and prompt."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The largest's, by tokens; `ended`: whether its end is a position, too."""

    tokens: Sequence[bytes]
    ended: bool
    prompt: int
    """Tokens of what was asked."""

    @property
    def positions(self) -> int:
        return len(self.tokens) + self.ended

    def beginning(self, position: int) -> str | None:
        """Its text up to a position; `None` within a letter."""
        try:
            return b"".join(self.tokens[:position]).decode()
        except UnicodeDecodeError:
            return None


async def flips(
    grid: Grid, router: Router, tokens: int, known: Mapping[str, Sequence[int]] = EMPTY
) -> AsyncGenerator[Flips, None]:
    """For each contestant but the first, and each prompt, one `Flips`; never an error of theirs.

    `tokens` of each answer count at most; of a prompt of several turns the first is asked. `known`
    are positions and flips from before, by key. On the background loop.
    """
    measuring = _Measuring(_greedy(grid), router, tokens)
    wanted: list[Flips] = []
    for contestant in range(1, len(grid.contestants)):
        for case in range(len(grid.cases)):
            one = Flips(case, contestant, key=await measuring.key(case, contestant))
            if one.key in known:
                positions, flipped = known[one.key]
                yield replace(one, positions=positions, flipped=flipped)
            else:
                wanted.append(one)
    answers: dict[int, Answer | str] = {}
    for case in dict.fromkeys(one.case for one in wanted):
        answers[case] = await measuring.answer(case)
    for one in wanted:
        answer = answers[one.case]
        yield (
            replace(one, why=answer)
            if isinstance(answer, str)
            else await measuring.measured(one, answer)
        )


def _greedy(grid: Grid) -> Grid:
    who = tuple(replace(one, parameters=EMPTY) for one in grid.contestants)
    return replace(grid, contestants=who, parameters=GREEDY, repeats=1)


class _Measuring:
    def __init__(self, grid: Grid, router: Router, tokens: int) -> None:
        self._composer = Composer(grid, router)
        self._tokens = tokens
        self._loaded: int | None = None

    async def key(self, case: int, contestant: int) -> str:
        """Empty where it cannot be asked."""
        found = []
        for who in (0, contestant):
            try:
                _, _, keys = await asyncio.to_thread(self._composer.keyed, case, who, (0,))
            except JanError:
                return ""
            found.append(keys[0][:32])
        return f"{self._tokens} {' '.join(found)}"

    async def answer(self, case: int) -> Answer | str:
        """The largest's answer, or why there is none."""
        try:
            reply = await self._asked(case, 0, "", self._tokens)
        except JanError as error:
            return str(error)
        told = Told.of(reply)
        if not told.taken:
            return NO_TOKENS
        tokens = [told.lost, *told.taken] if told.lost else told.taken
        return Answer(tokens, told.whole and reply.finish == "stop", reply.usage.prompt)

    async def measured(self, one: Flips, answer: Answer) -> Flips:
        position = positions = flipped = 0
        while position < answer.positions:
            beginning = answer.beginning(position)
            if beginning is None:
                position += 1
                continue
            most = max(LEAST, min(BLOCK, answer.positions - position))
            try:
                reply = await self._asked(one.case, one.contestant, beginning, most)
            except JanError as error:
                return replace(one, positions=positions, flipped=flipped, why=str(error))
            if reply.usage.prompt != answer.prompt + position:
                return replace(one, positions=positions, flipped=flipped, why=OTHER_TOKENS)
            seen, other = walk(answer, position, reply)
            positions, flipped = positions + seen, flipped + other
            position += seen or 1
        return replace(one, positions=positions, flipped=flipped)

    async def _asked(self, case: int, contestant: int, beginning: str, most: int) -> Reply:
        await self._make_room(contestant)
        (turn, *_) = self._composer.grid.cases[case].turns
        messages = [*turn, *([Message("assistant", beginning)] if beginning else [])]
        request, target = await asyncio.to_thread(
            self._composer.request, contestant, messages, max_tokens=most
        )
        stream = Stream(self._composer.router, request, target)
        async with aclosing(stream.deltas()) as deltas:
            async for _ in deltas:
                pass
        return stream.reply_so_far()

    async def _make_room(self, contestant: int) -> None:
        """Unload the contestant before, where both do not fit beside each other."""
        before, self._loaded = self._loaded, contestant
        if before is None or before == contestant:
            return
        router, composer = self._composer.router, self._composer
        model = (await asyncio.to_thread(composer.target, contestant)).model
        fit = await asyncio.to_thread(router.store.fit, model, await asyncio.to_thread(probe))
        if fit is not None and fit.needed > fit.room:
            await router.unload(composer.grid.contestants[before].model)


@dataclass(frozen=True, slots=True)
class Told:
    """An answer by tokens, as far as it is told; `top` is the most likely one of each position."""

    taken: Sequence[bytes]
    top: Sequence[bytes]
    lost: bytes = b""
    """The text before them: llama.cpp holds a blank back, and then tells no token of it."""
    whole: bool = False
    """Whether nothing stands behind them."""

    @classmethod
    def of(cls, reply: Reply) -> Told:
        tokens = [token for token in reply.logprobs if token.get("bytes")]
        taken = [bytes(token["bytes"]) for token in tokens]
        top = [bytes(_top(token).get("bytes") or ()) for token in tokens]
        text = reply.text.encode()
        for count in range(len(taken), max(0, len(taken) - _LETTER), -1):
            known = b"".join(taken[:count])
            if (start := text.find(known)) >= 0:
                whole = start + len(known) == len(text)
                return cls(taken[:count], top[:count], text[:start], whole)
        return cls((), (), whole=not text)  # one in the middle is missing


def _top(token: Mapping[str, Any]) -> Mapping[str, Any]:
    """The most likely token of a position, whichever was taken."""
    return next(iter(token.get("top_logprobs") or ()), token)


def walk(answer: Answer, position: int, reply: Reply) -> tuple[int, int]:
    """How many positions a continuation from there tells of, and how many of them are flips.

    It is compared as far as it keeps to the answer: the first other token is the last that counts.
    """
    told, at, flipped = Told.of(reply), position, 0
    left = told.lost
    while left and at < len(answer.tokens) and left.startswith(answer.tokens[at]):
        left = left[len(answer.tokens[at]) :]
        at += 1
    if left:
        return (at + 1 - position, 1) if at < answer.positions else (at - position, 0)
    for taken, top in zip(told.taken, told.top, strict=True):
        if at >= answer.positions:
            break
        expected = answer.tokens[at] if at < len(answer.tokens) else b""
        flipped += top != expected
        at += 1
        if taken != expected:
            return at - position, flipped
    if told.whole and reply.finish == "stop" and at < answer.positions:
        flipped += at < len(answer.tokens)
        at += 1
    return at - position, flipped
