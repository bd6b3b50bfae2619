"""What of a comparison is shown, and in which order: the same for every form. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

from ...errors import UsageError
from ..values import Case, Grid, Result, Row
from . import diff, figures
from .figures import Standing, Summary
from .written import counted

MOST = 4
"""Other answers of the repeats of a prompt that are shown; more are counted."""

Against = Literal["baseline", "expected", "nothing"]


class Verdict(Protocol):
    """What statistics say of two contestants by a scorer; `str()` is the whole sentence."""

    @property
    def contestant(self) -> str: ...
    @property
    def baseline(self) -> str: ...
    @property
    def scorer(self) -> str: ...
    @property
    def word(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Variant:
    """An answer that one or more of the repeats gave, to the letter."""

    text: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Cell:
    """One contestant's repeats of one prompt."""

    rows: tuple[Row, ...]
    score: float | None
    """The mean of its repeats."""
    change: float | None
    """The difference of the score to the baseline's."""

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """What was answered, the most frequent first."""
        counts = Counter(row.text for row in self.rows if row.ok)
        return tuple(
            Variant(text, tuple(row for row in self.rows if row.ok and row.text == text))
            for text, _ in counts.most_common()
        )

    @property
    def others(self) -> tuple[Variant, ...]:
        """What else was answered, as far as it is shown."""
        return self.variants[1 : 1 + MOST]

    @property
    def uncounted(self) -> str:
        """How many answers beside these there are; empty if that is all."""
        left = len(self.variants) - 1 - MOST
        return f"{counted(left, 'more answer')} that differ{'s' * (left == 1)}" if left > 0 else ""

    @property
    def errors(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if not row.ok)

    @property
    def text(self) -> str | None:
        """The most frequent answer; `None` where there is none."""
        return self.variants[0].text if self.variants else None


@dataclass(frozen=True)
class Line:
    """One prompt with everybody's cells."""

    place: int
    """Of the case in the grid."""
    case: Case
    cells: tuple[Cell, ...]
    baseline: int

    @cached_property
    def differs(self) -> bool:
        """Whether anybody's answers, errors or score are not the baseline's."""
        base = self.cells[self.baseline]
        others = [cell for cell in self.cells if cell.rows and cell is not base]
        texts = {variant.text.strip() for variant in base.variants}
        return len(self.cells) == 1 or any(
            bool(cell.change)
            or len(cell.errors) != len(base.errors)
            or {variant.text.strip() for variant in cell.variants} != texts
            for cell in others
        )

    @cached_property
    def worst(self) -> float | None:
        """The biggest regression, else the smallest gain; `None` without scores."""
        changes = (cell.change for cell in self.cells if cell.change is not None)
        return min(changes, default=None)

    @property
    def failures(self) -> int:
        """How many more calls failed than the baseline's."""
        base = len(self.cells[self.baseline].errors)
        return max(0, *(len(cell.errors) - base for cell in self.cells))


@dataclass(frozen=True)
class Board:
    """What is shown of a result."""

    result: Result
    baseline: int
    scorer: str
    """Whose scores order the lines; empty if there are none."""
    scorers: tuple[str, ...]
    against: Against
    summaries: tuple[Summary, ...]
    lines: tuple[Line, ...]
    """Those shown, the biggest regression first."""
    same: int
    """Prompts left out because nobody differs from the baseline."""
    more: int
    """Prompts left out because there are too many."""
    verdicts: tuple[Verdict, ...] = ()

    @property
    def names(self) -> list[str]:
        return [contestant.name for contestant in self.result.grid.contestants]

    @property
    def title(self) -> str:
        return self.result.name or "Comparison"

    @property
    def caption(self) -> str:
        return f"{self.title}: {self.asked}"

    @property
    def asked(self) -> str:
        """What was asked of whom, in a line, and how much of it has ended."""
        ended, total = len(self.result.rows), len(self.result.grid)
        so_far = "" if ended == total else f", {ended:,} of {total:,} calls ended"
        return asked(self.result.grid) + so_far

    @property
    def left_out(self) -> str:
        """What is not shown, in a line; empty if all is."""
        parts = []
        if self.same:
            name = self.names[self.baseline]
            whom = "everybody agrees with" if len(self.names) > 2 else "it agrees with"
            parts.append(
                f"{counted(self.same, 'prompt')} not shown: there {whom} {name}"
                " (.show(every=True) has all)."
            )
        if self.more:
            parts.append(f"{counted(self.more, 'more prompt')} not shown (.show(limit=None)).")
        return " ".join(parts)

    def reference(self, line: Line, contestant: int) -> str | None:
        """What a contestant's answers are held against; `None`: nothing."""
        if self.against == "expected":
            return None if line.case.expected is None else str(line.case.expected)
        if self.against == "nothing" or contestant == self.baseline:
            return None
        return line.cells[self.baseline].text

    def parts(self, line: Line, contestant: int) -> list[diff.Part] | None:
        """The contestant's first answer, marked against its reference; `None` where there is no
        reference, or so little in common that marks would tell nothing."""
        text, reference = line.cells[contestant].text, self.reference(line, contestant)
        if text is None or reference is None:
            return None
        found = diff.parts(reference, text)
        return found if diff.alike(found) else None

    def word(self, contestant: int) -> str:
        """The verdict on a contestant against the baseline; empty if there is none."""
        name, base = self.names[contestant], self.names[self.baseline]
        words = (
            verdict.word
            for verdict in self.verdicts
            if (verdict.contestant, verdict.baseline, verdict.scorer) == (name, base, self.scorer)
        )
        return next(words, "")


