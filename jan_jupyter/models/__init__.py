"""The Models extension: which models there are, what their files say, and their states."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .model import Model, ModelState, Source

if TYPE_CHECKING:
    from .engine_files import EngineOptions, EngineRow, canonical, known_engines
    from .folders import DataFolder
    from .gguf import GGUFHeader, read_header
    from .prompts import PromptTemplate
    from .store import ModelStore

__all__ = [
    "DataFolder",
    "EngineOptions",
    "EngineRow",
    "GGUFHeader",
    "Model",
    "ModelState",
    "ModelStore",
    "PromptTemplate",
    "Source",
    "canonical",
    "known_engines",
    "read_header",
]

_HOMES = {
    "DataFolder": "folders",
    "EngineOptions": "engine_files",
    "EngineRow": "engine_files",
    "GGUFHeader": "gguf",
    "ModelStore": "store",
    "PromptTemplate": "prompts",
    "canonical": "engine_files",
    "known_engines": "engine_files",
    "read_header": "gguf",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
