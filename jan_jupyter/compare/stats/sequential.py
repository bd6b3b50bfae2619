"""Looking again after each prompt, with error control: the answer may be clear early.

An interval of a fixed n that is looked at again and again finds a difference between equals sooner
or later. The test here may be looked at after each prompt, for ever, and errs once in twenty times
at most. It needs no package.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

ALPHA = 0.05
STAKES = (0.08, 0.2, 0.4, 0.8, 1.6)
"""How boldly is betted on a sign, in units of the root mean square difference so far."""
SHARES = (0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95)
"""How much of the money is betted against a mean."""
MOST = 1e200
"""Whoever has so much has seen enough."""
Word = Literal["higher", "lower", "no difference", "go on"]


@dataclass(frozen=True, slots=True)
class Look:
    """What is known after so many prompts.

    `evidence` is the most that a gambler has had who began with 1 and betted on differences: with
    equals it passes 1 / alpha once in 1 / alpha times at most, however long it goes on.
    """

    word: Word
    evidence: float
    low: float
    high: float
    """Mean differences that no look has ruled out; without a bound from -inf to inf."""
    n: int

    @property
    def decided(self) -> bool:
        return self.word != "go on"


def look(
    differences: Sequence[float],
    *,
    alpha: float = ALPHA,
    pairs: int = 1,
    margin: float = 0.0,
    bound: float | None = None,
    ends: bool = True,
) -> Look:
    """What the paired differences of the prompts say, in the order in which they are asked.

    `pairs` that are tested at once share `alpha`. No difference can be larger than the `bound`, 1
    for scores: then what is tested is that their mean is zero, whatever their distribution, there
    is an interval (if its `ends` are wanted: that takes longer), and with a `margin` it ends, too,
    when no larger difference is left. Without a bound no mean can be tested: it is that of equals
    a difference is as likely to one side as to the other.
    """
    alpha /= max(pairs, 1)
    path = [*_against(0.0, differences, bound)] if bound else _path(differences)
    evidence = max(path, default=1.0)
    low, high = -math.inf, math.inf
    if bound and ends:
        low, high = _left(differences, bound, 1 / alpha)
    word: Word = "go on"
    if evidence >= 1 / alpha:
        first = next(at for at, one in enumerate(path) if one >= 1 / alpha)
        word = "higher" if math.fsum(differences[: first + 1]) > 0 else "lower"
    elif -margin <= low and high <= margin:
        word = "no difference"
    return Look(word, evidence, low, high, len(differences))


def _path(differences: Sequence[float]) -> list[float]:
    """The gambler's money after each prompt: the mean over all stakes, on both sides.

    Before each bet the size of the difference is known, its sign is not: a bet that is fair
    whichever sizes come. So money is a martingale.
    """
    logs = [0.0] * (2 * len(STAKES))
    squares, count, path = 0.0, 0, []
    for difference in differences:
        if difference * difference > 0:  # else too small for numbers
            squares, count = squares + difference * difference, count + 1
            size = difference / math.sqrt(squares / count)
            for at, stake in enumerate(STAKES):
                logs[2 * at] += _won(stake * size)
                logs[2 * at + 1] += _won(-stake * size)
        path.append(_mean(logs))
    return path


def _won(bet: float) -> float:
    """The logarithm of 1 + tanh(bet), which a fair coin makes 1 on the average."""
    loss = math.log1p(math.exp(-2 * abs(bet)))
    return math.log(2) - (loss if bet > 0 else loss - 2 * bet)


def _against(mean: float, differences: Sequence[float], bound: float) -> Iterator[float]:
    """The money after each prompt of who bets fixed shares of it against a mean, on both sides."""
    scale = bound + abs(mean)  # no difference is further off
    bets = [side * share / scale for share in SHARES for side in (1, -1)]
    moneys = [1.0] * len(bets)
    for difference in differences:
        off = difference - mean
        moneys = [
            min(money * (1 + bet * off), MOST) for money, bet in zip(moneys, bets, strict=True)
        ]
        yield sum(moneys) / len(moneys)


def _left(differences: Sequence[float], bound: float, limit: float) -> tuple[float, float]:
    """Which means are not ruled out: of bounded differences, whatever their distribution."""
    center = math.fsum(differences) / len(differences) if differences else 0.0

    def out(mean: float) -> bool:
        return any(money >= limit for money in _against(mean, differences, bound))

    return _end(out, center, -bound), _end(out, center, bound)


def _end(out: Callable[[float], bool], inside: float, outside: float) -> float:
    """The mean nearest to the inside that is ruled out; else the bound."""
    if not out(outside):
        return outside
    for _ in range(20):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if out(middle) else (middle, outside)
    return outside


def _mean(logs: Sequence[float]) -> float:
    return math.fsum(math.exp(min(one, 600.0)) for one in logs) / len(logs)
