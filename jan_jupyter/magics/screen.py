"""What commands say, in a notebook or in IPython's terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from IPython.core.error import StdinNotImplementedError
from IPython.core.getipython import get_ipython
from IPython.display import display

from ..commands.screen import Screen


class CellScreen(Screen):
    """Outputs of a cell; a terminal gets plain text."""

    def show(self, bundle: Mapping[str, Any]) -> None:
        if hasattr(get_ipython(), "kernel"):
            display(dict(bundle), raw=True)  # type: ignore[no-untyped-call]
        else:
            super().show(bundle)

    def progress(self, command: str) -> Any:
        from .progress import output

        shell = get_ipython()
        return output(shell, command) if shell is not None else super().progress(command)

    def secret(self, question: str) -> str | None:
        from getpass import getpass

        try:
            if not hasattr(get_ipython(), "kernel") and not sys.stdin.isatty():
                return None
            return getpass(question)
        except (StdinNotImplementedError, EOFError):
            return None
