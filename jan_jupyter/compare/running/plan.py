"""How a grid will be asked: who beside whom, in which order, and what that takes. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ... import units
from ..values import Call, Grid
from .prices import Price

AT_ONCE = 4
"""Requests at once for each model of a server, until it shows how many it takes."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known of one contestant; `None` where nobody knows."""

    engine: str = ""
    place: str = ""
    """Where it is answered: this machine, or a server. What has one place shares its limits."""
    model: str = ""
    """What takes its place in memory: of two settings of one model only one is there at a time."""
    load: str = ""
    """The model with its settings: who has the same is answered by the same worker."""
    loads: bool = False
    """Whether its model is loaded when it is asked, and may have to wait until others are gone."""
    slots: int | None = None
    """How many it answers at once."""
    shares: bool = False
    """Whether it can give several answers to one request (`n`)."""
    memory: int | None = None
    """Bytes that it needs."""
    room: int | None = None
    """Bytes that are there for it, and for what is loaded beside it."""
    paid: bool = False
    """Whether somebody takes money for it."""
    price: Price | None = None
    cost: float | None = None
    """Money for a call, on average, as earlier ones were."""
    seconds: float | None = None
    """Seconds of a call, on average, as earlier warm ones were; `loading`: of a load."""
    loading: float | None = None
    error: str = ""
    """Why it cannot be asked; empty if it can."""


@dataclass(frozen=True, slots=True)
class Scoring:
    """A scorer that asks a model for a score: so many answers have none of it yet, at most."""

    name: str
    fact: Fact
    calls: int
    decides: bool = False
    """Whether its word may end the run before all is asked."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Those of each contestant, in the order of the grid; the calls whose answers are kept, each
    with its key; the scorers that ask models."""

    contestants: Sequence[Fact]
    stored: Mapping[Call, str] = field(default_factory=dict)
    scoring: Sequence[Scoring] = ()


class Ask(NamedTuple):
    """What is sent as one request: a cell, or one repeat of it."""

    case: int
    contestant: int
    repeats: tuple[int, ...]

    def call(self, repeat: int) -> Call:
        return Call(self.case, self.contestant, repeat)


@dataclass(frozen=True, slots=True)
class Stage:
    """Contestants that are asked beside each other, all of one place."""

    contestants: tuple[int, ...]
    width: int | None = None
    """How many requests at once; `None`: as many as the server turns out to take."""
    loads: int = 0
    """How many models are loaded for it."""
    memory: int | None = 0
    """Bytes that they need together."""


