"""At which prices the costs of a run are estimates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..types import EMPTY
from .running.plan import Plan
from .running.prices import Price
from .values import Row


class Pricing:
    """The user's table, and what is told of the prices that hold."""

    def __init__(self, table: Mapping[str, Price]) -> None:
        self.table = table
        self.told: Mapping[str, str] = EMPTY
        """By contestant, in words."""
        self._own: set[int] = set()  # the contestants whose prices stand in the table

    def learn(self, plan: Plan) -> bool:
        """Take the prices of a plan; whether any is new. One that was told before stays, as costs
        by it are stored, unless the user gives another."""
        told = {**self.told}
        self._own = set()
        pairs = zip(plan.grid.contestants, plan.facts.contestants, strict=True)
        for place, (one, fact) in enumerate(pairs):
            if fact.price is not None and fact.price.own:
                self._own.add(place)
            if fact.price is not None and (fact.price.own or one.name not in told):
                told[one.name] = str(fact.price)
        changed, self.told = told != self.told, told
        return changed

    def repriced(self, before: Row, row: Row) -> Row:
        """A row that is there, which was served again as `row`: its cost may be another now."""
        keeps = before.cost is not None and row.call.contestant not in self._own
        return before if keeps else replace(before, cost=row.cost)
