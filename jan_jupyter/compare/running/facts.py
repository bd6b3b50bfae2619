"""What a plan has to know of the contestants: looked up here, decided in `plan`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING

from ...addresses import host_of, is_own_server, is_this_machine
from ...errors import JanError
from ...models.machine import Machine, probe
from ...router import Router, Target
from ...workspace import Workspace
from ..values import Call, Grid, Row
from .compose import Composer, Kept
from .plan import Fact, Facts
from .prices import Price, described, listed

if TYPE_CHECKING:
    from ...models.model import Model

HERE = "this machine"
AT_A_TIME = 200
"""Calls whose keys are made in one go, in a thread: between two a stop is seen."""
SAFE = 0.9
"""The part of the free memory that is planned with: others take some meanwhile."""


async def look(
    grid: Grid,
    workspace: Workspace,
    kept: Kept | None = None,
    *,
    earlier: Iterable[Row] = (),
    prices: Mapping[str, Price] | None = None,
    retry: bool = False,
    told: Callable[[int], object] | None = None,
) -> Facts:
    """What is known of a grid before anything is asked; nothing is loaded, nothing sent.

    `earlier` rows tell how long calls take and what they cost. `prices` go by the contestant's name
    or its model's; others are those of the model's description, or of `genai-prices` if it is
    installed. With `retry` errors that are kept do not count as stored. `told` is called with the
    number of calls that were looked for.
    """
    composer = Composer(grid, workspace.router)
    machine = await asyncio.to_thread(probe)
    facts = [
        await asyncio.to_thread(_fact, composer, i, machine, prices or {})
        for i in range(len(grid.contestants))
    ]
    found = await _stored(composer, kept, facts, told) if kept is not None else []
    rows = {call: row for call, row in found if row.ok or not retry}
    known = Earlier.of([*earlier, *rows.values()])
    timed = tuple(known.told(fact) for fact in facts)
    return Facts(timed, {call: row.key for call, row in rows.items()})


async def look_at(
    models: Mapping[str, str | Model | None],
    workspace: Workspace,
    *,
    earlier: Iterable[Row] = (),
    prices: Mapping[str, Price] | None = None,
) -> dict[str, Fact]:
    """The same of models that are asked beside a grid, by the names of those that ask them."""
    machine = await asyncio.to_thread(probe)
    known, router = Earlier.of(earlier), workspace.router

    def of(name: str, model: str | Model | None) -> Fact:
        fact = _known(name, lambda: router.target(model), router, machine, prices or {})
        return known.told(fact)

    return {name: await asyncio.to_thread(of, name, model) for name, model in models.items()}


async def _stored(
    composer: Composer,
    kept: Kept,
    facts: Sequence[Fact],
    told: Callable[[int], object] | None,
) -> list[tuple[Call, Row]]:
    """What is kept of the calls of a grid."""
    calls = [call for call in composer.grid.calls() if not facts[call.contestant].error]
    found: list[tuple[Call, Row]] = []
    for first in range(0, len(calls), AT_A_TIME):
        some = calls[first : first + AT_A_TIME]
        found += await asyncio.to_thread(_found, composer, kept, some)
        if told is not None:
            told(first + len(some))
    return found


def _found(composer: Composer, kept: Kept, calls: Sequence[Call]) -> list[tuple[Call, Row]]:
    keys: dict[Call, str] = {}
    for call in calls:
        with suppress(JanError):  # it will be a row that says so
            _, _, known = composer.keyed(call.case, call.contestant, (call.repeat,))
            keys[call] = known[call.repeat]
    rows = kept.find(keys.values())
    return [(call, rows[key]) for call, key in keys.items() if key in rows]


def _fact(
    composer: Composer,
    index: int,
    machine: Machine,
    prices: Mapping[str, Price],
) -> Fact:
    one = composer.grid.contestants[index]
    own = {one.name: price} if (price := prices.get(one.name) or prices.get(one.model)) else {}
    target = partial(composer.target, index)
    return _known(one.name, target, composer.router, machine, {**prices, **own})


def _known(
    name: str,
    find: Callable[[], Target],
    router: Router,
    machine: Machine,
    prices: Mapping[str, Price],
) -> Fact:
    try:
        target = find()
    except JanError as error:
        return Fact(place=HERE, error=str(error))
    model, options = target.model, target.engine.options
    given = prices.get(name) or prices.get(model.id)
    price = given or described(model.metadata, f"{model.id}'s description")
    fact = Fact(
        engine=options.name,
        model=model.id,
        load=model.id,
        price=price,
        paid=given is not None,
        shares=target.engine.gives_choices(model),
    )
    if target.engine.local:
        load = json.dumps([options.name, model.id, dict(model.settings)], default=str)
        fact = replace(fact, place=HERE, loads=True, load=load, slots=_slots(target))
        fit = router.store.fit(model, machine)
        return replace(fact, memory=fit.needed, room=int(fit.room * SAFE)) if fit else fact
    address = options.at(model).address
    swaps = bool(options.row and options.row.swaps)
    here = swaps and is_this_machine(address)
    paid = given is not None or not is_own_server(address)
    if paid and price is None:
        price = listed(str(model.settings.get("model") or options.model or model.id), address)
    return replace(
        fact,
        price=price,
        place=HERE if here else _server(options.name, address, options.address),
        loads=swaps,
        paid=paid,
        shares=False,  # what a server answers at once, and whether it shares, it does not tell
    )


def _server(engine: str, address: str, usual: str) -> str:
    """A server by its engine, and by its host where that is not the engine's own."""
    return engine if address == usual else f"{engine} at {host_of(address)}"


def _slots(target: Target) -> int:
    """How many requests a worker of ours answers at once."""
    value = target.values.settings.get("n_parallel")
    slots = value.value if value is not None else 1
    return slots if isinstance(slots, int) and slots > 0 else 1


@dataclass(frozen=True, slots=True)
class Earlier:
    """Means of earlier calls, by engine and model."""

    seconds: Mapping[tuple[str, str], list[float]] = field(default_factory=dict)
    loading: Mapping[tuple[str, str], list[float]] = field(default_factory=dict)
    costs: Mapping[tuple[str, str], list[float]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Earlier:
        seconds: dict[tuple[str, str], list[float]] = {}
        loading: dict[tuple[str, str], list[float]] = {}
        costs: dict[tuple[str, str], list[float]] = {}
        for row in rows:
            if row.reply is None or not row.ok:
                continue
            who, times = (row.reply.engine, row.reply.model), row.reply.timings
            if row.cold and times.load is not None:
                loading.setdefault(who, []).append(times.load)
            elif times.total is not None:
                seconds.setdefault(who, []).append(times.total)
            if row.cost is not None:
                costs.setdefault(who, []).append(row.cost)
        return cls(seconds, loading, costs)

    def told(self, fact: Fact) -> Fact:
        """A fact with what they say of it."""
        who = (fact.engine, fact.model)

        def mean(values: Mapping[tuple[str, str], list[float]]) -> float | None:
            return fmean(values[who]) if values.get(who) else None

        cost = mean(self.costs) if fact.paid else 0.0
        return replace(fact, seconds=mean(self.seconds), loading=mean(self.loading), cost=cost)
