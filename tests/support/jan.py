"""Data folders for tests: models of the misbehaving server, and of the bundled file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jan_jupyter.engine_options.options import Door, EngineOptions

from .server import StreamingServer

KEY = "sk-canary-4711"


def engine_options(kind: str, base_url: str, api_key: str, **more: Any) -> EngineOptions:
    """The options of an engine as a file of the user's own makes them: an address and its key."""
    door = Door(Path("engine.json"), True, base_url, api_key)
    return EngineOptions(kind, kind, base_url=base_url, doors=(door,), **more)


def write_json(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), "utf-8")
    return path


def add_model(data_folder: Path, name: str, **fields: Any) -> Path:
    """A `model.json`; returns its path."""
    return write_json(data_folder / "models" / name / "model.json", {"id": name, **fields})


def add_remote(data_folder: Path, server: StreamingServer, **behaviours: str) -> None:
    """Models of engine `openai` that answer as told (see `server.Behaviour`), and its file."""
    engine = {"base_url": server.base_url, "api_key": KEY}
    write_json(data_folder / "engines" / "openai" / "engine.json", engine)
    for name, behaviour in behaviours.items():
        server.behave(name, behaviour)
        add_model(data_folder, name, engine="openai")
