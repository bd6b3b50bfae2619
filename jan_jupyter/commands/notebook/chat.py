"""`%jan chat`: the chat panel below the cell."""

from __future__ import annotations

from argparse import Namespace
from typing import Any, cast

from .. import candidates
from ..command import Caller, Command, Notebook, arg


def chat(magics: Caller, arguments: Namespace) -> Any:
    """Show a panel; it is the value of the line."""
    return cast(Notebook, magics).chat(arguments)


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
