"""What the options of a cell name: values of the notebook, or files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..interpolate import resolve


def attachment(name: str, namespace: Mapping[str, Any]) -> Any:
    """A value of the notebook, else what is taken for the path or address of a file."""
    try:
        return resolve(name, namespace)
    except Exception:
        if name.isidentifier() and not Path(name).exists():
            raise UsageError(f"--attach {name}: there is no such name, and no such file.") from None
        return name


def function(name: str, namespace: Mapping[str, Any]) -> Any:
    return _value("--tool", name, namespace)


def schema(name: str, namespace: Mapping[str, Any]) -> Any:
    """A class, type or mapping of the notebook, or a file with a JSON schema."""
    if not name.endswith(".json"):
        return _value("--schema", name, namespace)
    try:
        return json.loads(Path(name).expanduser().read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"--schema {name} cannot be read: {error}.") from error


def _value(option: str, name: str, namespace: Mapping[str, Any]) -> Any:
    try:
        return resolve(name, namespace)
    except Exception as error:
        raise UsageError(f"{option} {name}: there is no such name in the notebook.") from error
