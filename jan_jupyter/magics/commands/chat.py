"""`%jan chat`: the chat panel below the cell."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from ... import errors
from ...commands import candidates
from ...commands.command import Caller, Command, arg


def chat(magics: Caller, arguments: Namespace) -> Any:
    """Show a panel; it is the value of the line."""
    from IPython.display import display

    import jan_jupyter as jan

    if not hasattr(magics.shell, "kernel"):
        raise errors.UsageError("The chat panel needs a notebook; in a terminal: %jan QUESTION.")
    panel = jan.ChatPanel(arguments.model, thread=arguments.thread)
    display(panel)  # type: ignore[no-untyped-call]
    return panel


COMMANDS = (
    Command(
        "chat",
        chat,
        "open the chat panel",
        (
            arg("-m", "--model", help="model that answers", candidates=candidates.ready_models),
            arg(
                "--thread",
                metavar="NAME",
                help="go on with a thread; made if it is new",
                candidates=candidates.threads,
            ),
        ),
    ),
)
"""In the order of the help."""
