"""Assistants: named profiles in `assistants/<folder>/assistant.json` (spec `jan-data.md` §10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..levels import Level
from ..types import EMPTY


@dataclass(frozen=True, slots=True)
class Assistant:
    """A profile: instructions, a model, and values that hold where nothing stronger sets them.

    `model` is `None` where any will do. `state` is `ready` or `broken`, `reason` says why. `path`
    is `None` for the built-in one. `own`: it lies in our data folder, so we may change it.
    """

    id: str
    name: str = ""
    description: str = ""
    avatar: str = ""
    model: str | None = None
    instructions: str = ""
    settings: Mapping[str, Any] = EMPTY
    parameters: Mapping[str, Any] = EMPTY
    created: float | None = None
    """Seconds since 1970."""
    state: str = "ready"
    reason: str = ""
    path: Path | None = None
    own: bool = False
    raw: Mapping[str, Any] = field(default=EMPTY, repr=False)

    @property
    def level(self) -> Level:
        """What it sets, for `router.route(…, levels=…)`."""
        raise NotImplementedError


class Assistants:
    """The assistants of the data folders in use: ours first, then those of an installed Jan."""

    def list(self) -> list[Assistant]:
        """All, also broken ones; without any file the built-in `jan` alone."""
        raise NotImplementedError

    def get(self, name: str) -> Assistant:
        """By id, folder or name, then without regard to case. Raises `AssistantNotFound`."""
        raise NotImplementedError

    def create(self, name: str, **fields: Any) -> Assistant:
        """A new one in our data folder; `fields` as of `Assistant`."""
        raise NotImplementedError

    def update(self, name: str, **fields: Any) -> Assistant:
        """Change one of ours (one of Jan's is refused); all that is not named stays as it is."""
        raise NotImplementedError

    def delete(self, name: str) -> None:
        """Remove one of ours."""
        raise NotImplementedError
