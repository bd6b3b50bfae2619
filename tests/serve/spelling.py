"""A backend for `serve.py` that says what it is told, letter by letter, and misbehaves on request.

Settings: `context`, `pause` (seconds before each letter), `loading` (seconds), `fault` (what it
fails with). A `!` in a message makes it raise at that letter. What it writes to standard error is
what it generates.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jan_jupyter.engines.local.serve import Asked, Finish, Sink


def load(settings: dict[str, Any]) -> Spelling:
    time.sleep(settings.get("loading", 0))
    if fault := settings.get("fault"):
        raise RuntimeError(fault)
    return Spelling(settings)


class Spelling:
    constrains = False
    cached = 0

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.context = settings.get("context", 1000)
        self.pause = settings.get("pause", 0)

    def encode(self, messages: Sequence[Mapping[str, Any]]) -> list[int]:
        if messages[-1]["role"] == "robot":
            raise ValueError("robots are not served")
        return [*messages[-1]["content"].encode()]

    def decode(self, tokens: list[int]) -> str:
        return bytes(tokens).decode("utf-8", "replace")

    def generate(self, prompt: list[int], asked: Asked, answer: Sink) -> Finish:
        for count, letter in enumerate(prompt, 1):
            time.sleep(self.pause)
            if letter == ord("!"):
                raise RuntimeError("it fell over")
            sys.stderr.buffer.write(bytes([letter]))
            sys.stderr.buffer.flush()
            if not answer.put(letter):
                return "stop"
            if count == asked.limit:
                return "length"
        return "stop"

    def embed(self, texts: Sequence[str]) -> tuple[list[list[float]], int]:
        return [[float(len(text))] for text in texts], len(texts)
