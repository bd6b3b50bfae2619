"""An output that is alive while somebody looks at it, and static in what is saved.

A widget leaves nothing behind in a notebook. So where a renderer of ours draws the output, or
nobody does, it becomes what is to be saved. Where a widget shows it, it stays, and what is saved is
a second output below, which the view hides while it is alive.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Set
from contextlib import suppress
from typing import Any

import anywidget
import traitlets
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.getipython import get_ipython
from IPython.display import display

from .. import assets
from ..cell import cell_id, request
from .kernel_thread import listen_while_busy

WIDGET = "application/vnd.jupyter.widget-view+json"
NO_WIDGETS = "This page shows no widgets; what comes is shown when it has ended."

Bundle = Mapping[str, Any]
Take = Callable[[Mapping[str, Any]], object]


class Widget(anywidget.AnyWidget):
    """The way to a page that shows widgets. `take` gets what it says, and only passes it on."""

    _esm = traitlets.Unicode().tag(sync=True)
    _kind = traitlets.Unicode().tag(sync=True)
    _live_id = traitlets.Unicode().tag(sync=True)
    _place = traitlets.Unicode().tag(sync=True)

    def __init__(self, kind: str, id: str, place: str, take: Take) -> None:
        # Its id is the comm's as well: a page can ask the kernel whether it is there.
        super().__init__(_kind=kind, _live_id=id, model_id=id, _place=place)
        listen_while_busy(self.comm)
        self._take = take
        self.on_msg(self._on_message)

    @traitlets.default("_esm")
    def _default_esm(self) -> str:
        return assets.source("compare")

    def _on_message(self, widget: Any, content: Any, buffers: Any) -> None:
        if isinstance(content, Mapping):
            self._take(content)

    def tell(self, event: Mapping[str, Any]) -> None:
        """In any thread."""
        with suppress(Exception):  # the comm may be closed already
            self.send(dict(event))

    @property
    def view(self) -> Bundle:
        found: Any = self._repr_mimebundle_() or {}
        data = found[0] if isinstance(found, tuple) else found
        return {WIDGET: data[WIDGET]} if WIDGET in data else {}


def usable() -> bool:
    """Whether an output can be alive here: not where outputs are kept for later (`%%capture`), and
    not in a checkout whose front end is not built."""
    if isinstance(getattr(get_ipython(), "display_pub", None), CapturingDisplayPublisher):
        return False
    return (assets.FOLDER / "compare.js").exists()


class Output:
    """Only for the kernel's own thread. `hosts`: what has said `hello`, as far as is known."""

    def __init__(self, widget: Widget, first: Bundle, hosts: Callable[[], Set[str]]) -> None:
        shell = get_ipython()
        self.cell = cell_id(shell)
        """Empty where the front end does not tell it: then nobody is waited for."""
        self.request = str(request(shell, "header").get("msg_id", ""))
        self.undecided = False
        """Whether it is not known yet who shows it."""
        self._id = widget.model_id
        self._hosts = hosts
        self._first, self._second = uuid.uuid4().hex, ""
        self._forms: Bundle = {}
        self._show(self._first, {**widget.view, **first}, update=False)

    @property
    def is_here(self) -> bool:
        """Whether the cell that runs is the one below which it stands."""
        now = str(request(get_ipython(), "header").get("msg_id", ""))
        return bool(now) and now == self.request

    def leave(self, forms: Bundle) -> None:
        """The cell ends: leave in it what is to be saved."""
        self._forms, hosts = forms, self._hosts()
        if "lab" in hosts or not (hosts or self.cell):
            self._show(self._first, forms)
            return
        self.undecided, self._second = not hosts, uuid.uuid4().hex
        self._show(self._second, self._hidden(forms), update=False)

    def follow(self, forms: Bundle) -> None:
        """What is to be saved has changed, after it was left."""
        if self._forms and forms != self._forms:
            self._forms = forms
            if self._second:
                self._show(self._second, self._hidden(forms))
            else:
                self._show(self._first, forms)

    def decide(self, last: bool = False) -> None:
        """Somebody has said `hello`, or nobody will."""
        hosts = self._hosts()
        if self.undecided and (hosts or last):
            self.undecided = False
            if "widget" not in hosts:
                self._show(self._first, self._forms)
                self._show(self._second, {"text/plain": ""})
                self._second = ""

    def _hidden(self, forms: Bundle) -> Bundle:
        """What a view of ours hides while it is alive: it looks for this class."""
        mark = f"jan-saved jan-saved-{self._id}"
        written = {**forms}
        if shown := written.get("text/html"):
            written["text/html"] = f'<div class="{mark}">{shown}</div>'
        if shown := written.get("text/markdown"):
            written["text/markdown"] = f'<div class="{mark}">\n\n{shown}\n\n</div>'
        return written

    @staticmethod
    def _show(name: str, data: Bundle, update: bool = True) -> None:
        display(  # type: ignore[no-untyped-call]
            dict(data), raw=True, display_id=name, update=update
        )
