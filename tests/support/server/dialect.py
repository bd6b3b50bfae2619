"""What differs from API to API: how the same answer, and the same trouble, is written."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from .behaviour import Behaviour, tokens
from .wire import Entry, dump

Part = dict[str, Any]
"""A piece of an answer, as the `delta` of OpenAI's chunks."""
Event = tuple[str, Any]
"""Name (empty: none) and data, which is written as JSON unless it is text."""


class Dialect(ABC):
    """One request and its answer. `refusal` is the body of an error as it is written usually."""

    names: ClassVar[Mapping[str, tuple[int, str, str]]] = {}
    """What this API says for an error of `ERRORS`: status, type, message."""

    def __init__(self, entry: Entry, behaviour: Behaviour, body: Mapping[str, Any]) -> None:
        self.entry, self.behaviour, self.body = entry, behaviour, body
        self.told = asyncio.Event()
        """Set when the model's name is told a behaviour anew."""

    @property
    def streams(self) -> bool:
        """Whether the request asks for a stream."""
        return bool(self.body.get("stream"))

    @property
    @abstractmethod
    def asked(self) -> Any:
        """The content that `echo` repeats."""

    @abstractmethod
    def chunk(self, part: Part) -> Sequence[Event]: ...

    @abstractmethod
    def closing(self, parts: Sequence[Part]) -> Sequence[Event]:
        """What follows the last chunk, as far as the behaviour lets it."""

    @abstractmethod
    def whole(self, parts: Sequence[Part]) -> Any:
        """The answer that is not streamed."""

    @abstractmethod
    def refusal(self) -> Any: ...

    def opening(self) -> Sequence[Event]:
        return ()

    def error_event(self) -> Event:
        return "", self.refusal()

    def failure(self) -> tuple[int, dict[str, Any]]:
        """The HTTP status, and `message`, `type` and `code` of the error."""
        status, error = self.behaviour.failure
        if named := self.names.get(error["code"]):
            status = self.behaviour.status or named[0]
            error = {**error, "type": named[1], "message": named[2]}
        if self.behaviour.leak:
            error = {**error, "message": f"Not with these headers: {self.entry.headers}"}
        return status, error

    def parts(self) -> list[Part]:
        """The pieces of the answer."""
        behaviour = self.behaviour
        parts: list[Part] = [
            {behaviour.reasoning_field: token} for token in tokens(behaviour.reasoning)
        ]
        if behaviour.tools:
            parts += self._calls()
        elif behaviour.verbatim:
            parts += [{"content": character} for character in str(self.asked)]
        elif behaviour.echo:
            text = dump(self.asked)
            parts += [{"content": text[i : i + 5]} for i in range(0, len(text), 5)]
        else:
            foreign = behaviour.foreign
            parts += [{"content": token} for token in tokens(behaviour.n, foreign=foreign)]
        return parts

    def _calls(self) -> list[Part]:
        offered = [tool_name(tool) for tool in self.body.get("tools") or ()] or ["lookup"]
        parts: list[Part] = []
        for index in range(self.behaviour.tools):
            function = {"name": offered[index % len(offered)], "arguments": ""}
            call = {"index": index, "id": f"call_{index}", "type": "function", "function": function}
            parts.append({"tool_calls": [call]})
            for piece in ('{"que', 'ry": "', f'Zürich {index}"', "}"):
                call = {"index": index, "function": {"arguments": piece}}
                parts.append({"tool_calls": [call]})
        return parts


def tool_name(tool: Mapping[str, Any]) -> str:
    return str(tool.get("function", tool)["name"])


def joined(parts: Sequence[Part], name: str = "content") -> str:
    return "".join(part.get(name, "") for part in parts)
