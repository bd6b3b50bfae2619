"""What is in memory, answering, loading and being fetched: one look for all who listen.

It needs no workspace: what a machine holds is seen before anybody has asked a model here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict
from weakref import WeakKeyDictionary, ref

from . import bridge, settings
from .errors import JanError
from .models.hub.unfinished import Unfinished, all_parts
from .pulls import Pulls
from .types import EMPTY, Event, Running

if TYPE_CHECKING:
    from .router import Router

_log = logging.getLogger("jan_jupyter")

LOOK = 2.0
"""Seconds between two looks at what other processes load and fetch."""
COUNT = 1.0
"""Seconds between two counts of the tokens of answers under way here."""
SOON = 0.25
"""Seconds at least between two looks, however much happens."""
MEGABYTE = 2**20


class InMemory(TypedDict):
    """A model that is in memory, or on its way into it. `memory` in bytes; `answers`: how many it
    writes, for whomever; `message`: what is going on, for people."""

    id: str
    engine: str
    state: str
    memory: int
    progress: float | None
    message: str
    answers: int


class Generating(TypedDict):
    """An answer of this process; `since` in seconds since 1970, `tokens` have come so far."""

    id: int
    model: str
    engine: str
    kind: str
    since: float
    tokens: int


class Fetched(TypedDict):
    """A model that is being fetched, or of which a part is here (`active` tells); bytes.

    `message`: how fast it comes, or why it does no longer; where that is known."""

    id: str
    source: str
    done: int
    total: int
    active: bool
    message: str


class Memory(TypedDict):
    """Bytes of the machine's memory: free for models, and in all."""

    free: int
    total: int


class Overview(TypedDict):
    models: list[InMemory]
    generating: list[Generating]
    pulls: list[Fetched]
    memory: Memory


@dataclass(frozen=True, slots=True)
class News:
    """What has happened, and which fields of an `Overview` have changed: at first all of them."""

    state: Mapping[str, Any] = EMPTY
    events: Sequence[Event] = ()


Listener = Callable[[News], None]
"""Called on the background loop; returns at once."""
Seen = Mapping[tuple[str, str], Event]
"""What is in memory or on its way, by kind and name."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What there was at one moment."""

    running: Sequence[Running] = ()
    pulls: Sequence[tuple[Unfinished, bool]] = ()
    """Also whether somebody fetches each."""
    memory: tuple[int, int] = (0, 0)

    def events(self) -> Seen:
        found: dict[tuple[str, str], Event] = {}
        for one in self.running:
            found["model", one.model] = Event(one.state, one.model, one.engine, one.progress)
        for pull, _ in self.pulls:
            share = min(1.0, pull.done / pull.total) if pull.total else None
            found["pull", pull.id] = Event("downloading", pull.id, "", share, pull.here)
        return found


