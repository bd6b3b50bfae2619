"""`%jan load`, `%jan unload`, `%jan ps`: what is held in memory."""

from __future__ import annotations

import math
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from time import time
from typing import TYPE_CHECKING

from .. import errors, units
from .candidates import ready_models
from .command import Caller, Command, Work, arg
from .screen import say, screen
from .shared import workspace

if TYPE_CHECKING:
    from ..models.model import Model
    from ..precedence import Level
    from ..router import Router
    from ..types import Event, Running


def seconds(text: str) -> float:
    number = float(text)
    if math.isnan(number):
        raise ValueError(text)
    return number


seconds.__name__ = "number"


def load(caller: Caller, arguments: Namespace) -> Work:
    return Work(_load(arguments.model, arguments.keep_alive), _ready)


async def _load(name: str | None, keep_alive: float | None) -> tuple[Model, Running | None]:
    """The model, and what holds it in memory here: nothing, if it runs elsewhere."""
    from ..precedence import Level

    router = workspace().router
    wanted = [] if keep_alive is None else [Level("request", {"keep_alive": keep_alive})]
    model = await _telling(router, name, wanted)
    found = next((one for one in await router.running() if one.model == model.id), None)
    if found is None and (why := await workspace().servers.not_running([model])):
        raise errors.EngineUnavailable(
            f"The server of model {model.id} does not run; {why[model.reference]}."
        )
    if found is None or found.keep_alive is None or keep_alive is None:
        return model, found
    # Who keeps it hears of a longer time within a second.
    longer = math.inf if keep_alive < 0 else keep_alive
    return model, replace(found, keep_alive=max(found.keep_alive, longer))


def _ready(loaded: tuple[Model, Running | None]) -> None:
    model, running = loaded
    if running is None:
        say(f"{model.id} is ready: {model.engine} answers for it, and nothing is loaded here.")
    elif running.keep_alive is None:
        say(f"{model.id} is ready.")
    elif running.keep_alive == math.inf:
        say(f"{model.id} is ready, and stays loaded until `%jan unload {model.reference}`.")
    else:
        stays = units.duration(running.keep_alive)
        say(
            f"{model.id} is ready, and stays loaded until nobody has asked it for {stays};"
            f" `%jan unload {model.reference}` ends it."
        )


def unload(caller: Caller, arguments: Namespace) -> Work:
    return Work(_unload(arguments.model), _unloaded)


async def _unload(name: str | None) -> tuple[Model, bool]:
    """The model, and whether it was in memory here."""
    router = workspace().router
    before = {one.model for one in await router.running()}
    model = await router.unload(name)
    return model, model.id in before


def _unloaded(found: tuple[Model, bool]) -> None:
    model, was = found
    say(f"{model.id} is unloaded." if was else f"{model.id} was not loaded here.")


async def _telling(router: Router, name: str | None, levels: Sequence[Level]) -> Model:
    """Load, and tell each whole tenth of the progress."""
    told = [-1]

    def tell(event: Event) -> None:
        if event.state == "loading" and event.progress is not None:
            tenth = int(event.progress * 10)
            if tenth > told[0]:
                told[0] = tenth
                screen().passing(f"Loading {event.model} {event.progress:.0%} …")

    unwatch = router.watch(tell)
    try:
        return await router.load(name, levels)
    finally:
        unwatch()
        screen().passing("")


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
            _left(r),
        )
        for r in running
    ]
    table(
        ("model", "engine", "state", "memory", "process", "for", "unloads"),
        rows,
        "" if rows else "No model is loaded.",
    )
    return running


def _left(running: Running) -> str:
    """When it will be unloaded, if nobody asks."""
    if running.keep_alive == math.inf:
        return "never"
    if running.keep_alive is None or running.idle is None:
        return ""
    return f"in {units.duration(max(0.0, running.keep_alive - running.idle))}"


_MODEL = arg("model", nargs="?", candidates=ready_models, help="without one: the default model")

COMMANDS = (
    Command(
        "load",
        load,
        "load a model before it is asked",
        (
            _MODEL,
            arg(
                "--keep-alive",
                type=seconds,
                metavar="SECONDS",
                help="how long it stays when nobody asks it; -1: until it is unloaded",
            ),
        ),
        "A process of its own holds it, for all kernels, servers and command lines of yours on this"
        "\nmachine; it stays when they end.",
    ),
    Command("unload", unload, "give its memory back", (_MODEL,)),
    Command("ps", ps, "what is loaded on this machine"),
)
