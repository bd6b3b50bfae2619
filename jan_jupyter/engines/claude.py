"""Engine `claude`: Anthropic's Messages API, at Anthropic or at any server that speaks it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from .. import errors
from ..models.model import Model
from ..types import EMPTY, ChatRequest, Delta, Finish, Usage
from ..wire.errors import Complaint
from ..wire.sse import ServerEvent
from .claude_messages import conversation, output_schema, tool, tool_choice
from .http import client as http
from .http.endpoint import Endpoint, Remote
from .http.failures import Hints
from .rules import Rules

LATEST = "2026-10-21"
"""The version of the API that is spoken unless `anthropic_version` says another."""
SAMPLING = frozenset({"temperature", "top_p", "top_k"})
"""What the API refuses since that version, whatever its value."""
KNOWN = SAMPLING | {
    *("max_tokens", "stop", "tool_choice", "parallel_tool_calls", "effort", "reasoning_effort"),
    *("thinking", "output_config", "stop_sequences", "metadata", "service_tier", "inference_geo"),
    *("container", "context_management", "mcp_servers", "cache_control", "fallbacks", "speed"),
}
"""The parameters that it has words for; it refuses a request with any other (setting `allow`)."""
MAX_TOKENS = 4096
"""The API demands a limit; this one is sent where nobody sets any."""


class Claude(Remote):
    """Messages with system text, pictures, thinking, tools, and answers of a given shape."""

    name: ClassVar[str] = "claude"
    path: ClassVar[str] = "/v1/messages"
    models_path: ClassVar[str] = "/v1/models"
    hints: ClassVar[Hints] = {
        errors.ContextOverflow: "Shorten it, or begin a new conversation.",
    }

    def build(self, model: Model, request: ChatRequest, endpoint: Endpoint) -> http.HttpRequest:
        return http.HttpRequest(
            endpoint.url,
            self.body(model, request),
            {**self.headers(endpoint), "anthropic-version": self._version(model)},
            endpoint.read_timeout,
        )

    def body(self, model: Model, request: ChatRequest) -> dict[str, Any]:
        """The JSON body. Pure; raises `BadRequest` for content that Claude cannot take."""
        sent, _ = self._known(model, request)
        self.refuse_form(model, request)
        system, messages = conversation(
            request.messages, lambda what: self._cannot(model, f"take {what}")
        )
        thinking = _thinking(sent.pop("thinking", self.setting(model, "thinking")))
        effort = sent.pop("effort", sent.pop("reasoning_effort", None))
        stop = sent.pop("stop", None)
        choice = tool_choice(sent.pop("tool_choice", None), sent.pop("parallel_tool_calls", True))
        output = {
            **({"effort": effort} if effort else {}),
            **({"format": output_schema(request.schema)} if request.schema else {}),
        }
        budget = thinking.get("budget_tokens", 0) if thinking else 0
        return {
            "model": self.remote_name(model),
            "max_tokens": budget + MAX_TOKENS,
            **({"system": system} if system else {}),
            "messages": messages,
            "stream": True,
            **({"stop_sequences": [stop] if isinstance(stop, str) else [*stop]} if stop else {}),
            **({"thinking": thinking} if thinking else {}),
            **({"output_config": output} if output else {}),
            **({"tools": [*map(tool, request.tools)]} if request.tools else {}),
            **({"tool_choice": choice} if choice and request.tools else {}),
            **sent,
            **request.extra,
        }

    def parser(self, model: Model, request: ChatRequest) -> http.Parser:
        return ClaudeParser()

    def headers(self, endpoint: Endpoint) -> dict[str, str]:
        version = self.options.settings.get("anthropic_version", LATEST)
        return {"anthropic-version": str(version), **super().headers(endpoint)}

    def rules(self, model: Model) -> Rules:
        rules = super().rules(model)
        if rules.allow is None:
            rules = replace(rules, allow=KNOWN)
        return rules if self._samples(model) else replace(rules, drop=rules.drop | SAMPLING)

    def notes(self, model: Model, request: ChatRequest) -> list[str]:
        _, left_out = self._known(model, request)
        if not left_out:
            return []
        note = f"not sent: {', '.join(left_out)}"
        if SAMPLING & {*left_out} and not self._samples(model):
            note += f" (Claude's API of {self._version(model)} takes no sampling)"
        return [note]

    def kind_of(self, status: int, said: Complaint) -> type[errors.EngineError] | None:
        details = said.fields.get("details")
        code = details.get("error_code") if isinstance(details, Mapping) else None
        return errors.BillingRefused if code in _BILLING else None

    def _known(self, model: Model, request: ChatRequest) -> tuple[dict[str, Any], list[str]]:
        """The parameters as they are sent, and the names of those that are left out."""
        sent, left_out = self.rules(model).apply(request.parameters)
        about = sent.get("metadata")
        if isinstance(about, Mapping) and set(about) - {"user_id"}:  # OpenAI's: any names
            del sent["metadata"]
            left_out.append("metadata")
        if sent.get("reasoning_effort") in ("none", "minimal"):  # less than its least
            del sent["reasoning_effort"]
            left_out.append("reasoning_effort")
        return sent, left_out

    def _version(self, model: Model) -> str:
        return str(self.setting(model, "anthropic_version", LATEST))

    def _samples(self, model: Model) -> bool:
        return self._version(model) < LATEST  # they are dates


_BILLING = {"enforced_spend_limit_reached", "credit_balance_too_low", "spend_limit_reached"}


def _thinking(written: Any) -> Mapping[str, Any] | None:
    """`thinking` as the API has it: an object, `adaptive`, `disabled` …, or a budget of tokens."""
    if isinstance(written, Mapping):
        return written
    if isinstance(written, bool):
        return {"type": "adaptive" if written else "disabled"}
    if isinstance(written, int):
        return {"type": "enabled", "budget_tokens": written}
    return {"type": str(written)} if written else None


# Answers ------------------------------------------------------------------------------------------

_FINISH: Mapping[str, Finish] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""The HTTP status that an error has which comes after a 200."""


