"""The workspace of all commands, imported when it is asked for: to read them takes no time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..workspace import Workspace


def workspace() -> Workspace:
    from ..workspace import shared

    return shared()


def default_id() -> str | None:
    """The model that is asked where none is named, if there is one."""
    from .. import errors

    try:
        return workspace().router.model(None)[0].id
    except errors.JanError:
        return None


def see_comparisons() -> None:
    """People see comparisons as those that Python asks for: whoever fetches that sees to it."""
    from .. import compare  # noqa: F401
