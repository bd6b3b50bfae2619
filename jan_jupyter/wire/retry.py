"""When to ask a server again: what it says itself, else a pause that grows."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from time import monotonic, time

from .. import errors

ATTEMPTS = 3
STARTING_SECONDS = 900.0
"""How long a server that says that it is starting is waited for."""
STARTING_PAUSE = 2.0
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


Wait = Callable[[float, errors.EngineError], None]
"""What is told of a wait: the seconds that are left, and because of which error. It may raise."""


class Patience:
    """Whether a request is sent again after an error, and when."""

    def __init__(self) -> None:
        self._attempts = 0
        self._began = monotonic()

    def pause(self, error: errors.EngineError) -> float | None:
        """Seconds to wait; `None`: it is not tried again."""
        if not error.retryable:
            return None
        if isinstance(error, errors.StillLoading):  # it will come: that is a wait, not a failure
            waited = monotonic() - self._began
            asked = min(error.retry_after or STARTING_PAUSE, LONGEST_WAIT)
            return None if waited > STARTING_SECONDS else asked
        self._attempts += 1
        if self._attempts >= ATTEMPTS or (error.retry_after or 0) > LONGEST_WAIT:
            return None
        return backoff(self._attempts, error.retry_after)

    async def wait(self, error: errors.EngineError, on_wait: Wait | None) -> None:
        """Wait before another try, and say so each second; raises the error if there is none."""
        seconds = self.pause(error)
        if seconds is None:
            if self._attempts > 1:
                error.args = (f"{error} It was asked {self._attempts} times.",)
            error.given_up = True
            raise error
        until = monotonic() + seconds
        while True:
            left = max(0.0, until - monotonic())
            if on_wait is not None:
                on_wait(left, error)
            await asyncio.sleep(min(1.0, left))
            if left <= 1.0:
                return
