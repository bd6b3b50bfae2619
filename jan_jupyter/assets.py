"""The built front end, which travels in the wheel."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from . import errors

FOLDER = Path(__file__).parent / "static"
PARTS = ("code", "math")
"""What is fetched when a text first needs it."""


@cache
def source(name: str) -> str:
    """The module `name`. Raises `UsageError` in a checkout where it is not built."""
    try:
        return (FOLDER / f"{name}.js").read_text("utf-8")
    except FileNotFoundError:
        raise errors.UsageError(
            "The front end is not built: run `make front-end` in the checkout, or"
            " install a wheel of jan-jupyter."
        ) from None
