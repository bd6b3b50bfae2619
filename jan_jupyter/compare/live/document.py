"""A comparison as one JSON document, which alone is enough to draw it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...errors import UsageError
from ...types import Reply, Timings, Usage
from .. import values
from ..scoring.votes import Vote
from ..stats import statistics, verdicts
from ..stats.strengths import Strength, bradley_terry
from ..values import Call, Grid, Result
from ..views import board, figures
from ..views.written import counted
from . import plain, protocol

TEXTS = 4_000_000
"""Characters of answers in a document; those behind are left out."""
PROMPTS = 1_000_000
"""Characters of prompts; where there are more, each is cut."""
SHORTEST = 200
"""So much of a prompt is always there."""
ROWS = 10_000
COMPARED = 300
"""Verdicts: on everybody against every baseline where there are no more."""

MEASURES = figures.WHATS
"""What verdicts are given on beside scores."""


def document(
    result: Result,
    *,
    votes: Sequence[Vote] = (),
    computed: protocol.Figures | None = None,
    engines: Sequence[str] = (),
    ended: str = "",
    live: str = "",
) -> protocol.Comparison:
    """The whole of it. `computed`: its figures, if they are known already."""
    grid = result.grid
    cases, left = cases_of(grid)
    rows, without = rows_of(result, len(cases))
    return {
        "format": 1,
        "name": plain.text(result.name),
        "asked": plain.text(board.asked(grid)),
        "repeats": grid.repeats,
        "cases": cases,
        "contestants": contestants(result, engines),
        "rows": rows,
        **(computed or figures_of(result, votes)),
        "ended": plain.text(ended),
        "left_out": " ".join(filter(None, (left, without))),
        "live": {"id": live} if live else None,
    }


# What was asked -----------------------------------------------------------------------------------


def room_for(grid: Grid) -> int:
    """Of how many cases all rows have room."""
    return max(1, ROWS // max(1, len(grid.contestants) * grid.repeats))


def cases_of(grid: Grid) -> tuple[list[protocol.Case], str]:
    """As many cases as have room with their rows, and what is left out."""
    shown = grid.cases[: room_for(grid)]
    letters = sum(len(message.text) for case in shown for turn in case.turns for message in turn)
    longest = letters + 1
    if letters > PROMPTS:
        longest = max(SHORTEST, PROMPTS // sum(map(_messages, shown)))
    left = []
    if len(shown) < len(grid.cases):
        left.append(f"{counted(len(grid.cases) - len(shown), 'prompt')} of {len(grid.cases):,}")
    if letters > PROMPTS:
        left.append("the ends of long prompts")
    said = f"Left out, being too much: {' and '.join(left)}." if left else ""
    return [_case(case, longest) for case in shown], said


def _messages(case: values.Case) -> int:
    return sum(map(len, case.turns))


def _case(case: values.Case, longest: int) -> protocol.Case:
    return {
        "name": plain.cut(plain.text(case.name), longest),
        "messages": [plain.said(message, longest) for turn in case.turns for message in turn],
        "expected": None
        if case.expected is None
        else plain.cut(plain.value(case.expected), longest),
        "variables": {
            plain.text(name): plain.cut(plain.value(one), longest)
            for name, one in case.variables.items()
        },
    }


def contestants(result: Result, engines: Sequence[str] = ()) -> list[protocol.Contestant]:
    """`engines`, where they are known before anybody has answered."""
    answered = {row.call.contestant: row.reply.engine for row in reversed(result.rows) if row.reply}
    known = dict(enumerate(engines)) | answered
    return [
        {
            "name": plain.text(one.name),
            "model": plain.text(one.model),
            "engine": plain.text(known.get(place, "")),
            "own": plain.own({**one.parameters, **one.settings}),
        }
        for place, one in enumerate(result.grid.contestants)
    ]


# What came ----------------------------------------------------------------------------------------


class Room:
    """How many characters of answers have room yet."""

    def __init__(self) -> None:
        self._left = TEXTS
        self.without = 0
        """Answers that had none."""

    def takes(self, row: values.Row) -> bool:
        """Whether the row's texts go in; then they do."""
        size = len(row.text) + (len(row.reply.reasoning) if row.reply else 0)
        if size > self._left:
            self.without += 1
            return False
        self._left -= size
        return True


def rows_of(result: Result, cases: int) -> tuple[list[protocol.Row], str]:
    """The rows of so many cases, and what is left out."""
    room = Room()
    there = sorted((r for r in result.rows if r.call.case < cases), key=lambda row: row.call)
    shown = [row_of(row, room.takes(row)) for row in there]
    if not room.without:
        return shown, ""
    return shown, f"The texts of {counted(room.without, 'answer')} are too long for a notebook."


def row_of(row: values.Row, whole: bool = True) -> protocol.Row:
    """A row; not `whole`, it is without its texts."""
    reply = row.reply or _NONE
    usage = reply.usage if row.reply and reply.usage != Usage() else None
    return {
        "call": place(row.call),
        "text": plain.text(row.text) if whole else None,
        "reasoning": plain.text(reply.reasoning) if whole else "",
        "error": plain.text(row.error),
        "finish": reply.finish or "",
        "cold": row.cold,
        "reused": row.reused,
        "at": round(row.at, 3),
        "cost": plain.number(row.cost),
        "prompt_tokens": usage.prompt if usage else None,
        "cached_tokens": usage.cached if usage else None,
        "tokens": usage.completion if usage else None,
        "times": _times(reply.timings),
        "notes": [plain.text(note) for note in reply.notes],
        "scores": {plain.text(name): _score(one) for name, one in row.scores.items()},
    }


