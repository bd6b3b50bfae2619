"""What is made of texts without a conversation: a vector, an order, what fills a gap, a voice."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from . import bridge, errors
from .fold import Fold
from .models.model import Model
from .precedence import plain
from .types import Audio, ChatRequest, Embeddings, Ranking, Reply
from .workspace import shared


def embed(
    texts: str | Sequence[str], model: str | Model | None = None, **parameters: Any
) -> Embeddings:
    """A vector for each text (one for a single text). Raises `JanError`."""
    return bridge.wait(shared().router.embed(_listed(texts), model, **parameters))


async def aembed(
    texts: str | Sequence[str], model: str | Model | None = None, **parameters: Any
) -> Embeddings:
    """Await a vector for each text. Raises `JanError`."""
    return await bridge.await_(shared().router.embed(_listed(texts), model, **parameters))


def _listed(texts: str | Sequence[str], purpose: str = "embed") -> list[str]:
    if isinstance(texts, str):
        return [texts]
    if not isinstance(texts, Iterable) or isinstance(texts, bytes | bytearray | Mapping):
        raise errors.UsageError(
            f"What to {purpose} is a text or a list of texts, not {texts!r:.80}."
        )
    return [*texts]


def rerank(
    query: str,
    documents: Sequence[str],
    model: str | Model | None = None,
    top_n: int | None = None,
) -> Ranking:
    """The documents by how well they answer the query, the best first, or only the best `top_n`:
    the place of each in the list, and its score. Raises `JanError`."""
    return bridge.wait(_ranked(query, documents, model, top_n))


async def arerank(
    query: str,
    documents: Sequence[str],
    model: str | Model | None = None,
    top_n: int | None = None,
) -> Ranking:
    """`rerank`, awaited."""
    return await bridge.await_(_ranked(query, documents, model, top_n))


def _ranked(
    query: str, documents: Sequence[str], model: str | Model | None, top_n: int | None
) -> Coroutine[Any, Any, Ranking]:
    most = {} if top_n is None else {"top_n": top_n}
    return shared().router.rerank(query, _listed(documents, "rank"), model, **most)


def complete(
    prefix: str, suffix: str = "", model: str | Model | None = None, **parameters: Any
) -> Reply:
    """What stands between two texts, as code that is being written; `reply.text` has it.

    Models that have learnt to fill a gap are asked as they have learnt it, others by a chat.
    `parameters`: max_tokens, temperature, stop …. Raises `JanError`.
    """
    return bridge.wait(_completed(prefix, suffix, model, parameters))


async def acomplete(
    prefix: str, suffix: str = "", model: str | Model | None = None, **parameters: Any
) -> Reply:
    """`complete`, awaited."""
    return await bridge.await_(_completed(prefix, suffix, model, parameters))


async def _completed(
    prefix: str, suffix: str, model: str | Model | None, parameters: Mapping[str, Any]
) -> Reply:
    router = shared().router
    target = await asyncio.to_thread(router.target, model, (), parameters)
    fold = Fold(ChatRequest((), plain(target.values.parameters)), target)
    async with aclosing(router.complete(prefix, suffix, target)) as deltas:
        async for delta in deltas:
            fold.add(delta)
    return fold.reply()


def speak(text: str, model: str | Model | None = None, **parameters: Any) -> Audio:
    """The text spoken; `parameters`: voice, response_format, speed …. Raises `JanError`."""
    return bridge.wait(shared().router.speak(text, model, **parameters))
