"""Scorers: what makes one of what a user gives, and how they score the rows of a result."""

from __future__ import annotations

import asyncio
import difflib
import inspect
import re
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ...errors import UsageError
from ...workspace import Workspace
from ..values import Case, Result, Row, Score
from .callables import Custom, guarded
from .checks import contains, exact, json, numeric, regex, schema
from .judge import Judge
from .similar import Similar
from .workers import in_workers

if TYPE_CHECKING:
    from ...models.model import Model

__all__ = [
    "Scorer",
    "asking",
    "changed",
    "contains",
    "exact",
    "json",
    "named_scorers",
    "numeric",
    "regex",
    "schema",
    "score",
    "scorer",
    "similar",
]

AT_ONCE = 16
"""Rows that are scored at the same time."""

similar = Similar


@runtime_checkable
class Scorer(Protocol):
    """Says of a row how good it is. What it raises becomes the note of a score without value.

    Its name tells it from others: an earlier score of that name is not made again.
    """

    @property
    def name(self) -> str: ...

    async def __call__(self, case: Case, row: Row) -> Score: ...


def _tolerance(written: str) -> Scorer:
    try:
        share = written.endswith("%")
        number = float(written.removesuffix("%") or 0)
    except ValueError:
        raise UsageError(
            f"numeric:{written} needs a number, as numeric:0.5 or numeric:1%."
        ) from None
    return numeric(relative=number / 100) if share else numeric(number)


_NAMED: Mapping[str, Callable[[str, Workspace | None], Scorer]] = {
    "exact": lambda rest, _: exact(),
    "contains": lambda rest, _: contains(*[rest] if rest else []),
    "regex": lambda rest, _: regex(rest or None),
    "schema": lambda rest, _: schema(),
    "json": lambda rest, _: json(),
    "numeric": lambda rest, _: _tolerance(rest),
    "similar": lambda rest, place: Similar(rest or None, workspace=place),
    "judge": lambda rest, place: Judge(rest or None, workspace=place),
}
NAMES = tuple(_NAMED)
_WITH_REST = ("contains", "regex", "numeric", "similar", "judge")


def scorer(thing: Any, *, name: str = "", workspace: Workspace | None = None) -> Scorer:
    """A scorer of a name (`exact`, `contains`, `regex`, `schema`, `json`, `numeric`, `similar`,
    `judge`; with a value behind a colon: `contains:Paris`, `regex:PATTERN`, `numeric:0.5`,
    `similar:MODEL`, `judge:MODEL`), a compiled regular expression, a JSON schema, a pydantic class
    or a type, a number (a tolerance), or a function.

    Models are those of `workspace`. Raises `UsageError` for what is none of these.
    """
    if isinstance(thing, str):
        return _renamed(_by_name(thing, workspace), name)
    if isinstance(thing, re.Pattern):
        return regex(thing, name=name)
    if isinstance(thing, Mapping | type) or typing.get_origin(thing):
        return schema(thing, name=name)
    if isinstance(thing, int | float) and not isinstance(thing, bool):
        return numeric(thing, name=name)
    if _is_scorer(thing):
        return _renamed(thing, name)
    if callable(thing):
        own = getattr(thing, "name", "")
        return Custom(thing, name or (own if isinstance(own, str) else ""))
    raise UsageError(
        f"{thing!r:.80} is no scorer: give a name ({', '.join(_NAMED)}), a compiled regular"
        " expression, a schema, a number (a tolerance) or a function."
    )


def things(given: Any) -> list[Any]:
    """One scorer, several, or a mapping of names to them, as a list."""
    if _is_schema(given) or isinstance(given, str) or not isinstance(given, Iterable):
        return [given]
    return [*given.values()] if isinstance(given, Mapping) else [*given]


def named_scorers(given: Any, *, workspace: Workspace | None = None) -> list[Scorer]:
    """Scorers of one thing, of several, or of a mapping of names to them.

    Raises `UsageError` if two have one name.
    """
    named = isinstance(given, Mapping) and not _is_schema(given)
    names = [*map(str, given)] if named else [""] * len(things(given))
    made = [
        scorer(one, name=name, workspace=workspace)
        for name, one in zip(names, things(given), strict=True)
    ]
    seen: set[str] = set()
    for one in made:
        if one.name in seen:
            raise UsageError(
                f"Two scorers are called {one.name!r}: give them names, as in"
                ' scorers={"one": …, "other": …}.'
            )
        seen.add(one.name)
    return made


