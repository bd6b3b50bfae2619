"""Tokens instead of keys: asked for when they are needed, kept in memory alone."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from ..errors import UsageError, expect
from ..settings import own_data_folder

Provider = Callable[[], "str | Awaitable[str]"]

_providers: dict[tuple[Path, str], Provider] = {}
"""By the data folder that they are for, and the name of the engine in lower case."""


def set_token_provider(
    engine: str, provider: Provider | None, data_folder: Path | str | None = None
) -> None:
    """Let `provider()` give the token for an engine's requests (`None`: its key again).

    `engine` is the name of an engine or of an engine file. The provider may be async; one that is
    not runs in a thread. It is asked for every request, so it should keep its token while that is
    good (as `azure.identity.get_bearer_token_provider` does), and once more after a refusal.
    As a kept key it is for one data folder: that of the user's settings, or of a `Workspace`.
    """
    expect(engine, str, "An engine is named by text")
    expect(data_folder, Path | str | None, "A data folder is a path")
    place = _place(Path(data_folder) if data_folder else None, engine)
    if provider is None:
        _providers.pop(place, None)
    elif not callable(provider):
        raise UsageError(f"A token provider is a function, not {provider!r:.80}.")
    else:
        _providers[place] = provider


def provider(engine: str, folder: Path | None = None) -> Provider | None:
    """The provider that was set under that name; `folder`: as for a kept key."""
    return _providers.get(_place(folder, engine)) if _providers else None


def _place(folder: Path | None, engine: str) -> tuple[Path, str]:
    return (folder or own_data_folder()).expanduser().absolute(), engine.lower()


async def ask(provider: Provider) -> str:
    """The token, in whichever way it is given. Raises what the provider raises."""
    import asyncio  # it costs more than all of this file, and few have tokens

    call: Callable[[], Any] = provider
    given = await asyncio.to_thread(call)  # an async one only makes its coroutine there
    token = await given if inspect.isawaitable(given) else given
    if not token or not isinstance(token, str):
        raise ValueError("it gave no text")
    return token
