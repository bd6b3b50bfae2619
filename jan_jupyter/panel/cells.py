"""Which thread a cell showed last: a panel in a cell that is run again goes on with it.

It is kept in the data folder of the panel's workspace, by notebook and cell, and in the metadata of
the cell's output: that goes along where a notebook is moved.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from IPython.core.getipython import get_ipython

from ..cell import cell_id, notebook, request
from ..errors import JanError
from ..models.disk import write_text
from ..threads import Thread
from ..workspace import Workspace


class Cell(NamedTuple):
    """A panel's place: the path of its notebook, the cell's id, and which panel of that run it is.

    Path and id are empty where the front end does not tell them.
    """

    notebook: str
    id: str
    number: int = 0

    @property
    def key(self) -> str:
        """One word that stands for it, in every kernel; empty where the cell is not known."""
        name = "\n".join(map(str, self)).encode("utf-8", "replace")
        return hashlib.sha256(name).hexdigest()[:32] if self.id else ""


_known: dict[Path, str] = {}
"""Ids of the threads that cells show, as far as this process knows, by the files in which that is
kept; empty: a new one."""
_run = ("", 0)
"""The request that made the newest panel, and how many it has made."""


def current() -> Cell:
    """The place of a panel that is made now."""
    global _run
    shell = get_ipython()
    asked = str(request(shell, "header").get("msg_id", ""))
    _run = (asked, _run[1] + 1 if asked == _run[0] else 0)
    return Cell(notebook(shell), cell_id(shell), _run[1])


def remember(cell: Cell, thread: str, workspace: Workspace) -> None:
    file = _file(cell, workspace)
    if not cell.id or _known.get(file, "") == thread:
        return
    _known[file] = thread
    if cell.notebook:
        with suppress(OSError):  # a full disk: then this process alone knows
            file.parent.mkdir(parents=True, exist_ok=True)
            write_text(file, thread)


def thread_of(cell: Cell, workspace: Workspace) -> Thread | None:
    """What a cell showed before it was run again; `None`: nothing, or it is gone."""
    if not cell.id:
        return None
    file = _file(cell, workspace)
    id = _known[file] if file in _known else _kept(cell, file)
    try:
        found = workspace.threads.get(id) if id else None
    except JanError:
        return None
    if found is None or found.id != id:  # a notebook from elsewhere may name a title
        return None
    _known[file] = id
    return found


def _kept(cell: Cell, file: Path) -> str:
    """The thread that an earlier kernel has kept for a cell."""
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return _saved(cell)


def _file(cell: Cell, workspace: Workspace) -> Path:
    return workspace.models.writable / "panels" / cell.key


def _saved(cell: Cell) -> str:
    """The thread that the cell's outputs name, in the notebook as it was saved."""
    try:
        notebook: Any = json.loads(Path(cell.notebook).read_text("utf-8"))
        cells = [one for one in notebook["cells"] if one.get("id") == cell.id]
        marks = [out.get("metadata", {}).get("jan") for one in cells for out in one["outputs"]]
        return str([mark["thread"] for mark in marks if mark][cell.number])
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return ""
