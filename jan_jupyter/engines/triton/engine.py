"""Engine `nvidia-triton-trt-llm`: TensorRT-LLM behind Triton Inference Server."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import quote, unquote

from ... import errors
from ...engine_options.options import EngineOptions
from ...models.model import Model
from ...redaction import Address
from ...types import Audio, ChatRequest, Delta, Event
from ...wire.errors import Complaint
from ..base import unheard
from ..http import client as http
from ..http.endpoint import Endpoint, under
from ..http.failures import Hints
from ..openai import OpenAI
from ..rendering import plainly
from .tensors import CLASSIC, Signature, TritonParser


class Unhealthy(errors.ServerFailed):
    """What runs the model there has died, and stays dead until somebody loads the model again."""

    retryable = False


class ModelFailed(errors.ServerFailed):
    """The server is well, but the model there has failed over this request: as it would again."""

    retryable = False


class Triton(OpenAI):
    """Triton's generate extension; the tensors are those that the model's metadata names.

    `format: openai` is for the servers that speak OpenAI's API (`trtllm-serve`, Triton's OpenAI
    front end); `protocol: grpc` sends the same tensors by gRPC.
    """

    name: ClassVar[str] = "nvidia-triton-trt-llm"
    auth_header: ClassVar[str] = "api-key"
    models_path: ClassVar[str] = "/v1/models"
    hints: ClassVar[Hints] = {
        errors.NotFoundRemotely: "Look at `base_url` (the server's root), and at `model` in the"
        " model's settings: it names the model in Triton (often `ensemble`), which must be loaded"
        " there.",
        ModelFailed: "`--dry-run` shows what it was sent; the server's log says more.",
        Unhealthy: "Restart the server, or load the model there again.",
        errors.ContextOverflow: "Shorten it, or build the engine there with a longer input.",
    }

    def __init__(self, options: EngineOptions, notify: Callable[[Event], None] = unheard) -> None:
        super().__init__(options, notify)
        self._signatures: dict[str, Signature] = {}
        self._grpc: http.Client | None = None

    def address(self, base: str, model: Model) -> str:
        if self._format(model) == "openai":
            return under(base, "/v1/chat/completions")
        if self._by_grpc(model) and "://" not in base:
            base = f"grpc://{base}"
        root, _, path = base.partition("/v2")
        written = re.match(r"/models/([^/]+)", path)
        name = unquote(written[1]) if written else self.remote_name(model)
        return f"{root}/v2/models/{quote(name, safe='')}/generate_stream"

    async def reach(self, model: Model) -> Endpoint:
        endpoint = await super().reach(model)
        if self._format(model) == "generate" and endpoint.url not in self._signatures:
            self._signatures[endpoint.url] = await self._signature(model, endpoint)
        return endpoint

    async def chat(self, model: Model, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        if self._format(model) != "openai":
            await self.write_prompt(model, request)
        try:
            async with aclosing(super().chat(model, request)) as deltas:
                async for delta in deltas:
                    yield delta
        except errors.BadRequest:
            # Perhaps there is another model now under that name: it is asked again next time.
            self._signatures.pop(self.endpoint(model).url, None)
            raise

    def build(self, model: Model, request: ChatRequest, endpoint: Endpoint) -> http.HttpRequest:
        if self._format(model) == "openai":
            return super().build(model, request, endpoint)
        body = {**self._tensors(model, request, endpoint), **request.extra}
        asked = http.HttpRequest(endpoint.url, body, self.headers(endpoint), endpoint.read_timeout)
        if self._by_grpc(model):
            from .grpc import GrpcRequest

            return GrpcRequest.of(asked, self._known(endpoint))
        return asked

    def speaks_openai(self, model: Model) -> bool:
        return self._format(model) == "openai"

    def parser(self, model: Model, request: ChatRequest) -> http.Parser:
        if self._format(model) == "openai":
            return super().parser(model, request)
        signature = self._known(self.endpoint(model))
        return TritonParser(signature, self.prompt(model, request), request.parameters)

    def client_for(self, model: Model) -> http.Client:
        return self._grpc_client() if self._by_grpc(model) else self.client

    def notes(self, model: Model, request: ChatRequest) -> list[str]:
        if self._format(model) == "openai":
            return super().notes(model, request)
        sent, left_out = self.rules(model).apply(request.parameters)
        left_out += self._known(self.endpoint(model)).tensors("", sent)[1]
        plain = plainly({**self.options.settings, **model.settings})
        return [*([f"not sent: {', '.join(left_out)}"] if left_out else []), *plain]

    async def speak(self, model: Model, text: str, parameters: Mapping[str, Any]) -> Audio:
        raise self._cannot(model, "speak")

    async def models(self) -> list[str]:
        if self.options.settings.get("format") == "openai":
            return await super().models()
        root = Address(self.options.base_url.partition("/v2")[0].rstrip("/"))
        if not root or self.options.settings.get("protocol") == "grpc":
            return []
        endpoint = await self.list_endpoint(f"{root}/v2/repository/index")
        asked = http.HttpRequest(endpoint.url, {}, self.headers(endpoint))
        rows = await self.client.fetch_json(asked, self.list_party(endpoint.key))
        return [str(row["name"]) for row in rows if row.get("state", "READY") == "READY"]

    def kind_of(self, status: int, said: Complaint) -> type[errors.EngineError] | None:
        return next((kind for words, kind in _WORDS if words.search(said.message)), None) or (
            # The request was taken; what failed then is the model.
            ModelFailed if said.streamed or status == 200 else None
        )

    async def close(self) -> None:
        await super().close()
        if self._grpc is not None:
            await self._grpc.close()

    def _format(self, model: Model) -> str:
        return self.one_of(model, "format", ("generate", "openai"))

    def _by_grpc(self, model: Model) -> bool:
        return self.one_of(model, "protocol", ("http", "grpc")) == "grpc"

    def _known(self, endpoint: Endpoint) -> Signature:
        return self._signatures.get(endpoint.url, CLASSIC)

    def _tensors(self, model: Model, request: ChatRequest, endpoint: Endpoint) -> dict[str, Any]:
        self.refuse_form(model, request)
        if request.schema:
            raise self._cannot(model, "keep to a schema")
        sent, _ = self.rules(model).apply(request.parameters)
        prompt = self.prompt(model, request)
        try:
            return self._known(endpoint).tensors(prompt, sent)[0]
        except ValueError as error:
            raise errors.BadRequest(
                f"A parameter for {model.id} ({self.options.name}) does not fit: {error}.",
                model=model.id,
                engine=self.options.name,
            ) from error

    async def _signature(self, model: Model, endpoint: Endpoint) -> Signature:
        """What the model takes, as its server tells it."""
        party, tell = self.party(model, endpoint.key), self._tell_wait(model)
        url = Address(endpoint.url.removesuffix("/generate_stream"))
        headers = self.headers(endpoint)
        about = http.HttpRequest(url, None, headers, endpoint.read_timeout, "GET")
        config: Any = {}
        client = self.client_for(model)
        metadata = await client.fetch_json(about, party, tell)
        with suppress(errors.EngineError):  # it may be closed to us, and says little
            config = await client.fetch_json(replace(about, url=f"{url}/config"), party)
        try:
            found = Signature.read(metadata, config)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise errors.BadRequest(
                f"{model.id} ({self.options.name}) is no language model that this engine knows:"
                f" {party.hidden(str(error))}.",
                model=model.id,
                engine=self.options.name,
            ) from None
        given = self.setting(model, "accumulate_tokens")
        return found if given is None else replace(found, cumulative=given in (True, "true"))

    def _grpc_client(self) -> http.Client:
        if self._grpc is None:
            from .grpc import GrpcClient

            self._grpc = GrpcClient()
        return self._grpc


_WORDS: Sequence[tuple[re.Pattern[str], type[errors.EngineError]]] = tuple(
    (re.compile(words, re.IGNORECASE), kind)
    for words, kind in (
        ("is not healthy", Unhealthy),
        ("(api|protocol) is restricted", errors.AuthenticationFailed),
        ("(unable|failed) to parse|decoupled", errors.BadRequest),
        ("exceeds max(imum)? (input|sequence)|exceeds max_", errors.ContextOverflow),
        ("unknown model|not ready|no available versions", errors.NotFoundRemotely),
    )
)
"""Triton has no codes, and statuses that say little: its words are all there is."""
