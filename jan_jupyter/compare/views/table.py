"""The summary as a table of texts: the same columns in every form."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ...redaction import is_secret_name, without_secrets
from ..grids.contestants import part
from ..stats.statistics import ADVICE
from .board import Board
from .figures import Estimate, Summary
from .written import joined, line, number, seconds


class Column(NamedTuple):
    heading: str
    text: Callable[[Summary], str]
    estimate: Callable[[Summary], Estimate | None] | None = None
    """What is drawn as a dot, if anything."""
    from_zero: bool = False


def columns(board: Board) -> list[Column]:
    """Those that tell something of at least one contestant."""
    scores = [_score(name) for name in board.scorers]
    tried = [
        *scores,
        Column(f"against {board.names[board.baseline]}", _word(board)),
        Column("tok/s", lambda one: _speed(one.speed), lambda one: one.speed, from_zero=True),
        Column("first token", lambda one: _time(one.first_token, one.warm)),
        Column("an answer", lambda one: _time(one.seconds, one.warm)),
        Column("loading", _loading),
        Column("tokens", lambda one: f"{one.tokens:,}" if one.tokens else ""),
        Column("cost, estimated", _cost),
        Column("same each time", _stable),
        Column("answers", _answers),
        Column("errors", lambda one: f"{one.errors:,}" if one.errors else ""),
    ]
    return [one for one in tried if any(one.text(summary) for summary in board.summaries)]


def legend(board: Board) -> str:
    """What the numbers and the dots mean, in a line; empty if there is nothing to explain."""
    kinds: dict[str, dict[str, None]] = {}  # what the brackets are, and in which columns
    for column in columns(board):
        for summary in board.summaries:
            if column.estimate and (found := column.estimate(summary)):
                kinds.setdefault(found.kind, {})[column.heading] = None
    said = {
        "95 %": "in brackets the 95 % interval",
        "sd": "± one standard deviation of the prompts, which is no interval of the mean",
        "half": "in brackets the middle half of the prompts",
    }
    parts = [
        text + (f" ({', '.join(kinds[kind])})" if len(kinds.keys() & said.keys()) > 1 else "")
        for kind, text in said.items()
        if kind in kinds
    ]
    summaries = board.summaries
    if any(one.speed or one.first_token or one.seconds for one in summaries):
        apart = (
            ", of warm answers where there are some"
            if any(one.loading for one in summaries)
            else ""
        )
        parts.insert(0, f"times and speeds are medians{apart}")
    if any(one.scores for one in summaries):
        parts.insert(0, "scores are means over prompts")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def models(board: Board) -> list[str]:
    """Whom a name stands for, a line each, where the name itself does not say it."""
    found = []
    for one in board.result.grid.contestants:
        values = {**one.parameters, **one.settings}
        parts = [one.model, *(part(n, v) for n, v in values.items() if not is_secret_name(n))]
        parts += [f"system “{line(one.system, 80)}”"] if one.system else []
        told = joined(map(without_secrets, parts))
        if one.system or told != one.name:
            found.append(f"{one.name}: {told}")
    return found


def prices(board: Board) -> list[str]:
    """At which prices the costs are estimates, a line each."""
    known = board.result.prices
    return [
        f"The cost of {one.name} is an estimate, at {known[one.name]}"
        for one in board.summaries
        if one.cost is not None and one.name in known
    ]


def estimate(found: Estimate | None, write: Callable[[float], str] = number) -> str:
    """A number with its spread or interval."""
    if found is None:
        return ""
    if found.low is None or found.high is None:
        return write(found.value)
    if found.kind == "sd":
        return f"{write(found.value)} ± {write(found.high - found.value)}"
    return f"{write(found.value)} ({write(found.low)} to {write(found.high)})"


def _score(name: str) -> Column:
    return Column(
        name, lambda one: estimate(one.scores.get(name)), lambda one: one.scores.get(name)
    )


def _word(board: Board) -> Callable[[Summary], str]:
    words = {name: board.word(place) for place, name in enumerate(board.names)}
    return lambda one: words[one.name]


def _speed(found: Estimate | None) -> str:
    def write(value: float) -> str:
        return f"{value:,.0f}" if value >= 9.95 else f"{value:.1f}"

    return estimate(found, write)


def _time(found: Estimate | None, warm: bool) -> str:
    return seconds(found.value) + ("" if warm else " (cold)") if found else ""


def _loading(one: Summary) -> str:
    if one.loading is None:
        return ""
    return seconds(one.loading) if one.loads == 1 else f"{one.loads:,} × {seconds(one.loading)}"


def _cost(one: Summary) -> str:
    if one.cost is None:
        return ""
    of = "" if one.priced >= one.answers else f" ({one.priced:,} of {one.answers:,} priced)"
    return f"{one.cost:.4f}{of}"


def _stable(one: Summary) -> str:
    return f"{one.stable:,} of {one.repeated:,}" if one.repeated else ""


def _answers(one: Summary) -> str:
    parts = [f"{one.answers:,}"]
    parts += [f"{one.missing:,} to come"] if one.missing else []
    parts += [f"{one.reused:,} reused"] if one.reused else []
    parts += [f"{one.cut:,} cut"] if one.cut else []
    return ", ".join(parts)


def verdicts(board: Board) -> list[str]:
    """A line each; what would tell more stands once, in the last."""
    *said, last = [str(verdict) for verdict in board.verdicts] or [""]
    return [*(line.removesuffix(f" {ADVICE}") for line in said), *([last] if last else [])]
