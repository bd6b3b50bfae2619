"""The workspace of all commands, imported when it is asked for: to read them takes no time."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..models.store import ModelStore
    from ..workspace import Workspace


def workspace() -> Workspace:
    from ..workspace import shared

    return shared()


def models() -> ModelStore:
    """Those of the workspace; a shell that waits for Tab gets them without it, in half the time."""
    made = "jan_jupyter.workspace" in sys.modules
    return workspace().models if made else _models()


@cache
def _models() -> ModelStore:
    from ..models.store import ModelStore

    return ModelStore()


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
