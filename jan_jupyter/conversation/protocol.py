"""What kernel and front end say to each other; its other half is `labextension/src/protocol.ts`.

There it says when which message is sent, and how a message that was lost is noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypedDict

Send = Callable[[Mapping[str, Any]], None]
"""Takes an event for the front end; may be called from any thread, never waits."""


class ErrorCard(TypedDict):
    """What went wrong, for a card; `mend` is what a click may do about it."""

    title: str
    message: str
    mend: Literal["retry", "model", "settings", ""]


class Context(TypedDict):
    """Something of the notebook that goes with a question."""

    label: str
    text: str


class Brought(TypedDict):
    """The same, as it will go: how many tokens it is about, and how many characters were cut."""

    label: str
    text: str
    tokens: int
    cut: int


class Preview(TypedDict):
    """The request that a draft would make; `counted` by the model itself. `length`: its context."""

    request: str
    tokens: int
    counted: bool
    length: int | None
    context: list[Brought]


class Turn(TypedDict):
    """A message of the thread as it is shown, with its versions."""

    id: str
    role: str
    text: str
    reasoning: str
    images: list[str]
    context: list[Context]
    status: Literal["done", "writing", "stopped", "error", "interrupted", "unasked"]
    wait: str
    model: str
    engine: str
    footer: list[str]
    cut: bool
    error: ErrorCard | None
    versions: list[str]
    columns: list[str]
    column: str
    compared: bool
    seq: int


class ColumnRow(TypedDict):
    """A column as it stands now."""

    name: str
    model: str
    next: bool
    behind: bool


class ModelRow(TypedDict):
    id: str
    name: str
    engine: str
    state: str
    note: str
    progress: float | None
    local: bool
    vision: bool
    reasoning: bool
    context: int | None
    size: int | None
    usable: bool


class SettingValue(TypedDict):
    value: Any
    level: str


class SettingRow(TypedDict):
    name: str
    title: str
    kind: Literal["parameter", "setting"]
    type: Literal["number", "integer", "text", "flag", "list"]
    help: str
    min: float | None
    max: float | None
    step: float | None
    value: Any
    level: str
    below: SettingValue


class ThreadRow(TypedDict):
    id: str
    title: str
    updated: float | None
    excerpt: str
    own: bool
    state: str
    reason: str
