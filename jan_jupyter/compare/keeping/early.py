"""That a run was to end as soon as all is clear, as a note of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

DECIDE = "decide"
"""The name of the note."""


def noted(by: str, order: Sequence[int]) -> dict[str, Any]:
    """By which scorer's word, and in which order the prompts are asked."""
    return {"by": by, "order": [*order]}


def told(notes: Mapping[str, Any]) -> tuple[str | None, list[int]]:
    """What notes hold of it: no scorer where it was to ask for all."""
    note = notes.get(DECIDE)
    if not isinstance(note, Mapping) or not isinstance(note.get("by"), str):
        return None, []
    order = note.get("order")
    places = order if isinstance(order, list) else []
    return note["by"], [at for at in places if type(at) is int]
