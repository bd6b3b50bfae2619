"""`ChatPanel`: the widget. Callbacks only enqueue; what is the user's runs in the kernel's thread.

The conversation lives on the background loop. Traits, the saved output, and whatever reads the
notebook's variables are touched only in the kernel's own thread, which a busy cell keeps busy: the
front end then says what it waits for, while answers go on streaming.
"""

from __future__ import annotations

import contextlib
import sys
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets
from IPython.core.getipython import get_ipython
from IPython.display import display, update_display

from .. import assets, errors
from ..conversation import Conversation, Surroundings
from ..conversation.protocol import Context
from ..threads import Thread
from ..types import Reply
from ..workspace import Workspace, shared
from . import cells, context, saved
from .kernel_thread import KernelThread, listen_while_busy

if TYPE_CHECKING:
    from ..compare.comparison import Comparison

LETTERS_A_SECOND = 10_000
"""How much of a conversation under way the saved output takes a second."""


NO_WIDGETS = (
    "This page shows no widgets: ask with %jan QUESTION, or run the cell in JupyterLab, Notebook 7,"
    " VS Code or Colab."
)


class ChatPanel(anywidget.AnyWidget):
    """A chat in the notebook: `jan.ChatPanel()`, or `%jan chat`.

    A cell that is run again goes on with the thread that it showed, in a new kernel as well;
    `thread=""` begins a new one. `model` and `thread` may be read, set and observed at any time.
    Threads and models are those of `workspace`, or of the one that all share.
    Several views of one panel, and a page that is opened again, show the same conversation.
    """

    model = traitlets.Unicode(help="Id of the model that answers; set it to choose another.")
    thread = traitlets.Unicode(
        help="Id of the thread; empty before the first question. Set it to a name to open that."
    )
    busy = traitlets.Bool(False, help="Whether an answer is on its way.", read_only=True)
    height = traitlets.Unicode(
        "clamp(24rem, 75vh, 60rem)", help="Height of the panel, as CSS has it."
    ).tag(sync=True)
    _esm = traitlets.Unicode().tag(sync=True)
    _panel_id = traitlets.Unicode().tag(sync=True)
    _place = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        model: str | None = None,
        *,
        thread: str | Thread | None = None,
        system: str | None = None,
        workspace: Workspace | None = None,
        **traits: Any,
    ) -> None:
        self._kernel_thread = KernelThread()
        self._shell = get_ipython()
        self._names = sys._getframe(1).f_globals  # a notebook's own, where IPython is not
        self._saved: list[str] = []
        self._file: dict[str, Any] = {}
        self._following = False
        self._due = 0.0
        self._workspace = workspace or shared()
        store = self._workspace.threads
        opened = store.open(thread) if isinstance(thread, str) and thread else thread or None
        self._cell = cells.current()
        if thread is None:
            opened = cells.thread_of(self._cell, self._workspace)
        if model is not None:
            self._workspace.router.model(model)  # an error now, not with the first question
        self._conversation = Conversation(
            Surroundings(self._send_event, self._changed, self._context, self._complete),
            self._workspace,
            model=model or "",
            thread=opened if isinstance(opened, Thread) else None,
            instructions=system or "",
        )
        id = uuid.uuid4().hex  # the comm's as well: a page can ask the kernel whether it is there
        super().__init__(_panel_id=id, model_id=id, _place=self._cell.key or id, **traits)
        listen_while_busy(self.comm)
        self.on_msg(self._on_message)
        self._follow_traits()
        self.observe(self._on_model, "model")
        self.observe(self._on_thread, "thread")

    @traitlets.default("_esm")
    def _default_esm(self) -> str:
        return assets.source("chat")

    # For users ------------------------------------------------------------------------------------

    def send(self, content: Any, buffers: Any = None) -> None:
        """Ask, as if it had been typed into the panel; returns at once (`wait` for the answer)."""
        if isinstance(content, str):
            self._conversation.take({"type": "send", "text": content})
        else:  # what a widget's `send` does
            super().send(content, buffers)

    def wait(self) -> Reply | None:
        """Wait until no answer is on its way; the last one."""
        self._kernel_thread.wait(self._conversation.wait())
        return self.reply

    def stop(self) -> None:
        """Stop the answers that are on their way; what has come is kept."""
        self._conversation.take({"type": "stop"})

    @property
    def reply(self) -> Reply | None:
        """The last answer; `None` before the first one has ended."""
        return self._conversation.reply

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The conversation as OpenAI's API writes it."""
        found = self._conversation.thread
        return [message.json() for message in found.conversation()] if found else []

    def comparison(self, name: str = "") -> Comparison:
        """Its columns as a comparison: to be judged, voted on, kept under a name. Nobody is asked.

        Raises `UsageError` where there are none.
        """
        from ..compare.replaying import columns

        found = self._conversation.thread
        if found is None:
            raise errors.UsageError("Nothing has been said in this thread yet.")
        return columns(found, name, self._workspace)

    def __repr__(self) -> str:
        found = self._conversation.thread
        return f"ChatPanel(thread={found.title if found else ''!r}, model={self.model!r})"

    def close(self) -> None:
        self._conversation.close()
        super().close()

    # Showing --------------------------------------------------------------------------------------

    def _ipython_display_(self, **kwargs: Any) -> None:
        """The widget, and below it what a saved notebook shows (hidden while the panel is alive).

        A widget leaves nothing behind in a notebook file, so the conversation is a second output.
        """
        found = self._repr_mimebundle_()
        data, metadata = found if isinstance(found, tuple) else (found or {}, {})
        display({**data, "text/plain": f"{self!r}\n{NO_WIDGETS}"}, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]
        handle = display(self._static(), metadata=self._mark, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        if handle is not None:
            self._saved.append(handle.display_id)

    @property
    def _mark(self) -> dict[str, Any]:
        """Metadata of the output that a saved notebook shows."""
        return {"jan": {"panel": self._panel_id, "thread": self.thread}}

    def _static(self) -> dict[str, Any]:
        found = self._conversation.thread
        id, title = (found.id, found.title) if found else ("", "")
        return saved.bundle(self._panel_id, id, title, self._conversation.messages)

    # From the front end ---------------------------------------------------------------------------

    def _on_message(self, widget: Any, content: Any, buffers: Any) -> None:
        if isinstance(content, Mapping):
            self._conversation.take(content)

    # To the front end, and to the kernel's thread -------------------------------------------------

    def _send_event(self, event: Mapping[str, Any]) -> None:
        with contextlib.suppress(Exception):  # the comm may be closed already
            super().send(dict(event))

    def _changed(self) -> None:
        """From the background loop: traits and saved output follow in the kernel's thread."""
        self._kernel_thread.call(self._follow)

    def _follow(self) -> None:
        self._follow_traits()
        now = time.monotonic()
        if self._saved and (not self._conversation.busy or now >= self._due):
            data = self._static()
            # It is drawn whole each time, so a long one seldom.
            self._due = now + 1 + len(data["text/markdown"]) / LETTERS_A_SECOND
            # To pages that know no display ids.
            self._send_event({"type": "saved", "data": data, "thread": self.thread})
            if data == self._file:
                return
            self._file = data
            for id in self._saved:
                update_display(data, metadata=self._mark, raw=True, display_id=id)  # type: ignore[no-untyped-call]

    def _follow_traits(self) -> None:
        conversation = self._conversation
        self._following = True
        try:
            with contextlib.suppress(errors.JanError):
                self.model = conversation.model
            self.thread = conversation.thread.id if conversation.thread else ""
            cells.remember(self._cell, self.thread, self._workspace)
            self.set_trait("busy", conversation.busy)
        finally:
            self._following = False

    @traitlets.validate("model")
    def _known_model(self, proposal: Mapping[str, Any]) -> str:
        name: str = proposal["value"]
        if name and not self._following:
            self._workspace.router.model(name)  # raises what is wrong with it
        return name

    def _on_model(self, change: Mapping[str, Any]) -> None:
        if not self._following:
            self._conversation.take({"type": "model", "model": change["new"]})

    def _on_thread(self, change: Mapping[str, Any]) -> None:
        if self._following:
            return
        name = change["new"]
        found = self._workspace.threads.open(name) if name else None
        self._conversation.take({"type": "thread", "id": found.id if found else ""})

    # What questions refer to ----------------------------------------------------------------------

    def _context(self, text: str) -> Future[list[Context]]:
        return self._kernel_thread.call(lambda: context.resolve(text, self._notebook()))

    def _complete(self, text: str) -> list[context.Candidate]:
        return context.complete(text, self._notebook())

    def _notebook(self) -> context.Notebook:
        return context.notebook(self._shell, self._names)
