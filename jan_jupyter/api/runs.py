"""The runs of comparisons: what was asked of whom, and what came."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..errors import RunNotFound
from ..wire import resources as wire
from .exchange import Call, Route, beside
from .shapes import DELETED, OBJECT, RUN, holds, listing, several

if TYPE_CHECKING:
    from ..compare.keeping.runs import Runs
    from ..compare.keeping.stored_runs import Listed


def _runs(call: Call) -> Runs:
    """Comparing is imported by who looks at comparisons."""
    from ..compare.comparison import runs

    return runs(call.workspace)


def _list(call: Call) -> dict[str, Any]:
    return wire.listed([_listed(run) for run in _runs(call).list()])


def _listed(run: Listed) -> dict[str, Any]:
    return {
        "id": run.name,
        "object": "run",
        "created": int(run.run.created),
        "updated": int(run.updated),
        "models": [*run.models],
        "prompts": run.prompts,
        "repeats": run.repeats,
        "calls": run.calls,
        "done": run.done,
        "failed": run.failed,
    }


def _one(call: Call) -> Listed:
    name = call.names["run"]
    for run in _runs(call).list():
        if run.name == name:
            return run
    raise RunNotFound(f"There is no run {name!r}.")


def _get(call: Call) -> dict[str, Any]:
    from ..compare.records import records

    run, kept = _one(call), _runs(call)
    result = kept.store.result(run.run)
    return {**_listed(run), "rows": [_plain(row) for row in records(result)]}


def _plain(value: Any) -> Any:
    """As JSON has it: numbers that are none are nothing."""
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [*map(_plain, value)]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | None) else str(value)


def _delete(call: Call) -> dict[str, Any]:
    run = _one(call)
    _runs(call).delete(run.name)
    return wire.deleted("run.deleted", run.name)


ROUTES = (
    Route("GET", "/runs", beside(_list), "All comparisons.", shape=listing(RUN)),
    Route(
        "GET",
        "/runs/{run...}",
        beside(_get),
        "A comparison with its rows.",
        shape=holds(**RUN["properties"], rows=several(OBJECT)),
    ),
    Route(
        "DELETE",
        "/runs/{run...}",
        beside(_delete),
        "Remove a comparison.",
        "write",
        shape=DELETED,
    ),
)
