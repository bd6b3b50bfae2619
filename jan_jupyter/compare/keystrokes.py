"""A comparison by keystroke: of which models text was shown at the cursor, and which was taken.

Numbers only: what somebody has written is not kept. They are notes of a run without prompts, one
for each hour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from ..errors import UsageError
from ..types import EMPTY
from .stats import statistics
from .stats.statistics import ADVICE, Estimate
from .values import Contestant, Grid
from .views.listing import Listing

RUN = "completions"
"""The name of the run."""
NOTE = "keystrokes "
"""What the name of a note begins with; then comes its hour, in UTC."""
FIGURES = ("shown", "taken", "words", "characters", "seconds")
"""What is counted of a model: how often its text was shown, and taken; how much of it was; and in
all the seconds until its texts had begun."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Of one model."""

    model: str
    shown: int
    taken: int
    words: int
    characters: int
    seconds: float

    @property
    def share(self) -> float | None:
        """How much of what was shown was taken, at least a part of it."""
        return self.taken / self.shown if self.shown else None

    @property
    def first(self) -> float | None:
        """Seconds until a text had begun, on average."""
        return self.seconds / self.shown if self.shown else None


@dataclass(frozen=True, slots=True)
class Preference:
    """Two models that were asked at the same places; `str` is one line.

    Of each place at most one text was taken; who was shown first was drawn.
    """

    models: tuple[str, str]
    offered: int
    """At how many places both had a text."""
    taken: tuple[int, int]
    estimate: Estimate | None = None
    """Of the difference of the shares that were taken; `None` without the extra `compare`."""

    @property
    def word(self) -> str:
        """How often the first is taken: "more", "less", "can't tell"; empty if nothing is known."""
        if self.estimate is None:
            return ""
        p, value = self.estimate.p, self.estimate.value
        if p is None or p >= 0.05 or self.estimate.holds_zero:
            return "can't tell"
        return "more" if value > 0 else "less"

    def __str__(self) -> str:
        (one, other), (first, second) = self.models, self.taken
        seen = f"{first:,} and {second:,} of {self.offered:,} times at which both had a text"
        found = self.estimate
        if found is None:
            return f"Taken of {one} and {other}: {seen}. {ADVICE}"
        told = seen
        if found.low is not None and found.high is not None:
            told += f" (difference {found.value:+.0%}, 95 %: {found.low:+.0%} to {found.high:+.0%})"
        p = f"; p = {found.p:.2g}" if found.p is not None else ""
        if self.word == "can't tell":
            return f"Can't tell which of {one} and {other} is taken more often: {told}{p}."
        return f"{one} is taken {self.word} often than {other}: {told}{p}."


@dataclass(frozen=True, repr=False)
class Completions:
    """What was offered at the cursor while somebody typed, counted: `jan.runs["completions"]`."""

    name: str
    hours: Mapping[str, Mapping[str, Any]] = field(default=EMPTY)
    """What was counted in each hour: `models` by their names, `pairs` by both."""

    @property
    def models(self) -> tuple[Kept, ...]:
        """All hours together, whose text was taken most often first."""
        sums: dict[str, Counter[str]] = {}
        for row in self.table():
            sums.setdefault(row["model"], Counter()).update({k: row[k] for k in FIGURES})
        found = [Kept(name, **{k: one[k] for k in FIGURES}) for name, one in sums.items()]
        return tuple(sorted(found, key=lambda one: (-(one.share or 0.0), one.model)))

    def table(self) -> list[dict[str, Any]]:
        """A plain mapping for each hour and model: `hour` (in UTC), `model`, and `FIGURES`."""
        return [
            {"hour": hour, "model": model, **{k: counted.get(k, 0) for k in FIGURES}}
            for hour, told in self.hours.items()
            for model, counted in told.get("models", {}).items()
        ]

    def to_pandas(self) -> Any:
        """`.table()` as a data frame."""
        return statistics.needed("pandas").DataFrame(self.table())

    def preferences(self) -> tuple[Preference, ...]:
        """Of all two models that were asked at the same places: which is taken more often."""
        sums: dict[tuple[str, str], list[int]] = {}
        for told in self.hours.values():
            for one in told.get("pairs", ()):
                left, right = one["models"]
                seen = sums.setdefault((left, right), [0, 0, 0])
                for place, more in enumerate((one["offered"], *one["taken"])):
                    seen[place] += more
        return tuple(
            Preference(pair, offered, (first, second), _estimate(offered, first, second))
            for pair, (offered, first, second) in sums.items()
            if offered
        )

    # As it shows itself ---------------------------------------------------------------------------

    def __repr__(self) -> str:
        if not self.hours:
            return NOTHING
        return "\n".join([self._listing().text(), *map(str, self.preferences())])

    def _repr_html_(self) -> str:
        if not self.hours:
            return f"<p>{escape(NOTHING)}</p>"
        said = "".join(f"<p>{escape(str(one))}</p>" for one in self.preferences())
        return self._listing().html() + said

    def _listing(self) -> Listing:
        return Listing(HEADINGS, [*self._rows()], right=range(1, len(HEADINGS)))

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for one in self.models:
            share = "" if one.share is None else f" ({one.share:.0%})"
            first = "" if one.first is None else f"{one.first * 1000:,.0f} ms"
            numbers = f"{one.shown:,}", f"{one.taken:,}{share}", f"{one.words:,}"
            yield one.model, *numbers, f"{one.characters:,}", first


