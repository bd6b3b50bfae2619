"""What has come of a comparison, and the run that keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..types import EMPTY
from ..workspace import Workspace
from .deciding import in_drawn_order
from .keeping import early
from .keeping.store import PRICES, Store
from .keeping.stored_runs import Run
from .keeping.stored_votes import Heard, noted, said
from .pricing import Pricing
from .running.prices import Price
from .scoring.votes import Judgement, Vote
from .values import Call, Grid, Result, Row
from .watching import NOBODY, Watcher


class Record:
    """Part of a session: its rows, what is noted beside them, and its run once there is one."""

    def __init__(
        self,
        grid: Grid,
        workspace: Workspace,
        store: Store,
        *,
        name: str = "",
        fresh: bool = False,
        prices: Mapping[str, Price] = EMPTY,
    ) -> None:
        self.grid = grid
        self.workspace = workspace
        self.store = store
        self.fresh = fresh
        """Whether nothing is taken from the store."""
        self.pricing = Pricing(prices)
        self.run: Run | None = None
        self.rows: dict[Call, Row] = {}
        self.changes = 0
        """Goes up with every row that comes or gets a score."""
        self.known: dict[str, Row] = {}
        """Answers of this comparison, by key: made larger it takes them again, cut ones, too."""
        self.heard = Heard()
        self.looked: str | None = None
        """By which scorer's word it ends, or has ended, early: what it says is said so."""
        self.watcher: Watcher = NOBODY
        self._name = name

    @property
    def name(self) -> str:
        return self.run.name if self.run else self._name

    @property
    def result(self) -> Result:
        rows = [self.rows[call] for call in sorted(self.rows)]
        return self.result_of(rows)

    def result_of(self, rows: Sequence[Row]) -> Result:
        return Result(self.grid, rows, self.name, self.pricing.told, self.looked or "")

    # The run --------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Take the run that it goes on with, or a new one."""
        if self.run is not None:
            return
        stored = self.store.begin(self._name, self.grid, fresh=self.fresh)
        self.adopt(stored, self.store.rows(stored))
        self.pricing.told = self.store.noted(stored, PRICES) or EMPTY
        if self.looked is not None:
            note = early.noted(self.looked, self.grid.order)
            if note != self.store.noted(stored, early.DECIDE):
                self.store.note_all(stored, {early.DECIDE: note})

    def adopt(self, stored: Run, rows: Iterable[Row]) -> None:
        """Take a run with these rows, and what is noted beside it."""
        notes = self.store.notes(stored)
        self.run = stored
        self.rows = {row.call: row for row in rows}
        self.heard.add(said(notes, self.grid))
        by, order = early.told(notes)
        self.looked = self.looked or by
        if self.looked is not None:
            self.grid = in_drawn_order(self.grid, order)

    def earlier(self) -> Iterable[Row]:
        """The rows that are there, or those of the run that it would go on with. Looks at the
        disk."""
        if self.run is not None:
            return self.rows.values()
        run = None if self.fresh else self.store.goes_on(self._name, self.grid)
        return self.store.rows(run) if run is not None else ()

    # What people and judges say -------------------------------------------------------------------

    def vote(self, votes: Sequence[Vote]) -> None:
        """Keep votes; who votes again on the same answers counts with the later word."""
        self.heard.add(votes)
        self.watcher.voted()
        if self.run is not None:
            self.store.note_all(self.run, dict(map(noted, votes)))

    def unvote(self, vote: Vote) -> None:
        """Take a vote back."""
        self.heard.drop(vote)
        self.watcher.voted()
        if self.run is not None:
            self.store.note_all(self.run, {noted(vote)[0]: None})

    async def judged(self, one: Judgement) -> None:
        """Keep a judgement, if there is a verdict in it."""
        if one.verdict is not None:
            self.heard.add([one])
            self.watcher.voted()
            if self.run is not None:
                await self.store.note(self.run, *noted(one))

    # Rows -----------------------------------------------------------------------------------------

    def take(self, row: Row) -> None:
        """A row that came; one of this run that was served again is that which is there."""
        if self.has(row):
            row = self.pricing.repriced(self.rows[row.call], row)
        if self.rows.get(row.call) != row:
            self.put(row)

    def put(self, row: Row) -> None:
        self.rows[row.call] = row
        self.changes += 1
        self.watcher.row(row)

    def has(self, row: Row) -> bool:
        """Whether a row that was served from the store is there, with its scores."""
        before = self.rows.get(row.call)
        return row.reused and before is not None and before.ok

    def catch_up(self) -> None:
        """After a stop: what had ended, and is kept, but had not come to us yet."""
        kept = self.store.rows(self.run) if self.run is not None else ()
        new = {row.call: row for row in kept if row.call not in self.rows}
        self.rows.update(new)
        self.changes += len(new)
        self.watcher.changed()

    def answers(self) -> dict[str, Row]:
        """By their keys."""
        return {row.key: row for row in self.rows.values() if row.ok}


class Kept:
    """The run of a record, as a run asks for it."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def find(self, keys: Iterable[str], /) -> Mapping[str, Row]:
        wanted, record = [*keys], self._record
        found = {} if record.fresh else record.store.find(wanted)
        return found | {key: record.known[key] for key in wanted if key in record.known}

    async def append(self, row: Row, /) -> None:
        record = self._record
        if record.run is None:
            return
        if not record.has(row):
            await record.store.append(record.run, row)
            return
        before = record.rows[row.call]
        if (cost := record.pricing.repriced(before, row).cost) != before.cost:
            await record.store.reprice(record.run, row.call, cost)
