"""`%jan status`: where one is."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from .. import __version__
from .command import Caller, Command, Told
from .shared import default_id, workspace


def status(caller: Caller, arguments: Namespace) -> Told:
    from importlib import metadata

    from ..models.hub.unfinished import unfinished

    packages = {}
    for package in ("xllamacpp", "ipykernel", "IPython"):
        with suppress(metadata.PackageNotFoundError):
            packages[package] = metadata.version(package)
    store = workspace().models
    found = {
        "version": __version__,
        "packages": packages,
        "data_folders": {str(folder.path): folder.why for folder in store.folders()},
        "unfinished": {known.id: known.here for known in unfinished(store.writable)},
        "default_model": default_id(),
        "settings": _set_settings(),
        "parameters": dict(caller.parameters),
    }
    return Told(found, _shown)


def _shown(found: Mapping[str, Any]) -> None:
    from .tables import card

    rows: list[tuple[str, str]] = [*found["packages"].items()]
    rows += [("data folder", f"{path} ({why})") for path, why in found["data_folders"].items()]
    rows += [("unfinished pull", f"{id}: {here}") for id, here in found["unfinished"].items()]
    rows.append(("default model", found["default_model"] or "none"))
    rows += [(f"Jan.{name}", str(value)) for name, value in found["settings"].items()]
    rows += [(name, str(value)) for name, value in found["parameters"].items()]
    card(f"jan_jupyter {found['version']}", rows)


def _set_settings() -> Mapping[str, Any]:
    from ..settings import settings

    jan = settings()
    found = {name: getattr(jan, name) for name in jan.trait_names(config=True)}
    if found["local_only"]:
        found["local_only"] = "on: nothing leaves this machine"
    # The folder and the model stand above.
    return {n: value for n, value in found.items() if value and n not in ("data_folder", "model")}


COMMANDS = (Command("status", status, "settings, folders, versions"),)