HEADINGS = ("Model", "Shown", "Taken", "Words", "Characters", "First text")
NOTHING = "Nothing has been offered yet: choose a model for inline completion in JupyterLab."


def _estimate(offered: int, first: int, second: int) -> Estimate | None:
    """Of the difference of two shares of the same places; nowhere both were taken."""
    if not statistics.available() or offered < 1:
        return None
    low, high = statistics.newcombe(0, first, second, offered - first - second)
    p = statistics.mcnemar(first, second)
    method = "Newcombe's interval, exact McNemar"
    value = (first - second) / offered
    return Estimate(value, low, high, offered, method, None, p, first + second)


# As it is kept ------------------------------------------------------------------------------------


def of(name: str, notes: Mapping[str, Any]) -> Completions | None:
    """What a run's notes hold of it; `None` if it is another run."""
    hours = {key.removeprefix(NOTE): told for key, told in notes.items() if key.startswith(NOTE)}
    return Completions(name, dict(sorted(hours.items()))) if hours else None


def grid(before: Grid | None, models: Sequence[str]) -> Grid:
    """That of the run: no prompts, and those models behind the ones that it has."""
    known = () if before is None or before.cases else before.contestants
    names = [one.name for one in known]
    new = [name for name in dict.fromkeys(models) if name not in names]
    return Grid((), (*known, *(Contestant(name, name) for name in new)))


def added(before: Any, counts: Mapping[str, Any]) -> dict[str, Any]:
    """An hour's note with what was counted since: `models` and `pairs` as the route takes them."""
    told = before if isinstance(before, Mapping) else {}
    models = {name: {**one} for name, one in told.get("models", {}).items()}
    for one in counts["models"]:
        own = models.setdefault(one["model"], {})
        for figure in FIGURES:
            own[figure] = own.get(figure, 0) + one[figure]
    pairs = {tuple(one["models"]): {**one} for one in told.get("pairs", ())}
    for one in counts.get("pairs", ()):
        names = tuple(one["models"])
        pair = pairs.setdefault(names, {"models": [*names], "offered": 0, "taken": [0, 0]})
        pair["offered"] += one["offered"]
        pair["taken"] = [a + b for a, b in zip(pair["taken"], one["taken"], strict=True)]
    return {"models": models, "pairs": [*pairs.values()]}


def check(counts: Mapping[str, Any]) -> None:
    """Raises `UsageError` for numbers that cannot be."""
    for one in counts["models"]:
        if one["taken"] > one["shown"]:
            raise UsageError(f"{one['model']!r:.80} was taken more often than it was shown.")
    for one in counts.get("pairs", ()):
        if sum(one["taken"]) > one["offered"] or len({*one["models"]}) < 2:
            raise UsageError("Of two models that are offered one can be taken, and not more.")
