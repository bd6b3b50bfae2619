"""`%jan engines`: what can run models."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from .command import Command

if TYPE_CHECKING:
    from ..core import JanMagics


def engines(magics: JanMagics, arguments: Namespace) -> list[str]:
    from ...engines.registry import listing
    from ..tables import table

    rows = listing()
    table(
        ("engine", "kind", "state", "remark"), [(r.name, r.kind, r.state, r.remark) for r in rows]
    )
    return [row.name for row in rows]


COMMANDS = (Command("engines", engines, "list the engines"),)
