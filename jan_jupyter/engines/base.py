"""The engine seam. An engine in a package of its own is one class like this and one entry point."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, ClassVar

from ..engine_options.options import EngineOptions
from ..errors import BadRequest, EngineUnavailable
from ..models.model import Model
from ..types import (
    EMPTY,
    Audio,
    ChatRequest,
    Delta,
    Embeddable,
    Embeddings,
    Event,
    Priority,
    Ranking,
    Running,
    State,
)
from . import between


def unheard(event: Event) -> None:
    """Where events go if nobody listens."""


class Engine(ABC):
    """Runs models or speaks to a server that does. All methods run on the background loop.

    One instance serves all models of one engine name. `options` are the engine's files and
    defaults; `notify` takes events (loading with its progress, waiting …) and returns at once.
    """

    name: ClassVar[str]
    """The name that a `model.json` gives as its `engine`."""

    local: ClassVar[bool] = False
    """Whether it loads models on this machine (and so Jan's local defaults apply)."""

    installs: ClassVar[Mapping[str, str]] = EMPTY
    """The parts that `install` can bring here, each with a line that says what it costs."""

    @classmethod
    def missing(cls, options: EngineOptions) -> str:
        """What somebody must install before it can run anything, and how; empty: nothing. Cheap."""
        return ""

    @classmethod
    async def install(
        cls, options: EngineOptions, say: Callable[[str], None], part: str = ""
    ) -> None:
        """Bring a part of `installs` onto this machine (default: the one that `options` want).

        `say` takes lines about the progress. Whoever calls has shown the cost and was told to go
        on. Asking again goes on where an earlier call ended, or finds all done. Raises `JanError`.
        """
        raise EngineUnavailable(f"Engine {options.name} has nothing to install.")

    def __init__(self, options: EngineOptions, notify: Callable[[Event], None] = unheard) -> None:
        self.options = options
        self.notify = notify

    @abstractmethod
    def chat(self, model: Model, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """Answer piece by piece; the last piece (of each choice) carries `finish`.

        Ends normally only if the answer is whole; every failure is a `JanError`. Closing the
        iterator stops the generation within 200 ms.
        """

    def gives_choices(self, model: Model) -> bool:
        """Whether it can give several answers to one request (`n`), each with its `choice`."""
        return False

    async def complete(
        self,
        model: Model,
        prefix: str,
        suffix: str,
        parameters: Mapping[str, Any],
        priority: Priority = "person",
    ) -> AsyncGenerator[Delta, None]:
        """What stands between two texts, as code that is being written, or goes on from one, piece
        by piece as in `chat`, of which an engine that has nothing better makes it."""
        answer = self.chat(model, between.asking(prefix, suffix, parameters, priority))
        async with aclosing(answer) as deltas:
            async for delta in between.unfenced(deltas):
                if delta.is_last:
                    delta = replace(delta, notes=(*delta.notes, between.CHATTED))
                yield delta

    async def load(self, model: Model) -> None:
        """Return when the model can answer at once. Asking again is free."""

    async def unload(self, model: Model) -> None:
        """Give back what the model holds. Asking again is free."""

    async def embed(
        self, model: Model, texts: Sequence[Embeddable], parameters: Mapping[str, Any]
    ) -> Embeddings:
        """A vector for each text, or for the tokens of one.

        Raises `BadRequest` if the engine has none to give.
        """
        raise self._cannot(model, "embed texts")

    async def rerank(
        self, model: Model, query: str, documents: Sequence[str], parameters: Mapping[str, Any]
    ) -> Ranking:
        """The documents by how well they answer the query (`top_n` of them, if that is given).

        Raises `BadRequest` if the engine cannot rank.
        """
        raise self._cannot(model, "rank texts")

    async def count(self, model: Model, request: ChatRequest) -> int:
        """Tokens of a prompt; an estimate, rather too large than too small, where nobody counts."""
        read = [[message.role, message.text] for message in request.messages]
        size = len(json.dumps([read, *request.tools], ensure_ascii=False).encode())
        pictures = sum(message.has_images for message in request.messages)
        return size // 3 + 1000 * pictures

    async def count_now(self, model: Model, request: ChatRequest) -> int | None:
        """Tokens of a prompt where they are counted at once, as the model is in memory; never an
        estimate. `None`: not here, or not now."""
        return None

    async def speak(self, model: Model, text: str, parameters: Mapping[str, Any]) -> Audio:
        """The text spoken. Raises `BadRequest` if the engine has no voice."""
        raise self._cannot(model, "speak")

    def _cannot(self, model: Model, what: str) -> BadRequest:
        return BadRequest(
            f"Engine {self.options.name} (model {model.id}) cannot {what}; `%jan engines` lists"
            " others.",
            model=model.id,
            engine=self.options.name,
        )

    async def close(self) -> None:
        """Give back what the engine holds: connections, never workers that others share.

        It comes once: when its files were edited, after its last request, or at the end of the
        process. Nothing is asked of the engine afterwards.
        """

    async def models(self) -> list[str]:
        """The model names that the other end offers; empty if it does not tell."""
        return []

    async def running(self) -> list[Running]:
        """What it holds in memory on this machine, in whichever process."""
        return []

    def preview(self, model: Model, request: ChatRequest) -> Mapping[str, Any]:
        """The request exactly as it would be sent, without any key."""
        return {
            "engine": self.name,
            "model": model.id,
            "messages": [message.json() for message in request.messages],
            **request.parameters,
            **request.extra,
        }

    def tell(
        self, state: State, model: Model, *, progress: float | None = None, message: str = ""
    ) -> None:
        """Notify whoever watches this model."""
        self.notify(Event(state, model.id, self.options.name, progress, message))
