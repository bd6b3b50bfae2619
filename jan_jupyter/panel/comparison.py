"""A comparison in a notebook: live below its cell, and for whoever draws it in another way."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from time import monotonic
from typing import Any

from IPython.core.getipython import get_ipython

from .. import bridge
from ..cell import cell_id, notebook, request
from ..compare.comparison import Comparison, runs
from ..compare.live import protocol
from ..compare.live.audience import View
from ..compare.live.live import Live
from ..compare.session import Session
from ..compare.views.board import asked
from .alive import NO_WIDGETS, Output, Widget, usable
from .kernel_thread import KernelThread, listen_while_busy

TARGET = "jan.comparison"
"""The comm that the renderer of JupyterLab opens."""
UNHEARD = 2.0
"""Seconds after which a page that shows widgets is told all, though it has not said `hello`: a
kernel that is busy may not hear it."""
PATIENCE = 5.0
"""Seconds after the cell, after which nobody will say `hello` any more."""
BYTES_A_SECOND = 500_000
"""How much of what is saved is shown anew in a second, when votes and scores come."""
MOST = 30
"""So many are alive at once; of more, the oldest are left as they are saved."""


class LiveView:
    """Where a comparison is shown that goes on: progress, answers, then what is saved of it.

    All but `_reckoned` and `_greeted` only in the kernel's own thread.
    """

    def __init__(self, session: Session) -> None:
        self._kernel = KernelThread()
        self.session = session
        self.live = Live(session, reckoned=self._reckoned, greeted=self._greeted)
        self.widget = Widget("comparison", self.live.id, place(), self._take)
        self._view = self.live.join(self.widget.tell)
        self._over = False
        self._following = False
        self._due = 0.0
        listen()
        first = {
            protocol.COMPARISON: self.live.at_first(),
            "text/plain": f"{asked(session.grid)}\n{NO_WIDGETS}",
        }
        self.output = Output(self.widget, first, lambda: self.live.audience.hosts)
        if self.output.cell:  # a page of people, which may have no way to be heard
            self.live.presume(self._view, UNHEARD)
        _keep(self)
        session.face = self

    def step(self, counted: object) -> None:
        """It tells itself how far it is."""

    def end(self, line: str = "") -> None:
        """The cell ends: what is saved stands in its output."""
        self._over = True
        if not len(self.session.rows):
            self.output.leave({"text/plain": line})
            return
        self.output.leave(bridge.wait(self._forms()))
        if self.output.undecided:
            bridge.loop().call_soon_threadsafe(self._wait)

    @property
    def is_here(self) -> bool:
        """Whether the cell that runs shows it already."""
        return self.output.is_here

    def close(self) -> None:
        self.live.leave(self._view)
        self.widget.close()

    def _take(self, message: Mapping[str, Any]) -> None:
        self.live.take(self._view, message)

    def _wait(self) -> None:
        loop = bridge.loop()
        loop.call_later(PATIENCE, self._kernel.call, lambda: self.output.decide(last=True))

    def _greeted(self) -> None:
        self._kernel.call(self.output.decide)

    # What is saved --------------------------------------------------------------------------------

    async def _forms(self) -> dict[str, Any]:
        return await _forms(self.live)

    def _reckoned(self) -> None:
        if self._over and not self._following:
            self._following = True
            task = bridge.loop().create_task(self._follow())
            task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _follow(self) -> None:
        """Votes and scores have come, or answers that were asked for again."""
        await asyncio.sleep(max(0.0, self._due - monotonic()))
        self._following = False
        forms = await self._forms()
        size = sum(len(str(form)) for form in forms.values())
        self._due = monotonic() + size / BYTES_A_SECOND
        self._kernel.call(lambda: self.output.follow(forms))


def alive(session: Session) -> LiveView | None:
    """Shows a comparison that is about to begin; `None` where it cannot be alive."""
    return LiveView(session) if usable() else None


async def _forms(live: Live) -> dict[str, Any]:
    """The document, and the same for pages that do not know it."""
    shown = Comparison(live.session).show
    document = await live.document()
    return {protocol.COMPARISON: document, **await asyncio.to_thread(lambda: shown().bundle())}


# All that are alive -------------------------------------------------------------------------------

_alive: list[LiveView] = []


def _keep(view: LiveView) -> None:
    """Keep it; those of an earlier run of its cell are shown nowhere any more."""
    cell, request = view.output.cell, view.output.request
    gone = [
        one for one in _alive if cell and one.output.cell == cell and one.output.request != request
    ]
    _alive.append(view)
    for one in [*gone, *_alive[: -MOST - len(gone)]]:
        if one in _alive:
            _alive.remove(one)
            one.close()


def place() -> str:
    """By which a page finds again how somebody has looked at it: the same when the cell is run
    again; empty where the cell is not known."""
    shell = get_ipython()
    cell, asked = cell_id(shell), str(request(shell, "header").get("msg_id", ""))
    before = sum(one.output.request == asked for one in _alive)
    name = "\n".join((notebook(shell), cell, str(before))).encode("utf-8", "replace")
    return hashlib.sha256(name).hexdigest()[:32] if cell else ""


# The renderer of JupyterLab -----------------------------------------------------------------------


def listen() -> None:
    """Hear the renderer: it opens a comm about a comparison that is alive, or about a run."""
    # The kernel's own manager: the package `comm` is younger than the kernels of Colab and Kaggle.
    kernel = getattr(get_ipython(), "kernel", None)
    if (manager := getattr(kernel, "comm_manager", None)) is not None:
        manager.register_target(TARGET, _opened)


def _opened(comm: Any, message: Mapping[str, Any]) -> None:
    """Called wherever the kernel hears messages: nothing is read from a disk here."""
    about = message["content"]["data"]
    wire = _Wire(comm)
    listen_while_busy(comm)
    comm.on_msg(lambda said: wire.take(said["content"]["data"]))
    comm.on_close(lambda said: wire.leave())
    live = next((one.live for one in _alive if one.live.id == about.get("id")), None)
    if live is not None:
        wire.connect(live)
    elif isinstance(about.get("run"), str):
        bridge.submit(wire.open(about["run"]))
    else:
        comm.close()


class _Wire:
    """A renderer's comm. What it says before it is connected waits."""

    def __init__(self, comm: Any) -> None:
        self._comm = comm
        self._live: Live | None = None
        self._view: View | None = None
        self._waiting: list[Mapping[str, Any]] = []

    def take(self, message: Any) -> None:
        if not isinstance(message, Mapping):
            return
        if self._live is None or self._view is None:
            self._waiting.append(message)
        elif message.get("type") == "forms":
            bridge.submit(self._tell_forms(self._live, self._view, message.get("ask")))
        else:
            self._live.take(self._view, message)

    def leave(self) -> None:
        if self._live is not None and self._view is not None:
            self._live.leave(self._view)

    def connect(self, live: Live) -> None:
        self._view, self._live = live.join(self._comm.send), live
        while self._waiting:
            live.take(self._view, self._waiting.pop(0))

    async def open(self, name: str) -> None:
        """A run of that name, or the end of the comm where there is none."""
        try:
            made = await asyncio.to_thread(lambda: runs()[name])
        except Exception:
            self._comm.close()
            return
        self.connect(Live(made._session))

    async def _tell_forms(self, live: Live, view: View, asked: object) -> None:
        """Of a run that goes on in another kernel's output, the page keeps what comes of it."""
        view.tell({"type": "answer", "to": asked, "value": await _forms(live)})
