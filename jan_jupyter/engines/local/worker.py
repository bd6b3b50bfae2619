"""A worker: what it is for, how it is started, what its entry tells of it, how it fails."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ...types import EMPTY
from . import supervisor

WorkerState = Literal["loading", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model file as it was when the spec was made; an exchanged file is another model."""

    path: Path
    size: int
    modified: int

    @classmethod
    def of(cls, path: Path) -> ModelFile:
        """Raises `OSError` if it is not there."""
        stat = path.stat()
        return cls(path, stat.st_size, stat.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start the server of a worker.

    It is run as `command --port N` with `input` as the first line of its standard input and its
    secret in the variable `secret_variable`. `slots`: how many requests it answers at once;
    `shared`: tokens of context that they have together, 0 if each has its own.
    `memory`: bytes it will need, 0 if nobody knows. `notes` are lines for people.
    """

    runtime: str
    command: tuple[str, ...]
    input: str = ""
    environment: Mapping[str, str] = EMPTY
    secret_variable: str = "JAN_WORKER_KEY"  # noqa: S105  a name
    slots: int = 1
    shared: int = 0
    memory: int = 0
    ceiling: int = 0
    """Bytes of its own, beside mapped files, that it may never pass; 0: no limit."""
    watched: bool = False
    """Whether its ceiling is kept by looking: a GPU's runtime reserves more than it takes."""
    notes: tuple[str, ...] = ()


FOR_EVER = 1e10
"""Seconds, for what stays without a request: registries hold JSON, which has no infinity."""


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """What a worker is for. `engine`, `files` and `options` say whether two mean the same worker.

    `launch` may take its time (it reads headers, looks for programs): it is called in a thread,
    and only if a worker must be started. It may raise a `JanError`.
    """

    model: str
    engine: str
    files: tuple[ModelFile, ...]
    options: Mapping[str, Any]
    launch: Callable[[], Launch] = field(compare=False)
    keep_alive: float = 600.0
    notes: Sequence[str] = field(default=(), compare=False)
    """Lines for people about what of the model's settings is left out."""

    @property
    def key(self) -> str:
        """A short name for engine, files and options."""
        files = [(str(file.path), file.size, file.modified) for file in self.files]
        what = json.dumps([self.engine, files, sorted(self.options.items())])
        return hashlib.sha256(what.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker as its entry tells of it."""

    key: str
    model: str
    engine: str
    runtime: str
    file: str
    slots: int
    memory: int
    """Bytes it was expected to need."""
    pid: int
    born: float
    port: int
    secret: str = field(repr=False)
    state: WorkerState
    progress: float
    since: float
    """When it was started, and below when it last worked: seconds since 1970."""
    used: float
    busy: int
    keep_alive: float
    server_pid: int = 0
    server_born: float | None = None
    exit: int | None = None
    """What the server ended with, if it failed; negative: the signal."""
    notes: Sequence[str] = ()
    """Lines for people about how it was started, for all who share it."""
    shared: int = 0
    """Tokens of context that the requests at it have together; 0 if each has its own."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        """Whether worker and server run; an entry may outlive both."""
        return (
            self.state != "failed"
            and supervisor.birth(self.pid) == self.born
            and (not self.server_pid or supervisor.birth(self.server_pid) == self.server_born)
        )


class WorkerFailed(Exception):
    """A worker did not come up, or is gone. `log` is the end of what its server said."""

    def __init__(self, why: str, *, exit: int | None = None, log: str = "") -> None:
        super().__init__(why)
        self.exit = exit
        self.log = log


class NoMemory(WorkerFailed):
    """The model cannot fit into this machine."""


class Unloaded(WorkerFailed):
    """Somebody unloaded the model while it was loading."""
