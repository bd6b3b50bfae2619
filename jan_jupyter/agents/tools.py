"""Functions that agents may call: jupyter-server-mcp shows them names, arguments and docstrings.

What they do is in `asking`, which is imported when one is called.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from importlib import import_module
from typing import Any, ParamSpec, TypeVar

from ..errors import JanError, UsageError

P = ParamSpec("P")
T = TypeVar("T")

LONGEST = 300.0
"""Seconds of one call."""

_log = logging.getLogger("jan_jupyter.agents")


def _tool(function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """What goes wrong is one line, and nothing takes for ever."""

    @wraps(function)
    async def call(*args: P.args, **kwargs: P.kwargs) -> T:
        name = function.__name__
        try:
            async with asyncio.timeout(LONGEST):
                return await function(*args, **kwargs)
        except TimeoutError:
            raise UsageError(f"{name} was stopped after {LONGEST:g} s.") from None
        except JanError as error:
            raise error from None
        except Exception as error:
            _log.exception("%s failed", name)
            raise JanError(f"{name} failed ({type(error).__name__}); the log tells more.") from None

    return call


async def _asking() -> Any:
    """The module; the server's loop does not wait for its import."""
    return await asyncio.to_thread(import_module, f"{__package__}.asking")


@_tool
async def jan_models() -> list[dict[str, Any]]:
    """List the language models that can be asked here with jan_ask and jan_compare.

    Each has its id, its engine, where it is answered, whether an answer costs money, and whether it
    is the default.
    """
    found: list[dict[str, Any]] = await (await _asking()).models()
    return found


@_tool
async def jan_ask(
    question: str, model: str = "", instructions: str = "", max_tokens: int = 1024
) -> dict[str, Any]:
    """Ask a language model a question and get its answer.

    model is an id of jan_models (default: the user's default model); instructions are its system
    prompt; max_tokens is at most 4096. It remembers nothing of earlier questions.
    """
    made: dict[str, Any] = await (await _asking()).ask(question, model, instructions, max_tokens)
    return made


@_tool
async def jan_compare(
    prompts: list[str], models: list[str], max_tokens: int = 256
) -> dict[str, Any]:
    """Ask several language models the same prompts and see their answers side by side.

    models are ids of jan_models, up to 6; prompts are up to 10. Long answers are cut. The
    comparison is kept: in a notebook, jan.runs["NAME"] shows the "run" of that name with all of it.
    """
    made: dict[str, Any] = await (await _asking()).compare(prompts, models, max_tokens)
    return made
