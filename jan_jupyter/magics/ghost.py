"""Ghost text in IPython's terminal: off until a model is chosen, `%config Jan.ghost_text`.

What suggests is in `suggesting`, which is imported then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from IPython.core.interactiveshell import InteractiveShell

from ..settings import settings

if TYPE_CHECKING:
    from .suggesting import Suggesting

_OLD = "Ghost text needs IPython 8.9 or newer: `pip install -U ipython`."
_ELSEWHERE = (
    "This ghost text is for IPython in a terminal; JupyterLab's is chosen in JupyterLab's settings."
)

_watching: dict[int, Callable[[Any], None]] = {}
_suggesting: dict[int, Suggesting] = {}


def install(shell: InteractiveShell) -> None:
    """Follow the setting, from now on."""

    def changed(change: Any) -> None:
        choose(shell, change["new"])

    _watching[id(shell)] = changed
    settings().observe(changed, "ghost_text")
    if settings().ghost_text:
        choose(shell, settings().ghost_text)


def remove(shell: InteractiveShell) -> None:
    if (changed := _watching.pop(id(shell), None)) is not None:
        settings().unobserve(changed, "ghost_text")
    choose(shell, "")


def choose(shell: Any, model: str) -> None:
    """The model that suggests; none: as it was before. Says in one line why it cannot be."""
    if (ours := _suggesting.pop(id(shell), None)) is not None:
        ours.leave()
    if not model:
        return
    if getattr(shell, "pt_app", None) is None:  # a notebook, or a terminal that can do nothing
        print(_ELSEWHERE)
        return
    try:
        from .suggesting import Suggesting
    except ImportError:
        print(_OLD)
        return
    _suggesting[id(shell)] = Suggesting(shell, model)