@dataclass(frozen=True, slots=True)
class Lane:
    """What happens at one place, one stage after the other, beside all other lanes."""

    place: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a run will do; nothing has begun yet."""

    grid: Grid
    facts: Facts
    lanes: tuple[Lane, ...]
    asked: tuple[int, ...]
    """How many calls of each contestant are not stored."""

    @property
    def calls(self) -> int:
        """How many answers will be asked for: all that are not stored."""
        return sum(self.asked)

    @property
    def reused(self) -> int:
        return len(self.grid) - self.calls

    @property
    def paid(self) -> int:
        """How many calls somebody takes money for, those of scorers too."""
        facts = self.facts.contestants
        asked = sum(n for n, fact in zip(self.asked, facts, strict=True) if fact.paid)
        return asked + self.paid_scores

    @property
    def paid_scores(self) -> int:
        """How many of them are for scores."""
        return sum(one.calls for one in self.facts.scoring if one.fact.paid)

    @property
    def stages(self) -> Iterator[Stage]:
        return (stage for lane in self.lanes for stage in lane.stages)

    @property
    def loads(self) -> int:
        """How many times a model will be loaded, at most: fewer where one is loaded already."""
        return sum(stage.loads for stage in self.stages) + len(self._loaded_to_score)

    @property
    def _loaded_to_score(self) -> Mapping[str, Fact]:
        """What is loaded for scorers, after all answers; by its load."""
        last = [stage for stage in self.stages if stage.loads][-1:]
        there = {self.facts.contestants[i].load for stage in last for i in stage.contestants}
        facts = [one.fact for one in self.facts.scoring if one.calls]
        return {fact.load: fact for fact in facts if fact.loads and fact.load not in there}

    def keeps_loaded(self, scorer: str) -> bool:
        """Whether a scorer can be asked while answers still come, and no model is loaded again for
        it: it asks none, or its model has room beside all others."""
        for one in self.facts.scoring:
            if one.name == scorer and one.fact.loads:
                stages = [stage for stage in self.stages if stage.loads]
                return all(_joins(one.fact, stage, self.facts.contestants) for stage in stages)
        return True

    @property
    def memory(self) -> int | None:
        """Bytes that models need at once, at most; `None` where nobody knows."""
        needed = [stage.memory for stage in self.stages if stage.loads]
        needed += [fact.memory for fact in self._loaded_to_score.values()]
        return None if None in needed else max((n for n in needed if n is not None), default=0)

    @property
    def cost(self) -> float | None:
        """Money, as earlier calls have cost; `None` where nobody knows."""
        total = 0.0
        for calls, fact in zip(self.asked, self.facts.contestants, strict=True):
            if calls and fact.paid and not fact.error:
                if fact.cost is None:
                    return None
                total += calls * fact.cost
        for one in self.facts.scoring:
            if one.calls and one.fact.paid:
                if one.fact.cost is None:
                    return None
                total += one.calls * one.fact.cost
        return total

    @property
    def seconds(self) -> float | None:
        """How long it will take, as earlier calls have; `None` where nobody knows."""
        lanes = [self._lane_seconds(lane) for lane in self.lanes]
        known = [seconds for seconds in lanes if seconds is not None]
        scores = self._scoring_seconds()
        if scores is None or len(known) < len(lanes):
            return None
        return max(known, default=0.0) + scores

    def _scoring_seconds(self) -> float | None:
        """One scorer after the other, when all answers are there."""
        total = 0.0
        for one in (one for one in self.facts.scoring if one.calls):
            loads = one.fact.load in self._loaded_to_score
            if one.fact.seconds is None or (loads and one.fact.loading is None):
                return None
            total += one.calls * one.fact.seconds / (one.fact.slots or AT_ONCE)
            total += one.fact.loading or 0.0 if loads else 0.0
        return total

    def _lane_seconds(self, lane: Lane) -> float | None:
        total = 0.0
        for stage in lane.stages:
            asked = [self.facts.contestants[i] for i in stage.contestants if self._busy(i)]
            times = [
                self.asked[i] * (self.facts.contestants[i].seconds or 0.0)
                for i in stage.contestants
                if self._busy(i)
            ]
            loads = {fact.load: fact.loading for fact in asked if fact.loads}
            if None in loads.values() or any(fact.seconds is None for fact in asked):
                return None
            total += sum(filter(None, loads.values()))
            # At a server each goes its own way; what shares a machine is asked in turn.
            total += (
                max(times, default=0.0) / AT_ONCE
                if stage.width is None
                else (sum(times) / stage.width)
            )
        return total

    def _busy(self, contestant: int) -> bool:
        return bool(self.asked[contestant]) and not self.facts.contestants[contestant].error

    def order(self, stage: Stage) -> Iterator[Ask]:
        """What a stage asks, in its order: prompt by prompt, the contestants shuffled for each, so
        that a warm cache favours nobody. The same for the same grid and seed."""
        for case in self.grid.in_turn:
            for contestant in shuffled(stage.contestants, self.grid.seed, case):
                for repeats in self._together(case, contestant):
                    yield Ask(case, contestant, repeats)

    def _together(self, case: int, contestant: int) -> Iterator[tuple[int, ...]]:
        """The repeats of a cell that are asked for at once: several only if the engine reads the
        prompt once for them, and has a slot for each."""
        fact, repeats = self.facts.contestants[contestant], self.grid.repeats
        one_turn = len(self.grid.cases[case].turns) == 1
        most = (fact.slots or 1) if fact.shares and one_turn else 1
        for first in range(0, repeats, most):
            yield tuple(range(first, min(repeats, first + most)))

    # To read --------------------------------------------------------------------------------------

    def text(self) -> str:
        """The plan for people: what is asked, where, and what it takes."""
        return "\n".join(self._lines())

    __str__ = text

    def __repr__(self) -> str:
        return f"<Plan: {self._lines()[0]}>"

    def _repr_markdown_(self) -> str:
        from ...markdown import safe

        return "\n".join(f"- {safe(line)}" for line in self._lines())

    def _lines(self) -> list[str]:
        grid = self.grid
        size = (
            f"{_count(len(grid.cases), 'prompt')} × {_count(len(grid.contestants), 'model')}"
            f" × {_count(grid.repeats, 'repeat')}"
        )
        stored = f"; {self.reused:,} stored, {self.calls:,} to ask" if self.reused else ""
        return [
            f"{_count(len(grid), 'call')}: {size}{stored}",
            *map(self._lane_line, self.lanes),
            *self._scorers(),
            *self._refusals(),
            *self._prices(),
            self._takes(),
        ]

    def _lane_line(self, lane: Lane) -> str:
        return f"{lane.place}: {', then '.join(map(self._stage_words, lane.stages))}"

    def _stage_words(self, stage: Stage) -> str:
        names = [self.grid.contestants[i].name for i in stage.contestants]
        words = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        if len(names) > 1:
            words += " in turn" if stage.width is not None else " at once"
        if stage.loads:
            needs = units.size(stage.memory) if stage.memory is not None else "memory unknown"
            words += f" ({_count(stage.loads, 'load')}, {needs})"
        return words

    def _scorers(self) -> Iterator[str]:
        """Those that ask models, each after the other."""
        for one in self.facts.scoring:
            if one.fact.error:
                yield f"{one.name} cannot score: {one.fact.error}"
                continue
            words = f"then {one.name} scores {_count(one.calls, 'answer')}"
            if one.calls and one.fact.load in self._loaded_to_score:
                memory = one.fact.memory
                needs = units.size(memory) if memory is not None else "memory unknown"
                words += f" (1 load, {needs})"
            alone = one.decides and not self.keeps_loaded(one.name)
            yield words + (
                ": it has no room beside them, so it ends nothing early" if alone else ""
            )

    def _refusals(self) -> Iterator[str]:
        for contestant, fact in zip(self.grid.contestants, self.facts.contestants, strict=True):
            if fact.error:
                yield f"{contestant.name} cannot be asked: {fact.error}"

    def _prices(self) -> Iterator[str]:
        for contestant, fact in zip(self.grid.contestants, self.facts.contestants, strict=True):
            if fact.paid and fact.price is not None and not fact.error:
                yield f"{contestant.name} is reckoned at {fact.price}"
        for one in self.facts.scoring:
            if one.fact.paid and one.fact.price is not None:
                yield f"{one.name} is reckoned at {one.fact.price}"

    def _takes(self) -> str:
        cost, seconds = self.cost, self.seconds
        parts = [_count(self.loads, "load")]
        if self.loads:
            parts.append(self._memory_words())
        facts = [*self.facts.contestants, *(one.fact for one in self.facts.scoring)]
        currency = next((fact.price.currency for fact in facts if fact.price), "USD")
        known = "nothing" if not self.paid else f"about {cost:,.4g} {currency}" if cost else ""
        parts.append(f"cost {known or 'unknown'}")
        parts.append(f"time {'unknown' if seconds is None else 'about ' + units.duration(seconds)}")
        if self.paid:
            parts.insert(0, f"{_count(self.paid, 'paid call')}")
        return " · ".join(parts)

    def _memory_words(self) -> str:
        memory = self.memory
        facts = [*self.facts.contestants, *self._loaded_to_score.values()]
        rooms = [fact.room for fact in facts if fact.loads and fact.room is not None]
        if memory is None:
            return "memory unknown"
        there = f" of {units.size(min(rooms))} that are free" if rooms else ""
        slow = ": it may be slow" if rooms and memory > min(rooms) else ""
        return f"memory {units.size(memory)}{there}{slow}"


def plan(grid: Grid, facts: Facts) -> Plan:
    """How a grid is asked, by what is known of its contestants."""
    asked = [len(grid.cases) * grid.repeats] * len(grid.contestants)
    for call in facts.stored:
        asked[call.contestant] -= 1
    places: dict[str, list[int]] = {}
    for index, fact in enumerate(facts.contestants):
        places.setdefault(fact.place, []).append(index)
    lanes = tuple(
        Lane(place, tuple(_stages(facts.contestants, indices, asked)))
        for place, indices in places.items()
    )
    return Plan(grid, facts, lanes, tuple(asked))


def shuffled(contestants: Sequence[int], seed: int, case: int) -> list[int]:
    """Their order for one prompt: the same in every process."""
    order = [*contestants]
    random.Random(f"{seed}:{case}").shuffle(order)  # noqa: S311
    return order


@dataclass
class _Group:
    """Contestants that fit beside each other so far."""

    members: list[int] = field(default_factory=list)
    loaded: dict[str, int | None] = field(default_factory=dict)
    """Bytes of each load."""


def _stages(facts: Sequence[Fact], indices: Sequence[int], asked: Sequence[int]) -> list[Stage]:
    """The contestants of one place in groups that fit beside each other, each load in one group."""
    groups: list[_Group] = []
    free: list[int] = []
    for index in indices:
        fact = facts[index]
        if not fact.loads or fact.error or not asked[index]:
            free.append(index)  # nothing is loaded for it
            continue
        group = next((g for g in groups if _fits(fact, g, facts)), None)
        if group is None:
            groups.append(group := _Group())
        group.members.append(index)
        group.loaded.setdefault(fact.load, fact.memory)
    if free and groups:
        groups[0].members[:0] = free
    elif free:
        groups.append(_Group(free))
    return [_stage(group, facts) for group in groups]


def _fits(fact: Fact, group: _Group, facts: Sequence[Fact]) -> bool:
    """Whether it can be loaded beside a group; what nobody knows the memory of is alone."""
    if fact.load in group.loaded:
        return True
    others = [facts[i] for i in group.members]
    if fact.memory is None or any(other.model == fact.model for other in others):
        return False  # two settings of one model replace each other
    held = [*group.loaded.values()]
    rooms = [each.room for each in (fact, *others)]
    needed = sum(memory for memory in held if memory is not None) + fact.memory
    known = None not in held and None not in rooms
    return known and needed <= min(room for room in rooms if room is not None)


def _joins(fact: Fact, stage: Stage, facts: Sequence[Fact]) -> bool:
    """Whether it can be loaded beside what a stage loads."""
    members = [i for i in stage.contestants if facts[i].loads and not facts[i].error]
    return _fits(fact, _Group(members, {facts[i].load: facts[i].memory for i in members}), facts)


def _stage(group: _Group, facts: Sequence[Fact]) -> Stage:
    slots = [facts[i].slots for i in group.members if facts[i].loads and not facts[i].error]
    known = [n for n in slots if n is not None]
    held = [*group.loaded.values()]
    return Stage(
        tuple(sorted(group.members)),
        # Beside each other in memory, in turn at work: none takes another's processor.
        min(known) if known and len(known) == len(slots) else None,
        len(held),
        None if None in held else sum(n for n in held if n is not None),
    )


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
