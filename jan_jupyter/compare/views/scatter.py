"""Two numbers of each contestant as a dot with both intervals, in plain SVG.

What it shows stands in the table beside it, so it has one name for those who are read to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

from .figures import Estimate
from .written import line, number

WIDTH, HEIGHT = 560, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 24, 22, 40
_LETTER, _LINE = 7.0, 14.0
"""About what a letter of a label takes, and a line of them."""


class Dot(NamedTuple):
    name: str
    x: Estimate
    y: Estimate


class Axis(NamedTuple):
    label: str
    low: float
    high: float
    write: Callable[[float], str] = number


def axis(
    label: str,
    estimates: Sequence[Estimate],
    *,
    at_least: tuple[float, float] | None = None,
    write: Callable[[float], str] = number,
) -> Axis:
    """One that holds all of them, with some room; `at_least`: ends that it also holds."""
    ends = [end for one in estimates for end in (one.value, one.low, one.high) if end is not None]
    ends += at_least or ()
    low, high = min(ends), max(ends)
    if high <= low:
        room = abs(high) / 10 or 0.5
        return Axis(label, low - room, high + room, write)
    return Axis(label, low, high, write)


def scatter(dots: Sequence[Dot], x: Axis, y: Axis) -> str:
    """The image. A dashed cross goes through the first dot, which the others are held against."""

    def at_x(value: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (value - x.low) / (x.high - x.low), 1)

    def at_y(value: float) -> float:
        share = (value - y.low) / (y.high - y.low)
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share, 1)

    shapes = [*_frame(x, y)]
    base = dots[0]
    left, bottom = at_x(base.x.value), at_y(base.y.value)
    shapes.append(_line(left, TOP, left, HEIGHT - BOTTOM, "jc-base", ".5", "3 3"))
    shapes.append(_line(LEFT, bottom, WIDTH - RIGHT, bottom, "jc-base", ".5", "3 3"))
    for one in dots:
        here = at_x(one.x.value), at_y(one.y.value)
        if one.x.low is not None and one.x.high is not None:
            shapes.append(_line(at_x(one.x.low), here[1], at_x(one.x.high), here[1], "jc-span"))
        if one.y.low is not None and one.y.high is not None:
            shapes.append(_line(here[0], at_y(one.y.low), here[0], at_y(one.y.high), "jc-span"))
    places = [(at_x(one.x.value), at_y(one.y.value)) for one in dots]
    for px, py in places:
        shapes.append(f'<circle cx="{px}" cy="{py}" r="5" class="jc-dot" fill="currentColor"/>')
    names = [line(one.name, 28) for one in dots]
    for name, (tx, ty, end) in zip(names, _labels(names, places), strict=True):
        anchor = ' text-anchor="end"' if end else ""
        shapes.append(f'<text x="{tx}" y="{ty}"{anchor} class="jc-name">{escape(name)}</text>')
    title = escape(f"{y.label} against {x.label}", quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img" aria-label="{title}; the numbers are in the table" '
        f'font-size="12" fill="currentColor" class="jc-scatter">{"".join(shapes)}</svg>'
    )


def _frame(x: Axis, y: Axis) -> list[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    middle = (LEFT + right) / 2
    return [
        _line(LEFT, bottom, right, bottom, "jc-axis", ".35"),
        _line(LEFT, TOP, LEFT, bottom, "jc-axis", ".35"),
        f'<text x="{LEFT}" y="{TOP - 9}">{escape(y.label)}</text>',
        f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x.label)}</text>',
        f'<text x="{LEFT}" y="{bottom + 16}">{escape(x.write(x.low))}</text>',
        f'<text x="{right}" y="{bottom + 16}" text-anchor="end">{escape(x.write(x.high))}</text>',
        f'<text x="{LEFT - 6}" y="{bottom}" text-anchor="end">{escape(y.write(y.low))}</text>',
        f'<text x="{LEFT - 6}" y="{TOP + 9}" text-anchor="end">{escape(y.write(y.high))}</text>',
    ]


def _labels(
    names: Sequence[str], places: Sequence[tuple[float, float]]
) -> list[tuple[float, float, bool]]:
    """Where each name stands, and whether it ends there: beside its dot, over no other name or dot,
    as far as there is room."""
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y in places]
    found = []
    for name, (x, y) in zip(names, places, strict=True):
        long = _LETTER * len(name)
        tries = [
            (x + side * 9, y + 4 + rise * _LINE, side < 0)
            for rise in (-0.6, 0.8, -1.6, 1.8, -2.6, 2.8, -3.6)  # not on its own interval
            for side in (1, -1)
        ]
        chosen = tries[0]
        for one in tries:
            box = _box(*one, long)
            inside = box[0] >= LEFT and box[2] <= WIDTH and box[1] >= TOP - 4 and box[3] <= HEIGHT
            if inside and not any(_overlap(box, other) for other in taken):
                chosen = one
                break
        taken.append(_box(*chosen, long))
        found.append((round(chosen[0], 1), round(chosen[1], 1), chosen[2]))
    return found


def _box(x: float, y: float, end: bool, long: float) -> tuple[float, float, float, float]:
    return (x - long if end else x, y - 11, x if end else x + long, y + 3)


def _overlap(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _line(
    x1: float, y1: float, x2: float, y2: float, name: str, opacity: str = "1", dashes: str = ""
) -> str:
    width = 2 if name == "jc-span" else 1
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" class="{name}" stroke="currentColor" '
        f'stroke-opacity="{opacity}" stroke-width="{width}"{dashed}/>'
    )
