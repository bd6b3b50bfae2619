"""Means over and over: of samples drawn again, and of differences turned round. numpy, no loops.

The drawings are the same each time (a fixed seed), so the same data always give the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

RESAMPLES = 1999
LEVELS = 0.95, 0.98, 0.99
"""Of two sides: where the bootstrap is held against Student's t."""
SIGNS = 9_999
"""So many ways to turn differences round, where there are too many to try all of them."""
TRIED = 13
"""Of so many differences all are tried."""
DRAWN = 100
"""Of more differences no ways are drawn."""


@dataclass(frozen=True, slots=True)
class Studentised:
    """A bootstrap of the mean in units of each sample's own standard error.

    `distances` is an array, sorted: how far the means of the samples lie from that of the data.
    """

    center: float
    error: float
    distances: Any

    def ends(self, level: float) -> tuple[float, float]:
        """The interval of the mean."""
        import numpy as np

        below, above = np.quantile(self.distances, [(1 - level) / 2, (1 + level) / 2])
        return self.center - float(above) * self.error, self.center - float(below) * self.error

    def stretched(self, reach: Callable[[float], float]) -> float:
        """In how many of Student's units, whose `reach` for a level is given, the mean lies from
        zero, each as long as the bootstrap's are to that side where they are longer.

        So it can be told of chances that are smaller than one of the samples.
        """
        import numpy as np

        side = 1 if self.center > 0 else -1
        lengths = [
            float(np.quantile(side * self.distances, (1 + level) / 2)) / reach(level)
            for level in LEVELS
        ]
        return abs(self.center) / self.error / max(1.0, *lengths)


def studentised(values: Sequence[float]) -> Studentised | None:
    """`None` where too many samples have no spread, so that there is no end to the interval."""
    import numpy as np

    n, data = len(values), np.asarray(values, float)
    center, error = float(data.mean()), float(data.std(ddof=1)) / math.sqrt(n)
    if not error:
        return None
    off = (data - center) / error  # the unit of the data does not matter
    counts = _counts(n)
    means = counts @ off / n
    squares = np.maximum(counts @ (off * off) / n - means * means, 0)
    errors = np.sqrt(squares / (n - 1))
    some = errors > 1e-7
    if some.mean() < 0.99:
        return None
    return Studentised(center, error, np.sort(means[some] / errors[some]))


@lru_cache(maxsize=2)
def _counts(n: int) -> Any:
    """How often each of n values is in each sample: an array, samples × values."""
    import numpy as np

    drawn = np.random.default_rng(0).integers(0, n, (RESAMPLES, n))
    drawn += np.arange(RESAMPLES)[:, None] * n
    counted = np.bincount(drawn.ravel(), minlength=RESAMPLES * n)
    return counted.reshape(RESAMPLES, n).astype(float)


def turned_round(differences: Sequence[float]) -> tuple[int, int]:
    """Of how many ways to turn differences round how many give a mean as large: of all ways up to
    `TRIED`, else of those that are drawn and the one that is seen. Of `DRAWN` at most."""
    import numpy as np

    data = np.asarray(differences, float)
    data = data / np.abs(data).max()
    is_tried = len(data) <= TRIED
    signs = _all_signs(len(data)) if is_tried else _some_signs()[:, : len(data)]
    sums = np.abs(signs @ data)
    as_large = int((sums >= abs(data.sum()) - 1e-9 * len(data)).sum())
    return as_large + (not is_tried), len(signs) + (not is_tried)


def _all_signs(n: int) -> Any:
    import numpy as np

    return 1.0 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)


@lru_cache(maxsize=1)
def _some_signs() -> Any:
    import numpy as np

    return 1.0 - 2 * np.random.default_rng(0).integers(0, 2, (SIGNS, DRAWN))
