"""The Models extension: which models there are, what their files say, and their states."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .model import Model, ModelState, Source

if TYPE_CHECKING:
    from .folders import DataFolder
    from .gguf import GGUFHeader, read_header
    from .prompts import PromptTemplate
    from .store import ModelStore

__all__ = [
    "DataFolder",
    "GGUFHeader",
    "Model",
    "ModelState",
    "ModelStore",
    "PromptTemplate",
    "Source",
    "read_header",
]

_HOMES = {
    "DataFolder": "folders",
    "GGUFHeader": "gguf",
    "ModelStore": "store",
    "PromptTemplate": "prompts",
    "read_header": "gguf",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
