"""A model as judge: it grades answers by a rubric, and compares them in pairs, in both orders."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import itertools
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ... import errors
from ...ask import whole
from ...chat import Chat
from ...types import Message, Reply, Usage
from ...workspace import Workspace, shared
from ..values import Call, Case, Result, Row, Score
from . import judge_prompts as prompts
from .callables import failure
from .judge_prompts import QUALITY, Form, Scale
from .votes import Judged, Judgement, Side, are_kin, turned
from .workers import in_workers

if TYPE_CHECKING:
    from ...models.model import Model

AT_ONCE = 8
"""Pairs that are judged at the same time."""


class Judge:
    """A scorer that asks a model, its reasons first, then a grade on the scale of its rubric.

    `rubric` says what is good; `scale` is two whole numbers or `"yes/no"`. `compare` asks which of
    two answers is better, in both orders. Answers are quoted as data that cannot speak to the
    judge. What it says is validated and, if it cannot be used, asked for once more; then the score
    has no value but a note. `parameters` are those of the requests; temperature is 0 unless it is
    given (`None`: the model's own).
    """

    def __init__(
        self,
        model: str | Model | None = None,
        rubric: str = QUALITY,
        *,
        scale: Scale = (1, 5),
        name: str = "",
        seed: int = 0,
        workspace: Workspace | None = None,
        **parameters: Any,
    ) -> None:
        if not isinstance(rubric, str) or not rubric.strip():
            raise errors.UsageError(f"A rubric is a text that says what is good, not {rubric!r}.")
        self.model = model
        self.rubric = rubric.strip()
        self.name = name or _name(model, self.rubric, scale)
        self._form = prompts.graded(scale)
        self._seed = seed
        self._workspace = workspace
        asked = {"temperature": 0, **parameters}
        self._parameters = {name: value for name, value in asked.items() if value is not None}
        self._keeps_to_schemas = True
        self.calls = 0
        """Answers that it has given so far, useful or not."""
        self.usage = Usage()
        """Their tokens."""

    def __repr__(self) -> str:
        return f"<scorer {self.name}>"

    async def __call__(self, case: Case, row: Row) -> Score:
        messages = prompts.to_grade(self.rubric, self._form, case, row)
        try:
            grade, rationale, _ = await self._asked(messages, self._form)
        except (errors.JanError, ValueError) as error:
            return Score(None, failure(self.name, error))
        return Score(grade, rationale)

    async def compare(self, case: Case, left: Row, right: Row) -> Judgement:
        """Which of two answers is better. It is asked in both orders, one after the other; which
        comes first is drawn anew for every pair."""
        draw = random.Random(f"{self._seed}\0{self.name}\0{left.key}\0{right.key}")  # noqa: S311
        said: dict[bool, tuple[Side, str]] = {}
        judge = ""
        note = "" if left.ok and right.ok else f"{self.name}: one of the two has no answer"
        for swap in () if note else draw.sample((False, True), 2):
            first, second = (right, left) if swap else (left, right)
            messages = prompts.to_compare(self.rubric, case, first, second)
            try:
                side, rationale, judge = await self._asked(messages, prompts.PAIR)
            except (errors.JanError, ValueError) as error:
                note = failure(self.name, error)
                break  # one order alone says nothing
            said[swap] = (turned(side) if swap else side), rationale
        shown, swapped = said.get(False, (None, "")), said.get(True, (None, ""))
        return Judgement(
            left.call.case,
            left.call.contestant,
            right.call.contestant,
            left.call.repeat,
            self.name,
            shown[0],
            swapped[0],
            (shown[1], swapped[1]),
            (len(left.text), len(right.text)),
            (_kin(judge, left), _kin(judge, right)),
            note,
        )

    async def _asked(self, messages: Sequence[Message], form: Form) -> tuple[Any, str, str]:
        """Verdict, rationale, and which model has given them. Raises `ValueError` if the second
        try cannot be used either, and `JanError`."""
        reply = await self._answer(messages, form)
        try:
            return *form.read(reply.text), reply.model
        except ValueError as wrong:
            messages = prompts.repaired(messages, reply.text, str(wrong), form)
        reply = await self._answer(messages, form)
        try:
            return *form.read(reply.text), reply.model
        except ValueError as wrong:
            cut = " (it was cut at max_tokens)" if reply.finish == "length" else ""
            raise errors.AnswerMismatch(
                f"{reply.model} ({reply.engine}) gave no verdict that can be used: {wrong}{cut}",
                model=reply.model,
                engine=reply.engine,
                partial=reply.text,
            ) from None

    async def _answer(self, messages: Sequence[Message], form: Form) -> Reply:
        """By the schema, where the engine can keep to one."""
        if self._keeps_to_schemas:
            try:
                return await self._chat(messages, form.schema)
            except errors.BadRequest:
                reply = await self._chat(messages, None)  # raises if it was not the schema
                self._keeps_to_schemas = False
                return reply
        return await self._chat(messages, None)

    async def _chat(self, messages: Sequence[Message], schema: Any) -> Reply:
        def composed() -> Any:  # looks at files
            workspace = self._workspace or shared()
            # The default's model alone: its instructions are not for judging.
            model = self.model or workspace.router.model(None)[0]
            chat = Chat(model, workspace=workspace, **self._parameters)
            return chat.once(messages, schema=schema, priority="grid")

        reply = await whole(await asyncio.to_thread(composed))
        self.calls += 1
        self.usage += reply.usage
        return reply


async def pairwise(
    result: Result,
    judge: Judge,
    *,
    pairs: Iterable[tuple[int, int]] | None = None,
    known: Iterable[Judgement] = (),
    concurrency: int = AT_ONCE,
    on_judgement: Callable[[Judgement], Any] | None = None,
) -> Judged:
    """Have a judge compare the answers of contestants (by number; default: all pairs), prompt by
    prompt and repeat by repeat.

    Of `known` those of this judge that have a verdict are not asked for again, unless an answer
    is another one now (by its length).
    `on_judgement(judgement)`, sync or async, is told each new one at once; what it raises ends it.
    """
    found, wanted = _sorted(result, judge, known, pairs)
    todo = iter(wanted)

    async def work() -> None:
        for left, right in todo:
            made = await judge.compare(result.grid.cases[left.call.case], left, right)
            found[_place(made)] = made
            told = on_judgement(made) if on_judgement is not None else None
            if inspect.isawaitable(told):
                await told

    await in_workers(concurrency, len(wanted), work)
    return Judged(tuple(found[place] for place in sorted(found)))


def unjudged(
    result: Result,
    judge: Judge,
    known: Iterable[Judgement] = (),
    pairs: Iterable[tuple[int, int]] | None = None,
) -> list[tuple[Row, Row]]:
    """The pairs of answers that `pairwise` would have compared."""
    return _sorted(result, judge, known, pairs)[1]


_Place = tuple[int, int, int, int]


def _sorted(
    result: Result,
    judge: Judge,
    known: Iterable[Judgement],
    pairs: Iterable[tuple[int, int]] | None,
) -> tuple[dict[_Place, Judgement], list[tuple[Row, Row]]]:
    """What is known of a judge and holds still, and the pairs that it has to compare."""
    chosen = _chosen(len(result.grid.contestants), pairs)
    rows = {row.call: row for row in result.rows if row.ok}
    found = {
        _place(one): one
        for one in known
        if one.by == judge.name and one.verdict and one.lengths == _lengths(one, rows)
    }
    wanted = [
        (rows[call], rows[other])
        for left, right in chosen
        for call in sorted(rows)
        if call.contestant == left and (other := call._replace(contestant=right)) in rows
        if (call.case, left, right, call.repeat) not in found
    ]
    return found, sorted(wanted, key=lambda pair: pair[0].call)


def _place(one: Judgement) -> tuple[int, int, int, int]:
    return one.case, one.left, one.right, one.repeat


def _chosen(count: int, pairs: Iterable[tuple[int, int]] | None) -> list[tuple[int, int]]:
    """These pairs of so many contestants, or all. Raises `UsageError`."""
    chosen = [*(itertools.combinations(range(count), 2) if pairs is None else pairs)]
    for left, right in chosen:
        if left == right or not {left, right} <= {*range(count)}:
            raise errors.UsageError(f"({left}, {right}) is no pair of the {count} contestants.")
    return chosen


def _lengths(one: Judgement, rows: Mapping[Call, Row]) -> tuple[int, ...]:
    """Those of the two answers as they are now; fewer where one is gone."""
    calls = (Call(one.case, contestant, one.repeat) for contestant in (one.left, one.right))
    return tuple(len(rows[call].text) for call in calls if call in rows)


def _kin(judge: str, row: Row) -> bool | None:
    return are_kin(judge, row.reply.model) if judge and row.reply is not None else None


def _name(model: str | Model | None, rubric: str, scale: Scale) -> str:
    """A name that changes with what is asked, so that no old score is taken for a new one."""
    told = model if isinstance(model, str | None) else model.reference
    name = " ".join(filter(None, ("judge", told)))
    if rubric != QUALITY:
        line = " ".join(rubric.split())
        digest = hashlib.sha256(line.encode("utf-8", "replace")).hexdigest()[:4]
        name += f": {line if len(line) <= 40 else f'{line[:34]}… {digest}'}"
    return name if scale == (1, 5) else f"{name} ({scale if scale == 'yes/no' else _ends(scale)})"


def _ends(scale: Any) -> str:
    return f"{scale[0]} to {scale[-1]}" if isinstance(scale, Sequence) and scale else str(scale)