def changed(before: Iterable[Scorer], now: Iterable[Scorer]) -> set[str]:
    """The names under which something else scores than before: a function of the user that was
    written anew. All others have what they do in their names."""
    known = {one.name: one for one in before}
    pairs = [(known[one.name], one) for one in now if one.name in known]
    return {new.name for old, new in pairs if isinstance(new, Custom) and not new.same_as(old)}


async def score(
    result: Result,
    scorers: Any,
    *,
    concurrency: int = AT_ONCE,
    on_row: Callable[[Row], Any] | None = None,
    fresh: bool | Collection[str] = False,
    workspace: Workspace | None = None,
) -> list[Row]:
    """All rows of a result, in their order, those that have an answer with their scores.

    Only what is missing is made: a score of that name that has a value stays, unless `fresh` (all,
    or those of these names).
    `on_row(row)`, sync or async, is told each row that has got scores as soon as it has them all;
    after a stop also one that has got only some. What it raises ends the scoring.
    """
    asked = named_scorers(scorers, workspace=workspace)
    anew = {one.name for one in asked} if fresh is True else {*(fresh or ())}
    rows = [*result.rows]
    places = iter(range(len(rows)))

    async def work() -> None:
        for place in places:  # each takes the next one that nobody has
            row = rows[place]
            missing = [one for one in asked if row.ok and (one.name in anew or _lacks(row, one))]
            case = result.grid.cases[row.call.case]
            if missing:
                await _scored(rows, place, case, missing, on_row)

    await in_workers(concurrency, len(rows), work)
    return rows


async def _scored(
    rows: list[Row],
    place: int,
    case: Case,
    missing: Sequence[Scorer],
    on_row: Callable[[Row], Any] | None,
) -> None:
    row, scores = rows[place], dict(rows[place].scores)
    try:
        for one in missing:
            scores[one.name] = await _one(one, case, row)
            await asyncio.sleep(0)  # those that never wait would hold up the loop
    finally:
        if scores != row.scores:
            rows[place] = replace(row, scores=scores)
            told = on_row(rows[place]) if on_row is not None else None
            if inspect.isawaitable(told):
                await told


async def _one(one: Scorer, case: Case, row: Row) -> Score:
    async def saying() -> Score:
        return await one(case, row)

    return await guarded(one.name, saying())


def _lacks(row: Row, one: Scorer) -> bool:
    found = row.scores.get(one.name)
    return found is None or found.value is None


@dataclass(frozen=True)
class _Renamed:
    """A scorer under another name."""

    name: str
    inner: Scorer

    async def __call__(self, case: Case, row: Row) -> Score:
        return await self.inner(case, row)


def _renamed(one: Scorer, name: str) -> Scorer:
    return _Renamed(name, one) if name and name != one.name else one


def _by_name(written: str, workspace: Workspace | None) -> Scorer:
    head, _, rest = written.partition(":")
    name, rest = head.strip().lower(), rest.strip()
    if name in _NAMED and (not rest or name in _WITH_REST):
        return _NAMED[name](rest, workspace)
    if name in _NAMED:
        raise UsageError(f"Scorer {name} takes nothing behind a colon: {written!r:.80}.")
    near = difflib.get_close_matches(name, _NAMED, 1)
    meant = f" Did you mean {near[0]}?" if near else ""
    raise UsageError(f"There is no scorer {written!r:.80}.{meant} There are: {', '.join(_NAMED)}.")


def asking(scorers: Iterable[Scorer]) -> dict[str, str | Model | None]:
    """Those of them that ask a model, by name, and which; `None`: the default."""
    found = {one.name: one.inner if isinstance(one, _Renamed) else one for one in scorers}
    return {name: one.model for name, one in found.items() if isinstance(one, Judge | Similar)}


def _is_scorer(thing: Any) -> bool:
    call = getattr(type(thing), "__call__", None)  # noqa: B004
    named = isinstance(getattr(thing, "name", None), str)
    return named and not isinstance(thing, type) and inspect.iscoroutinefunction(call)


def _is_schema(thing: Any) -> bool:
    """Whether a mapping is a JSON schema, not names of scorers."""
    if not isinstance(thing, Mapping):
        return False
    kind = thing.get("type")
    listed = any(isinstance(thing.get(word), list) for word in ("type", "anyOf", "allOf", "enum"))
    named = isinstance(kind, str) and kind not in _NAMED
    return listed or named or isinstance(thing.get("$ref"), str)
