"""A judge that compares all pairs of answers, as steps that tell how far it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import aclosing
from math import comb
from typing import Any

from .keeping.stored_votes import Heard
from .scoring.judge import Judge, pairwise
from .scoring.votes import Judged, Judgement
from .steps import Judging, Steps, beating
from .values import Result


async def judging(
    result: Result,
    judge: Judge,
    heard: Heard,
    keep: Callable[[Judgement], Any],
    made: list[Judged],
) -> Steps:
    """Have a judge say what it has not said yet: `keep` is awaited with each word, which `heard`
    has then. `made` gets all that it says."""
    seen = Counter((row.call.case, row.call.repeat) for row in result.rows if row.ok)
    total = sum(comb(answers, 2) for answers in seen.values())
    known = heard.judgements

    def counted() -> Judging:
        return Judging(sum(one.by == judge.name for one in heard.judgements), total)

    async def work() -> None:
        made.append(await pairwise(result, judge, known=known, on_judgement=keep))

    steps = 0
    async with aclosing(beating(work(), counted)) as coming:
        async for step in coming:
            steps += 1
            yield step
    if steps:  # what stands there last is whole
        yield counted()
