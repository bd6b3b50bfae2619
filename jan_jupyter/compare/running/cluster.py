"""The requests of a run, answered by the workers of a Dask cluster (extra `dask`).

Only what is asked travels. Each worker has its own workspace: it finds models and keys where it is.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from ... import bridge, errors
from ...redaction import is_secret_name, without_secrets
from ...router import Target
from ...types import ChatRequest, Event, Reply
from ..values import Case, Contestant, Grid, instructed
from .asking import ASKING, Asking, notice, reply_to
from .compose import Composer
from .plan import Ask


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker sends back."""

    reply: Reply | None
    error: errors.JanError | None
    cold: bool
    waited: bool
    partial: Reply | None


class Cluster:
    """Asks there instead of here; a stop ends what is under way there, too."""

    def __init__(self, client: Any) -> None:
        if not hasattr(client, "asynchronous"):
            raise errors.UsageError(
                '`client` is a dask.distributed.Client, such as Client("tcp://scheduler:8786"), not'
                f" {client!r:.80}."
            )
        if client.asynchronous:
            raise errors.UsageError(
                "The client of a cluster is one that waits: Client(…), without asynchronous=True."
            )
        self._client = client
        self._stop = f"jan-stop-{uuid.uuid4().hex}"
        self._stopped = False

    def workers(self) -> int:
        """How many processes answer. It asks the cluster: not on the loop."""
        return max(1, len(self._client.scheduler_info(n_workers=-1)["workers"]))

    async def reply_to(
        self,
        composer: Composer,
        asking: Asking,
        request: ChatRequest,
        target: Target,
        answers: int,
    ) -> Reply:
        """The same as the function of that name, elsewhere."""
        asking.partial, asking.cold, asking.waited = None, False, False
        asking.who = target.model.id, target.engine.options.name
        one = _alone(composer.grid, asking.ask)
        future = await asyncio.to_thread(
            self._client.submit, answer, one, answers, self._stop, pure=False
        )
        try:
            came = await self._result(future, target)
        except asyncio.CancelledError:
            await asyncio.shield(asyncio.to_thread(self._end, future))
            raise
        asking.partial, asking.cold, asking.waited = came.partial, came.cold, came.waited
        if came.error is not None:
            raise came.error
        assert came.reply is not None
        return came.reply

    async def _result(self, future: Any, target: Target) -> Answer:
        """What a worker has sent. Raises `WorkerDied` if each that had the request has died."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()

        def tell(_: object) -> None:
            loop.call_soon_threadsafe(ended.set)

        future.add_done_callback(tell)
        await ended.wait()
        try:
            came: Answer = await asyncio.to_thread(future.result)
        except Exception as error:  # whatever a cluster can suffer from
            raise errors.WorkerDied(
                f"The cluster has no answer of {target.who}: {type(error).__name__}: {error}",
                model=target.model.id,
                engine=target.engine.options.name,
            ) from error
        return came

    def _end(self, future: Any) -> None:
        """Nobody waits any more, for this or any other request of the run."""
        if not self._stopped:
            self._stopped = True
            _flag(self._stop, self._client).set()
        future.cancel()

    def close(self) -> None:
        """The run has ended: its workers need not wait for a stop any more. It asks the cluster."""
        if not self._stopped:
            with suppress(Exception):  # the cluster may be gone
                flag = _flag(self._stop, self._client)
                flag.set()
                flag.clear()


def _flag(name: str, client: Any = None) -> Any:
    """What all workers and whoever asks them see; its functions are awaited on a worker's loop."""
    import distributed

    made: Any = distributed.Event
    return made(name, client=client)


_stops: dict[str, asyncio.Future[Any]] = {}


def _stop_of(name: str) -> asyncio.Future[Any]:
    """On a worker: done when that run is stopped, or has ended. All its requests share one wait, as
    the scheduler remembers each until then."""
    found = _stops.get(name)
    if found is None:
        found = _stops[name] = asyncio.ensure_future(_flag(name).wait())

        def forget(done: asyncio.Future[Any]) -> None:
            del _stops[name]
            _ = done.cancelled() or done.exception()  # the scheduler may be gone

        found.add_done_callback(forget)
    return found


def check_secrets(grid: Grid) -> None:
    """Raises `UsageError` if a key would have to travel."""
    for one in grid.contestants:
        given = {**grid.parameters, **one.parameters, **one.settings}
        if (name := next(_secrets(given), None)) is not None:
            raise errors.UsageError(
                f"{name} of {one.name} would travel to the cluster: leave it out, and set it"
                " where its workers run (`%jan keys`, or a variable)."
            )


def _secrets(value: Any, name: str = "") -> Iterator[str]:
    """The names of what may be a key, by its name or within an address."""
    if is_secret_name(name) or (
        isinstance(value, str) and "://" in value and without_secrets(value) != value
    ):
        yield name
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _secrets(inner, str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _secrets(inner, name)


def _alone(grid: Grid, ask: Ask) -> Grid:
    """One cell of a grid, and of it only what is asked."""
    one = grid.contestants[ask.contestant]
    turns = instructed(grid.cases[ask.case].turns, one.system)
    contestant = Contestant(one.name, one.model, dict(one.parameters), dict(one.settings))
    return Grid((Case("", turns),), (contestant,), 1, dict(grid.parameters))


async def answer(one: Grid, answers: int, stop: str) -> Answer:
    """On a worker, on its own loop: the answer, unless the run is stopped before it comes."""
    stopped = _stop_of(stop)
    answering = asyncio.ensure_future(bridge.await_(_answer(one, answers)))
    try:
        await asyncio.wait([stopped, answering], return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            return answering.result()
        return Answer(None, errors.WorkerDied("The run was stopped."), False, False, None)
    finally:
        answering.cancel()
        await asyncio.wait([answering])


async def _answer(one: Grid, answers: int) -> Answer:
    """On a worker, where all that asks models runs."""
    from ...workspace import shared

    workspace = await asyncio.to_thread(shared)
    composer = Composer(one, workspace.router)
    asking = Asking(Ask(0, 0, (0,)))
    ASKING.set(asking)

    def see(event: Event) -> None:
        notice(event, (asking,))

    unwatch = workspace.router.watch(see)
    reply, failure = None, None
    try:
        first = one.cases[0].turns[0]
        request, target = await asyncio.to_thread(composer.request, 0, first)
        reply = await reply_to(composer, asking, request, target, answers)
    except errors.JanError as error:
        error.__traceback__ = error.__cause__ = error.__context__ = None
        failure = error
    finally:
        unwatch()
    return Answer(_sent(reply), failure, asking.cold, asking.waited, _sent(asking.partial))


def _sent(reply: Reply | None) -> Reply | None:
    """A reply without what only its own process can use."""
    return None if reply is None else replace(reply, reader=None)
