"""`%jan models`: which models there are."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from .command import Command, arg

if TYPE_CHECKING:
    from ...models.model import Model
    from ..core import JanMagics


def models(magics: JanMagics, arguments: Namespace) -> list[Model]:
    from ...router import shared
    from ..tables import table
    from .defaults import default_id

    pattern = arguments.filter
    found = [m for m in shared().store.list() if pattern.lower() in m.id.lower()]
    default = default_id()
    rows = [
        (
            f"{m.id} (default)" if m.id == default else m.id,
            m.engine,
            m.state,
            m.source,
            m.reason or "; ".join(m.warnings),
        )
        for m in found
    ]
    nothing = f"No model's name contains {pattern!r}." if pattern else "No models."
    table(("model", "engine", "state", "found as", "remark"), rows, "" if rows else nothing)
    return found


COMMANDS = (
    Command(
        "models",
        models,
        "list the models and their state",
        (arg("filter", nargs="?", default="", help="a part of the names to list"),),
    ),
)
