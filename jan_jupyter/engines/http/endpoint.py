"""What all engines behind HTTP share: address, key, waiting, and one way of asking.

An engine adds `build` (what it sends) and `parser` (what the stream's events mean); both are pure.
"""

from __future__ import annotations

import asyncio
import re
from abc import abstractmethod
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from ... import errors
from ...engine_options import tokens
from ...engine_options.options import EngineOptions
from ...models.model import Model
from ...redaction import Address, Secret, is_secret_name, secrets_in, without_secrets
from ...types import EMPTY, ChatRequest, Delta, Event
from ...wire.errors import Complaint
from ...wire.retry import Wait
from ..base import unheard
from ..rendering import rendered
from ..thinking import Thinking
from . import client as http
from .failures import AGAIN, Hints, Party
from .of_settings import OfSettings


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the requests of a model go, and what opens the door there."""

    url: str
    """The address of the chat request itself."""
    headers: Mapping[str, str] = field(default=EMPTY, repr=False)
    key: str | None = field(default=None, repr=False)
    has_token: bool = False
    """Whether the key is a token, which has a header of its own."""
    read_timeout: float | None = http.READ_SECONDS

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", Address(self.url))


Build = Callable[[Model, ChatRequest, Endpoint], http.HttpRequest]
MakeParser = Callable[[Model, ChatRequest], http.Parser]


class Remote(OfSettings):
    """An engine whose models are served elsewhere, or by a worker, over HTTP."""

    path: ClassVar[str] = ""
    """What follows `base_url` in the address of a chat request."""

    models_path: ClassVar[str] = ""
    """What follows it in the address of the list of models; empty: there is none."""

    auth_header: ClassVar[str] = "Authorization"
    """The header that carries the key, unless the setting `auth_header` names another."""

    hints: ClassVar[Hints] = {}
    """How to mend what this engine has words of its own for."""

    def __init__(self, options: EngineOptions, notify: Callable[[Event], None] = unheard) -> None:
        super().__init__(options, notify)
        self.client = http.Client()
        self._noted: set[tuple[str, str]] = set()

    # What an engine adds --------------------------------------------------------------------------

    @abstractmethod
    def build(self, model: Model, request: ChatRequest, endpoint: Endpoint) -> http.HttpRequest:
        """The request on the wire. Pure; raises `JanError` for what the engine cannot be asked."""

    @abstractmethod
    def parser(self, model: Model, request: ChatRequest) -> http.Parser:
        """A new parser for one stream."""

    def kind_of(self, status: int, said: Complaint) -> type[errors.EngineError] | None:
        """What a refusal means where this engine's words differ from the common table."""
        return None

    def authorization(self, endpoint: Endpoint) -> Mapping[str, str]:
        """The headers that carry the key, if there is one."""
        header = str(self.options.settings.get("auth_header") or self.auth_header)
        if not endpoint.key:
            return {}
        if header.lower() == "authorization" or endpoint.has_token:
            return {"Authorization": f"Bearer {endpoint.key}"}
        return {header: endpoint.key}

    async def key(self, model: Model | None = None, *, renew: bool = False) -> str | None:
        """The key for the address of a model, or for that of the engine.

        `renew`: the last one was refused; `None` then means: give up.
        """
        options = self.options.at(model)
        if (provider := options.token_provider) is not None:
            return await self.token(provider, model)
        if renew:
            return None
        return options.key() if options.key_at_hand else await asyncio.to_thread(options.key)

    async def token(self, provider: tokens.Provider, model: Model | None = None) -> str:
        """What a provider of tokens gives. Raises `AuthenticationFailed` if that is nothing."""
        try:
            return await tokens.ask(provider)
        except Exception as error:
            said = (str(error).splitlines() or [""])[0][:200]
            raise errors.AuthenticationFailed(
                f"There is no token for {self.options.name}"
                f"{f' (model {model.id})' if model else ''}: {type(error).__name__}: {said}. Sign"
                " in again, or look at what gives the tokens.",
                model=model.id if model else "",
                engine=self.options.name,
            ) from error

    def notes(self, model: Model, request: ChatRequest) -> list[str]:
        """Lines for people about the request, each told once for a model."""
        _, left_out = self.rules(model).apply(request.parameters)
        return [f"not sent: {', '.join(left_out)}"] if left_out else []

    # What they share ------------------------------------------------------------------------------

    def endpoint(self, model: Model) -> Endpoint:
        """The address for a model: its own settings first, then the engine's. Without the key."""
        options = self.options.at(model)
        if not options.address:
            raise errors.EngineUnavailable(
                f"Engine {self.options.name} has no address (model {model.id}): set `base_url` in"
                f" engines/{self.options.name}/engine.json or in the model's settings.",
                model=model.id,
                engine=self.options.name,
            )
        return Endpoint(
            options.full_url or self.address(options.base_url.rstrip("/"), model),
            options.headers,
            has_token=options.has_token,
            read_timeout=self.seconds(model, "timeout", http.READ_SECONDS),
        )

    async def reach(self, model: Model) -> Endpoint:
        """The address with its key."""
        endpoint = self.endpoint(model)
        return endpoint if endpoint.key else replace(endpoint, key=await self.key(model))

    def address(self, base: str, model: Model) -> str:
        """The address of the chat request below a base address."""
        return under(base, self.path)

    def headers(self, endpoint: Endpoint) -> dict[str, str]:
        """The key, and what the user has set."""
        carried = {**self.authorization(endpoint), **endpoint.headers}
        return {name: Secret(value) for name, value in carried.items()}

    def party(self, model: Model, key: str | None = None) -> Party:
        return self._party(model.id, key, self.options.at(model))

    def list_party(self, key: str | None) -> Party:
        """The party of a request for the list of models."""
        return replace(self._party("its list of models", key, self.options), hints={})

    def _party(self, asked: str, key: str | None, options: EngineOptions) -> Party:
        headers = options.headers.items()
        secrets = [word for name, v in headers if is_secret_name(name) for word in v.split()]
        secrets += secrets_in(options.address)

        def hint(said: Complaint) -> str:  # where the key is from is looked up only if it is wrong
            return options.other_key_hint

        return Party(asked, self.options.name, hint, key, self.kind_of, self.hints, secrets)

    def chat(self, model: Model, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        return self.answer(model, request, self.build, self.parser)

    async def answer(
        self, model: Model, request: ChatRequest, build: Build, parser: MakeParser
    ) -> AsyncGenerator[Delta, None]:
        """The answer to a request, in whichever way it is written and read."""
        endpoint = await self.reach(model)
        begun = False
        try:
            deltas = self._asked(model, request, build, parser, endpoint)
            async with aclosing(deltas):
                async for delta in deltas:
                    begun = True
                    yield delta
            return
        except errors.AuthenticationFailed:
            key = Secret("" if begun else await self.key(model, renew=True) or "")
            if not key or key == endpoint.key:
                raise
        endpoint = replace(endpoint, key=key)
        async with aclosing(self._asked(model, request, build, parser, endpoint)) as deltas:
            async for delta in deltas:
                yield delta

    async def _asked(
        self,
        model: Model,
        request: ChatRequest,
        build: Build,
        parser: MakeParser,
        endpoint: Endpoint,
    ) -> AsyncGenerator[Delta, None]:
        deltas = self.client_for(model).stream(
            build(model, request, endpoint),
            lambda: parser(model, request),
            self.party(model, endpoint.key),
            self._tell_wait(model),
        )
        choices: defaultdict[int, Thinking] = defaultdict(Thinking)
        async with aclosing(deltas):
            async for delta in deltas:
                thinking = choices[delta.choice]
                if not thinking.done:
                    delta = thinking.split(delta)
                if delta.is_last:
                    notes = [*self._new_notes(model, self.notes(model, request)), *delta.notes]
                    if len(choices) < request.choices:
                        notes.append(f"{len(choices)} of {request.choices} answers came")
                    delta = replace(delta, notes=notes)
                yield delta

    def client_for(self, model: Model) -> http.Client:
        """The connections that its requests take."""
        return self.client

    def prompt(self, model: Model, request: ChatRequest) -> str:
        """The conversation as one text, for servers that take nothing else."""
        if request.tools:
            raise self._cannot(model, "call functions: its server takes plain text")
        try:
            return rendered(request.messages, {**self.options.settings, **model.settings})
        except ValueError as error:
            raise errors.BadRequest(
                f"The prompt for {model.id} ({self.options.name}) cannot be written: {error}.",
                model=model.id,
                engine=self.options.name,
            ) from error

    async def write_prompt(self, model: Model, request: ChatRequest) -> None:
        """Have it written in a thread if that takes its time (by Jinja): it is remembered."""
        if self.setting(model, "chat_template"):
            await asyncio.to_thread(self.prompt, model, request)

    def refuse_form(self, model: Model, request: ChatRequest) -> None:
        """Raise `BadRequest` for a form of answer that only OpenAI's API has a word for."""
        if form := request.extra.get("response_format"):
            kind = form.get("type") if isinstance(form, Mapping) else form
            raise self._cannot(model, f"answer as {kind} without a schema (`json_schema`)")

    def _tell_wait(self, model: Model) -> Wait:
        def tell(seconds: float, error: errors.EngineError) -> None:
            if isinstance(error, errors.StillLoading):
                message = f"{model.id} ({self.options.name}) is starting, please wait …"
                self.tell("loading", model, message=message)
            else:
                said = str(error).removesuffix(AGAIN).rstrip()
                self.tell("queued", model, message=f"{said} Trying again in {seconds:.0f} s.")

        return tell

    def _new_notes(self, model: Model, notes: Iterable[str]) -> list[str]:
        """Those that were not told for this model before."""
        fresh = [note for note in notes if (model.id, note) not in self._noted]
        self._noted.update((model.id, note) for note in fresh)
        return fresh

    async def models(self) -> list[str]:
        base = Address(self.options.base_url.rstrip("/"))
        if not base or not self.models_path:
            return []
        endpoint = await self.list_endpoint(under(base, self.models_path))
        asked = http.HttpRequest(endpoint.url, None, self.headers(endpoint), method="GET")
        answer = await self.client.fetch_json(asked, self.list_party(endpoint.key))
        rows = answer.get("data") if isinstance(answer, dict) else answer
        return [str(row["id"]) for row in rows or () if isinstance(row, dict) and "id" in row]

    async def list_endpoint(self, url: str) -> Endpoint:
        """Where the list of models is, below the engine's own address."""
        options = self.options
        return Endpoint(url, options.headers, await self.key(), options.has_token)

    async def close(self) -> None:
        await self.client.close()

    def preview(self, model: Model, request: ChatRequest) -> Mapping[str, Any]:
        endpoint = self.endpoint(model)
        return {
            "url": without_secrets(endpoint.url),
            "body": self.build(model, request, endpoint).body,
        }


def under(base: str, path: str) -> str:
    """A path below a base address, of which the address may hold the beginning already.

    `https://host/v1` and `https://host` mean the same to an engine whose paths begin with `/v1`.
    """
    first, *_ = re.findall(r"/[^/]+", path) or [""]
    return base.removesuffix(first) + path
