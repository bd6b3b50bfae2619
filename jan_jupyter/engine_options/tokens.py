"""Tokens instead of keys: asked for when they are needed, kept in memory alone."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from ..errors import UsageError, expect

Provider = Callable[[], "str | Awaitable[str]"]

_providers: dict[str, Provider] = {}


def set_token_provider(engine: str, provider: Provider | None) -> None:
    """Let `provider()` give the token for an engine's requests (`None`: its key again).

    `engine` is the name of an engine or of an engine file. The provider may be async; one that is
    not runs in a thread. It is asked for every request, so it should keep its token while that is
    good (as `azure.identity.get_bearer_token_provider` does), and once more after a refusal.
    """
    expect(engine, str, "An engine is named by text")
    if provider is None:
        _providers.pop(engine.lower(), None)
    elif not callable(provider):
        raise UsageError(f"A token provider is a function, not {provider!r:.80}.")
    else:
        _providers[engine.lower()] = provider


def provider(engine: str) -> Provider | None:
    """The provider that was set under that name, in lower case."""
    return _providers.get(engine)


async def ask(provider: Provider) -> str:
    """The token, in whichever way it is given. Raises what the provider raises."""
    call: Callable[[], Any] = provider
    given = await asyncio.to_thread(call)  # an async one only makes its coroutine there
    token = await given if inspect.isawaitable(given) else given
    if not token or not isinstance(token, str):
        raise ValueError("it gave no text")
    return token
