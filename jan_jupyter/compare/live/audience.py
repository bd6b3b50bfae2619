"""Those who look at something that is alive, each by a way to them. On the background loop."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from .protocol import Send

Event = Mapping[str, Any]


class View:
    """A widget's front end, of which all pages hear the same, or a renderer's comm.

    It hears nothing before it has said `hello`, and first of all how things stand.
    """

    def __init__(self, send: Send) -> None:
        self.host = ""
        """What has said `hello`; empty: nothing has."""
        self.presumed = False
        """Whether it is told all though it has said nothing."""
        self.outdated = False
        """Whether how things stand has changed while it was written down for this view."""
        self._send = send
        self._held: list[Event] | None = None

    def tell(self, event: Event) -> None:
        if self._held is not None:
            self._held.append(event)
        else:
            self._sent(event)

    def hold(self) -> bool:
        """Keep what is told until `release`; whether it does not do so already."""
        if self._held is not None:
            self.outdated = True
            return False
        self._held, self.outdated = [], False
        return True

    def release(self, *first: Event) -> None:
        """Tell this, then what was kept."""
        held, self._held = self._held or [], None
        for event in (*first, *held):
            self._sent(event)

    def _sent(self, event: Event) -> None:
        with suppress(Exception):  # it may be gone
            self._send(event)


class Audience:
    """All views. `hosts`: what has ever said `hello`."""

    def __init__(self) -> None:
        self._views: list[View] = []
        self.hosts: set[str] = set()

    def join(self, send: Send) -> View:
        """In any thread."""
        self._views.append(view := View(send))
        return view

    def leave(self, view: View) -> None:
        """In any thread."""
        with suppress(ValueError):
            self._views.remove(view)

    def greet(self, view: View, host: object) -> None:
        view.host = "lab" if host == "lab" else "widget"
        self.hosts.add(view.host)

    @property
    def greeted(self) -> list[View]:
        """Those who are told what comes."""
        return [view for view in self._views if view.host or view.presumed]

    def tell(self, event: Event) -> None:
        for view in self.greeted:
            view.tell(event)
