"""A ladder as text, Markdown and HTML: a table of its rungs, and quality against speed as dots."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from html import escape
from typing import Any, NamedTuple

from ... import markdown as sanitiser
from ... import units
from ..stats.statistics import ADVICE, available
from . import dots
from .figures import Estimate
from .html import aligned, scrolled
from .rung_figures import LadderBoard, RungFigures
from .scatter import Dot, axis, scatter
from .style import STYLE
from .table import estimate
from .text import filled, set_table
from .written import joined, line, number


class _Column(NamedTuple):
    heading: str
    text: Callable[[RungFigures], str]
    estimate: Callable[[RungFigures], Estimate | None] | None = None
    """What is drawn as a dot, if anything."""


def _columns(told: LadderBoard) -> list[_Column]:
    """Those that tell something of at least one rung."""
    base = told.rungs[0].name
    tried = [
        _Column("file", lambda one: units.size(one.size) if one.size else ""),
        _Column("memory", lambda one: units.size(one.memory) if one.memory else ""),
        _Column(
            "tok/s", lambda one: estimate(one.summary.speed, speed), lambda one: one.summary.speed
        ),
        _Column("prompt tok/s", lambda one: estimate(one.prompt_speed, speed)),
        *([_quality(told.scorer)] if told.scorer else []),
        _Column(f"against {base}", lambda one: one.word),
        _Column("flips", _flipped, lambda one: one.flips),
        _Column("answers", lambda one: f"{one.summary.answers:,}"),
        _Column("errors", lambda one: f"{one.summary.errors:,}" if one.summary.errors else ""),
    ]
    return [one for one in tried if any(map(one.text, told.rungs))]


def _quality(scorer: str) -> _Column:
    return _Column(
        scorer,
        lambda one: estimate(one.summary.scores.get(scorer)),
        lambda one: one.summary.scores.get(scorer),
    )


def _flipped(one: RungFigures) -> str:
    if one.flips is None:
        return "not measured" if one.why else ""
    return f"{estimate(one.flips, share)}, {one.flipped:,} of {one.positions:,}"


def speed(value: float) -> str:
    return f"{value:,.0f}" if value >= 9.95 or not value else f"{value:.1f}"


def share(value: float) -> str:
    percent = 100 * value
    return f"{percent:.0f} %" if percent in (0, 100) else f"{percent:.2g} %"


def notes(told: LadderBoard) -> list[str]:
    """What the numbers mean and what is missing, a sentence each."""
    said = [*told.verdicts]
    parts = ["speeds are medians"]
    ranges = any(one.summary.speed and one.summary.speed.kind == "95 %" for one in told.rungs)
    parts += ["in brackets the 95 % interval"] if ranges else []
    parts += ["memory is what is planned with, its context included"]
    legend = "; ".join(parts)
    said.append(f"{legend[0].upper()}{legend[1:]}.")
    if told.measured:
        said.append(
            f"Flips: where the most likely next token is not that of {told.rungs[0].name}, along"
            " its greedy answers; the mean over prompts, and positions in all."
        )
    reasons = {one.why: one.name for one in reversed(told.rungs) if one.why}
    said += [f"Flips of {name} not measured everywhere: {why}" for why, name in reasons.items()]
    said += [f"{one.name}: {note}" for one in told.rungs for note in one.notes]
    if told.ours:
        said.append("These prompts come with us: your own tell more.")
    if not told.scorer:
        said.append('Quality beside flips takes a scorer: `.score("contains")`, a judge, your own.')
    if not available():
        said.append(ADVICE)
    return [*said, *([told.pull] if told.pull else [])]


def records(told: LadderBoard) -> list[dict[str, Any]]:
    """A plain mapping for each rung: sizes in bytes, speeds in tokens a second, shares."""
    return [
        {
            "rung": one.name,
            "model": one.model,
            "quantisation": one.quantisation,
            "size": one.size,
            "memory": one.memory,
            "tokens_per_second": one.summary.speed.value if one.summary.speed else None,
            "prompt_tokens_per_second": one.prompt_speed.value if one.prompt_speed else None,
            "answers": one.summary.answers,
            "errors": one.summary.errors,
            "flips": one.flips.value if one.flips else None,
            "flips_low": one.flips.low if one.flips else None,
            "flips_high": one.flips.high if one.flips else None,
            "positions": one.positions,
            "flipped": one.flipped,
            **{name: found.value for name, found in one.summary.scores.items()},
        }
        for one in told.rungs
    ]


# Forms --------------------------------------------------------------------------------------------


def text(told: LadderBoard, width: int = 0) -> str:
    """Plain text, in lines of `width` columns; 0: those of the terminal."""
    width = width or shutil.get_terminal_size((100, 24)).columns
    said = "\n".join(filled(f"- {one}", width, "  ") for one in notes(told))
    title = filled(f"{told.title}: {told.asked}", width)
    return joined([title, set_table(_rows(told), width), said], "\n\n")


def markdown(told: LadderBoard) -> str:
    """Markdown; everything in it is only text."""
    heads, *rows = [[sanitiser.plain(cell) for cell in row] for row in _rows(told)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in [heads, ["---"] * len(heads), *rows])
    said = "\n".join(f"- {sanitiser.plain(line(one))}" for one in notes(told))
    title = f"## {sanitiser.plain(line(told.title))}"
    return joined([title, sanitiser.plain(told.asked), table, said], "\n\n") + "\n"


def _rows(told: LadderBoard) -> list[list[str]]:
    columns = _columns(told)
    rows = [["rung", *(column.heading for column in columns)]]
    for place, one in enumerate(told.rungs):
        base = "" if place else " (baseline)"
        rows.append([one.name + base, *(column.text(one) for column in columns)])
    return [[line(cell) for cell in row] for row in rows]


def html(told: LadderBoard) -> str:
    """The HTML of a cell's output, with its own style."""
    return f"<style>{STYLE}</style>{aligned(body(told, f'{told.title}: {told.asked}'))}"


