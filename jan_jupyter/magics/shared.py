"""The workspace of all magics, imported when it is asked for: loading the extension is fast."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..workspace import Workspace


def workspace() -> Workspace:
    from ..workspace import shared

    return shared()


def see_comparisons() -> None:
    """People see comparisons as those that Python asks for: whoever fetches that sees to it."""
    from .. import compare  # noqa: F401
