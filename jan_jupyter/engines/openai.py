"""Engine `openai`: any server that speaks OpenAI's chat completions, by address and key."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

from .. import errors
from ..models.model import Model
from ..redaction import Address
from ..types import Audio, ChatRequest, Delta, Embeddable, Embeddings, Priority, Ranking, Timings
from ..wire import openai as wire
from ..wire import sse
from ..wire.errors import status_within
from ..wire.sse import ServerEvent
from . import between
from .http import client as http
from .http.endpoint import Endpoint, Remote
from .http.failures import Party

T = TypeVar("T")

_COMPLETIONS = ("", "/completions", "/fim/completions")
"""Where a server writes between two texts: nowhere, as OpenAI's old models do, as Mistral's do."""

_RANKS: Mapping[str, tuple[str, bool, str]] = {
    "openai": ("/rerank", False, "documents"),
    "cohere": ("/v2/rerank", True, "documents"),
    "tei": ("/rerank", True, "texts"),
}
"""How a server is asked to rank, by the setting `ranks`: a path, whether that begins at the root
or stands beside that of a chat, and the name of the documents."""


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
        return wire.write_request(request, self.remote_name(model), {**asked, **sent})

    def speaks_openai(self, model: Model) -> bool:
        """Whether its server takes OpenAI's format: others have no choices, vectors or speech."""
        return True

    def gives_choices(self, model: Model) -> bool:
        return self.speaks_openai(model)

    def parser(self, model: Model, request: ChatRequest) -> http.Parser:
        return OpenAIParser(request.choices)

    def complete(
        self,
        model: Model,
        prefix: str,
        suffix: str,
        parameters: Mapping[str, Any],
        priority: Priority = "person",
    ) -> AsyncGenerator[Delta, None]:
        offered = dict.fromkeys((self.rules(model).completions, *_COMPLETIONS))
        path = self.one_of(model, "completions", [*offered])
        if not path:
            return super().complete(model, prefix, suffix, parameters, priority)

        def build(model: Model, request: ChatRequest, endpoint: Endpoint) -> http.HttpRequest:
            body = self.body(model, request)
            del body["messages"]
            if "max_completion_tokens" in body:  # chat's name alone
                body["max_tokens"] = body.pop("max_completion_tokens")
            body |= {"prompt": prefix, **({"suffix": suffix} if suffix else {})}
            url, headers = beside(endpoint.url, path), self.headers(endpoint)
            return http.HttpRequest(url, body, headers, endpoint.read_timeout)

        request = between.asking(prefix, suffix, parameters, priority)
        return self.answer(model, request, build, self.parser)

    async def embed(
        self, model: Model, texts: Sequence[Embeddable], parameters: Mapping[str, Any]
    ) -> Embeddings:
        self._check_format(model, "embed texts")
        body = {"model": self.remote_name(model), "input": [*texts], **parameters}
        request, party = await self._beside(model, "/embeddings", body)
        return await self._fetched(model, request, party, wire.read_embeddings)

    async def rerank(
        self, model: Model, query: str, documents: Sequence[str], parameters: Mapping[str, Any]
    ) -> Ranking:
        self._check_format(model, "rank texts")
        path, root, name = _RANKS[self.one_of(model, "ranks", [*_RANKS])]
        most = parameters.get("top_n")
        sent = {k: v for k, v in parameters.items() if k != "top_n" or name == "documents"}
        body = {"model": self.remote_name(model), "query": query, name: [*documents], **sent}
        request, party = await self._beside(model, path, body, root=root)
        read = functools.partial(wire.read_ranking, most)
        return await self._fetched(model, request, party, read)

    async def speak(self, model: Model, text: str, parameters: Mapping[str, Any]) -> Audio:
        self._check_format(model, "speak")
        body = {"model": self.remote_name(model), "input": text, "voice": "alloy", **parameters}
        request, party = await self._beside(model, "/audio/speech", body)
        answer = await self.client.fetch(request, party, self._tell_wait(model))
        if "json" in answer.content_type or not answer.body:
            raise _strange(party, answer.body.decode("utf-8", "replace"))
        return Audio(answer.body, answer.content_type, model.id, self.options.name)

    def _check_format(self, model: Model, what: str) -> None:
        if not self.speaks_openai(model):
            raise self._cannot(model, f"{what} in this format")

    async def _fetched(
        self,
        model: Model,
        request: http.HttpRequest,
        party: Party,
        read: Callable[[Any, str, str], T],
    ) -> T:
        """What is read of an answer that comes whole, as JSON."""
        found = _read(
            read, await self.client.fetch_json(request, party, self._tell_wait(model)), party
        )
        if isinstance(found, errors.Malformed):  # raised where no variable holds what was sent
            raise found
        return found

    async def _beside(
        self, model: Model, path: str, body: Mapping[str, Any], *, root: bool = False
    ) -> tuple[http.HttpRequest, Party]:
        """A request to another path of the server that answers chat requests."""
        endpoint = await self.reach(model)
        url = beside(endpoint.url, path, root=root)
        headers = self.headers(endpoint)
        request = http.HttpRequest(url, body, headers, endpoint.read_timeout)
        return request, self.party(model, endpoint.key)


_CHAT = "/chat/completions"
_BELOW_ROOT = re.compile(r"(/compatibility)?(/v\d+)?/chat/completions$")


def beside(chat: str, path: str, *, root: bool = False) -> Address:
    """The address of another path of a server, beside that of a chat request or at its root."""
    chat, mark, query = chat.partition("?")
    base = _BELOW_ROOT.sub("", chat) if root else chat.removesuffix(_CHAT)
    return Address(base + path + mark + query)


def _read(read: Callable[[Any, str, str], T], answer: Any, party: Party) -> T | errors.Malformed:
    try:
        return read(answer, party.model, party.engine)
    except (TypeError, LookupError, ValueError, AttributeError):
        return _strange(party, str(answer))


def _strange(party: Party, answer: str) -> errors.Malformed:
    said = party.hidden(answer)[:120]
    return errors.Malformed(
        f"{party.engine} did not answer for {party.model} as OpenAI's API does: {said!r}",
        model=party.model,
        engine=party.engine,
    )


class OpenAIParser(http.Parser):
    """Each chunk stands for itself; but llama.cpp counts the tokens of each choice apart."""

    def __init__(self, choices: int = 1) -> None:
        self._choices = choices
        self._completion = 0
        self._decode = 0.0

    def parse(self, event: ServerEvent) -> http.Parsed:
        parsed = parse(event)
        if self._choices > 1 and isinstance(parsed, Delta) and parsed.usage and parsed.timings:
            self._completion += parsed.usage.completion
            self._decode = max(self._decode, parsed.timings.decode or 0.0)
            usage = replace(parsed.usage, completion=self._completion)
            return replace(parsed, usage=usage, timings=self._of_all(parsed.timings))
        return parsed

    def _of_all(self, timings: Timings) -> Timings:
        """Those of the choices so far, which are made at the same time."""
        if not self._decode:
            return timings
        return replace(
            timings,
            decode=self._decode,
            decode_tokens=self._completion,
            tokens_per_second=self._completion / self._decode,
        )


def parse(event: ServerEvent) -> http.Parsed:
    """A `chat.completion.chunk` (or a whole `chat.completion`) -> what it brings of each choice.

    Raises what an error inside the stream means.
    """
    if event.data == sse.END:
        return http.END
    chunk = json.loads(event.data)
    if chunk.get("error"):
        raise http.Refusal(status_within(chunk), chunk)
    return wire.read_chunk(chunk)
