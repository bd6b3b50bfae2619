"""Word by word: what one text has that another has not. Nothing is escaped here. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Literal, NamedTuple

Kind = Literal["same", "removed", "added"]


class Part(NamedTuple):
    kind: Kind
    text: str


_WORDS = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")
"""Words and signs, each with the blanks after it, which are not looked at in matching."""
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_LARGEST, _DENSEST, _LONGEST = 60_000, 40, 4_000
"""Pairs of equal words, one of each text, that are matched one by one, in all and for each word on
average, and words of a text. Texts with more are matched line by line first, and what still has
more counts as replaced: so the cost of a diff is bounded."""
_ALIKE = 0.35
"""Of the longer text's letters: with fewer in common, marks would cover all and tell nothing."""


def parts(old: str, new: str) -> list[Part]:
    """The way from `old` to `new`: what is the same and removed gives `old`, what is the same and
    added gives `new`. Neighbours are of different kinds, and removed stands before added."""
    if old == new:
        return [Part("same", old)] if old else []
    found = _words(_WORDS.findall(old), _WORDS.findall(new))
    return _merged(_without_crumbs(_merged(_ends_alike(_merged(found)))))


def alike(parts: Sequence[Part]) -> bool:
    """Whether the two have so much in common that marks help to read."""
    size = {"same": 0, "removed": 0, "added": 0}
    for part in parts:
        size[part.kind] += len("".join(part.text.split()))
    return size["same"] >= _ALIKE * (size["same"] + max(size["removed"], size["added"]))


def cut(parts: Iterable[Part], longest: int) -> tuple[list[Part], list[Part]]:
    """The first `longest` characters, as far as whole words go, and the rest."""
    head: list[Part] = []
    rest: list[Part] = []
    room = longest
    for kind, text in parts:
        if rest or len(text) <= room:
            (rest if rest else head).append(Part(kind, text))
            room -= len(text)
            continue
        at = next((i for i in range(room, max(0, room - 40), -1) if text[i - 1].isspace()), room)
        head += [Part(kind, text[:at])] if at else []
        rest.append(Part(kind, text[at:]))
    return head, rest


def parting(one: str, other: str) -> tuple[int, str, str]:
    """Where two texts part: the number of the first word that differs (from 1), and what the two
    have there, a few words of each (empty: it has ended)."""
    left, right = one.split(), other.split()
    same = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), None)
    at = min(len(left), len(right)) if same is None else same
    return at + 1, " ".join(left[at : at + 4]), " ".join(right[at : at + 4])


def _words(old: Sequence[str], new: Sequence[str]) -> list[Part]:
    start = next(
        (i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b),
        min(len(old), len(new)),
    )
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    inner_old, inner_new = old[start : len(old) - end], new[start : len(new) - end]
    return [
        Part("same", "".join(old[:start])),
        *_inner(inner_old, inner_new),
        Part("same", "".join(old[len(old) - end :])),
    ]


def _inner(old: Sequence[str], new: Sequence[str]) -> list[Part]:
    if _cheap(old, new):
        return _matched(old, new)
    before, after = _LINES.findall("".join(old)), _LINES.findall("".join(new))
    if min(len(before), len(after)) < 2 or not _cheap(before, after):
        return _replaced(old, new)
    found: list[Part] = []
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        lines, instead = "".join(before[a:b]), "".join(after[c:d])
        if tag == "equal":
            found.append(Part("same", lines))
            continue
        words, others = _WORDS.findall(lines), _WORDS.findall(instead)
        found += (_matched if _cheap(words, others) else _replaced)(words, others)
    return found


def _cheap(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether matching is known to be, by how many pairs of equal words there are."""
    if max(len(old), len(new)) > _LONGEST:
        return False
    there = Counter(map(str.rstrip, new))
    pairs = sum(count * there[word] for word, count in Counter(map(str.rstrip, old)).items())
    return pairs <= min(_LARGEST, _DENSEST * max(50, min(len(old), len(new))))


def _matched(old: Sequence[str], new: Sequence[str]) -> list[Part]:
    found: list[Part] = []
    # No word is taken for noise because it is frequent: in an answer that repeats itself all are.
    matcher = SequenceMatcher(
        None, [*map(str.rstrip, old)], [*map(str.rstrip, new)], autojunk=False
    )
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag != "equal":
            found += _replaced(old[a:b], new[c:d])
            continue
        for one, other in zip(old[a:b], new[c:d], strict=True):
            word = one if one == other else one.rstrip()
            found += [Part("same", word), *_replaced([one[len(word) :]], [other[len(word) :]])]
    return found


def _replaced(old: Sequence[str], new: Sequence[str]) -> list[Part]:
    return [Part("removed", "".join(old)), Part("added", "".join(new))]


def _ends_alike(found: Sequence[Part]) -> list[Part]:
    """Blanks at the end of both what is removed and what replaces it are the same."""
    kept: list[Part] = []
    for place, part in enumerate(found):
        before = found[place - 1] if place else Part("same", "")
        replaces = (before.kind, part.kind) == ("removed", "added")
        if n := _common_blanks(before.text, part.text) if replaces else 0:
            kept[-1] = Part("removed", before.text[:-n])
            kept += [Part("added", part.text[:-n]), Part("same", part.text[-n:])]
        else:
            kept.append(part)
    return kept


def _common_blanks(one: str, other: str) -> int:
    """How many blanks both end with."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1] and pair[0].isspace(), pairs))


def _without_crumbs(found: Sequence[Part]) -> list[Part]:
    """Blanks and single signs between two changes belong to the changes: so it reads better."""
    last = len(found) - 1
    kept: list[Part] = []
    for place, part in enumerate(found):
        crumb = part.kind == "same" and 0 < place < last and len(part.text.strip()) < 2
        kept += [Part("removed", part.text), Part("added", part.text)] if crumb else [part]
    return kept


def _merged(found: Iterable[Part]) -> list[Part]:
    """Neighbouring changes as one each, without empty parts."""
    merged: list[Part] = []
    removed = added = same = ""
    for kind, text in [*found, Part("same", "")]:
        if kind == "same":
            if text and (removed or added):
                merged += [Part("same", same), Part("removed", removed), Part("added", added)]
                removed = added = same = ""
            same += text
            continue
        removed += text if kind == "removed" else ""
        added += text if kind == "added" else ""
    merged += [Part("same", same), Part("removed", removed), Part("added", added)]
    return [part for part in merged if part.text]
