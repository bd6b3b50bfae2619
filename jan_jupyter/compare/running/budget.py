"""What a run may take: it ends in order when that is spent. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import UsageError
from .plan import Fact, Plan


@dataclass(frozen=True, slots=True)
class Budget:
    """At most so many calls, and so much money; `None`: no limit.

    Money ends only what costs some: what is free goes on. It is counted by estimates, and held back
    for what is under way as the dearest call so far, so it may be passed by that of one call.
    """

    calls: int | None = None
    money: float | None = None


class Purse:
    """What of a budget is left."""

    def __init__(self, budget: Budget, facts: Sequence[Fact]) -> None:
        self._budget = budget
        self._facts = facts
        self._calls = 0
        self._spent = 0.0
        self._under_way = [0] * len(facts)
        self._dearest = [fact.cost for fact in facts]
        """What one call of each contestant is expected to cost; `None` before the first."""

    def expects(self, contestant: int) -> bool:
        """Whether its cost need not be found out by one call before there are several."""
        counted = self._budget.money is not None and self._facts[contestant].paid
        return not counted or self._dearest[contestant] is not None

    def take(self, contestant: int, calls: int) -> int:
        """How many of these calls may be asked; they count from now on."""
        if self._budget.calls is not None:
            calls = min(calls, self._budget.calls - self._calls)
        if self._budget.money is not None and self._facts[contestant].paid:
            each, left = self._dearest[contestant] or 0.0, self._left
            if left <= 0:
                calls = 0
            elif each:
                calls = min(calls, int(left / each))
        self._under_way[contestant] += calls
        self._calls += calls
        return calls

    @property
    def _left(self) -> float:
        """Money that is neither spent nor held back for what is under way."""
        held = zip(self._under_way, self._dearest, strict=True)
        return (self._budget.money or 0.0) - self._spent - sum(n * (c or 0.0) for n, c in held)

    def pay(self, contestant: int, calls: int, cost: float | None) -> None:
        """These calls have ended; what they cost together, if anybody knows."""
        self._under_way[contestant] -= calls
        if cost is not None and calls:
            self._spent += cost
            self._dearest[contestant] = max(self._dearest[contestant] or 0.0, cost / calls)

    def give_back(self, calls: int) -> None:
        """These calls, which have ended, will be asked again: they do not count twice."""
        self._calls -= calls

    def spent(self, contestant: int) -> str:
        """Why no more is asked of a contestant, in words; empty if more may be."""
        calls, money = self._budget.calls, self._budget.money
        if calls is not None and self._calls >= calls:
            return f"the budget of {calls:,} calls is spent"
        counted = money is not None and self._facts[contestant].paid
        if counted and (self._left <= 0 or self._left < (self._dearest[contestant] or 0.0)):
            return f"the budget of {money:,g} is spent, or would be by one more call"
        return ""


def check(budget: Budget, plan: Plan) -> None:
    """Raises `UsageError` for a budget that nobody can keep."""
    for name, amount in (("calls", budget.calls), ("money", budget.money)):
        if amount is not None and not amount > 0:
            raise UsageError(f"A budget of {name} is more than 0, not {amount!r}.")
    if budget.money is None:
        return
    for contestant, fact in zip(plan.grid.contestants, plan.facts.contestants, strict=True):
        if fact.paid and fact.price is None:
            raise UsageError(
                f"The price of {contestant.name} is not known, so a budget of money cannot be kept:"
                " give its price (`prices`), or a budget of calls."
            )
