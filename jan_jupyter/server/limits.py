"""What each key has used today, in a small file beside the keys."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import CannotWrite
from ..models import disk
from .doors import Key
from .handling import Refused

SAVED = 5.0
"""Seconds between two writes at most: so much is forgotten when the power fails."""


class Used:
    """Requests and tokens of this day, by the names of keys. On the server's loop alone."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._day, self._keys = "", dict[str, dict[str, int]]()
        self._saving: asyncio.TimerHandle | None = None
        with suppress(OSError, ValueError, AttributeError, TypeError):
            kept = json.loads(path.read_text("utf-8"))
            self._keys = {
                str(name): {kind: int(used[kind]) for kind in ("requests", "tokens")}
                for name, used in kept["keys"].items()
            }
            self._day = str(kept["day"])

    def of(self, key: Key) -> dict[str, int]:
        """What a key has used today; counted in place."""
        today = time.strftime("%Y-%m-%d")
        if today != self._day:
            self._day, self._keys = today, {}
        return self._keys.setdefault(key.name, {"requests": 0, "tokens": 0})

    def begin(self, key: Key) -> None:
        """Count a request. Raises `Refused` where the day's share is used up."""
        used = self.of(key)
        for kind, most in (("requests", key.requests), ("tokens", key.tokens)):
            if most is not None and used[kind] >= most:
                raise Refused(
                    429,
                    f"{key.name} has used the {most} {kind} of today.",
                    "rate_limit_exceeded",
                    Retry_After=str(_until_midnight()),
                )
        used["requests"] += 1
        self._soon()

    def add(self, key: Key, tokens: int) -> None:
        self.of(key)["tokens"] += tokens
        self._soon()

    def _soon(self) -> None:
        if self._saving is None:
            loop = asyncio.get_running_loop()
            self._saving = loop.call_later(SAVED, lambda: loop.run_in_executor(None, self.save))

    def save(self) -> None:
        """Write it; what cannot be written stays counted in memory."""
        self._saving = None
        value: dict[str, Any] = {"day": self._day, "keys": {**self._keys}}
        with suppress(CannotWrite), disk.told(self._path):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            disk.write_text(self._path, disk.to_json(value))


def _until_midnight() -> int:
    now = time.localtime()
    return 86_400 - (now.tm_hour * 3600 + now.tm_min * 60 + now.tm_sec) + 1
