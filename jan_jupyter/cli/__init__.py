"""`jan-jupyter COMMAND …`: what people do in a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .. import errors
from .commands import COMMANDS, parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit code. What a user can mend is one line on stderr."""
    found = parser().parse_args(arguments)
    try:
        return COMMANDS[found.command].run(found)
    except errors.JanError as error:
        print(f"jan-jupyter: {error}", file=sys.stderr)
        return 2 if isinstance(error, errors.UsageError) else 1
    except KeyboardInterrupt:
        return 130
