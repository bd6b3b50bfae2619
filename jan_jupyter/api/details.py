"""What a person wants to know of the models before one is loaded, pulled or removed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..addresses import host_of, is_this_machine
from ..errors import ModelReadOnly
from ..models.machine import Machine, probe
from ..models.model import Model
from ..models.summary import facts, reasons, sees

if TYPE_CHECKING:
    from ..models.store import ModelStore
    from .exchange import Call


async def details(call: Call, models: Sequence[Model]) -> list[dict[str, Any]]:
    """For each model what `_of` tells; also whether its server is silent."""
    silent = await call.workspace.servers.not_running(models)
    return await asyncio.to_thread(_of_all, call.router.store, models, silent)


def _of_all(
    store: ModelStore, models: Sequence[Model], silent: Mapping[str, str]
) -> list[dict[str, Any]]:
    machine = probe() if models else None
    return [_of(store, model, machine, silent.get(model.reference, "")) for model in models]


def _of(store: ModelStore, model: Model, machine: Machine | None, silent: str) -> dict[str, Any]:
    """Sizes in bytes, contexts in tokens; 0 and "" where nobody says.

    `host` is the machine that is asked for it, `origin` where it was found, `foreign` whether that
    is another program's disk; `fit` tells of one that would be loaded here, and `removable` whether
    it is ours.
    """
    told = facts(model, store.header(model))
    fit = store.fit(model, machine)
    address = store.engine_options(model.engine).at(model).address if told.remote else ""
    return {
        **({"state": "not-running"} if silent else {}),
        "reason": silent or model.reason,
        "origin": told.origin,
        "foreign": model.is_foreign,
        "local": not told.remote or is_this_machine(address),
        "host": host_of(address) if told.remote else "",
        "loads": fit is not None,
        "size": told.size,
        "quantisation": told.quantisation,
        "architecture": told.architecture,
        "context": told.context,
        "trained": told.trained,
        "vision": sees(model),
        "reasoning": reasons(model, store.template(model)),
        "fit": fit.verdict if fit else "",
        "fit_note": str(fit) if fit else "",
        "removable": _is_ours(store, model),
        "warnings": [*model.warnings],
    }


def _is_ours(store: ModelStore, model: Model) -> bool:
    try:
        store.owned(model, "removed")
    except ModelReadOnly:
        return False
    return True
