"""Where data folders are: ours, and that of an installed Jan."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import ModelBroken
from ..reading import read_json


@dataclass(frozen=True, slots=True)
class DataFolder:
    """A data folder in use, and why it is."""

    path: Path
    why: str


def jan_data_folder(
    platform: str = sys.platform,
    environment: Mapping[str, str] = os.environ,
    home: Path | None = None,
) -> DataFolder | None:
    """The data folder of Jan itself, if there is one; the arguments default to this machine."""
    home = Path(os.path.expanduser("~")) if home is None else home
    if platform == "win32":
        bases = [environment.get("APPDATA")]
        home = Path(environment.get("USERPROFILE") or home)
        defaults = [bases[0], None]
    elif platform == "darwin":
        bases = defaults = [str(home / "Library/Application Support")]
    else:
        share, config = str(home / ".local/share"), str(home / ".config")
        bases = [
            environment.get("XDG_DATA_HOME"),
            share,
            environment.get("XDG_CONFIG_HOME"),
            config,
        ]
        defaults = [share, config]
    for folder in [*(Path(base) / "Jan" for base in bases if base), home]:
        if found := _from_settings(folder / "settings.json"):
            return found
    for folder in [*(Path(base) / "Jan/data" for base in defaults if base), home / "jan"]:
        if os.path.isdir(folder):
            return DataFolder(folder, "Jan's default data folder")
    return None


def _from_settings(path: Path) -> DataFolder | None:
    """The folder that a `settings.json` of the app names, if it is there."""
    if not os.path.isfile(path):
        return None
    try:
        raw = read_json(path)
        folder = Path(raw["data_folder"])
        if folder.is_absolute() and folder.is_dir():
            return DataFolder(folder, f"`data_folder` in {path}")
    except (ModelBroken, LookupError, TypeError, OSError, ValueError):
        pass
    return None
