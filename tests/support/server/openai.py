"""OpenAI's chat completions."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from .dialect import Dialect, Event, Part, joined


class OpenAI(Dialect):
    @property
    def asked(self) -> Any:
        asked = [m["content"] for m in self.body.get("messages", ()) if m.get("role") == "user"]
        return asked[-1] if asked else None

    @property
    def _choices(self) -> int:
        return 1 if self.behaviour.alone else min(4, self.body.get("n") or 1)

    def chunk(self, part: Part) -> Sequence[Event]:
        """A chunk for each choice, the last choice first; each begins with its own number."""
        events = []
        for index in reversed(range(self._choices)):
            mark = f"{index}:" if self._choices > 1 and not self.entry.chunks else ""
            delta = {**part, "content": mark + part["content"]} if "content" in part else part
            first = {} if self.entry.chunks else {"role": "assistant"}
            events.append(self._chunk({**first, **delta}, index=index))
        return events

    def closing(self, parts: Sequence[Part]) -> Sequence[Event]:
        behaviour = self.behaviour
        if behaviour.noend:
            return []
        events: list[Event] = []
        counted = self._usage(len(parts))
        if not behaviour.nofinish:
            ends = [self._chunk({}, self._finish, index) for index in range(self._choices)]
            if behaviour.usage == "finish":
                ends[-1][1]["usage"] = counted
            events += ends
        asked = (self.body.get("stream_options") or {}).get("include_usage")
        if behaviour.usage == "always" or (behaviour.usage == "asked" and asked):
            head = self._envelope("chat.completion.chunk")
            events.append(("", {**head, "choices": [], "usage": counted}))
        if not behaviour.nodone:
            events.append(("", "[DONE]"))
        return events

    def whole(self, parts: Sequence[Part]) -> Any:
        behaviour = self.behaviour
        message: dict[str, Any] = {"role": "assistant", "content": joined(parts)}
        if behaviour.reasoning:
            message[behaviour.reasoning_field] = joined(parts, behaviour.reasoning_field)
        if behaviour.tools:
            message |= {"content": None, "tool_calls": whole_calls(parts)}
        value = self._envelope("chat.completion")
        value["choices"] = [
            {"index": index, "message": message, "finish_reason": self._finish}
            for index in range(self._choices)
        ]
        if behaviour.usage != "never":
            value["usage"] = self._usage(len(parts))
        return value

    def refusal(self) -> Any:
        return {"error": self.failure()[1]}

    @property
    def _finish(self) -> str:
        return "tool_calls" if self.behaviour.tools else self.behaviour.finish

    def _chunk(self, delta: Part, finish: str | None = None, index: int = 0) -> Event:
        head = self._envelope("chat.completion.chunk")
        return "", {**head, "choices": [{"index": index, "delta": delta, "finish_reason": finish}]}

    def _envelope(self, kind: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{self.entry.id}",
            "object": kind,
            "created": int(time.time()),
            "model": self.body.get("model"),
        }

    def _usage(self, completion: int) -> dict[str, Any]:
        """Words of the conversation, and chunks of the answer."""
        messages = self.body.get("messages", ())
        prompt = sum(len(str(m.get("content")).split()) for m in messages)
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion * self._choices,
            "total_tokens": prompt + completion * self._choices,
            "prompt_tokens_details": {"cached_tokens": self.behaviour.cached},
        }


def whole_calls(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """Tool calls whose arguments came in pieces."""
    calls: list[dict[str, Any]] = []
    for part in (part["tool_calls"][0] for part in parts if "tool_calls" in part):
        if "id" in part:
            calls.append({**part, "function": dict(part["function"])})
            del calls[-1]["index"]
        else:
            calls[-1]["function"]["arguments"] += part["function"]["arguments"]
    return calls