def body(told: LadderBoard, caption: str) -> str:
    """The same without the style."""
    said = "".join(f"<li>{escape(line(one))}</li>" for one in notes(told))
    return (
        '<div class="jan-compare tex2jax_ignore mathjax_ignore">'
        f"{_table(told, caption)}{_plot(told)}<ul>{said}</ul></div>"
    )


def _table(told: LadderBoard, caption: str) -> str:
    columns = _columns(told)
    scales = [
        dots.scale([one.estimate(rung) for rung in told.rungs], one.heading != told.scorer)
        if one.estimate
        else None
        for one in columns
    ]
    heads = "".join(
        f'<th scope="col" role="columnheader">{escape(line(one.heading))}</th>' for one in columns
    )
    lines = []
    for place, rung in enumerate(told.rungs):
        cells = []
        for column, on in zip(columns, scales, strict=True):
            found = column.estimate(rung) if column.estimate else None
            drawn = dots.strip(found, on) if found and on else ""
            name = escape(line(column.heading), quote=True)
            said = escape(line(column.text(rung)))
            cells.append(f'<td role="cell" data-name="{name}">{said}{drawn}</td>')
        base = "" if place else ' <span class="jc-small">baseline</span>'
        lines.append(
            f'<tr role="row"><th scope="row" role="rowheader">{escape(line(rung.name))}{base}</th>'
            f"{''.join(cells)}</tr>"
        )
    return (
        f'{scrolled("Rungs")}<table class="jc-sum" role="table"><caption>{escape(line(caption))}'
        f'</caption><thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">rung'
        f'</th>{heads}</tr></thead><tbody role="rowgroup">{"".join(lines)}</tbody></table></div>'
    )


def _plot(told: LadderBoard) -> str:
    """Quality against speed; without scores the share of tokens that are the largest's."""
    found = []
    for place, one in enumerate(told.rungs):
        quality = one.summary.scores.get(told.scorer) if told.scorer else _kept(one, place == 0)
        if quality and one.summary.speed:
            found.append(Dot(one.name, one.summary.speed, quality))
    if len(found) < 2 or found[0].name != told.rungs[0].name:
        return ""
    label = told.scorer or f"same next token as {told.rungs[0].name}"
    write = number if told.scorer else share
    speeds = axis("tok/s", [one.x for one in found], at_least=(0.0, 0.0), write=speed)
    drawn = scatter(found, speeds, axis(label, [one.y for one in found], write=write))
    return f"{scrolled('Quality against speed')}{drawn}</div>"


def _kept(one: RungFigures, base: bool) -> Estimate | None:
    if base:
        return Estimate(1.0)
    if one.flips is None:
        return None
    kept = 1 - one.flips.value
    if one.flips.low is None or one.flips.high is None:
        return Estimate(kept, n=one.flips.n)
    return Estimate(kept, 1 - one.flips.high, 1 - one.flips.low, one.flips.n, one.flips.kind)