_NONE = Reply("", "", "")


def place(call: Call) -> protocol.CallPlace:
    return call.case, call.contestant, call.repeat


def _times(times: Timings) -> protocol.Times:
    return {
        "queue": plain.number(times.queue, 4),
        "load": plain.number(times.load, 4),
        "first_token": plain.number(times.first_token, 4),
        "prompt": plain.number(times.prompt, 4),
        "decode": plain.number(times.decode, 4),
        "total": plain.number(times.total, 4),
        "tokens_per_second": plain.number(times.tokens_per_second, 2),
        "prompt_tokens_per_second": plain.number(times.prompt_tokens_per_second, 2),
    }


def _score(score: values.Score) -> protocol.Score:
    found = score.value
    told = found if isinstance(found, bool) else plain.number(found)
    return {"value": told, "note": plain.text(score.note)}


# What it means ------------------------------------------------------------------------------------


def figures_of(result: Result, votes: Sequence[Vote] = ()) -> protocol.Figures:
    """Summaries, verdicts and strengths. Of many rows it takes seconds: not for a loop."""
    names = figures.scorers(result.rows)
    return {
        "summaries": summaries(result, names, quick=False),
        "verdicts": _verdicts(result),
        "strengths": strengths(result.grid, votes),
        "scorers": [*map(plain.text, names)],
        "votes": len(votes),
    }


def counted_of(result: Result, votes: int = 0) -> protocol.Figures:
    """What is known at once: numbers without intervals."""
    names = figures.scorers(result.rows)
    return {
        "summaries": summaries(result, names, quick=True),
        "verdicts": [],
        "strengths": [],
        "scorers": [*map(plain.text, names)],
        "votes": votes,
    }


def summaries(result: Result, names: Sequence[str], *, quick: bool) -> list[protocol.Summary]:
    wanted = () if quick else (*names, *figures.WHATS)
    told = [one for what in wanted for one in verdicts.standings(result, what) if one.estimate.n]
    cells = board.by_cell(result)
    return [
        _summary(figures.summary(result.grid, who, [line[who] for line in cells], names, told))
        for who in range(len(result.grid.contestants))
    ]


def _summary(told: figures.Summary) -> protocol.Summary:
    scores = {plain.text(name): _estimate(one) for name, one in told.scores.items()}
    return {
        "answers": told.answers,
        "errors": told.errors,
        "missing": told.missing,
        "scores": {name: one for name, one in scores.items() if one is not None},
        "first_token": _estimate(told.first_token),
        "seconds": _estimate(told.seconds),
        "speed": _estimate(told.speed),
        "loads": told.loads,
        "loading": plain.number(told.loading),
        "cut": told.cut,
        "tokens": told.tokens,
        "cost": plain.number(told.cost),
        "stable": told.stable,
        "repeated": told.repeated,
    }


def _estimate(told: figures.Measured | None, kind: str = "") -> protocol.Estimate | None:
    value = plain.number(told.value) if told else None
    if told is None or value is None:
        return None
    low, high = plain.number(told.low), plain.number(told.high)
    known = low is not None or high is not None
    kind = (kind or str(getattr(told, "kind", ""))) if known else ""
    return {"value": value, "low": low, "high": high, "n": told.n, "kind": kind}


def _verdicts(result: Result) -> list[protocol.Verdict]:
    """Against every baseline, as far as there is room; those of scorers first."""
    who = {one.name: at for at, one in enumerate(result.grid.contestants)}
    if len(who) < 2 or not result.rows:
        return []
    found: list[protocol.Verdict] = []
    for baseline in range(len(who)):
        room = (COMPARED - len(found)) // (len(who) - 1) * (len(who) - 1)
        told = verdicts.by_scorers(result, baseline)[:room]
        for what in MEASURES:
            if len(told) + len(who) - 1 <= room:
                told += verdicts.verdicts(result, what, baseline)
        if not told:
            break
        found += [_verdict(one, who) for one in told if one.estimate]
    return found


def _verdict(told: verdicts.Verdict, who: Mapping[str, int]) -> protocol.Verdict:
    return {
        "contestant": who[told.contestant],
        "baseline": who[told.baseline],
        "scorer": plain.text(told.scorer),
        "word": told.word,
        "estimate": _estimate(told.estimate, "95 %"),
        "said": plain.text(told),
    }


def strengths(grid: Grid, votes: Sequence[Vote]) -> list[protocol.Strength]:
    """By votes, the strongest first; none where nothing connects them, or without the extra."""
    if not votes or not statistics.available():
        return []
    baseline = min(one for vote in votes for one in (vote.left, vote.right))
    try:
        told = bradley_terry(votes, baseline=baseline)
    except UsageError:
        return []
    return [_strength(one, one.contestant == baseline) for one in told]


def _strength(told: Strength, is_baseline: bool) -> protocol.Strength:
    word = "" if is_baseline else {1: "better", -1: "worse"}.get(told.ahead, "can't tell")
    return {
        "contestant": told.contestant,
        "value": plain.number(told.estimate.value) or 0.0,
        "low": plain.number(told.estimate.low),
        "high": plain.number(told.estimate.high),
        "word": word,
    }
