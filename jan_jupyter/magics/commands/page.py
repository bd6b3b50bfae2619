"""`%jan status`, `%jan help`: where one is."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ... import __version__, errors, units
from .command import Command, arg

if TYPE_CHECKING:
    from ..core import JanMagics


def status(magics: JanMagics, arguments: Namespace) -> None:
    from importlib import metadata

    from ...models.hub.unfinished import unfinished
    from ...router import shared
    from ..tables import card
    from .defaults import default_id

    rows: list[tuple[str, str]] = []
    for package in ("xllamacpp", "ipykernel", "IPython"):
        try:
            rows.append((package, metadata.version(package)))
        except metadata.PackageNotFoundError:
            continue
    rows += [
        ("data folder", f"{folder.path} ({folder.why})") for folder in shared().store.folders()
    ]
    rows += [
        (
            "unfinished pull",
            f"{known.id}: {units.size(known.done)} of {units.size(known.total)} are here",
        )
        for known in unfinished(shared().store.writable)
    ]
    rows.append(("default model", default_id() or "none"))
    rows += [(f"Jan.{name}", str(value)) for name, value in _set_settings().items()]
    rows += [(name, str(value)) for name, value in magics.parameters.items()]
    card(f"jan_jupyter {__version__}", rows)


def _set_settings() -> Mapping[str, Any]:
    from ...settings import settings

    jan = settings()
    found = {name: getattr(jan, name) for name in jan.trait_names(config=True)}
    if found["local_only"]:
        found["local_only"] = "on: nothing leaves this machine"
    # The folder and the model stand above.
    return {n: value for n, value in found.items() if value and n not in ("data_folder", "model")}


def help_(magics: JanMagics, arguments: Namespace) -> None:
    from ..lines import help_html, help_text
    from ..tables import page, show
    from . import ALIASES, COMMANDS

    name = ALIASES.get(arguments.command, arguments.command)
    if name and name not in COMMANDS:
        known = ", ".join(COMMANDS)
        raise errors.UsageError(f"%jan help: no command {name!r}. Commands: {known}.")
    if name:
        page(COMMANDS[name].page)
    else:
        show({"text/html": help_html(), "text/plain": help_text()})


def _names(current: str) -> list[tuple[str, str]]:
    from . import COMMANDS

    return [(name, "command") for name in COMMANDS]


COMMANDS = (
    Command("status", status, "settings, folders, versions"),
    Command(
        "help",
        help_,
        "this page, or that of a command",
        (arg("command", nargs="?", candidates=_names, help="its name"),),
    ),
)
