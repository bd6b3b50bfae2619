"""Anthropic's Messages API."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, ClassVar

from .dialect import Dialect, Event, Part, joined
from .openai import whole_calls

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
REASONS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}
SIGNATURE = "c2lnbmF0dXJl"


class Claude(Dialect):
    names: ClassVar = {
        "context_length_exceeded": (400, "", "prompt is too long: 5000 tokens > 4096 maximum"),
        "insufficient_quota": (429, "", "Your organization has reached its spend limit."),
        "server_is_overloaded": (529, "", "Overloaded"),
        "model_not_found": (404, "", "model: nope"),
        "invalid_api_key": (401, "", "invalid x-api-key"),
    }

    @property
    def asked(self) -> Any:
        return self.body["messages"][-1]["content"]

    def opening(self) -> Sequence[Event]:
        message = {**self._message([]), "usage": self._usage(1), "stop_reason": None}
        self._open = -1  # index of the block that is open
        self._kind: Any = None
        return [self._event("message_start", message=message), self._event("ping")]

    def chunk(self, part: Part) -> Sequence[Event]:
        if call := (part.get("tool_calls") or [None])[0]:
            piece = call["function"]["arguments"]
            delta = {"type": "input_json_delta", "partial_json": piece}
            block = {"type": "tool_use", "name": call["function"].get("name"), "input": {}}
            events = self._block(call["index"], {**block, "id": call.get("id")})
        elif thought := part.get(self.behaviour.reasoning_field):
            delta = {"type": "thinking_delta", "thinking": thought}
            block = {"type": "thinking", "thinking": "", "signature": ""}
            events = self._block("thinking", block)
        else:
            delta = {"type": "text_delta", "text": part["content"]}
            events = self._block("text", {"type": "text", "text": ""})
        return [*events, self._event("content_block_delta", index=self._open, delta=delta)]

    def closing(self, parts: Sequence[Part]) -> Sequence[Event]:
        if self.behaviour.noend:
            return []
        events = self._close()
        if not self.behaviour.nofinish:
            delta = {"stop_reason": self._reason, "stop_sequence": None}
            counted = {"output_tokens": len(parts)}
            events.append(self._event("message_delta", delta=delta, usage=counted))
        return events if self.behaviour.nodone else [*events, self._event("message_stop")]

    def whole(self, parts: Sequence[Part]) -> Any:
        content: list[Any] = []
        if thought := joined(parts, self.behaviour.reasoning_field):
            content.append({"type": "thinking", "thinking": thought, "signature": SIGNATURE})
        if text := joined(parts):
            content.append({"type": "text", "text": text})
        for call in whole_calls(parts):
            given = json.loads(call["function"]["arguments"])
            name = call["function"]["name"]
            content.append({"type": "tool_use", "id": call["id"], "name": name, "input": given})
        usage = self._usage(len(parts))
        return {**self._message(content), "stop_reason": self._reason, "usage": usage}

    def refusal(self) -> Any:
        status, error = self.failure()
        details = {}
        if error["code"] == "insufficient_quota":
            details = {"details": {"error_code": "enforced_spend_limit_reached"}}
        kind = TYPES.get(status, "api_error")
        said = {"type": kind, "message": error["message"], **details}
        return {"type": "error", "error": said, "request_id": f"req_{self.entry.id}"}

    def error_event(self) -> Event:
        return "error", self.refusal()

    @property
    def _reason(self) -> str:
        finish = self.behaviour.finish
        return "tool_use" if self.behaviour.tools else REASONS.get(finish, finish)

    def _event(self, name: str, **data: Any) -> Event:
        return name, {"type": name, **data}

    def _block(self, kind: Any, block: Any) -> list[Event]:
        """Open a block of that kind, unless it is open."""
        if kind == self._kind:
            return []
        events = self._close()
        self._open, self._kind = self._open + 1, kind
        started = self._event("content_block_start", index=self._open, content_block=block)
        return [*events, started]

    def _close(self) -> list[Event]:
        events = []
        if self._kind == "thinking":
            delta = {"type": "signature_delta", "signature": SIGNATURE}
            events.append(self._event("content_block_delta", index=self._open, delta=delta))
        if self._kind is not None:
            events.append(self._event("content_block_stop", index=self._open))
        self._kind = None
        return events

    def _message(self, content: list[Any]) -> dict[str, Any]:
        name = f"msg_{self.entry.id}"
        head = {"id": name, "type": "message", "role": "assistant"}
        return {**head, "model": self.body.get("model"), "content": content}

    def _usage(self, output: int) -> dict[str, int]:
        """Words of the conversation, and chunks of the answer."""
        turns = self.body.get("messages", ())
        words = sum(len(str(turn.get("content")).split()) for turn in turns)
        return {
            "input_tokens": words,
            "cache_read_input_tokens": self.behaviour.cached,
            "cache_creation_input_tokens": 0,
            "output_tokens": output,
        }
