"""Engine `azure-openai`: OpenAI's API as Azure serves it, with a key or with Entra's tokens."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import quote

from .. import errors
from ..engine_options import azure
from ..engine_options.options import EngineOptions
from ..models.model import Model
from ..settings import stay_here
from ..types import ChatRequest, Delta, Event
from ..wire.sse import ServerEvent
from .base import unheard
from .http import client as http
from .http.endpoint import Endpoint
from .http.failures import Hints, filtered
from .openai import OpenAI, OpenAIParser

SCOPE = "https://cognitiveservices.azure.com/.default"


class AzureOpenAI(OpenAI):
    """The v1 API, or the dated one if the setting `api_version` names its version.

    A model's name there is that of its deployment. `auth: entra` takes tokens of the package
    `azure-identity`; any other source of tokens is given by `jan.set_token_provider`.
    """

    name: ClassVar[str] = "azure-openai"
    auth_header: ClassVar[str] = "api-key"
    models_path: ClassVar[str] = ""  # it lists what might be deployed, not what is
    hints: ClassVar[Hints] = {
        errors.NotFoundRemotely: "Look at `base_url` (https://….openai.azure.com), at the name of"
        " the deployment (`model` in the model's settings) and, for the dated API, at"
        " `api_version`.",
        errors.ContentFiltered: "Rephrase the prompt, or change the content filter of the"
        " deployment.",
    }

    def __init__(self, options: EngineOptions, notify: Callable[[Event], None] = unheard) -> None:
        super().__init__(options, notify)
        self._entra: Callable[[], str] | None = None

    def endpoint(self, model: Model) -> Endpoint:
        endpoint = super().endpoint(model)
        if missing := azure.missing(endpoint.url):
            raise errors.EngineUnavailable(
                f"Engine {self.options.name} (model {model.id}): {missing}.",
                model=model.id,
                engine=self.options.name,
            )
        return endpoint

    def address(self, base: str, model: Model) -> str:
        version = str(self.setting(model, "api_version") or "")
        return azure.chat_address(base, quote(self.remote_name(model), safe=""), version)

    async def key(self, model: Model | None = None, *, renew: bool = False) -> str | None:
        options = self.options.at(model)
        if options.token_provider is not None or not options.has_entra:
            return await super().key(model, renew=renew)
        if self._entra is None or renew:
            self._entra = self._entra_provider()
        return await self.token(self._entra, model)

    def _entra_provider(self) -> Callable[[], str]:
        """Tokens of whoever is signed in: `az login`, a managed identity, the environment …"""
        stay_here(f"The sign-in of engine {self.options.name}")
        try:
            from azure import identity
        except ImportError as error:
            raise errors.EngineUnavailable(
                f"`auth: entra` of engine {self.options.name} needs the package azure-identity:"
                " `%pip install azure-identity`.",
                engine=self.options.name,
            ) from error
        scope = str(self.options.settings.get("scope") or SCOPE)
        provider: Callable[[], str] = identity.get_bearer_token_provider(
            identity.DefaultAzureCredential(), scope
        )
        return provider

    def parser(self, model: Model, request: ChatRequest) -> http.Parser:
        return AzureParser(request.choices)


class AzureParser(OpenAIParser):
    """OpenAI's chunks; if the filter ends the answer, a note says why."""

    def parse(self, event: ServerEvent) -> http.Parsed:
        parsed = super().parse(event)
        if isinstance(parsed, Delta) and parsed.finish == "content_filter":
            choice: dict[str, Any] = json.loads(event.data)["choices"][0]
            if why := filtered(choice.get("content_filter_results")):
                return replace(parsed, notes=[f"filtered: {why}"])
        return parsed
