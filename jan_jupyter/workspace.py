"""Everything that belongs to one data folder: its models, their router, its threads."""

from __future__ import annotations

import copy
import threading
from collections.abc import Collection
from pathlib import Path

from . import bridge, lookout
from .engines.listening import LocalServers
from .models.chosen import ChosenModels
from .models.store import ModelStore
from .router import Router
from .settings import Jan, settings
from .threads.assistants import Assistant
from .threads.store import ThreadStore


class Workspace:
    """Models, threads, keys and engine files of one data folder; two never see each other's.

    Without `data_folder` it is that of the user's settings, with what an installed Jan and others
    have, and the bundled model.
    """

    def __init__(self, data_folder: Path | str | None = None) -> None:
        self.models: ModelStore = ModelStore(data_folder)
        self.router = Router(self.models)
        self.threads = ThreadStore(data_folder)
        self.servers = LocalServers(self.models)
        self.chosen: Assistant | None = None
        """What the user has chosen as default as a whole, beyond its model."""

    @property
    def profile(self) -> Assistant | None:
        """Instructions, settings and parameters that hold where nobody is named: those of what was
        chosen, as long as its model is the default."""
        chosen = self.chosen
        return chosen if chosen is not None and chosen.model == self.settings.model else None

    @property
    def settings(self) -> Jan:
        """What the user has set for all of this process (`%config Jan`)."""
        return settings()

    def only(self, ids: Collection[str]) -> Workspace:
        """The same for somebody who may use these models and sees no others. Whoever has made
        this one closes it."""
        seen = copy.copy(self)
        seen.models = ChosenModels(self.models, ids)
        seen.router = self.router.over(seen.models)
        return seen

    async def close(self) -> None:
        """End what is fetched in the background, and close what its engines hold open."""
        await self.router.close()


_shared: Workspace | None = None
_first_use = threading.Lock()


def shared() -> Workspace:
    """The workspace of every face of this process: the only one that is global."""
    global _shared
    with _first_use:
        if _shared is None:
            _shared = Workspace()
            bridge.at_close(_shared.close)
            lookout.OWN.meet(_shared.router)
        return _shared
