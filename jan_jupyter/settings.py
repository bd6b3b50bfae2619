"""The few settings of a user: `%config Jan`, `JAN_*` in the environment, `c.Jan` in a file of
Jupyter's or IPython's configuration."""

from __future__ import annotations

import math
import os
import platform
import stat
from functools import lru_cache
from pathlib import Path
from typing import Any

from traitlets import Bool, Float, Int, TraitError, Unicode, validate
from traitlets.config import Application, SingletonConfigurable

from .addresses import host_of, is_this_machine
from .errors import SettingsError
from .ownership import foreign_link


class Jan(SingletonConfigurable):
    """Settings of jan_jupyter. Each may also be given as `JAN_<NAME>` in the environment, which is
    stronger, or as `c.Jan.<name>` in a configuration file."""

    data_folder = Unicode(
        help="Folder of models, engines, threads and runs. Empty: our own, and an existing Jan's"
        " (which is only read)."
    ).tag(config=True)
    model = Unicode(
        help="Model used where none is named. Empty: the newest local model that is ready."
    ).tag(config=True)
    keep_alive = Float(
        600.0,
        help="Seconds without a request after which a local model is unloaded; -1: never.",
    ).tag(config=True)
    runtime_folder = Unicode(
        help="Where running workers are registered. Empty: the user's runtime folder."
    ).tag(config=True)
    local_only = Bool(
        False,
        help="Nothing leaves this machine: remote engines, downloads, searches and installations"
        " are refused, whatever a file or a cell names.",
    ).tag(config=True)
    footer = Bool(True, help="Show model, tokens and speed under an answer.").tag(config=True)
    ghost_text = Unicode(
        help="Model that suggests in grey what comes next, while you type in IPython's terminal."
        " Empty: none."
    ).tag(config=True)

    homes = Unicode(
        "lmstudio, ollama, huggingface, llama.cpp, gpt4all",
        help="Other programs whose models are listed too, where they lie; `none` for no program.",
    ).tag(config=True)
    model_folders = Unicode(
        help="More folders to look for .gguf files in, parted like those of PATH."
    ).tag(config=True)

    agent_tools = Bool(
        False,
        help="Whether agents may list, ask and compare models through jupyter-server-mcp, which"
        " serves every program of this machine without a login. Read when its server starts.",
    ).tag(config=True)
    agent_paid_calls = Int(
        100,
        help="How many answers that cost money these tools may ask for until the server ends.",
    ).tag(config=True)

    @validate("keep_alive")
    def _is_number(self, proposal: Any) -> float:
        if math.isnan(seconds := float(proposal["value"])):
            raise SettingsError("keep_alive is a number of seconds, or -1 for ever; not NaN.")
        return seconds

    def home_names(self) -> list[str]:
        """The names that `homes` holds."""
        names = self.homes.replace(",", " ").lower().split()
        return [name for name in dict.fromkeys(names) if name != "none"]

    def extra_folders(self) -> list[Path]:
        """The folders that `model_folders` holds."""
        return [Path(p).expanduser().absolute() for p in self.model_folders.split(os.pathsep) if p]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**self._from_environment(), **kwargs})

    @classmethod
    def _from_environment(cls) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, trait in cls.class_traits(config=True).items():
            written = os.environ.get(f"JAN_{name.upper()}")
            if written:
                try:
                    found[name] = trait.from_string(written)
                except ValueError as error:
                    raise SettingsError(f"JAN_{name.upper()}={written!r}: {error}") from error
        return found


def settings() -> Jan:
    """The settings in use: also those of a configuration file of the Jupyter program that runs."""
    if Jan.initialized() or not Application.initialized():
        return Jan.instance()
    try:
        return Jan.instance(parent=Application.instance())
    except TraitError as error:
        raise SettingsError(f"The settings of Jan in your configuration: {error}") from error


def stay_here(what: str, address: str = "") -> None:
    """Where something would leave this machine: raises `SettingsError` if `local_only` is set.

    `what` would be reached at `address`; empty: somewhere else.
    """
    if settings().local_only and not is_this_machine(address):
        where = f" at {host}" if (host := host_of(address)) else ""
        raise SettingsError(
            f"{what} is not on this machine{where}, and nothing leaves it: Jan.local_only is set."
            " Ask a model that runs here (`%jan models`), or set `%config Jan.local_only = False`."
        )


def own_data_folder() -> Path:
    """The data folder that we write to."""
    if given := settings().data_folder:
        return _path(os.path.expanduser(given))
    import platformdirs

    return _path(platformdirs.user_data_dir("jan-jupyter", appauthor=False))


_path = lru_cache(16)(Path)  # to make one takes its time, and each request asks for it


def runtime_folder() -> Path:
    """Where running workers are registered; made for this user alone (0700)."""
    if given := settings().runtime_folder:
        folder = Path(given).expanduser()
    else:
        folder = _default_runtime_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if hasattr(os, "getuid"):
            status = folder.stat()
            if status.st_uid != os.getuid():
                raise SettingsError(f"The runtime folder {folder} belongs to another user.")
            if link := foreign_link(folder):
                raise SettingsError(
                    f"The runtime folder {folder} lies behind {link}, a link of another user."
                )
            if stat.S_IMODE(status.st_mode) & 0o077:
                folder.chmod(0o700)
    except OSError as error:
        raise SettingsError(
            f"The runtime folder {folder} cannot be used: {error.strerror or error}. Name one that"
            " can: JAN_RUNTIME_FOLDER, or `%config Jan.runtime_folder`."
        ) from error
    return folder


def _default_runtime_folder() -> Path:
    import platformdirs

    if os.environ.get("XDG_RUNTIME_DIR") or platform.system() != "Linux":
        return platformdirs.user_runtime_path("jan-jupyter", appauthor=False)
    # No login session (containers, JupyterHub): the home folder, which machines may share.
    return platformdirs.user_state_path("jan-jupyter", appauthor=False) / f"run-{platform.node()}"
