"""`%jan status`: where one is."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from ... import __version__
from ..shared import workspace
from .command import Caller, Command


def status(magics: Caller, arguments: Namespace) -> None:
    from importlib import metadata

    from ...models.hub.unfinished import unfinished
    from ..tables import card
    from .defaults import default_id

    rows: list[tuple[str, str]] = []
    for package in ("xllamacpp", "ipykernel", "IPython"):
        try:
            rows.append((package, metadata.version(package)))
        except metadata.PackageNotFoundError:
            continue
    rows += [
        ("data folder", f"{folder.path} ({folder.why})") for folder in workspace().models.folders()
    ]
    rows += [
        (
            "unfinished pull",
            f"{known.id}: {known.here}",
        )
        for known in unfinished(workspace().models.writable)
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


COMMANDS = (Command("status", status, "settings, folders, versions"),)
