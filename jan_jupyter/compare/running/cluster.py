"""The requests of a run, answered by the workers of a Dask cluster (extra `dask`).

Only what is asked travels. Each worker has its own workspace: it finds models and keys where it is.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ... import bridge, errors
from ...redaction import is_secret_name
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
        if client.asynchronous:
            raise errors.UsageError(
                "The client of a cluster is one that waits: Client(…), without asynchronous=True."
            )
        self._client = client
        self._stop = f"jan-stop-{uuid.uuid4().hex}"

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
        _flag(self._stop, self._client).set()
        future.cancel()


def _flag(name: str, client: Any = None) -> Any:
    """What all workers and whoever asks them see; its functions are awaited on a worker's loop."""
    import distributed

    made: Any = distributed.Event
    return made(name, client=client)


def check_secrets(grid: Grid) -> None:
    """Raises `UsageError` if a key would have to travel."""
    for one in grid.contestants:
        for name in _names({**grid.parameters, **one.parameters, **one.settings}):
            if is_secret_name(name):
                raise errors.UsageError(
                    f"{name} of {one.name} would travel to the cluster: leave it out, and set it"
                    " where its workers run (`%jan keys`, or a variable)."
                )


def _names(values: Mapping[str, Any]) -> list[str]:
    inner = [name for v in values.values() if isinstance(v, Mapping) for name in _names(v)]
    return [*values, *inner]


def _alone(grid: Grid, ask: Ask) -> Grid:
    """One cell of a grid, and of it only what is asked."""
    one = grid.contestants[ask.contestant]
    turns = instructed(grid.cases[ask.case].turns, one.system)
    contestant = Contestant(one.name, one.model, dict(one.parameters), dict(one.settings))
    return Grid((Case("", turns),), (contestant,), 1, dict(grid.parameters))


async def answer(one: Grid, answers: int, stop: str) -> Answer:
    """On a worker, on its own loop: the answer, unless the run is stopped before it comes."""
    stopped = asyncio.ensure_future(_flag(stop).wait())
    answering = asyncio.ensure_future(bridge.await_(_answer(one, answers)))
    try:
        await asyncio.wait([stopped, answering], return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            return answering.result()
        return Answer(None, errors.WorkerDied("The run was stopped."), False, False, None)
    finally:
        stopped.cancel()
        answering.cancel()
        await asyncio.wait([stopped, answering])


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
