"""Engine `openai`: any server that speaks OpenAI's chat completions, by address and key."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, ClassVar

from .. import errors, settings
from ..models.engine_files import EngineOptions
from ..models.model import Model
from ..types import EMPTY, ChatRequest, Delta, Event, Finish, Timings, Usage
from . import http
from .base import Engine, unheard


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the requests of a model go, and what opens the door there."""

    url: str
    """The address of the chat request itself."""
    headers: Mapping[str, str] = field(default=EMPTY, repr=False)
    key: str | None = field(default=None, repr=False)
    read_timeout: float | None = http.READ_SECONDS


class OpenAI(Engine):
    """Chat completions over HTTP; also the way to speak to local workers."""

    name: ClassVar[str] = "openai"

    def __init__(self, options: EngineOptions, notify: Callable[[Event], None] = unheard) -> None:
        super().__init__(options, notify)
        self.client = http.Client()

    def endpoint(self, model: Model) -> Endpoint:
        """The address and key for a model: its own settings first, then the engine's."""
        own = str(model.settings.get("base_url") or "")
        base = own or self.options.base_url
        whole = "" if own else self.options.full_url
        url = whole or (f"{base.rstrip('/')}/chat/completions" if base else "")
        if not url:
            raise errors.EngineUnavailable(
                f"Engine {self.options.name} has no address (model {model.id}): set `base_url` in"
                f" engines/{self.options.name}/engine.json or in the model's settings.",
                model=model.id,
                engine=self.options.name,
            )
        timeout = model.settings.get("timeout", self.options.settings.get("timeout"))
        return Endpoint(
            url,
            self.options.headers,
            self.options.key(),
            float(timeout) if timeout is not None else http.READ_SECONDS,
        )

    def party(self, model: Model, endpoint: Endpoint) -> http.Party:
        variable = self.options.api_key_env or settings.key_variable(self.options.key_name)
        hint = (
            f"Set {variable} in the environment,"
            f" or `api_key` in engines/{self.options.name}/engine.json."
        )
        return http.Party(model.id, self.options.name, hint, endpoint.key)

    def build(self, model: Model, request: ChatRequest, endpoint: Endpoint) -> http.HttpRequest:
        """The request on the wire. Pure."""
        authorization = {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
        return http.HttpRequest(
            endpoint.url,
            self.body(model, request),
            {**authorization, **endpoint.headers},
            endpoint.read_timeout,
        )

    def body(self, model: Model, request: ChatRequest) -> dict[str, Any]:
        """The JSON body: only what is set. Pure."""
        return {
            "model": self.options.model or model.id,
            "messages": [message.json() for message in request.messages],
            "stream": True,
            "stream_options": {"include_usage": True},
            **self.parameters(request.parameters),
            **({"tools": [*request.tools]} if request.tools else {}),
            **({"response_format": response_format(request.schema)} if request.schema else {}),
            **request.extra,
        }

    def parameters(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters under the names that this server knows. Pure."""
        sent = {k: v for k, v in given.items() if k != "stream" and not (k == "seed" and v == -1)}
        if "max_tokens" in sent and "//api.openai.com/" in self.options.base_url:
            sent["max_completion_tokens"] = sent.pop("max_tokens")
        return sent

    def parse(self, event: http.ServerEvent) -> Delta | http.End | None:
        """One event of the stream. Pure."""
        return parse(event)

    async def chat(self, model: Model, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        endpoint = self.endpoint(model)

        def on_wait(seconds: float, error: errors.EngineError) -> None:
            self.tell("queued", model, message=f"{error} Trying again in {seconds:.0f} s.")

        deltas = self.client.stream(
            self.build(model, request, endpoint),
            self.parse,
            self.party(model, endpoint),
            on_wait,
        )
        async with aclosing(deltas):
            async for delta in deltas:
                yield delta

    async def close(self) -> None:
        await self.client.close()

    async def models(self) -> list[str]:
        base = self.options.base_url.rstrip("/")
        if not base:
            return []
        key = self.options.key()
        headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **self.options.headers}
        party = http.Party("its list of models", self.options.name, secret=key)
        answer = await self.client.get(f"{base}/models", party, headers)
        rows = answer.get("data") if isinstance(answer, dict) else answer
        return [str(row["id"]) for row in rows or () if isinstance(row, dict) and "id" in row]

    def preview(self, model: Model, request: ChatRequest) -> Mapping[str, Any]:
        return {"url": self.endpoint(model).url, "body": self.body(model, request)}


def response_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    name = str(schema.get("title") or "answer")
    return {"type": "json_schema", "json_schema": {"name": name, "schema": dict(schema)}}


_FINISH: dict[str, Finish] = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


def parse(event: http.ServerEvent) -> Delta | http.End | None:
    """A `chat.completion.chunk` -> its delta; raises what an error inside the stream means."""
    if event.data == "[DONE]":
        return http.END
    chunk = json.loads(event.data)
    if error := chunk.get("error"):
        code = error.get("code") if isinstance(error, dict) else None
        raise http.Refusal(code if isinstance(code, int) and 400 <= code < 600 else 500, chunk)
    text = reasoning = ""
    tool_calls: list[Mapping[str, Any]] = []
    finish: Finish | None = None
    if choices := chunk.get("choices"):
        choice = choices[0]
        delta = choice.get("delta") or {}
        text = delta.get("content") or delta.get("refusal") or ""
        reasoning = delta.get("reasoning_content") or delta.get("reasoning") or ""
        tool_calls = delta.get("tool_calls") or []
        if written := choice.get("finish_reason"):
            finish = _FINISH.get(written, "stop")
    usage = _usage(chunk["usage"]) if chunk.get("usage") else None
    timings = _timings(chunk["timings"]) if chunk.get("timings") else None
    if not (text or reasoning or tool_calls or finish or usage or timings):
        return None
    return Delta(text, reasoning, tool_calls, finish, usage, timings)


def _usage(written: Mapping[str, Any]) -> Usage:
    details = written.get("prompt_tokens_details") or {}
    return Usage(
        int(written.get("prompt_tokens") or 0),
        int(written.get("completion_tokens") or 0),
        int(details.get("cached_tokens") or 0),
    )


def _timings(written: Mapping[str, Any]) -> Timings:
    """llama.cpp's own measurements."""
    return Timings(
        tokens_per_second=written.get("predicted_per_second"),
        prompt_tokens_per_second=written.get("prompt_per_second"),
    )
