"""From a cell of the grid to a request and its key. It looks at files: not on the loop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ...precedence import Level
from ...router import Router, Target
from ...types import ChatRequest, Message
from ..values import Grid, Row, Turns, instructed
from .keys import key


class Kept(Protocol):
    """Where finished rows are kept, as far as a run needs it."""

    def find(self, keys: Iterable[str], /) -> Mapping[str, Row]:
        """The rows that may be taken instead of asking, by their keys. Called in a thread."""

    async def append(self, row: Row, /) -> object:
        """Keep a row; returns when it is safe."""


@dataclass(frozen=True, slots=True)
class Composer:
    """Puts the requests of a grid together, each as its contestant wants it."""

    grid: Grid
    router: Router

    def request(
        self, contestant: int, messages: Sequence[Message], **more: Any
    ) -> tuple[ChatRequest, Target]:
        """A request, and whom it goes to; `more` are parameters. Raises what is in the way."""
        one = self.grid.contestants[contestant]
        parameters = {**self.grid.parameters, **one.parameters, **more}
        request = ChatRequest(tuple(messages), parameters, priority="grid")
        return self.router.prepare(request, one.model, self._levels(contestant))

    def target(self, contestant: int) -> Target:
        """Whom the requests of a contestant go to. Raises what is in the way."""
        one = self.grid.contestants[contestant]
        parameters = {**self.grid.parameters, **one.parameters}
        return self.router.target(one.model, self._levels(contestant), parameters)

    def keyed(
        self, case: int, contestant: int, repeats: Sequence[int]
    ) -> tuple[ChatRequest, Target, Mapping[int, str]]:
        """The first request of a cell, and the key of each of its repeats.

        Each turn after the first is asked after the answers to those before it: the key holds what
        is asked, for nobody knows those answers before they come.
        """
        first, *following = self.turns(case, contestant)
        request, target = self.request(contestant, first)
        return request, target, {n: key(request, target, n, following) for n in repeats}

    def turns(self, case: int, contestant: int) -> Turns:
        """What a contestant is asked: with instructions of its own if it has any."""
        return instructed(self.grid.cases[case].turns, self.grid.contestants[contestant].system)

    def _levels(self, contestant: int) -> Sequence[Level]:
        return (Level("thread", self.grid.contestants[contestant].settings),)
