"""A dot with its interval in plain SVG: one strip a contestant, all on one scale.

Each stands beside its number, so it is hidden from those who are read to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .figures import Estimate

WIDTH, HEIGHT = 132, 18
_EDGE = 7
"""What is kept free at both ends, so that a dot at the end is whole."""


class Scale(NamedTuple):
    low: float
    high: float

    def x(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(_EDGE + (WIDTH - 2 * _EDGE) * min(1.0, max(0.0, share)), 1)


def scale(estimates: Sequence[Estimate | None], from_zero: bool = False) -> Scale:
    """One that holds all of them; scores from 0 to 1 have all of that.

    `from_zero`: for what has a natural zero, as speeds.
    """
    found = [one for one in estimates if one]
    values = [one.value for one in found]
    ends = [end for one in found for end in (one.low, one.high) if end is not None]
    if not values:
        return Scale(0, 1)
    if not from_zero and min(values) >= 0 and max(values) <= 1:
        return Scale(0, 1)
    low, high = min(values + ends), max(values + ends)
    if from_zero:
        low = min(0.0, low)
    if high <= low:
        low, high = low - 0.5, high + 0.5
    return Scale(low, high)


def strip(estimate: Estimate, on: Scale, baseline: float | None = None) -> str:
    """An SVG image: the line from low to high, the dot, and a dashed line at the baseline."""
    middle, at = HEIGHT / 2, on.x(estimate.value)
    shapes = [_line(on.low, on.high, on, middle, "jc-axis", 1)]
    if baseline is not None:
        x = on.x(baseline)
        shapes.append(
            f'<line x1="{x}" y1="1" x2="{x}" y2="{HEIGHT - 1}" class="jc-base" '
            'stroke="currentColor" stroke-opacity=".6" stroke-dasharray="2 2"/>'
        )
    if estimate.low is not None and estimate.high is not None:
        shapes.append(_line(estimate.low, estimate.high, on, middle, "jc-span", 2.5))
    shapes.append(f'<circle cx="{at}" cy="{middle}" r="4.5" class="jc-dot" fill="currentColor"/>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" aria-hidden="true" focusable="false">{"".join(shapes)}</svg>'
    )


def _line(low: float, high: float, on: Scale, y: float, name: str, width: float) -> str:
    opacity = ".25" if name == "jc-axis" else "1"
    return (
        f'<line x1="{on.x(low)}" y1="{y}" x2="{on.x(high)}" y2="{y}" class="{name}" '
        f'stroke="currentColor" stroke-opacity="{opacity}" stroke-width="{width}"/>'
    )
