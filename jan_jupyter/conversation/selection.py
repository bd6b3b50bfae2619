"""What the next question goes to: a thread, a model, an assistant, values."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from .. import errors
from ..chat import Chat
from ..models.model import Model
from ..precedence import Level
from ..threads import Draft, Thread
from ..threads.columns import Columns, columns_of
from ..workspace import Workspace
from . import views


class Selection:
    """A thread with what is chosen for it; before the first question, that alone.

    It is written into the thread at once. Nearly everything here looks at a disk: not
    on the loop.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        model: str = "",
        thread: Thread | None = None,
        instructions: str = "",
    ) -> None:
        self.workspace = workspace
        self.router = workspace.router
        self.threads = workspace.threads
        self.thread = thread
        self._draft = self.threads.draft(instructions=instructions)
        """What is chosen while there is no thread."""
        self.model = model
        """What was chosen here; empty: the thread's, else the default."""
        self.compare: list[str] = []
        """Further models that answer the next question beside it, each in a column."""
        self.left_out: set[str] = set()
        """Names of columns that the next question is not for."""
        self.reload = False
        """Whether a load setting has changed since the model was loaded."""
        self.reference = ""
        """The model that the next question goes to, as of the last `refresh`; empty: none."""
        self.id = ""
        """Its id, by which events name it."""
        with contextlib.suppress(errors.JanError):
            self.refresh()

    # What holds now -------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read what the disk says: `thread.seen` and `reference` are as of now."""
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

    @property
    def columns(self) -> Columns | None:
        """Conversations that stand side by side, as of the last `refresh`; `None`: there is one."""
        seen = self.thread.seen if self.thread is not None else None
        found = columns_of(seen.head, seen.tree) if seen is not None else None
        return found if found is not None and found.open else None

    @property
    def holder(self) -> Thread | Draft:
        """What holds the choices: the thread, or before the first question its draft."""
        return self.thread or self._draft

    def chat(self, model: str = "") -> Chat:
        """What puts a question to a model (default: the one that is chosen) together."""
        return Chat(model or None, thread=self.holder, workspace=self.workspace)

    def levels(self) -> Sequence[Level]:
        return self.holder.levels()

    def state(self) -> dict[str, Any]:
        """Assistant, instructions and values, as the front end shows them."""
        assistants = [
            {"id": a.id, "name": a.name, "description": a.description}
            for a in self.threads.assistants.list()
            if a.state == "ready"
        ]
        return {
            "assistant": self.holder.assistant,
            "assistants": assistants,
            "instructions": self.holder.instructions,
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

    def open(self) -> Thread:
        """The thread, made now if this is its first question."""
        if self.thread is None:
            self.thread = self._draft.begin()
        self.refresh()
        return self.thread

    def show(self, thread: Thread | None) -> None:
        """Go on with another thread, or begin one."""
        self.thread = thread
        self.left_out.clear()
        if thread is None:
            self._draft = self.threads.draft()
        elif thread.model:
            self.model = ""
        self.refresh()

    def choose(self, model: str) -> None:
        found, engine = self.router.model(model)
        self.model = model
        self.reload = False
        if model in self.compare:
            self.compare.remove(model)
        self._write(found, engine)
        self.refresh()

    def keep_model(self) -> None:
        """Write the model that is chosen into the thread, as an answer of it would."""
        self.model = self.reference
        with contextlib.suppress(errors.JanError):
            self._write(*self.router.model(self.reference or None))

    def _write(self, model: Model, engine: Any) -> None:
        if self.thread is not None:
            name = engine if isinstance(engine, str) else model.engine
            self.thread.configure(model=model.reference, engine=name)

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
        if kind == "parameter":
            self.holder.configure(parameters={name: fitting})
        else:
            self.holder.configure(settings={name: fitting})
        self.reload = self.reload or kind == "setting"

    def set_instructions(self, text: str) -> None:
        self.holder.configure(instructions=text)

    def choose_assistant(self, id: str) -> str | None:
        """Take an assistant; the model that it names, if it names one."""
        profile = self.threads.assistants.get(id)
        self.holder.configure(assistant=id)
        return profile.model

    def load_levels(self, model: str) -> Sequence[Level] | None:
        """What to load a model with before it is asked; `None`: a remote one needs nothing."""
        found: Model = self.router.model(model or None)[0]
        return self.levels() if found.file is not None and found.state == "ready" else None
