"""How large a comparison may be: one that is too large is refused before it is built."""

from __future__ import annotations

import math

from ...errors import UsageError

MOST = 1_000_000
"""Calls. A comparison holds its answers in memory."""


def check_size(*factors: int) -> None:
    """Raises `UsageError` for more calls than a comparison may have."""
    if (calls := math.prod(factors)) > MOST:
        raise UsageError(
            f"That would be {calls:,} calls, and a comparison has at most {MOST:,}: take a sample"
            " of them, or several runs, which `jan.runs.join` joins."
        )
