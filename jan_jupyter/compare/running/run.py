"""Asking a grid as its plan says: each answer is kept when it comes, then yielded."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ... import errors
from ...ask import settled
from ...types import Event
from ...workspace import Workspace
from ..values import STOPPED, Call, Row
from .asking import ASKING, Asking, failures, notice, reply_to, rows_of, stopped
from .budget import Budget, Purse, check
from .compose import Composer, Kept
from .facts import AT_A_TIME
from .limits import LONGEST_PAUSE, Limit
from .plan import AT_ONCE, Fact, Lane, Plan, Stage
from .prices import cost
from .progress import Counting, State, Tell, Word
from .watching import Brake, Watcher

if TYPE_CHECKING:
    from .cluster import Cluster

TRIES = 6
"""How often a request is sent that a server refuses because it has too much to do."""
LOST = 5
"""Connections that fail in a row, after which a server is not asked any more."""

HOPELESS = (
    errors.ModelError,
    errors.EngineNotFound,
    errors.EngineUnavailable,
    errors.AuthenticationFailed,
    errors.BillingRefused,
    errors.NotFoundRemotely,
)
"""What would happen to all other calls of a contestant, too."""


async def run(
    plan: Plan,
    workspace: Workspace,
    *,
    kept: Kept | None = None,
    budget: Budget | None = None,
    retry: bool = False,
    tell: Tell | None = None,
    client: Any = None,
    watcher: Watcher | None = None,
    brake: Brake | None = None,
    ahead: int | None = None,
) -> AsyncGenerator[Row, None]:
    """Ask what a plan says, and yield each row when it has ended and is kept.

    It runs on the background loop (`bridge.iterate(run(…))`). What `kept` has is yielded first, and
    not asked; of it errors only with `retry`. An error is a row, and the rest goes on. Closing or
    cancelling it closes all connections at once, and keeps what has come. `tell` gets a `Progress`
    at every change, `watcher` what is asked and each piece of an answer, on the loop; `brake` stops
    it, or some. No more is asked while more than `ahead` rows wait to be taken. With a `client`
    (`dask.distributed.Client`) the workers of its cluster ask, and no pieces come. Raises
    `UsageError` for a budget that cannot be kept, and what `kept` raises.
    """
    budget = budget or Budget()
    check(budget, plan)
    running = _Run(plan, workspace, kept, budget, retry, tell)
    running.watcher, running.ahead = watcher, ahead
    if brake is not None:
        brake.listen(running.stop)
    if client is not None:
        await running.ask_there(client)
    task = asyncio.create_task(running.go())
    try:
        while (row := await running.taken()) is not None:
            yield row
        await task
    finally:
        task.cancel()
        await asyncio.wait([task])
        _ = task.cancelled() or task.exception()  # whoever leaves early does not ask for it
        await running.close()


@dataclass(eq=False, slots=True)
class _One:
    """A contestant in a run."""

    index: int
    fact: Fact
    waiting: deque[Asking] = field(default_factory=deque)
    """What is still to be asked, in the order of its stage."""
    under_way: int = 0
    known: bool = False
    """Whether a call has shown that it answers: until then there is one at a time."""
    lost: int = 0
    """Connections that have failed in a row."""
    together: bool = True
    """Whether it takes several repeats at once."""
    over: str = ""
    """Why it is not asked any more, although there is more to ask."""
    stopped: bool = False
    """Whether the budget has ended it."""
    loads: int = 0
    """How many of its requests have found its model not loaded."""
    state: State = field(default_factory=State)


class _Run:
    """One run. All of it is on one loop; whatever looks at files is in a thread."""

    def __init__(
        self,
        plan: Plan,
        workspace: Workspace,
        kept: Kept | None,
        budget: Budget,
        retry: bool,
        tell: Tell | None,
    ) -> None:
        self.plan = plan
        self.out: asyncio.Queue[Row | None] = asyncio.Queue()
        self.watcher: Watcher | None = None
        self.ahead: int | None = None
        self._router = workspace.router
        self._composer = Composer(plan.grid, workspace.router)
        self._kept = kept
        self._retry = retry
        self._purse = Purse(budget, plan.facts.contestants)
        self._ones = [_One(i, fact) for i, fact in enumerate(plan.facts.contestants)]
        self._served: set[Call] = set()
        self._under_way: dict[Asking, asyncio.Task[Any] | None] = {}
        self._news: dict[str, asyncio.Event] = {}
        self._limits: dict[str, Limit] = {}
        self._count = Counting(plan, tell)
        self._reply_to = reply_to
        self._machines = 1
        self._cluster: Cluster | None = None

    async def ask_there(self, client: Any) -> None:
        """Ask by the workers of a cluster, each of which has slots and memory of its own."""
        from .cluster import Cluster, check_secrets

        check_secrets(self.plan.grid)
        cluster = Cluster(client)
        self._reply_to, self._cluster = cluster.reply_to, cluster
        self._machines = await asyncio.to_thread(cluster.workers)

    async def close(self) -> None:
        if self._cluster is not None:
            await asyncio.to_thread(self._cluster.close)

    async def taken(self) -> Row | None:
        """The next row, for who takes them; there may be room to ask more then."""
        row = await self.out.get()
        if self.ahead is not None and self.out.qsize() <= self.ahead:
            for news in self._news.values():
                news.set()
        return row

    async def go(self) -> None:
        unwatch = self._router.watch(self._see)
        try:
            self._report()
            await self._serve_stored()
            async with asyncio.TaskGroup() as lanes:
                for lane in self.plan.lanes:
                    lanes.create_task(self._lane(lane))
            self._report()
        except BaseExceptionGroup as group:
            raise _first(group) from None
        finally:
            unwatch()
            self.out.put_nowait(None)

    async def _serve_stored(self) -> None:
        """What is kept comes first: it takes no time."""
        if self._kept is None:
            return
        stored = sorted(self.plan.facts.stored.items())
        for first in range(0, len(stored), AT_A_TIME):
            keys = dict(stored[first : first + AT_A_TIME])
            rows = await asyncio.to_thread(self._kept.find, keys.values())
            taken = {call: rows[key] for call, key in keys.items() if key in rows}
            taken = {call: row for call, row in taken.items() if row.ok or not self._retry}
            self._served |= taken.keys()
            # They belong to this run, too, whichever they came from.
            await self._finish([self._served_as(call, row) for call, row in taken.items()])

    def _served_as(self, call: Call, row: Row) -> Row:
        """A row that is kept, as one of this run: also in what it costs, at the price of today."""
        money = cost(self._ones[call.contestant].fact.price, row.reply) if row.ok else row.cost
        return replace(row, call=call, reused=True, cost=money)

    # Places ---------------------------------------------------------------------------------------

    async def _lane(self, lane: Lane) -> None:
        self._news[lane.place] = asyncio.Event()
        for number, stage in enumerate(lane.stages):
            if number:
                await self._make_room(lane.stages[number - 1], stage)
            await self._stage(lane.place, stage)

    async def _stage(self, place: str, stage: Stage) -> None:
        """Ask all of a stage, in its order as far as the limits allow."""
        width = (stage.width or AT_ONCE * len(stage.contestants)) * self._machines
        limit = self._limits[place] = Limit(width, fixed=stage.width is not None)
        for position, ask in enumerate(self.plan.order(stage)):
            left = tuple(n for n in ask.repeats if ask.call(n) not in self._served)
            one = self._ones[ask.contestant]
            if left and not one.stopped:
                waits = Asking(ask._replace(repeats=left), position, watcher=self.watcher)
                one.waiting.append(waits)
        ones = [self._ones[i] for i in stage.contestants]
        for one in ones:
            self._rest(one)
        news = self._news[place]
        async with asyncio.TaskGroup() as tasks:
            while True:
                news.clear()
                while (asking := self._next(ones, limit)) is not None:
                    tasks.create_task(self._attend(asking, place))
                if not any(one.waiting or one.under_way for one in ones):
                    return
                await _woken(news, limit.pause)

    def _next(self, ones: Sequence[_One], limit: Limit) -> Asking | None:
        """The first in the order that may go now; it counts as under way."""
        most = limit.most
        if sum(one.under_way for one in ones) >= most or limit.pause:
            return None
        if self.ahead is not None and self.out.qsize() > self.ahead:
            return None
        active = sum(bool(one.waiting or one.under_way) for one in ones)
        share = math.ceil(most / max(1, active))
        if any(one.loads > 1 for one in ones):  # they do not fit beside each other after all
            ones = [one for one in ones if one.waiting or one.under_way][:1]
        able = [one for one in ones if one.waiting and one.under_way < self._most(one, share)]
        if not able:
            return None
        one = min(able, key=lambda one: one.waiting[0].position)
        one.under_way += 1
        return one.waiting.popleft()

    def _most(self, one: _One, share: int) -> int:
        """How many requests to a contestant may be under way. The first goes alone: it loads the
        model, or shows what a call costs."""
        alone = one.fact.loads or not self._purse.expects(one.index)
        return 1 if alone and not one.known and not one.over else share

    async def _make_room(self, before: Stage, after: Stage) -> None:
        """Unload what is not needed any more, if both do not fit beside each other."""
        if self._cluster is not None:
            return  # each of its workers makes room for itself
        facts = self.plan.facts.contestants
        rooms = [room for i in after.contestants if (room := facts[i].room) is not None]
        both = (before.memory, after.memory)
        if rooms and None not in both and sum(n for n in both if n) <= min(rooms):
            return
        needed = {facts[i].model for i in after.contestants}
        # A worker of ours has slots; a server that swaps its models does so by itself.
        ours = [i for i in before.contestants if facts[i].slots is not None and self._ones[i].known]
        gone = {facts[i].model: self.plan.grid.contestants[i].model for i in ours}
        with suppress(errors.JanError):  # then the next one makes room, or says that it cannot
            busy = {each.model for each in await self._router.running() if each.busy}
            for model, name in gone.items():
                if model not in needed | busy:  # somebody else may be asking it
                    await self._router.unload(name)

    # Calls ----------------------------------------------------------------------------------------

    async def _attend(self, asking: Asking, place: str) -> None:
        """One request, from its turn to its rows."""
        one = self._ones[asking.ask.contestant]
        ASKING.set(asking)
        self._under_way[asking] = asyncio.current_task()
        try:
            if one.over:
                await self._keep(failures(asking, one.over))
                return
            one.state = State("answering")
            try:
                rows = await self._rows(asking, one)
            except asyncio.CancelledError:
                await self._keep(stopped(asking))
                raise
            await self._keep(rows)
        finally:
            del self._under_way[asking]
            one.under_way -= 1
            self._rest(one)
            self._news[place].set()

    def _rest(self, one: _One) -> None:
        """How a contestant stands that is not asked, if there is nothing more."""
        if not one.under_way and not one.waiting:
            known = State("failed", one.over) if one.over else State("done")
            one.state = State("stopped") if one.stopped else known

    async def _keep(self, rows: Sequence[Row]) -> None:
        """What has ended is kept, also while all around is being cancelled."""
        if rows:
            finishing = asyncio.ensure_future(self._finish(rows))
            cancelled = await settled(finishing)
            finishing.result()
            if cancelled:
                raise asyncio.CancelledError

    async def _finish(self, rows: Sequence[Row]) -> None:
        """Rows are kept, then given out."""
        if self._kept is not None:
            await asyncio.gather(*map(self._append, rows))
        for row in rows:
            self._count.add(row)
            self.out.put_nowait(row)
            self._report()

    async def _append(self, row: Row) -> None:
        if self._kept is not None:
            await self._kept.append(row)

    async def _rows(self, asking: Asking, one: _One) -> list[Row]:
        """What becomes of a request; nothing if it is sent again, or not at all."""
        if len(asking.ask.repeats) > 1 and not one.together:
            return self._apart(asking, one)
        allowed = self._purse.take(one.index, len(asking.ask.repeats))
        if allowed < len(asking.ask.repeats):
            self._end(self._purse.spent(one.index))
            if not allowed:
                return []
        asking.ask = asking.ask._replace(repeats=asking.ask.repeats[:allowed])
        cost = None
        try:
            request, target, asking.keys = await asyncio.to_thread(
                self._composer.keyed, *asking.ask
            )
            reply = await self._reply_to(self._composer, asking, request, target, allowed)
            rows = rows_of(asking, asking.keys, reply, one.fact, together=allowed > 1)
            cost = rows[0].cost
        except errors.JanError as error:
            return self._failed(asking, one, error)
        finally:
            self._purse.pay(one.index, allowed, cost)
        self._limits[one.fact.place].answered()
        one.known, one.lost = True, 0
        one.loads += asking.cold
        if len(rows) < allowed:  # it has given fewer answers than it was asked for
            asking.ask = asking.ask._replace(repeats=asking.ask.repeats[len(rows) :])
            self._purse.give_back(len(asking.ask.repeats))
            self._apart(asking, one)
        return rows

    def _failed(self, asking: Asking, one: _One, error: errors.JanError) -> list[Row]:
        """The rows of a failure, or none if it is asked again, slower or otherwise."""
        if isinstance(error, errors.RateLimited | errors.Overloaded):
            asking.tries += 1
            limit = self._limits[one.fact.place]
            limit.refused(asking.sent, error.retry_after)
            if asking.tries < TRIES and (error.retry_after or 0) <= LONGEST_PAUSE:
                self._purse.give_back(len(asking.ask.repeats))
                one.waiting.appendleft(asking)
                return []
        elif isinstance(error, errors.BadRequest) and len(asking.ask.repeats) > 1:
            one.together = False
            self._purse.give_back(len(asking.ask.repeats))
            return self._apart(asking, one)
        line = f"{type(error).__name__}: {error}"
        gone = isinstance(error, errors.ConnectionFailed | errors.TimedOut)
        one.lost = one.lost + 1 if gone else 0
        if isinstance(error, HOPELESS) or one.lost >= LOST:
            one.over = line
        return failures(asking, line)

    def _apart(self, asking: Asking, one: _One) -> list[Row]:
        """Ask for several repeats one by one."""
        for n in reversed(asking.ask.repeats):
            ask = asking.ask._replace(repeats=(n,))
            alone = Asking(ask, asking.position, watcher=self.watcher)
            one.waiting.appendleft(alone)
        return []

    # What is told ---------------------------------------------------------------------------------

    def _end(self, why: str) -> None:
        """Nothing more is asked of those for whom the budget is spent."""
        self._count.ended = why
        for one in self._ones:
            if self._purse.spent(one.index):
                one.waiting.clear()
                one.stopped = True

    def stop(self, contestant: int | None) -> None:
        """Ask a contestant nothing more (`None`: nobody), and leave what is under way."""
        if contestant is None:
            self._count.ended = STOPPED
        for one in self._ones:
            if contestant in (None, one.index):
                one.waiting.clear()
                one.stopped = True
        for asking, task in self._under_way.items():
            if task is not None and contestant in (None, asking.ask.contestant):
                task.cancel()
        self._report()

    def _see(self, event: Event) -> None:
        """What happens to a model, on the loop."""
        refused = notice(event, self._under_way)
        if refused is not None:
            place = self._ones[refused.ask.contestant].fact.place
            self._limits[place].narrow(refused.sent)
        if event.state in ("loading", "downloading", "answering"):
            word: Word = "answering" if event.state == "answering" else "loading"
            for each in self._under_way:
                if each.who == (event.model, event.engine):
                    state = State(word, event.awaited, event.progress)
                    self._ones[each.ask.contestant].state = state
        if event.state in ("loading", "downloading"):
            self._report()

    def _report(self) -> None:
        self._count.report(lambda: [one.state for one in self._ones])


async def _woken(news: asyncio.Event, pause: float) -> None:
    """Wait for news, or until a pause is over."""
    timer = asyncio.get_running_loop().call_later(pause, news.set) if pause else None
    try:
        await news.wait()
    finally:
        if timer is not None:
            timer.cancel()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """One of what went wrong at once."""
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found