class Lookout:
    """It looks only while somebody listens. On the background loop alone."""

    def __init__(self, router: Router | None = None) -> None:
        """`router` is the one whose models these are; it may be met later."""
        self._met = ref(router) if router is not None else None
        self._router: Router | None = None
        """The same, while it is listened to."""
        self._leave: list[Callable[[], None]] = []
        """How to hear no more of the router."""
        self._listeners: dict[Listener, bool] = {}
        """Whether each has been told what is so."""
        self._task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._latest: dict[str, Event] = {}
        """The latest event of each model that is on its way."""
        self._told: set[tuple[str, str]] = set()
        """Models and states that were told since the last look."""
        self._look = _Look()
        self._state: dict[str, Any] = {}

    @property
    def router(self) -> Router | None:
        return self._met() if self._met is not None else None

    def meet(self, router: Router) -> None:
        """From any thread: this is whose models these are; it is heard from now on."""
        self._met = ref(router)
        if self._task is not None:
            bridge.loop().call_soon_threadsafe(self._attach)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell a listener what is so, soon, and then what happens; returns how to stop it."""
        self._listeners[listener] = False
        self._news.set()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
        self._attach()

        def leave() -> None:
            self._listeners.pop(listener, None)
            if not self._listeners:
                self._stop()

        return leave

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        for leave in self._leave:
            leave()
        self._leave.clear()
        self._router = None
        self._latest.clear()
        self._told.clear()
        self._look, self._state = _Look(), {}

    # Looking --------------------------------------------------------------------------------------

    async def _run(self) -> None:
        next_look = 0.0
        clock = asyncio.get_running_loop().time
        while True:
            due = self._news.is_set() or clock() >= next_look
            try:
                if due:
                    self._news.clear()
                    await self._look_again()
                else:
                    self._tell_state()
            except Exception as error:  # the next look may go well
                _log.error("A look at what is in memory failed: %s", type(error).__name__)
            if due:
                next_look = clock() + LOOK
                await asyncio.sleep(SOON)
            wait = next_look - clock()
            router = self._router
            if router is not None and (any(router.underway) or any(router.pulls)):
                wait = min(wait, COUNT)
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, wait)):
                    await self._news.wait()

    def _attach(self) -> None:
        """Hear of what this process does, from the moment at which it can do something."""
        if self._task is not None and self._router is None and (router := self.router) is not None:
            self._router = router
            self._leave += [
                router.watch(self._on_event),
                router.underway.watch(self._tell_state),
                router.pulls.watch(self._news.set),
            ]
            self._news.set()

    def _on_event(self, event: Event) -> None:
        """At once, what has happened here; what it changes is looked at soon."""
        if event.state == "loading":
            self._latest[event.model] = event
        else:
            self._latest.pop(event.model, None)
        self._told.add((event.model, event.state))
        self._tell(News(events=[event]), [*self._listeners])
        if event.state != "downloading":  # that comes by itself, several times a second
            self._news.set()

    async def _look_again(self) -> None:
        try:
            running = await self._running()
        except JanError:  # who asks a model is told why
            running = []
        pulls, memory = await asyncio.to_thread(_on_disk, self._folder)
        before, told = self._look, self._told
        self._look, self._told = _Look(running, pulls, memory), set()
        events = [
            event
            for event in _changes(before.events(), self._look.events())
            if (event.model, event.state) not in told
        ]
        if self._state:  # else nobody has heard of anything
            old = [one for one, told_before in self._listeners.items() if told_before]
            self._tell(News(events=events), old)
        self._tell_state()

    async def _running(self) -> list[Running]:
        if self._router is not None:
            return await self._router.running()
        from .engines.local.pool import SHARED

        return await SHARED.running()

    @property
    def _folder(self) -> Path:
        router = self._router
        return router.store.writable if router is not None else settings.own_data_folder()

    # Telling --------------------------------------------------------------------------------------

    def _tell_state(self) -> None:
        """What has changed to those who know what was, everything to the others."""
        if not self._look.memory[1]:
            return  # nobody has looked yet
        now = self._overview()
        changed = {name: value for name, value in now.items() if self._state.get(name) != value}
        self._state = dict(now)
        old = [one for one, told in self._listeners.items() if told]
        new = [one for one, told in self._listeners.items() if not told]
        if changed:
            self._tell(News(changed), old)
        if new:
            self._listeners.update(dict.fromkeys(new, True))
            self._tell(News(self._state, [*self._look.events().values()]), new)

    def _tell(self, news: News, listeners: Sequence[Listener]) -> None:
        if news.state or news.events:
            for listener in listeners:
                with suppress(Exception):  # a listener's fault is not that of the others
                    listener(news)

    def _overview(self) -> Overview:
        underway = [*self._router.underway] if self._router is not None else []
        return {
            "models": [*self._models()],
            "generating": [
                {
                    "id": one.id,
                    "model": one.model,
                    "engine": one.engine,
                    "kind": one.kind,
                    "since": one.since,
                    "tokens": one.tokens,
                }
                for one in underway
            ],
            "pulls": [*self._pulls()],
            "memory": self._memory(),
        }

    def _pulls(self) -> Iterator[Fetched]:
        pulls = self._router.pulls if self._router is not None else Pulls()
        for one in pulls.listed(self._look.pulls):
            if one.state != "done":
                yield {
                    "id": one.id,
                    "source": one.source,
                    "done": one.done,
                    "total": one.total,
                    "active": one.state == "fetching",
                    "message": one.message,
                }

    def _models(self) -> Iterator[InMemory]:
        seen = set()
        for one in self._look.running:
            seen.add(one.model)
            event = self._latest.get(one.model) if one.state == "loading" else None
            yield {
                "id": one.model,
                "engine": one.engine,
                "state": one.state,
                "memory": one.memory // MEGABYTE * MEGABYTE,  # what changes by less is no news
                "progress": event.progress if event else one.progress,
                "message": event.message if event else "",
                "answers": one.busy,
            }
        for name, event in self._latest.items():
            if name not in seen and event.state == "loading":  # its process has yet to begin
                yield {
                    "id": name,
                    "engine": event.engine,
                    "state": event.state,
                    "memory": 0,
                    "progress": event.progress,
                    "message": event.message,
                    "answers": 0,
                }

    def _memory(self) -> Memory:
        """As it was told last, as long as it has not changed by a hundredth."""
        free, total = self._look.memory
        before: Memory | None = self._state.get("memory")
        if before and before["total"] == total and abs(before["free"] - free) < total / 100:
            return before
        return {"free": free, "total": total}


def _on_disk(folder: Path) -> tuple[list[tuple[Unfinished, bool]], tuple[int, int]]:
    from .models.machine import memory

    return all_parts(folder), memory()


def _changes(before: Seen, now: Seen) -> Iterator[Event]:
    for name, event in now.items():
        if before.get(name) != event:
            yield event
    for (kind, model), event in before.items():
        if (kind, model) not in now:
            # A pull that is gone has ended, or was given up: the list of models tells which.
            yield Event("unloaded", model, event.engine)


# Which one ----------------------------------------------------------------------------------------

OWN = Lookout()
"""That of what the user has: it makes no workspace, and meets its router once there is one."""
_of: WeakKeyDictionary[Router, Lookout] = WeakKeyDictionary()


def of(router: Router) -> Lookout:
    """The one of a router."""
    if OWN.router is router:
        return OWN
    if router not in _of:
        _of[router] = Lookout(router)
    return _of[router]
