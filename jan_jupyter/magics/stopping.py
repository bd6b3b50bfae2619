"""How a cell ends that the user stopped: with the word "stopped", once, and no traceback."""

from __future__ import annotations

from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from ..commands.tables import show
from ..markdown import page, with_footer


class Stopped(KeyboardInterrupt):
    """The user stopped it. Ends the cell (and "Run All") quietly; `told`: the output says so."""

    def __init__(self, told: bool = False) -> None:
        super().__init__("stopped")
        self.told = told

    def _render_traceback_(self) -> list[str]:
        return ["Stopped."]  # where `install` has not been, or has been overruled


def _end(shell: Any, kind: Any, error: Any, traceback: Any, tb_offset: Any = None) -> None:
    """Instead of a traceback. The cell has failed all the same, for whoever asked for it."""
    if hasattr(shell, "_last_traceback"):  # ipykernel answers with it
        shell._last_traceback = []
    if not error.told:
        show({"text/markdown": page(with_footer("", "stopped")), "text/plain": "Stopped."})


def install(shell: InteractiveShell) -> None:
    """IPython knows one such handler: one of the user's own stays."""
    if not shell.custom_exceptions:
        shell.set_custom_exc((Stopped,), _end)  # type: ignore[no-untyped-call]


def remove(shell: InteractiveShell) -> None:
    if shell.custom_exceptions == (Stopped,):
        shell.set_custom_exc((), None)  # type: ignore[no-untyped-call]