class ClaudeParser(http.Parser):
    """Follows the blocks of one message; it is whole with `message_stop` only."""

    def __init__(self) -> None:
        self._usage: dict[str, Any] = {}
        self._reason, self._stop = "", ""
        self._whole = False
        self._calls: dict[int, int] = {}  # index of a block -> number of its tool call
        self._thought: dict[int, dict[str, Any]] = {}  # index of a block -> thinking block

    def parse(self, event: ServerEvent) -> Delta | http.End | None:
        if event.data == "[DONE]":  # some servers speak two languages at once
            return None
        data = json.loads(event.data)
        if "error" in data:
            raise _refusal(data)
        match data.get("type") or event.name:
            case "content_block_delta":
                return self._delta(data["index"], data["delta"])
            case "content_block_start":
                return self._block(data["index"], data["content_block"])
            case "message_start":
                self._count(data["message"].get("usage"))
            case "message_delta":
                self._count(data.get("usage"))
                self._ended(data["delta"])
            case "message_stop":
                self._whole = True
                return http.END
            case "message":
                return self._message(data)
        return None

    def end(self) -> Delta | None:
        if not self._whole:
            return None
        if self._reason == "model_context_window_exceeded":
            said = "the answer has reached the end of the model's context window"
            raise http.Refusal(200, {"error": {"code": "context_length_exceeded", "message": said}})
        thought = [*self._thought.values()] if self._calls else []
        paused = self._reason == "pause_turn"
        return Delta(
            finish=_FINISH.get(self._reason, "stop"),
            usage=self._tokens(),
            notes=["Claude has paused: ask it to continue (-c)"] if paused else (),
            extra={"thinking_blocks": thought} if thought else EMPTY,
            stop=self._stop,
        )

    def _block(self, index: int, block: Mapping[str, Any]) -> Delta | None:
        match block.get("type"):
            case "text":
                return _some(Delta(block.get("text") or ""))
            case "thinking":
                self._thought[index] = {"signature": "", **block}
                return _some(Delta(reasoning=block.get("thinking") or ""))
            case "redacted_thinking":
                self._thought[index] = {**block}
            case "tool_use":
                self._calls[index] = number = len(self._calls)
                given = json.dumps(block["input"], ensure_ascii=False) if block["input"] else ""
                function = {"name": block["name"], "arguments": given}
                call = {"index": number, "id": block["id"], "type": "function"}
                return Delta(tool_calls=[{**call, "function": function}])
        return None

    def _delta(self, index: int, delta: Mapping[str, Any]) -> Delta | None:
        match delta.get("type"):
            case "text_delta":
                return _some(Delta(delta["text"]))
            case "thinking_delta":
                if index in self._thought:
                    self._thought[index]["thinking"] += delta["thinking"]
                return _some(Delta(reasoning=delta["thinking"]))
            case "signature_delta":
                if index in self._thought:
                    self._thought[index]["signature"] += delta["signature"]
            case "input_json_delta":
                if delta["partial_json"] and index in self._calls:  # else a tool of the server's
                    function = {"arguments": delta["partial_json"]}
                    return Delta(tool_calls=[{"index": self._calls[index], "function": function}])
        return None

    def _message(self, message: Mapping[str, Any]) -> Delta:
        """An answer that is not streamed."""
        pieces = [self._block(i, block) for i, block in enumerate(message["content"])]
        said = [piece for piece in pieces if piece is not None]
        self._count(message.get("usage"))
        self._ended({"stop_reason": "end_turn", **message})
        self._whole = True
        return replace(
            self.end() or Delta(),
            text="".join(piece.text for piece in said),
            reasoning="".join(piece.reasoning for piece in said),
            tool_calls=[call for piece in said for call in piece.tool_calls],
        )

    def _ended(self, told: Mapping[str, Any]) -> None:
        self._reason = told.get("stop_reason") or self._reason
        if isinstance(word := told.get("stop_sequence"), str):
            self._stop = word

    def _count(self, usage: Mapping[str, Any] | None) -> None:
        # What is counted grows; a number that is missing has not changed.
        self._usage |= {k: v for k, v in (usage or {}).items() if isinstance(v, int)}

    def _tokens(self) -> Usage | None:
        read = self._usage.get("cache_read_input_tokens", 0)
        written = self._usage.get("cache_creation_input_tokens", 0)
        prompt = self._usage.get("input_tokens", 0) + read + written
        return Usage(prompt, self._usage.get("output_tokens", 0), read) if self._usage else None


def _some(delta: Delta) -> Delta | None:
    return delta if delta.text or delta.reasoning else None


def _refusal(data: Mapping[str, Any]) -> http.Refusal:
    error = data["error"]
    kind = error.get("type") if isinstance(error, Mapping) else None
    return http.Refusal(_STATUS.get(str(kind), 500), data)
