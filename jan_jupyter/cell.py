"""The cell that runs, as its front end tells the kernel: JupyterLab, VS Code, Colab."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any


def request(shell: Any, part: str) -> Mapping[str, Any]:
    """A part of the message that asked for the cell; empty where there is no kernel."""
    get_parent: Any = getattr(shell, "get_parent", dict)
    return (get_parent() or {}).get(part) or {}


def cell_id(shell: Any) -> str:
    """The same when the cell is run again; empty where the front end does not tell it."""
    metadata = request(shell, "metadata")
    found = metadata.get("cellId") or (metadata.get("colab") or {}).get("cell_id")
    return str(found or "")


def notebook(shell: Any) -> str:
    """What tells notebooks apart: their path, as VS Code or Jupyter gives it to the kernel."""
    given = getattr(shell, "user_ns", {}).get("__vsc_ipynb_file__")
    return str(given or os.environ.get("JPY_SESSION_NAME", ""))
