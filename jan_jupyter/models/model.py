"""The `Model`: what a description on disk says, made regular."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from .. import units
from ..types import EMPTY

ModelState = Literal["ready", "not-downloaded", "missing-file", "needs-key", "broken"]
Source = Literal[
    "json",
    "llamacpp",
    "mlx",
    "cortex",
    "remote-list",
    "bare",
    "bundled",
    "lmstudio",
    "ollama",
    "huggingface",
    "llama.cpp",
    "gpt4all",
    "folder",
]
FOREIGN: Mapping[str, str] = {
    "lmstudio": "LM Studio",
    "ollama": "Ollama",
    "huggingface": "Hugging Face",
    "llama.cpp": "llama.cpp",
    "gpt4all": "GPT4All",
    "folder": "folder",
}
"""The sources that belong to other programs, and the folders that the user names, as people call
them."""
ORIGIN = "origin"
"""What the metadata of a description has that came from elsewhere; it is written by us."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model as found in a data folder, or in the home of another program.

    `engine` is the canonical name, `written_engine` what the file says. `path` is the
    description (`model.json`, `model.yml`, the list), a bare folder, or what stands for the model
    in another program's home (the file, Ollama's manifest). `file` is the main GGUF (the first part
    of a split one; a folder for an engine that loads those) and `projector` its image projector;
    both absolute and existing, else `None`. `reason` says why the state is not `ready`. `settings`
    and `parameters` hold only what the description sets, under the names of
    `jan_jupyter/parameters.py`.
    """

    id: str
    name: str
    engine: str
    state: ModelState
    source: Source
    path: Path
    settings: Mapping[str, Any] = EMPTY
    parameters: Mapping[str, Any] = EMPTY
    metadata: Mapping[str, Any] = EMPTY
    warnings: tuple[str, ...] = ()
    reason: str = ""
    file: Path | None = None
    projector: Path | None = None
    sources: Sequence[Mapping[str, Any]] = ()
    written_engine: str | None = None
    version: str = "1.0"
    format: str = "gguf"
    description: str = ""
    created: float | None = None
    """Seconds since 1970."""
    data_folder: Path | None = None
    raw: Mapping[str, Any] = field(default=EMPTY, repr=False)
    """The description as it stands in the file."""
    names: tuple[str, ...] = ()
    """The names of its folder, which find it too."""
    own: bool = False
    """Whether the user has written the description; what was pulled, imported or found in another
    program's folder may not say where keys go."""
    shadowed: bool = False
    """Whether another model with the same id comes first."""
    size: int = 0
    """Bytes of `file` and, if it is split, of its other parts; 0 if there is none."""
    identity: tuple[int, int] | None = field(default=None, repr=False)
    """Device and inode of `file`: the same for all names of one file."""

    def __repr__(self) -> str:
        size = f", {units.size(self.size)}" if self.size else ""
        # Whether the server of one without a file runs is not for a description to tell.
        state = f", {self.state}" if self.file or self.state != "ready" else ""
        return f"<Model {self.reference}: {self.engine}{state}{size}>"

    @property
    def reference(self) -> str:
        """The name that finds this model and no other."""
        return f"{self.source}:{self.id}" if self.shadowed else self.id

    @property
    def is_foreign(self) -> bool:
        """Whether it belongs to another program, which may change or remove it."""
        return self.source in FOREIGN

    @property
    def folder(self) -> Path:
        return self.path if self.source == "bare" else self.path.parent
