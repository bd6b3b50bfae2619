"""Blind votes: two answers in an order that was drawn; whose they are is told after the vote."""

from __future__ import annotations

import asyncio
import random
import secrets
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, zip_longest
from typing import Any

from ... import bridge
from ...errors import JanError, UsageError
from ..scoring.votes import SIDES, Vote
from ..session import Session
from ..values import Call, Result, Row
from . import document, plain, protocol
from .audience import Audience, View
from .protocol import Send
from .queries import part

LONGEST_NOTE = 2000

Seen = tuple[int, int, frozenset[int]]
"""A case, a repeat, and two contestants."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """Two answers to one prompt, in the order in which they are shown."""

    case: int
    repeat: int
    left: int
    right: int
    pair: str = field(default_factory=lambda: secrets.token_hex(8))
    """Its name: nobody can tell from it what it is about."""

    @property
    def seen(self) -> Seen:
        return self.case, self.repeat, frozenset((self.left, self.right))


def drawn(result: Result, seed: object, voted: Collection[Seen] = ()) -> list[Ballot]:
    """All pairs of answers that differ, in an order that the seed tells.

    They come in rounds, each with one pair of every prompt: so few votes are of many prompts.
    """
    rng = random.Random(f"{seed}\n{result.name}")  # noqa: S311  whoever knows the seed may know
    answers: dict[tuple[int, int], list[Row]] = {}
    for row in sorted(result.rows, key=lambda row: row.call):
        if row.ok:
            answers.setdefault((row.call.case, row.call.repeat), []).append(row)
    cells = [_pairs(rows, rng) for rows in answers.values()]
    rng.shuffle(cells)
    rounds = [one for pairs in zip_longest(*cells) for one in pairs if one is not None]
    return [ballot for ballot in rounds if ballot.seen not in voted]


def _pairs(rows: Sequence[Row], rng: random.Random) -> list[Ballot]:
    """Those of one prompt: which is where, and which comes first, is drawn."""
    several = [[*two] for two in combinations(rows, 2)]
    pairs = [two for two in several if two[0].text.strip() != two[1].text.strip()]
    rng.shuffle(pairs)
    for two in pairs:
        rng.shuffle(two)
    return [
        Ballot(a.call.case, a.call.repeat, a.call.contestant, b.call.contestant) for a, b in pairs
    ]


class Voting:
    """Somebody votes. On the background loop alone, but for `join`, `leave` and `take`."""

    def __init__(
        self,
        session: Session,
        by: str = "you",
        seed: int = 0,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """`changed` is called on the loop after each vote. Raises `UsageError` if there is nothing
        to vote on."""
        self.id = uuid.uuid4().hex
        self.session = session
        self.by = by
        self.audience = Audience()
        voted = {_seen(vote) for vote in session.heard.votes if vote.by == by}
        everything = drawn(session.result, f"{seed}\n{by}")
        if not everything:
            raise UsageError("There are no two answers that differ: nothing is to be voted on.")
        self._waiting = [one for one in everything if one.seen not in voted]
        self._total, self._before = len(everything), len(everything) - len(self._waiting)
        self._given: list[tuple[Ballot, Vote]] = []
        self._skipped = 0
        self._strengths: list[protocol.Strength] = []
        self._notice = ""
        self._changed = changed
        self._loop = bridge.loop()
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    # In any thread --------------------------------------------------------------------------------

    def join(self, send: Send) -> View:
        return self.audience.join(send)

    def leave(self, view: View) -> None:
        self.audience.leave(view)

    def take(self, view: View, message: Mapping[str, Any]) -> None:
        """What a view says; returns at once."""
        self._loop.call_soon_threadsafe(self._take, view, dict(message))

    @property
    def done(self) -> int:
        """Pairs on which this person has voted."""
        return self._before + len(self._given)

    @property
    def total(self) -> int:
        return self._total

    @property
    def over(self) -> bool:
        """Whether no pair is left."""
        return not self._waiting

    # What is told ---------------------------------------------------------------------------------

    def ballot(self) -> dict[str, Any]:
        """The event. Names are in it only once somebody has voted here, or nothing is left."""
        told = bool(self._given) or self.over
        names = [plain.text(one.name) for one in self.session.grid.contestants]
        return {
            "type": "ballot",
            "pair": self._pair(self._waiting[0]) if self._waiting else None,
            "done": self.done,
            "total": self.total,
            "last": self._last(names),
            "strengths": self._strengths if told else [],
            "names": names if told else [],
            "notice": self._notice or self._end(),
        }

    def _pair(self, ballot: Ballot) -> protocol.Pair:
        case, rows = self.session.grid.cases[ballot.case], self.session.rows
        left, right = (
            rows[Call(ballot.case, who, ballot.repeat)].text for who in (ballot.left, ballot.right)
        )
        said = [message for turn in case.turns for message in turn]
        return {
            "pair": ballot.pair,
            "messages": [plain.said(message, document.PROMPTS) for message in said],
            "answers": (plain.text(left), plain.text(right)),
        }

    def _last(self, names: Sequence[str]) -> protocol.Voted | None:
        if not self._given:
            return None
        ballot, vote = self._given[-1]
        return {
            "pair": ballot.pair,
            "choice": vote.verdict,
            "note": vote.note,
            "names": (names[ballot.left], names[ballot.right]),
        }

    def _end(self) -> str:
        if not self.over or not self._skipped:
            return ""
        return f"{self._skipped:,} left out: vote again to see them once more."

    def _tell(self) -> None:
        self.audience.tell(self.ballot())
        self._notice = ""

    # What people want -----------------------------------------------------------------------------

    def _take(self, view: View, message: Mapping[str, Any]) -> None:
        task = self._loop.create_task(self._do(view, message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _do(self, view: View, message: Mapping[str, Any]) -> None:
        kind = message.get("type")
        if message.get("ask") is not None:
            await self._answer(view, message)
            return
        async with self._turn:
            if kind == "hello":
                self.audience.greet(view, message.get("host"))
                view.tell(self.ballot())
                return
            current = self._waiting[0] if self._waiting else None
            ours = current is not None and message.get("pair") == current.pair
            try:
                if kind == "vote" and current is not None and ours:
                    await self._vote(current, message)
                elif kind == "skip" and ours:
                    self._waiting.pop(0)
                    self._skipped += 1
                elif kind == "undo" and self._given:
                    await self._undo()
            except JanError as error:  # the disk is full: it is said, and not counted
                self._notice = plain.text(error)
            self._tell()
        if kind in ("vote", "undo"):
            self._changed()
            await self._rank()

    async def _vote(self, ballot: Ballot, message: Mapping[str, Any]) -> None:
        note = message.get("note")
        choice = next((side for side in SIDES if side == message.get("choice")), None)
        if choice is None:
            raise UsageError(f"A vote is one of {', '.join(SIDES)}.")
        written = note.strip()[:LONGEST_NOTE] if isinstance(note, str) else ""
        vote = Vote(ballot.case, ballot.left, ballot.right, choice, self.by, ballot.repeat, written)
        await asyncio.to_thread(self.session.vote, [vote])
        self._waiting.pop(0)
        self._given.append((ballot, vote))

    async def _undo(self) -> None:
        """Take the last vote back, and show its pair again."""
        ballot, vote = self._given[-1]
        await asyncio.to_thread(self.session.unvote, vote)
        self._given.pop()
        self._waiting.insert(0, ballot)

    async def _rank(self) -> None:
        """Strengths take a while: the next pair does not wait for them."""
        votes, before = self.session.heard.votes, self._strengths
        found = await asyncio.to_thread(document.strengths, self.session.grid, votes)
        if votes == self.session.heard.votes and found != before:
            self._strengths = found
            self._tell()
        self._changed()

    async def _answer(self, view: View, message: Mapping[str, Any]) -> None:
        """The one question of a vote: a part of the front end."""
        answer: dict[str, Any] = {"type": "answer", "to": message["ask"]}
        try:
            if message.get("type") != "part":
                raise UsageError("A vote has no answers but votes.")
            answer["value"] = await asyncio.to_thread(part, message.get("name"))
        except Exception as error:
            answer["error"] = plain.text(error)
        view.tell(answer)


def _seen(vote: Vote) -> Seen:
    return vote.case, vote.repeat, frozenset((vote.left, vote.right))
