"""Engine `hf-endpoints`: Hugging Face's Inference Endpoints, their router, and TGI itself."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import urlsplit

from .. import errors
from ..models.model import Model
from ..types import ChatRequest, Delta, Finish, Usage
from ..wire.errors import Complaint
from ..wire.sse import ServerEvent
from .http import client as http
from .http.endpoint import Endpoint, under
from .http.failures import Hints
from .openai import OpenAI
from .rendering import plainly
from .stops import StopWords, may_be_cut

SCALE_UP_SECONDS = 600
"""How long Hugging Face's proxy is asked to hold a request while the endpoint starts."""
QUIET_SECONDS = 5.0
"""After so long without a byte the user is told that the endpoint may be starting."""

_PATHS = {"openai": "/v1/chat/completions", "tgi": "/generate_stream", "toolkit": "/"}


class HFEndpoints(OpenAI):
    """The setting `format` says what the endpoint speaks.

    `openai`: what vLLM, SGLang, llama.cpp and TGI speak, and the router; `tgi`: TGI's own
    `/generate_stream`; `toolkit`: the default container, which answers in one piece.
    """

    name: ClassVar[str] = "hf-endpoints"
    models_path: ClassVar[str] = "/v1/models"
    hints: ClassVar[Hints] = {
        errors.NotFoundRemotely: "Look at the endpoint's `base_url`, at `model` in the model's"
        " settings, and at `format` (openai, tgi or toolkit).",
        errors.PermissionRefused: "See whether the endpoint is paused, and whether the token may"
        " use it.",
    }

    def address(self, base: str, model: Model) -> str:
        return under(base, _PATHS[self._format(model)])

    def endpoint(self, model: Model) -> Endpoint:
        endpoint = super().endpoint(model)
        if not (hold := self._hold(model)):
            return endpoint
        patience = endpoint.read_timeout
        return replace(
            endpoint,
            headers={"X-Scale-Up-Timeout": str(hold), **endpoint.headers},
            read_timeout=None if patience is None else max(patience, hold + 30.0),
        )

    def build(self, model: Model, request: ChatRequest, endpoint: Endpoint) -> http.HttpRequest:
        if self._format(model) == "openai":
            return super().build(model, request, endpoint)
        body = self._text_body(model, request)
        return http.HttpRequest(endpoint.url, body, self.headers(endpoint), endpoint.read_timeout)

    def speaks_openai(self, model: Model) -> bool:
        return self._format(model) == "openai"

    def parser(self, model: Model, request: ChatRequest) -> http.Parser:
        match self._format(model):
            case "tgi":
                return TGIParser(_words(request))
            case "toolkit":
                return ToolkitParser(
                    self.prompt(model, request),
                    _words(request),
                    request.parameters.get("max_tokens"),
                )
        return super().parser(model, request)

    async def chat(self, model: Model, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        if self._format(model) == "toolkit":
            await self.write_prompt(model, request)
        telling = asyncio.create_task(self._tell_quiet(model))
        try:
            async with aclosing(super().chat(model, request)) as deltas:
                async for delta in deltas:
                    telling.cancel()
                    yield delta
        finally:
            telling.cancel()

    def notes(self, model: Model, request: ChatRequest) -> list[str]:
        notes = super().notes(model, request)
        if self._format(model) != "openai":
            notes += plainly({**self.options.settings, **model.settings})
        return notes

    def kind_of(self, status: int, said: Complaint) -> type[errors.EngineError] | None:
        if said.code in _TGI_KINDS:
            too_long = said.code == "validation" and _TOO_LONG.search(said.message)
            return errors.ContextOverflow if too_long else _TGI_KINDS[said.code]
        if status == 503 and not _is_router(self.options.address) and _is_starting(said):
            return errors.StillLoading
        return errors.ServerFailed if status == 424 else None

    def _format(self, model: Model) -> str:
        return self.one_of(model, "format", [*_PATHS])

    def _hold(self, model: Model) -> int:
        return int(self.seconds(model, "scale_up_timeout", SCALE_UP_SECONDS))

    async def _tell_quiet(self, model: Model) -> None:
        seconds = 0.0
        while self._hold(model):
            await asyncio.sleep(QUIET_SECONDS)
            seconds += QUIET_SECONDS
            self.tell(
                "loading",
                model,
                message=f"{model.id} ({self.options.name}) has been silent for {seconds:.0f} s: an"
                " endpoint that was scaled to zero takes minutes to start, please wait …",
            )

    def _text_body(self, model: Model, request: ChatRequest) -> dict[str, Any]:
        self.refuse_form(model, request)
        sent, _ = self.rules(model).apply(request.parameters)
        form = self._format(model)
        parameters = sampling(sent)
        parameters["return_full_text"] = False
        if form == "tgi":
            parameters["details"] = True
            if isinstance(stop := parameters.get("stop"), str):
                parameters["stop"] = [stop]
            if request.schema:
                parameters["grammar"] = {"type": "json", "value": dict(request.schema)}
        else:
            parameters.pop("stop", None)  # looked for on our side
            if request.schema:
                raise self._cannot(model, f"keep to a schema in format {form}")
        inputs = self.prompt(model, request)
        return {"inputs": inputs, "parameters": parameters, **request.extra}


def sampling(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as TGI takes them: greedy is no temperature, and what means "off" is left out."""
    sent = dict(parameters)
    temperature = sent.get("temperature")
    if temperature is not None:
        sent["do_sample"] = temperature > 0
    if temperature == 0:
        for name in ("temperature", "top_p", "top_k", "typical_p"):
            sent.pop(name, None)
    if sent.get("top_p", 0.5) >= 1 or sent.get("top_p", 0.5) <= 0:
        del sent["top_p"]
    if sent.get("top_k") == 0:
        del sent["top_k"]
    return sent


def _words(request: ChatRequest) -> Sequence[str]:
    stop = request.parameters.get("stop") or ()
    return [stop] if isinstance(stop, str) else [*stop]


def _is_router(address: str) -> bool:
    return (urlsplit(address).hostname or "").endswith("router.huggingface.co")


def _is_starting(said: Complaint) -> bool:
    """Whether a 503 means that the endpoint is on its way; else its server is too busy.

    Servers of models answer in JSON. What stands before one that is scaled to zero gives a page, or
    nothing.
    """
    return not said.fields or _STARTING.search(said.message) is not None


_STARTING = re.compile(
    r"(?i)\b(loading|starting|initiali[sz]|scal(ed|ing)|warming up|not (yet )?ready)"
    r"|^(503 )?service (temporarily )?unavailable$"
)


# Answers ------------------------------------------------------------------------------------------

_TGI_KINDS: Mapping[str, type[errors.EngineError]] = {
    "validation": errors.BadRequest,
    "generation": errors.ServerFailed,
    "incomplete_generation": errors.ServerFailed,
    "overloaded": errors.Overloaded,
    "unhealthy": errors.StillLoading,
    "healthcheck": errors.StillLoading,
}
_TGI_STATUS = {"validation": 422, "generation": 424, "overloaded": 429, "unhealthy": 503}
_TOO_LONG = re.compile(r"inputs.*(must be <=|must have less than)")
"""TGI gives the code `validation` to every request that it cannot use."""
_FINISH: Mapping[str, Finish] = {"length": "length", "eos_token": "stop", "stop_sequence": "stop"}


class TGIParser(http.Parser):
    """TGI's own events; the one that has `generated_text` is the last."""

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self._stop = StopWords(stop)

    def parse(self, event: ServerEvent) -> Delta | http.End | None:
        data = json.loads(event.data)
        if isinstance(data, list):  # the compatible route `/` answers so
            data = data[0]
        if "error" in data:
            raise http.Refusal(_TGI_STATUS.get(str(data.get("error_type")), 500), data)
        token = data.get("token")
        if token is None:  # not streamed
            text = self._stop.feed(data["generated_text"])
        else:
            text = "" if token.get("special") else self._stop.feed(token["text"])
        if data.get("generated_text") is None:
            return Delta(text) if text else None
        details = data.get("details") or {}
        return Delta(
            text + self._stop.rest(),
            finish=_FINISH.get(str(details.get("finish_reason")), "stop"),
            usage=_usage(details),
            stop=self._stop.found,
        )


class ToolkitParser(http.Parser):
    """One JSON answer: the whole text, with or without the prompt before it."""

    def __init__(self, prompt: str, stop: Sequence[str] = (), limit: int | None = None) -> None:
        self._prompt = prompt
        self._limit = limit
        self._stop = StopWords(stop)

    def parse(self, event: ServerEvent) -> Delta | http.End | None:
        data = json.loads(event.data)
        if isinstance(data, dict) and "error" in data:
            raise http.Refusal(500, data)
        first = data[0] if isinstance(data, list) else data
        text = first["generated_text"].removeprefix(self._prompt)
        kept = self._stop.feed(text) + self._stop.rest()
        cut = not self._stop.found and may_be_cut(text, self._limit)
        return Delta(kept, finish="length" if cut else "stop", stop=self._stop.found)


def _usage(details: Mapping[str, Any]) -> Usage | None:
    generated = details.get("generated_tokens")
    if generated is None:
        return None
    # TGI tells the length of the prompt under one of two names, by its version.
    prompt = details.get("input_length") or len(details.get("prefill") or ())
    return Usage(int(prompt), int(generated))
