"""Engine `openai`: any server that speaks OpenAI's chat completions, by address and key."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from .. import errors
from ..models.model import Model
from ..redaction import Address
from ..types import Audio, ChatRequest, Delta, Embeddings, Finish, Timings, Usage
from ..wire.sse import ServerEvent
from .http import client as http
from .http.endpoint import Endpoint, Remote
from .http.failures import Party


class OpenAI(Remote):
    """Chat completions over HTTP; also the way to speak to local workers."""

    name: ClassVar[str] = "openai"
    path: ClassVar[str] = "/chat/completions"
    models_path: ClassVar[str] = "/models"

    def build(self, model: Model, request: ChatRequest, endpoint: Endpoint) -> http.HttpRequest:
        return http.HttpRequest(
            endpoint.url,
            self.body(model, request),
            self.headers(endpoint),
            endpoint.read_timeout,
        )

    def body(self, model: Model, request: ChatRequest) -> dict[str, Any]:
        """The JSON body: only what is set. Pure."""
        rules = self.rules(model)
        asked, _ = rules.apply({"stream_options": {"include_usage": True}})
        sent, _ = rules.apply(request.parameters)
        return {
            "model": self.remote_name(model),
            "messages": [message.json() for message in request.messages],
            "stream": True,
            **asked,
            **sent,
            **({"tools": [*request.tools]} if request.tools else {}),
            **({"response_format": response_format(request.schema)} if request.schema else {}),
            **request.extra,
        }

    def gives_choices(self, model: Model) -> bool:
        return True

    def parser(self, model: Model, request: ChatRequest) -> http.Parser:
        return OpenAIParser(request.choices)

    async def embed(
        self, model: Model, texts: Sequence[str], parameters: Mapping[str, Any]
    ) -> Embeddings:
        body = {"model": self.remote_name(model), "input": [*texts], **parameters}
        request, party = await self._beside(model, "/embeddings", body)
        found = _embeddings(
            await self.client.fetch_json(request, party, self._tell_wait(model)), party
        )
        if isinstance(found, errors.Malformed):  # raised where no variable holds what was sent
            raise found
        return found

    async def speak(self, model: Model, text: str, parameters: Mapping[str, Any]) -> Audio:
        body = {"model": self.remote_name(model), "input": text, "voice": "alloy", **parameters}
        request, party = await self._beside(model, "/audio/speech", body)
        answer = await self.client.fetch(request, party, self._tell_wait(model))
        if "json" in answer.content_type or not answer.body:
            raise _strange(party, answer.body.decode("utf-8", "replace"))
        return Audio(answer.body, answer.content_type, model.id, self.options.name)

    async def _beside(
        self, model: Model, path: str, body: Mapping[str, Any]
    ) -> tuple[http.HttpRequest, Party]:
        """A request to another path of the server that answers chat requests."""
        endpoint = await self.reach(model)
        chat, mark, query = endpoint.url.partition("?")
        url = Address(chat.removesuffix("/chat/completions") + path + mark + query)
        headers = self.headers(endpoint)
        request = http.HttpRequest(url, body, headers, endpoint.read_timeout)
        return request, self.party(model, endpoint.key)


def _embeddings(answer: Any, party: Party) -> Embeddings | errors.Malformed:
    try:
        rows = sorted(answer["data"], key=lambda row: row["index"])
        vectors = [[float(x) for x in row["embedding"]] for row in rows]
        usage = _usage(answer.get("usage") or {})
    except (TypeError, KeyError, ValueError):
        return _strange(party, str(answer))
    return Embeddings(vectors, party.model, party.engine, usage)


def _strange(party: Party, answer: str) -> errors.Malformed:
    said = party.hidden(answer)[:120]
    return errors.Malformed(
        f"{party.engine} did not answer for {party.model} as OpenAI's API does: {said!r}",
        model=party.model,
        engine=party.engine,
    )


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


class OpenAIParser(http.Parser):
    """Each chunk stands for itself; but llama.cpp counts the tokens of each choice apart."""

    def __init__(self, choices: int = 1) -> None:
        self._choices = choices
        self._completion = 0

    def parse(self, event: ServerEvent) -> http.Parsed:
        parsed = parse(event)
        if self._choices > 1 and isinstance(parsed, Delta) and parsed.usage and parsed.timings:
            self._completion += parsed.usage.completion
            return replace(parsed, usage=replace(parsed.usage, completion=self._completion))
        return parsed


def parse(event: ServerEvent) -> http.Parsed:
    """A `chat.completion.chunk` (or a whole `chat.completion`) -> what it brings of each choice.

    Raises what an error inside the stream means.
    """
    if event.data == "[DONE]":
        return http.END
    chunk = json.loads(event.data)
    if error := chunk.get("error"):
        said = error if isinstance(error, dict) else {}
        code = said.get("http_status_code", said.get("code"))  # TGI's own name for it
        raise http.Refusal(code if isinstance(code, int) and 400 <= code < 600 else 500, chunk)
    usage = _usage(chunk["usage"]) if chunk.get("usage") else None
    timings = _timings(chunk["timings"]) if chunk.get("timings") else None
    deltas = [delta for choice in chunk.get("choices") or () if (delta := _delta(choice))]
    if usage or timings:
        first = deltas[0] if deltas else Delta()
        deltas[:1] = [replace(first, usage=usage, timings=timings)]
    return deltas[0] if len(deltas) == 1 else deltas or None


def _delta(choice: Mapping[str, Any]) -> Delta | None:
    """What a chunk brings of one choice, if anything."""
    delta = choice.get("delta") or choice.get("message") or {}
    text = delta.get("content") or delta.get("refusal") or ""
    reasoning = delta.get("reasoning_content") or delta.get("reasoning") or ""
    tool_calls = delta.get("tool_calls") or []
    reason = choice.get("finish_reason")
    if not (text or reasoning or tool_calls or reason):
        return None
    return Delta(
        text,
        reasoning,
        tool_calls,
        _FINISH.get(reason, "stop") if reason else None,
        logprobs=(choice.get("logprobs") or {}).get("content") or [],
        choice=choice.get("index") or 0,
    )


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
