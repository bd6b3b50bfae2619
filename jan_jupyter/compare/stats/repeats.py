"""What the repeats of one prompt say: how often right, how alike, how stable. No package needed."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from ...errors import UsageError

NEAR = 0.9
"""Answers with so much in common, word by word, are nearly the same."""


def pass_at(n: int, right: int, k: int) -> float:
    """pass@k: the chance that of `k` answers one or more is right, where `right` of `n` were.

    Unbiased: over all ways to take k of the n.
    """
    _check(n, right, k)
    return 1 - math.comb(n - right, k) / math.comb(n, k)


def pass_all(n: int, right: int, k: int) -> float:
    """pass^k: the chance that all of `k` answers are right, where `right` of `n` were."""
    _check(n, right, k)
    return math.comb(right, k) / math.comb(n, k)


def _check(n: int, right: int, k: int) -> None:
    if not (0 <= right <= n and 1 <= k <= n):
        raise UsageError(f"Of {n} answers, {right} of them right, no {k} can be taken.")


def consistency(answers: Sequence[Hashable]) -> float | None:
    """The share of all pairs of answers that are equal; `None` of fewer than two.

    Of values that a scorer gave it is the consistency of the score.
    """
    n = len(answers)
    if n < 2:
        return None
    counts = [answers.count(one) for one in dict.fromkeys(answers)]
    return sum(map(_pairs, counts)) / _pairs(n)


def _pairs(count: int) -> int:
    return math.comb(count, 2)


@dataclass(frozen=True, slots=True)
class Variant:
    """An answer, and which of the repeats (from 0) gave it to the letter."""

    text: str
    repeats: tuple[int, ...]

    @property
    def count(self) -> int:
        return len(self.repeats)

    def __str__(self) -> str:
        return f"{self.text} ×{self.count}" if self.count > 1 else self.text


@dataclass(frozen=True, slots=True)
class Stability:
    """Identical answers collapsed; variants that are nearly the same are in one cluster."""

    clusters: tuple[tuple[Variant, ...], ...]
    """The most frequent first, and in each the most frequent first."""

    @property
    def variants(self) -> tuple[Variant, ...]:
        found = [variant for cluster in self.clusters for variant in cluster]
        return tuple(sorted(found, key=lambda one: (-one.count, one.repeats)))

    @property
    def n(self) -> int:
        return sum(variant.count for cluster in self.clusters for variant in cluster)

    @property
    def identical(self) -> float | None:
        """The share of pairs of repeats that are the same to the letter."""
        return self._alike([one.count for cluster in self.clusters for one in cluster])

    @property
    def alike(self) -> float | None:
        """The share of pairs of repeats that are nearly the same."""
        return self._alike([sum(one.count for one in cluster) for cluster in self.clusters])

    def _alike(self, counts: Sequence[int]) -> float | None:
        return sum(map(_pairs, counts)) / _pairs(self.n) if self.n > 1 else None


def stability(texts: Sequence[str], near: float = NEAR) -> Stability:
    """The repeats of one prompt, in their order, put together by how alike they are.

    A variant belongs to the first cluster to whose most frequent one it is near: its words, in
    their order, are the same for a share of `near` or more.
    """
    places: dict[str, list[int]] = {}
    for at, text in enumerate(texts):
        places.setdefault(text, []).append(at)
    found = [Variant(text, tuple(at)) for text, at in places.items()]
    found.sort(key=lambda one: (-one.count, one.repeats))
    clusters: list[list[Variant]] = []
    for variant in found:
        words = variant.text.split()
        for cluster in clusters:
            if are_near(cluster[0].text.split(), words, near):
                cluster.append(variant)
                break
        else:
            clusters.append([variant])
    clusters.sort(key=lambda one: (-sum(v.count for v in one), one[0].repeats))
    return Stability(tuple(map(tuple, clusters)))


def are_near(one: Sequence[str], other: Sequence[str], near: float = NEAR) -> bool:
    """Whether two sequences of words have a share of `near` or more in common."""
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    bounds = (matcher.real_quick_ratio, matcher.quick_ratio, matcher.ratio)
    return all(bound() >= near for bound in bounds)


def first_difference(texts: Sequence[str]) -> int | None:
    """At which character the answers part; `None` if they are all the same."""
    if len(set(texts)) < 2:
        return None
    shortest, longest = min(texts), max(texts)
    for at, (one, other) in enumerate(zip(shortest, longest, strict=False)):
        if one != other:
            return at
    return min(len(shortest), len(longest))
