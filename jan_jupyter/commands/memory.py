"""`%jan load`, `%jan unload`, `%jan ps`: what is held in memory."""

from __future__ import annotations

from argparse import Namespace
from time import time
from typing import TYPE_CHECKING

from .. import units
from .candidates import ready_models
from .command import Caller, Command, Work, arg
from .screen import say, screen
from .shared import workspace

if TYPE_CHECKING:
    from ..models.model import Model
    from ..router import Router
    from ..types import Event, Running


def load(magics: Caller, arguments: Namespace) -> Work:

    loading = _telling(workspace().router, arguments.model)
    return Work(loading, lambda model: say(f"{model.id} is ready."))


def unload(magics: Caller, arguments: Namespace) -> Work:

    unloading = workspace().router.unload(arguments.model)
    return Work(unloading, lambda model: say(f"{model.id} is unloaded."))


async def _telling(router: Router, name: str | None) -> Model:
    """Load, and print each whole tenth of the progress."""
    told = [-1]

    def tell(event: Event) -> None:
        if event.state == "loading" and event.progress is not None:
            tenth = int(event.progress * 10)
            if tenth > told[0]:
                told[0] = tenth
                screen().tell(f"Loading {event.model} {event.progress:.0%} …")

    unwatch = router.watch(tell)
    try:
        return await router.load(name)
    finally:
        unwatch()


def ps(magics: Caller, arguments: Namespace) -> Work:

    return Work(workspace().router.running(), _running)


def _running(running: list[Running]) -> list[Running]:
    from .tables import table

    rows = [
        (
            r.model,
            f"{r.engine} ({r.runtime})",
            r.state if r.idle is None else f"idle {units.duration(r.idle)}",
            units.size(r.memory),
            str(r.pid),
            units.duration(time() - r.since),
        )
        for r in running
    ]
    table(
        ("model", "engine", "state", "memory", "process", "for"),
        rows,
        "" if rows else "No model is loaded.",
    )
    return running


_MODEL = arg("model", nargs="?", candidates=ready_models, help="without one: the default model")

COMMANDS = (
    Command("load", load, "load a model before it is asked", (_MODEL,)),
    Command("unload", unload, "give its memory back", (_MODEL,)),
    Command("ps", ps, "what is loaded on this machine"),
)