def asked(grid: Grid) -> str:
    """What is asked of whom, in a line."""
    parts = [counted(len(grid.cases), "prompt"), counted(len(grid.contestants), "model")]
    parts += [counted(grid.repeats, "repeat")] if grid.repeats > 1 else []
    return " × ".join(parts)


def board(
    result: Result,
    verdicts: Sequence[Verdict] = (),
    *,
    baseline: str | int = 0,
    scorer: str = "",
    against: Against | None = None,
    every: bool = False,
    limit: int | None = None,
    standings: Sequence[Standing] = (),
) -> Board:
    """What is shown of a result.

    `baseline` is a contestant's name or place; `scorer` the one that orders the lines (else the
    first); `against` what words are held against (else the baseline's answers, or the expected
    text where there is one model only); `every`: also prompts where nobody differs (one alone is
    always shown); `limit`: how many prompts at most (0: the summary alone). `standings` bring the
    intervals of the summary.
    Raises `UsageError` for a name that is not there.
    """
    names = [contestant.name for contestant in result.grid.contestants]
    base, scorers = _place(baseline, names), figures.scorers(result.rows)
    scorer = _scorer(scorer, scorers)
    found = by_cell(result)
    lines = [
        Line(place, case, _compared(found[place], base, scorer), base)
        for place, case in enumerate(result.grid.cases if limit != 0 else ())
    ]
    kept = _worst_first(line for line in lines if every or line.differs or len(lines) == 1)
    shown = kept[:limit]
    return Board(
        result=result,
        baseline=base,
        scorer=scorer,
        scorers=scorers,
        against=against or _against(result),
        summaries=tuple(
            figures.summary(result.grid, who, [row[who] for row in found], scorers, standings)
            for who in range(len(names))
        ),
        lines=tuple(shown),
        same=len(lines) - len(kept),
        more=len(kept) - len(shown),
        verdicts=tuple(verdicts),
    )


def _against(result: Result) -> Against:
    if len(result.grid.contestants) > 1:
        return "baseline"
    known = any(case.expected is not None for case in result.grid.cases)
    return "expected" if known else "nothing"


def _place(baseline: str | int, names: Sequence[str]) -> int:
    if isinstance(baseline, str) and baseline in names:
        return names.index(baseline)
    if not isinstance(baseline, str) and 0 <= baseline < len(names):
        return baseline
    raise UsageError(
        f"No baseline {baseline!r} in this comparison; it has: {', '.join(names) or 'no model'}."
    )


def _scorer(name: str, there: Sequence[str]) -> str:
    if name and name not in there:
        known = ", ".join(there) or "none yet: .score(…) adds some"
        raise UsageError(f"There are no scores of {name!r} here; there are those of: {known}.")
    return name or next(iter(there), "")


def by_cell(result: Result) -> list[list[list[Row]]]:
    """The rows by case and contestant, each cell in the order of its repeats."""
    grid = result.grid
    cells: list[list[list[Row]]] = [[[] for _ in grid.contestants] for _ in grid.cases]
    for row in sorted(result.rows, key=lambda row: row.call.repeat):
        cells[row.call.case][row.call.contestant].append(row)
    return cells


def _compared(cells: Sequence[Sequence[Row]], baseline: int, scorer: str) -> tuple[Cell, ...]:
    scores = [figures.of_cell(cell, scorer) for cell in cells]
    base = scores[baseline]
    return tuple(
        Cell(
            tuple(rows),
            score,
            None if score is None or base is None or place == baseline else score - base,
        )
        for place, (rows, score) in enumerate(zip(cells, scores, strict=True))
    )


def _worst_first(lines: Iterable[Line]) -> list[Line]:
    def order(line: Line) -> tuple[int, float, bool, int]:
        worst = math.inf if line.worst is None else line.worst
        return -line.failures, worst, not line.differs, line.place

    return sorted(lines, key=order)
