"""How near an answer is to what is expected in meaning, by vectors of a model."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from math import fsum, isfinite, sqrt
from operator import mul
from typing import TYPE_CHECKING

from ... import bridge, errors
from ...workspace import Workspace, shared
from ..values import Case, Row, Score
from .callables import NO_EXPECTED, is_missing

if TYPE_CHECKING:
    from ...models.model import Model

Vector = Sequence[float]

LARGEST_BATCH = 64
"""Texts of one request."""
KEPT = 10_000
"""Vectors that are kept in memory, those used last."""


class Similar:
    """The cosine between the answer and what is expected: 1 is the same, 0 unrelated.

    Of several expected texts the nearest counts. Texts that are wanted at the same time go out in
    one request, and no text twice.
    """

    def __init__(
        self,
        model: str | Model | None = None,
        *,
        name: str = "",
        workspace: Workspace | None = None,
    ) -> None:
        told = model if isinstance(model, str | None) else model.reference
        self.name = name or " ".join(filter(None, ("similar", told)))
        self.model = model
        self._vectors = _Vectors(model, workspace)

    def __repr__(self) -> str:
        return f"<scorer {self.name}>"

    async def __call__(self, case: Case, row: Row) -> Score:
        if is_missing(case.expected):
            return Score(None, NO_EXPECTED)
        several = isinstance(case.expected, list | tuple | set | frozenset)
        wanted = [str(one) for one in (case.expected if several else [case.expected])]
        if not row.text.strip():
            return Score(0.0, "the answer is empty")
        try:
            answer, *others = await bridge.await_(self._vectors.of([row.text, *wanted]))
        except errors.JanError as error:
            return Score(None, str(error))
        if {len(answer)} != {len(other) for other in others}:
            return Score(None, f"{self.name}: the vectors differ in their length")
        nearest = max(fsum(map(mul, answer, other)) for other in others)
        return Score(nearest) if isfinite(nearest) else Score(None, f"{self.name}: no vector")


class _Vectors:
    """Vectors of length 1 by their text. All of it runs on the background loop."""

    def __init__(self, model: str | Model | None, workspace: Workspace | None) -> None:
        self._model = model
        self._workspace = workspace
        self._known: OrderedDict[str, asyncio.Future[Vector]] = OrderedDict()
        self._wanted: list[str] = []
        self._asking: asyncio.Task[None] | None = None

    async def of(self, texts: Sequence[str]) -> list[Vector]:
        futures = [self._future(text) for text in texts]
        if self._wanted and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(self._ask())
        await asyncio.wait(futures)  # whoever leaves early takes no vector from the others
        return [future.result() for future in futures]

    def _future(self, text: str) -> asyncio.Future[Vector]:
        future = self._known.get(text)
        if future is None:
            future = self._known[text] = asyncio.get_running_loop().create_future()
            self._wanted.append(text)
        self._known.move_to_end(text)
        return future

    async def _ask(self) -> None:
        """What is wanted while one request is under way goes out with the next."""
        await asyncio.sleep(0)  # all that are asking in this turn of the loop
        while self._wanted:
            batch, self._wanted = self._wanted[:LARGEST_BATCH], self._wanted[LARGEST_BATCH:]
            try:
                await self._embed(batch)
            except BaseException as error:
                self._fail(batch, error)
                if not isinstance(error, Exception):
                    self._fail(self._wanted, error)
                    self._wanted = []
                    raise
            while len(self._known) > KEPT and next(iter(self._known.values())).done():
                self._known.popitem(last=False)

    async def _embed(self, batch: Sequence[str]) -> None:
        place = self._workspace
        if place is None:
            place = await asyncio.to_thread(shared)  # the first use looks at files
        try:
            found = await place.router.embed(batch, self._model)
        except (errors.BadRequest, errors.ContextOverflow, errors.UsageError):
            if len(batch) == 1:
                raise
            for text in batch:  # one of them may be at fault, and spoils its own score alone
                try:
                    await self._embed([text])
                except Exception as error:
                    self._fail([text], error)
            return
        if len(found) != len(batch):
            raise errors.Malformed(
                f"{found.model} ({found.engine}) gave {len(found)} vectors for {len(batch)} texts."
            )
        for text, vector in zip(batch, found, strict=True):
            self._known[text].set_result(_of_length_one(vector))

    def _fail(self, texts: Sequence[str], error: BaseException) -> None:
        """Who waits is told; who asks later has it asked again."""
        for text in texts:
            future = self._known.get(text)
            if future is not None and not future.done():
                del self._known[text]
                why = error if isinstance(error, Exception) else errors.EngineError("It was ended.")
                future.set_exception(why)
                future.exception()  # somebody may have left: it is no fault to report


def _of_length_one(vector: Vector) -> Vector:
    length = sqrt(fsum(map(mul, vector, vector)))
    return [value / length for value in vector] if length else vector
