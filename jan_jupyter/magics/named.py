"""What the options of a cell name: values of the notebook, or files."""

from __future__ import annotations

import json
import keyword
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from IPython.core.error import UsageError as WrongUse

from ..errors import UsageError
from ..interpolate import resolve


def variable(name: str | None) -> None:
    """Raise IPython's `UsageError` for what is no name for a variable."""
    if name is not None and (not name.isidentifier() or keyword.iskeyword(name)):
        raise WrongUse(f"--as {name!r} is no name for a variable.")


def attachment(name: str, namespace: Mapping[str, Any]) -> Any:
    """A value of the notebook, else what is taken for the path or address of a file."""
    try:
        return resolve(name, namespace)
    except Exception:
        if name.isidentifier() and not Path(name).exists():
            raise UsageError(f"--attach {name}: there is no such name, and no such file.") from None
        return name


def function(name: str, namespace: Mapping[str, Any]) -> Any:
    return named("--tool", name, namespace)


def schema(name: str, namespace: Mapping[str, Any]) -> Any:
    """A class, type or mapping of the notebook, or a file with a JSON schema."""
    if not name.endswith(".json"):
        return named("--schema", name, namespace)
    try:
        return json.loads(Path(name).expanduser().read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"--schema {name} cannot be read: {error}.") from error


def named(option: str, name: str, namespace: Mapping[str, Any]) -> Any:
    try:
        return resolve(name, namespace)
    except Exception as error:
        raise UsageError(f"{option} {name}: there is no such name in the notebook.") from error
