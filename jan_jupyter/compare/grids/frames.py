"""Variables from data frames, mappings and lists -> rows, each with its index."""

from __future__ import annotations

import itertools
import math
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Self

from ...errors import UsageError
from .size import check_size


class Line(NamedTuple):
    """One row of variables: its index, a name for people, its values by column, and what the frame
    calls the levels of its index."""

    index: Any
    name: str
    values: Mapping[str, Any]
    index_names: tuple[Any, ...] = ()


def lines(variables: Any) -> list[Line]:
    """The rows of a data frame (pandas, Polars, Arrow …), of a list of mappings, or all
    combinations of a mapping of lists. Raises `UsageError`.
    """
    if isinstance(variables, Mapping):
        found = _crossed(variables)
    elif isinstance(variables, list | tuple):
        found = _listed(variables)
    else:
        found = _framed(variables)
    if not found:
        raise UsageError("There is nothing to fill in: `variables` has no row.")
    return found


class Index(NamedTuple):
    """That of a frame: where each row stands, and the names of its levels, if it has some."""

    places: Sequence[Any]
    names: tuple[Any, ...] = ()

    @classmethod
    def of(cls, index: Any) -> Self:
        """That of pandas."""
        names = tuple(plain(name) for name in index.names)
        found = [plain(place) for place in index.tolist()]
        return cls(found, () if all(name is None for name in names) else names)


def place_name(place: Any) -> str:
    """A place in an index, for people."""
    return " · ".join(map(place_name, place)) if isinstance(place, tuple) else str(place)


def series(values: Any) -> tuple[list[Any], Index | None]:
    """The values of a column or of any iterable, and the index of one that has an index."""
    index = getattr(values, "index", None)
    if index is not None and not callable(index):  # of pandas; of a list it is a method
        return [plain(value) for value in values.tolist()], Index.of(index)
    if callable(whole := getattr(values, "to_list", None) or getattr(values, "tolist", None)):
        return [plain(value) for value in whole()], None
    return [*values], None


def plain(value: Any) -> Any:
    """A value of a frame as Python has it; one that is missing is `None`."""
    if type(value).__module__ == "numpy" and callable(item := getattr(value, "item", None)):
        value = item() if getattr(value, "ndim", 0) == 0 else value
    return None if is_missing(value) else value


def is_missing(value: Any) -> bool:
    """Whether there is no value: `None`, and what frames write for it."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and math.isnan(value)


def _crossed(variables: Mapping[Any, Any]) -> list[Line]:
    lists = [
        [value] if isinstance(value, str | bytes) or not isinstance(value, Iterable) else [*value]
        for value in variables.values()
    ]
    check_size(*map(len, lists))
    names = [*map(str, variables)]
    found = []
    for number, values in enumerate(itertools.product(*lists)):
        row = dict(zip(names, map(plain, values), strict=True))
        found.append(Line(number, " · ".join(map(_short, row.values())), row))
    return found if names else []


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 24 else text[:23] + "…"


def _listed(variables: Sequence[Any]) -> list[Line]:
    found = []
    for number, row in enumerate(variables):
        if not isinstance(row, Mapping):
            raise UsageError(
                f"Row {number + 1} of `variables` is a mapping of names to values, not"
                f" {reprlib.repr(row)}."
            )
        values = {str(name): plain(value) for name, value in row.items()}
        found.append(Line(number, str(number), values))
    return found


def _framed(variables: Any) -> list[Line]:
    try:
        import narwhals as nw
    except ImportError:
        raise UsageError(
            "A data frame as `variables` needs narwhals: `pip install narwhals`. A list of mappings"
            " does not: variables=df.to_dict('records')."
        ) from None
    try:
        frame = nw.from_native(variables)
        if isinstance(frame, nw.LazyFrame):
            frame = frame.collect()
        index = nw.maybe_get_index(frame)
        rows = [*frame.iter_rows(named=True)]
    except Exception as error:  # of whichever library it is
        said = " ".join(str(error).split()) if not isinstance(error, TypeError) else ""
        raise UsageError(
            "`variables` are a data frame, a list of mappings or a mapping of lists, not"
            f" {reprlib.repr(variables)}.{' ' + said[:200] if said else ''}"
        ) from error
    places, names = Index(range(len(rows))) if index is None else Index.of(index)
    return [
        Line(
            place,
            place_name(place),
            {str(name): plain(value) for name, value in row.items()},
            names,
        )
        for place, row in zip(places, rows, strict=True)
    ]
