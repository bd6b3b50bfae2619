"""When to ask a server again: what it says itself, else a pause that grows."""

from __future__ import annotations

import random
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from time import time

LONGEST_WAIT = 120.0
"""Seconds that are waited at most before another try; who asks for more is not asked again."""


def backoff(attempt: int, asked: float | None) -> float:
    """Seconds to wait before another try: what the server asks for, else full jitter."""
    if asked is not None:
        return asked
    return random.uniform(0, min(30.0, 0.5 * 2**attempt))  # noqa: S311


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait (`retry-after-ms`, `retry-after` in seconds or date)."""
    with suppress(KeyError, ValueError):
        return max(0.0, float(headers["retry-after-ms"]) / 1000)
    value = headers.get("retry-after", "")
    with suppress(ValueError):
        return max(0.0, float(value))
    with suppress(ValueError, TypeError):
        return max(0.0, parsedate_to_datetime(value).timestamp() - time())
    return None
