"""What the next question goes to: a thread, a model, an assistant, values."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from .. import errors
from ..models.model import Model
from ..precedence import Level
from ..router import Router
from ..threads import Thread, ThreadStore
from ..types import ChatRequest, Message
from . import views


class Choices:
    """A thread with its choices; before the first question, the choices alone.

    What is chosen is written into the thread at once. Nearly everything here looks at a disk: not
    on the loop.
    """

    def __init__(
        self,
        router: Router,
        store: ThreadStore,
        *,
        model: str = "",
        thread: Thread | None = None,
        instructions: str = "",
    ) -> None:
        self.router = router
        self.store = store
        self.thread = thread
        self.model = model
        """What was chosen here; empty: the thread's, else the default."""
        self.compare: list[str] = []
        """Further models that answer beside it."""
        self.reload = False
        """Whether a load setting has changed since the model was loaded."""
        self._assistant = ""
        self._instructions = instructions
        self._settings: dict[str, Any] = {}
        self._parameters: dict[str, Any] = {}
        self.reference = ""
        """The model that the next question goes to, as of the last `look`; empty: none."""
        self.id = ""
        """Its id, by which events name it."""
        with contextlib.suppress(errors.JanError):
            self.look()

    # What holds now -------------------------------------------------------------------------------

    def look(self) -> None:
        """See what the disk says: `thread.seen` and `reference` are as of now."""
        name = self.model
        if self.thread is not None:
            head = self.thread.now().head
            name = name or (self.router.written(head.model, head.engine) if head.model else "")
        try:
            found, engine = self.router.model(name or None)
        except errors.JanError:
            self.reference = self.id = name
        else:
            both = isinstance(engine, str) and ":" in name
            self.reference = name if both else found.reference
            self.id = found.id

    def levels(self) -> Sequence[Level]:
        if self.thread is not None:
            return self.thread.levels()
        return (Level("thread", self._settings, self._parameters), *self.store.levels())

    def request(self, content: Any) -> ChatRequest:
        """What a question would ask: with all that stands before it."""
        before: list[Message] = []
        if self.thread is not None:
            before = self.thread.conversation()
        elif self._instructions.strip():
            before = [Message("system", self._instructions)]
        return ChatRequest([*before, Message("user", content)])

    def state(self) -> dict[str, Any]:
        """Assistant, instructions and values, as the front end shows them."""
        thread = self.thread
        assistants = [
            {"id": a.id, "name": a.name, "description": a.description}
            for a in self.store.assistants.list()
            if a.state == "ready"
        ]
        return {
            "assistant": thread.assistant if thread else self._assistant or "jan",
            "assistants": assistants,
            "instructions": thread.instructions if thread else self._instructions,
            "settings": self._rows(),
        }

    def _rows(self) -> list[Any]:
        name, levels = self.reference or None, self.levels()
        try:
            model, _ = self.router.model(name)
            return views.setting_rows(
                self.router.values(name, levels),
                self.router.values(name, views.without_thread(levels)),
                model.file is not None,
            )
        except errors.JanError:
            return []

    # Choosing -------------------------------------------------------------------------------------

    def opened(self) -> Thread:
        """The thread, made now if this is its first question."""
        if self.thread is None:
            thread = self.store.create(
                assistant=self._assistant or None, instructions=self._instructions
            )
            if self._settings or self._parameters:
                thread.configure(settings=self._settings, parameters=self._parameters)
            self.thread = thread
        self.look()
        return self.thread

    def show(self, thread: Thread | None) -> None:
        """Go on with another thread, or begin one."""
        self.thread = thread
        if thread is None:
            self._assistant = self._instructions = ""
            self._settings, self._parameters = {}, {}
        elif thread.model:
            self.model = ""
        self.look()

    def choose(self, model: str) -> None:
        found, engine = self.router.model(model)
        self.model = model
        self.reload = False
        if model in self.compare:
            self.compare.remove(model)
        if self.thread is not None:
            name = engine if isinstance(engine, str) else found.engine
            self.thread.configure(model=found.reference, engine=name)
        self.look()

    def choose_all(self, models: Sequence[str]) -> None:
        """The first one answers, the others beside it: those of them that are still here."""
        there = [name for name in dict.fromkeys(models) if self._is_there(name)]
        for name in there[:1]:
            self.choose(name)
        self.compare = there[1:]

    def _is_there(self, model: str) -> bool:
        try:
            return bool(model and self.router.model(model))
        except errors.JanError:
            return False

    def set(self, kind: str, name: str, value: Any) -> None:
        """Set a parameter or setting for this thread; `None` takes it away."""
        known = views.PARAMETERS if kind == "parameter" else views.SETTINGS
        if name not in known:
            raise errors.UsageError(f"No setting is called {name!r}.")
        fitting = views.fitting(name, value)
        place = self._parameters if kind == "parameter" else self._settings
        if self.thread is not None and kind == "parameter":
            self.thread.configure(parameters={name: fitting})
        elif self.thread is not None:
            self.thread.configure(settings={name: fitting})
        elif fitting is None:
            place.pop(name, None)
        else:
            place[name] = fitting
        self.reload = self.reload or kind == "setting"

    def instruct(self, text: str) -> None:
        self._instructions = text
        if self.thread is not None:
            self.thread.configure(instructions=text)

    def assist(self, id: str) -> str | None:
        """Take an assistant; the model that it names, if it names one."""
        profile = self.store.assistants.get(id)
        self._assistant, self._instructions = id, profile.instructions
        if self.thread is not None:
            self.thread.configure(assistant=id)
        return profile.model

    def wanted(self, model: str) -> Sequence[Level] | None:
        """What to load a model with before it is asked; `None`: a remote one needs nothing."""
        found: Model = self.router.model(model or None)[0]
        return self.levels() if found.file is not None and found.state == "ready" else None
