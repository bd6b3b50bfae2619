"""A cell's place in a thread: what its question follows, and what it takes the place of."""

from __future__ import annotations

from collections.abc import Sequence

from ..precedence import Level
from ..router import shared as router
from ..threads import Record, shared
from ..threads.record import questions
from ..types import Message


class InThread:
    """`name` is a thread that may be new. `again` is the cell whose turn is replaced, if any.

    Nothing is written before `record`, which is asked for once it is known that a model can answer.
    """

    def __init__(self, name: str, again: str, cell: str, notebook: str) -> None:
        self._name = name
        self._cell = cell
        self._notebook = notebook
        self._store = shared()
        self._thread = self._store.find(name)
        self._instead = self._thread.of_cell(again, notebook) if self._thread else None

    @property
    def messages(self) -> list[Message]:
        return self._thread.conversation(self._instead) if self._thread else []

    @property
    def levels(self) -> Sequence[Level]:
        return self._thread.levels() if self._thread else self._store.levels()

    @property
    def model(self) -> str | None:
        if self._thread is None or (model := self._thread.model) is None:
            return None
        return router().written(model, self._thread.engine)

    def record(self, question: Message, system: str) -> Record:
        """What keeps the turn; a new thread is made, and takes over the system text."""
        thread = self._thread or self._store.create(self._name, instructions=system)
        asked = questions([question], self._cell, self._notebook)
        return Record(thread, asked, instead=self._instead)
