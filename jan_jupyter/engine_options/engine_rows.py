"""The engines that we know: the built-in rows, and the names under which they are found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from ..types import EMPTY

DATA = Path(__file__).parent.parent / "data"


@dataclass(frozen=True, slots=True)
class EngineRow:
    """One engine that we know, from `data/engines.json`.

    `speaks` names the engine class that serves it. `settings` and `parameters` are built-in
    defaults. `needs_key`: it answers nobody without one (unless it runs on an own server). `loads`
    is what a local one takes from a disk: one GGUF, or a whole folder. `swaps`: its server loads
    the model that is asked for, perhaps in the place of another. `rules` say which parameters its
    own servers take (`engines/rules.py`).
    """

    name: str
    kind: Literal["local", "remote", "unsupported"]
    speaks: str
    aliases: tuple[str, ...] = ()
    base_url: str = ""
    api_key_env: str = ""
    needs_key: bool = False
    loads: Literal["gguf", "folder", ""] = ""
    swaps: bool = False
    settings: Mapping[str, Any] = EMPTY
    parameters: Mapping[str, Any] = EMPTY
    rules: tuple[Mapping[str, Any], ...] = ()


@cache
def known_engines() -> Mapping[str, EngineRow]:
    """The engines that we know, by canonical name."""
    rows: dict[str, dict[str, Any]] = json.loads((DATA / "engines.json").read_text("utf-8"))
    return {
        name: EngineRow(
            **{"name": name, "speaks": name, "needs_key": row["kind"] == "remote", **row}
            | {name: tuple(row.get(name, ())) for name in ("aliases", "rules")}
        )
        for name, row in rows.items()
    }


@cache
def _canonical_names() -> Mapping[str, str]:
    rows = known_engines().values()
    return {spelling: row.name for row in rows for spelling in (row.name, *row.aliases)}


def canonical(name: str | None) -> str:
    """The canonical name of an engine; an unknown one in lower case."""
    written = (name or "").strip().lower()
    return _canonical_names().get(written, written) or default_engine()


@cache
def default_engine() -> str:
    """The engine of a model that names none: what lies here is a GGUF, so one that loads those."""
    return next(row.name for row in known_engines().values() if row.loads == "gguf")


def loads(engine: str) -> str:
    """What an engine, by its canonical name, loads from a disk: `gguf`, `folder`, or nothing."""
    row = known_engines().get(engine)
    return row.loads if row else ""


def plugin_engines() -> set[str]:
    """The names under which installed packages offer engines; none is imported."""
    from .plugins import plugins

    return {plugin.name for plugin in plugins()}
