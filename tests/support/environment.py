"""The clean surroundings of a test, and who is still alive in them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import psutil

# Settings of the person at the keyboard, the width of their terminal, keys, and proxies, which
# would lead out.
_PERSONAL = re.compile(
    r"(JAN|JUPYTER|JPY|IPYTHON|HF|HUGGINGFACE|LLAMA|OLLAMA|OPENAI|ANTHROPIC|AZURE)_.*"
    r"|IPYTHONDIR|PYTHONSTARTUP|COLUMNS|LINES|.*_(API_KEY|TOKEN|PROXY)",
    re.IGNORECASE,
)


def isolated_environment(folder: Path) -> dict[str, str]:
    """Our environment without anything personal; all that programs keep goes below `folder`."""
    kept = {name: value for name, value in os.environ.items() if not _PERSONAL.fullmatch(name)}
    return kept | private_folders(folder)


def personal_variables() -> list[str]:
    """The variables of our own environment that a test must not see."""
    return [name for name in os.environ if _PERSONAL.fullmatch(name)]


def private_folders(folder: Path) -> dict[str, str]:
    """The variables that move data, settings and caches below `folder`."""
    places = {
        "JAN_DATA_FOLDER": "jan",
        "JAN_RUNTIME_FOLDER": "run",
        "IPYTHONDIR": "ipython",
        "JUPYTER_CONFIG_DIR": "jupyter/config",
        "JUPYTER_DATA_DIR": "jupyter/data",
        "JUPYTER_RUNTIME_DIR": "jupyter/run",
        "HOME": "home",
        "USERPROFILE": "home",
        "APPDATA": "home/roaming",
        "LOCALAPPDATA": "home/local",
        "OLLAMA_MODELS": "home/.ollama/models",  # a system may have others outside of HOME
        "XDG_CACHE_HOME": "home/cache",
        "XDG_CONFIG_HOME": "home/config",
        "XDG_DATA_HOME": "home/data",
        "XDG_RUNTIME_DIR": "home/run",
        "XDG_STATE_HOME": "home/state",
    }
    variables = {name: str(folder / place) for name, place in places.items()}
    for name, path in variables.items():
        # Ours are made by the code under test, so that it is seen to do so.
        if not name.startswith("JAN_"):
            Path(path).mkdir(mode=0o700, parents=True, exist_ok=True)
    # The keyring of the person at the keyboard is none of our business.
    return variables | {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}


def processes_of(folder: Path) -> list[psutil.Process]:
    """The living processes, except this one, that name a path below `folder`.

    It stands in their environment or command line. Workers outlive the kernel that started them,
    so being a descendant does not say enough.
    """
    below = f"{folder}{os.sep}"

    def names_folder(process: psutil.Process) -> bool:
        try:
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                return False
            words = [*process.cmdline(), *process.environ().values()]
        except (psutil.Error, OSError):
            return False
        return any(below in word for word in words)

    return [process for process in psutil.process_iter() if names_folder(process)]
