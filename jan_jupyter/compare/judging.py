"""A judge that compares all pairs of answers, as steps that tell how far it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import aclosing
from math import comb
from typing import Any

from ..workspace import Workspace
from .keeping.stored_votes import Heard
from .running.facts import look_at
from .scoring.judge import Judge, pairwise, unjudged
from .scoring.votes import Judged, Judgement
from .steps import PAID_UNASKED, Steps, Tally, agreeing, beating
from .values import Result


async def judging(
    result: Result,
    judge: Judge,
    heard: Heard,
    keep: Callable[[Judgement], Any],
    made: list[Judged],
    *,
    place: Workspace,
    yes: bool = False,
) -> Steps:
    """Have a judge say what it has not said yet: `keep` is awaited with each word, which `heard`
    has then. `made` gets all that it says. Many calls that cost money want a `yes`."""
    if not yes:
        async with aclosing(_agreeing(result, judge, heard, place)) as asking:
            async for question in asking:
                yield question
    seen = Counter((row.call.case, row.call.repeat) for row in result.rows if row.ok)
    total = sum(comb(answers, 2) for answers in seen.values())
    known = heard.judgements

    def counted() -> Tally:
        judged = sum(one.by == judge.name for one in heard.judgements)
        return Tally("Judged {} pairs", judged, total)

    async def work() -> None:
        made.append(await pairwise(result, judge, known=known, on_judgement=keep))

    steps = 0
    async with aclosing(beating(work(), counted)) as coming:
        async for step in coming:
            steps += 1
            yield step
    if steps:  # what stands there last is whole
        yield counted()


async def _agreeing(result: Result, judge: Judge, heard: Heard, place: Workspace) -> Steps:
    """Each pair is judged in both orders."""
    calls = 2 * len(unjudged(result, judge, heard.judgements))
    if calls <= PAID_UNASKED:
        return
    facts = await look_at({judge.name: judge.model}, place, earlier=result.rows)
    fact = facts[judge.name]
    cost = None if fact.cost is None else calls * fact.cost
    async with aclosing(agreeing(calls if fact.paid else 0, cost, "say yes=True")) as steps:
        async for step in steps:
            yield step
