"""Many wordings from few patterns, and the slips of a person who types.

A pattern is text with two marks: ``(a|b)`` stands for one of its parts and ``[a]`` for the part or
nothing. They nest. ``{name}`` is filled with a value after the pattern is expanded, so that a value
is never read as a pattern.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

T = TypeVar("T")


def expand(pattern: str, rng: random.Random, /, **values: object) -> str:
    """One random wording of ``pattern`` with its values filled in."""
    text = _parse(pattern).wording(rng)
    while "  " in text:
        text = text.replace("  ", " ")
    text = text.strip(" ")
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text


@dataclass(frozen=True)
class _Choice:
    """One of several branches, each a sequence of texts and further choices."""

    branches: tuple[tuple[str | _Choice, ...], ...]

    def wording(self, rng: random.Random) -> str:
        branch = self.branches[rng.randrange(len(self.branches))]
        return "".join(part if isinstance(part, str) else part.wording(rng) for part in branch)


@cache
def _parse(pattern: str) -> _Choice:
    choice, end = _choice(pattern, 0)
    if end != len(pattern):
        raise ValueError(f"bracket at {end} closes nothing in pattern {pattern!r}")
    return choice


def _choice(pattern: str, at: int) -> tuple[_Choice, int]:
    """Read branches up to a closing bracket or the end, and say where that is."""
    branches: list[list[str | _Choice]] = [[]]
    while at < len(pattern) and pattern[at] not in ")]":
        char = pattern[at]
        if char == "|":
            branches.append([])
        elif char in "([":
            inner, end = _choice(pattern, at + 1)
            if pattern[end : end + 1] != {"(": ")", "[": "]"}[char]:
                raise ValueError(f"bracket at {at} is not closed in pattern {pattern!r}")
            branches[-1].append(inner if char == "(" else _Choice(((), (inner,))))
            at = end
        elif branches[-1] and isinstance(branches[-1][-1], str):
            branches[-1][-1] += char
        else:
            branches[-1].append(char)
        at += 1
    return _Choice(tuple(map(tuple, branches))), at


POLITE = (
    "please ", "Please, ", "pls ", "hey, ", "Hi! ", "Hello, ", "ok, ", "So, ", "hmm, ",
    "Quick question: ",
    "can you tell me ", "Could you tell me ", "tell me, ", "I want to know ", "I'd like to know: ",
    "Do you know ", "Sorry, ", "one more thing: ", "Hey jan, ", "jan-mini, ", "I'm new here. ",
    "Well, ",
)  # fmt: skip
TAILS = (
    " please", ", please", " thanks", ", thank you", " pls", " thx", "??", " ?", "!", "...", " :)",
)  # fmt: skip


def disturb(text: str, rng: random.Random, slips: float = 0.12) -> str:
    """The same request as another person types it: case, politeness, punctuation, slips."""
    if rng.random() < 0.15:
        first = (
            text if text[:2] in ("I ", "I'") or text[:1] in "`%" else text[:1].lower() + text[1:]
        )
        text = rng.choice(POLITE) + first
    if rng.random() < 0.12:
        text = _with_filler(text, rng)
    if rng.random() < 0.35:
        text = text.rstrip("?.!")
    if rng.random() < 0.08:
        text = text.rstrip("?.!") + rng.choice(TAILS)
    roll = rng.random()
    if roll < 0.28:
        text = text.lower() if "`" not in text and "_" not in text else text[:1].lower() + text[1:]
    elif roll < 0.40:
        text = text[:1].upper() + text[1:]
    elif roll < 0.415:
        text = text.upper()
    if rng.random() < slips:
        text = slip(text, rng)
    if rng.random() < 0.03:
        text = rng.choice((text + "\n", "\n" + text, " " + text, text + " "))
    return text


FILLERS = (
    "actually", "exactly", "now", "just", "really", "then", "again", "quickly", "simply", "here",
    "for me", "maybe", "in general", "first", "also", "best", "right now", "at all", "today",
)  # fmt: skip


def _with_filler(text: str, rng: random.Random) -> str:
    """A word that changes nothing, somewhere after the second word or at the end."""
    words = text.rstrip("?.!").split(" ")
    end = text[len(text.rstrip("?.!")) :]
    place = rng.randint(2, len(words)) if len(words) > 2 and rng.random() < 0.5 else len(words)
    return " ".join([*words[:place], rng.choice(FILLERS), *words[place:]]) + end


def slip(text: str, rng: random.Random) -> str:
    """Swap, drop or double one letter inside a word of four letters or more that holds no digit."""
    words = text.split(" ")
    places = [i for i, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    if not places:
        return text
    place = rng.choice(places)
    word = words[place]
    at = rng.randrange(1, len(word) - 1)
    kind = rng.randrange(3)
    if kind == 0:
        word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    elif kind == 1:
        word = word[:at] + word[at + 1 :]
    else:
        word = word[:at] + word[at] + word[at:]
    words[place] = word
    return " ".join(words)


def one(items: Sequence[T], rng: random.Random) -> T:
    """One of ``items``."""
    return items[rng.randrange(len(items))]
