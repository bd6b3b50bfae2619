"""The rows of the model picker and of the settings panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import psutil

from .. import parameters, units
from ..addresses import is_this_machine
from ..errors import UsageError
from ..models.model import Model
from ..models.store import ModelStore
from ..models.summary import facts, reasons, sees
from ..parameters import Field
from ..precedence import Level, Values
from ..reading import fit
from ..types import Event, Running
from .protocol import ModelRow, SettingRow

# Models -----------------------------------------------------------------------------------------


def model_rows(
    store: ModelStore,
    running: Sequence[Running],
    events: Mapping[str, Event],
    not_running: Mapping[str, str],
    on_keys: str = "",
) -> list[ModelRow]:
    """All models, each with its state; `events` are the latest of each model's reference,
    `not_running` says of which no server runs, `on_keys` what else is to be said where one needs a
    key."""
    in_memory = {row.model: row for row in running}
    free = psutil.virtual_memory().available
    rows = [
        _row(model, store, in_memory.get(model.id), events.get(model.id), free, not_running)
        for model in store.list()
    ]
    for row in rows:
        if on_keys and row["state"] == "needs-key":
            row["note"] += f". {on_keys}"
    return rows


def _row(
    model: Model,
    store: ModelStore,
    running: Running | None,
    event: Event | None,
    free: int,
    not_running: Mapping[str, str],
) -> ModelRow:
    missing = not_running.get(model.reference)
    state: str = "not-running" if missing else model.state
    note, progress = missing or model.reason, None
    size, about = model.size, facts(model, store.header(model))
    if event and event.state in ("queued", "downloading", "loading"):
        state, progress = "loading", event.progress
        note = event.message or (f"loading {progress:.0%}" if progress else "loading …")
    elif event and event.state == "failed" and running is None:
        state, note = "failed", event.message
    elif running is not None:
        state = "answering" if running.idle is None else "loaded"
        note = f"loaded · {units.size(running.memory)}" if running.memory else "loaded"
    elif model.state == "ready" and size:
        note = units.size(size)
        if size * 1.1 > free:
            note += " · may not fit into memory"
    return {
        "id": model.reference,
        "name": model.name or model.id,
        "engine": model.engine,
        "state": state,
        "note": note,
        "progress": progress,
        "local": not about.remote or _is_at_home(model, store),
        "context": about.context or None,
        "vision": sees(model),
        "reasoning": reasons(model, store.template(model)),
        "size": size or None,
        "usable": model.state == "ready",
    }


def _is_at_home(model: Model, store: ModelStore) -> bool:
    """Whether the server that is asked for it runs on this machine."""
    return is_this_machine(store.engine_options(model.engine).at(model).address)


# Settings ---------------------------------------------------------------------------------------


def _titled(group: str) -> Mapping[str, Field]:
    return {name: field for name, field in parameters.TABLE[group].items() if field.title}


PARAMETERS, SETTINGS = _titled("parameters"), _titled("settings")
"""What the panel offers."""


def setting_rows(values: Values, below: Values, local: bool) -> list[SettingRow]:
    """What may be set; `values` hold now, `below` without the thread's own."""
    rows: list[SettingRow] = []
    kind: Literal["parameter", "setting"]
    for kind, known, now, else_ in (
        ("parameter", PARAMETERS, values.parameters, below.parameters),
        ("setting", SETTINGS, values.settings, below.settings),
    ):
        for name, field in known.items():
            here, rest = now.get(name), else_.get(name)
            if field.local and not local and here is None:
                continue
            rows.append(
                {
                    "name": name,
                    "title": field.title,
                    "kind": kind,
                    "type": field.kind,
                    "help": _help(field),
                    "min": field.limits[0],
                    "max": field.limits[1],
                    "step": field.step,
                    "value": _plain(here.value) if here else None,
                    "level": here.level if here else "default",
                    "below": {
                        "value": _plain(rest.value) if rest else None,
                        "level": rest.level if rest else "default",
                    },
                }
            )
    return rows


def _help(field: Field) -> str:
    return f"{field.help}; commas between several" if field.kind == "list" else field.help


def fitting(name: str, value: Any) -> Any:
    """A value as the panel sends it, made to fit; `None` resets. Raises `UsageError`."""
    if value is None or value == "":
        return None
    warnings: list[str] = []
    found = fit(value, parameters.FIELDS[name], name, warnings)
    if found is None:
        raise UsageError(f"{name} cannot be {value!r}: {'; '.join(warnings) or 'it does not fit'}.")
    return found


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool) or value is None else [*value]


def without_thread(levels: Sequence[Level]) -> list[Level]:
    return [level for level in levels if level.name != "thread"]
