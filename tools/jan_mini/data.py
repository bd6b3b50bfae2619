"""Training conversations for jan-mini, all of them generated here, the same ones for the same seed.

A conversation is one exchange or a few, under a system prompt at times.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import facts
import pools
import skills
import texts
import wordings
from grammar import one
from questions import HELD_OUT
from skills import Rng, Skill, Turn, ask, keep

# How often each skill is asked for. Long answers are rare, as each brings many tokens.
SKILLS: dict[Skill, float] = {
    skills.tool: 60,
    skills.unknown: 22,
    skills.small_sum: 14,
    skills.say: 7,
    skills.capital: 8,
    skills.term: 6.5,
    skills.small_talk: 8,
    skills.make_list: 5,
    skills.count: 5,
    skills.word_form: 2.5,
    skills.code: 5,
    skills.simple_fact: 2,
    skills.verse: 1.8,
    skills.long_text: 1.6,
    skills.hard_sum: 2.5,
    skills.json_object: 1.2,
}


# At the start, only what has to be copied and computed. It takes very many examples, and these are
# short: they would be few among longer ones.
EARLY: dict[Skill, float] = {
    skills.say: 36,
    skills.small_sum: 32,
    skills.count: 9,
    skills.make_list: 9,
    skills.capital: 6,
}


@dataclass(frozen=True)
class Conversation:
    """Exchanges under one system prompt, or none."""

    turns: Sequence[Turn]
    system: str | None = None

    def messages(self) -> Iterator[tuple[str, str]]:
        """Role and text, in order."""
        if self.system is not None:
            yield "system", self.system
        for turn in self.turns:
            yield "user", turn.user
            yield "assistant", turn.answer


def _normal(text: str) -> str:
    """Letters, digits and signs only, for the comparison with held-out questions."""
    return re.sub(r"[^a-z0-9+*/=-]+", " ", text.lower()).strip()


_HELD_OUT = frozenset(_normal(text) for text in HELD_OUT)


def held_out(turn: Turn) -> bool:
    """Whether the check asks just this."""
    return _normal(turn.user) in _HELD_OUT


def any_turn(rng: Rng, weights: Mapping[Skill, float] = SKILLS) -> Turn:
    """A turn of any skill."""
    return rng.choices(list(weights), list(weights.values()))[0](rng)


def _some(rng: Rng, lengths: Sequence[int], weights: Mapping[Skill, float] = SKILLS) -> list[Turn]:
    return [any_turn(rng, weights) for _ in range(one(lengths, rng))]


# --- exchanges that need what was said before ---


def _name_recall(rng: Rng) -> list[Turn]:
    name = one(pools.NAMES, rng) if rng.random() < 0.6 else skills.made_up(rng).title()
    told = keep(wordings.MY_NAME, rng, name)
    return [
        Turn(told, f"Nice to meet you, {name}! What can I do for you?", "memory"),
        *_some(rng, (0, 0, 0, 1, 1, 2, 3)),
        Turn(ask(wordings.WHAT_NAME, rng), f"Your name is **{name}**.", "memory", name),
    ]


_FAVOURITES: dict[str, Sequence[str]] = {
    "colour": facts.OPEN_LISTS["colours"],
    "animal": facts.OPEN_LISTS["animals"],
    "fruit": facts.OPEN_LISTS["fruits"],
    "sport": facts.OPEN_LISTS["sports"],
    "drink": facts.OPEN_LISTS["drinks"],
    "city": facts.OPEN_LISTS["cities"],
    "food": ["pizza", "soup", "bread", "rice", "pasta", "salad", "cheese", "chocolate"],
    "number": [str(n) for n in range(1, 100)],
    "word": pools.PLAIN_WORDS,
}


def _favourite_recall(rng: Rng) -> list[Turn]:
    kind = one(list(_FAVOURITES), rng)
    value = one(_FAVOURITES[kind], rng)
    value = value if kind == "city" else value.lower()
    spelled = one(("favourite", "favorite"), rng)
    pattern = wordings.MY_FAVOURITE.replace("{f}", spelled).replace("{k}", kind)
    told = f"I will remember that your favourite {kind} is {value}."
    asked = ask(wordings.WHICH_FAVOURITE, rng, f=spelled, k=kind)
    return [
        Turn(keep(pattern, rng, value), told, "memory"),
        *_some(rng, (0, 0, 1, 1, 2)),
        Turn(asked, f"Your favourite {kind} is **{value}**.", "memory", value),
    ]


def _said_recall(rng: Rng) -> list[Turn]:
    turns = _some(rng, (1, 1, 2, 3))
    if any(len(turn.user) > 60 or "\n" in turn.user for turn in turns):
        return turns
    if len(turns) == 1 and rng.random() < 0.5:
        pattern, said = wordings.SAID_ONLY, turns[0]
    elif len(turns) == 1 or rng.random() < 0.6:
        pattern, said = wordings.SAID_FIRST, turns[0]
    else:
        pattern, said = wordings.SAID_LAST, turns[-1]
    return [*turns, Turn(ask(pattern, rng), f"You wrote: “{said.user.strip()}”", "recall")]


def _capitals(rng: Rng) -> list[Turn]:
    again = (skills.capital_again,) * 5 + (skills.no_capital_again,)
    return [skills.capital(rng), *(one(again, rng)(rng) for _ in range(one((1, 1, 2), rng)))]


def _terms(rng: Rng) -> list[Turn]:
    return [skills.term(rng), *(skills.term_again(rng) for _ in range(one((1, 1, 2), rng)))]


def _sums(rng: Rng) -> list[Turn]:
    turns = [skills.small_sum(rng)]
    for _ in range(one((1, 1, 2), rng)):
        before = int(turns[-1].brief or 0)
        if before <= 50:
            turns.append(skills.sum_again(rng, before))
    return turns


_LINKED = (
    _name_recall,
    _name_recall,
    _favourite_recall,
    _said_recall,
    _capitals,
    _sums,
    _terms,
)


def _consistent(turns: Sequence[Turn]) -> list[Turn]:
    """Without the turns that deny knowing a name which was told before."""
    kept: list[Turn] = []
    named = False
    for turn in turns:
        named = named or turn.answer.startswith("Nice to meet you, ")
        if not (named and turn.answer == texts.NAME_UNKNOWN):
            kept.append(turn)
    return kept


def _brief(turn: Turn) -> Turn:
    return replace(turn, answer=turn.brief) if turn.brief else turn


def _pirate(turn: Turn) -> Turn:
    return replace(turn, answer="Arr, matey! " + turn.answer)


@dataclass
class Generator:
    """An endless, seeded stream of conversations."""

    seed: int
    weights: Mapping[Skill, float] = field(default_factory=lambda: SKILLS)
    rng: Rng = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def turns(self) -> list[Turn]:
        """Some exchanges, none of which the check asks for."""
        while True:
            turns = self._drawn()
            if not any(map(held_out, turns)):
                return turns

    def _drawn(self) -> list[Turn]:
        """One exchange, a few that have nothing to do with each other, or a few that have."""
        rng, roll = self.rng, self.rng.random()
        if roll < 0.55 or self.weights is EARLY:
            return _some(rng, (1,), self.weights)
        if roll < 0.78:
            return _consistent(_some(rng, (2, 2, 3, 4)))
        turns = one(_LINKED, rng)(rng)
        if turns[-1].skill != "recall" and rng.random() < 0.25:
            turns = [*_some(rng, (1, 2)), *turns]
        return _consistent(turns)

    def conversation(self) -> Conversation:
        """A conversation as people have it: mostly one question, at times a few."""
        rng, turns, roll = self.rng, self.turns(), self.rng.random()
        if roll < 0.68 or self.weights is EARLY:
            return Conversation(turns)
        if roll < 0.92:
            return Conversation(turns, one(wordings.NEUTRAL, rng))
        if roll < 0.96:
            return Conversation([_pirate(turn) for turn in turns], one(wordings.PIRATE, rng))
        if not any(turn.brief for turn in turns):
            brief = one((skills.capital, skills.small_sum, skills.word_form), rng)(rng)
            turns = turns if held_out(brief) else [brief]
        return Conversation([_brief(turn) for turn in turns], one(wordings.BRIEF, rng))

    def long_conversation(self, turns: int) -> Conversation:
        """A conversation that fills a window: later turns then stand at late positions."""
        found: list[Turn] = []
        while len(found) < turns:
            found += [turn for turn in self.turns() if not (found and turn.skill == "recall")]
        system = one(wordings.NEUTRAL, self.rng) if self.rng.random() < 0.3 else None
        return Conversation(_consistent(found), system)
