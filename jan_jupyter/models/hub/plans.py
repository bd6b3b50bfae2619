"""What a model of a source will be, and how its files are named."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ... import errors
from ...types import EMPTY
from ..gguf import SPLIT


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to fetch. `name` is the one that it gets; `size` and `sha256` as far as known.

    `url` is where it comes from, as it may be written down; `address`, if given, is where it is
    asked for, and may hold secrets. `what` names it in errors; `page` is where people accept the
    conditions of its hub.
    """

    url: str
    name: str
    size: int | None = None
    sha256: str = ""
    what: str = ""
    page: str = ""
    address: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a model of a source will be: `files` to fetch, the main one last; `why` these."""

    id: str
    files: Sequence[Wanted]
    why: str = ""
    parameters: Mapping[str, Any] = EMPTY
    settings: Mapping[str, Any] = EMPTY
    metadata: Mapping[str, Any] = EMPTY

    @property
    def size(self) -> int | None:
        """Bytes of all files, if all are known."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size or 0 for size in sizes)


def safe_name(name: str) -> str:
    """The name of a file in the model's folder: it leads nowhere else, and is a name everywhere.

    Raises `ModelNotFound` if nothing is left of it.
    """
    last = re.split(r"[/\\:]", name)[-1]
    plain = "".join(c if c.isprintable() and c not in '<>"|?*' else "-" for c in last).strip(" .")
    if len(plain.encode()) > 200 or not stem(plain).strip(" ."):
        raise errors.ModelNotFound(f"{name[:80]!r} cannot be the name of a file.")
    return plain


def stem(name: str) -> str:
    """The name of a GGUF without its suffix and its part number."""
    match = SPLIT.fullmatch(name)
    return match[1] if match else name[: -len(".gguf")]


def main_last(files: Sequence[Wanted]) -> tuple[Wanted, ...]:
    """A model counts as there when its main file is: that comes when all others are."""
    return tuple(reversed(files))
