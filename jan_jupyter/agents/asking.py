"""What agents ask, within bounds: text alone, no file of the user, no thread.

The answers that cost money are counted for all agents of this process together.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from .. import bridge
from ..ask import whole
from ..chat import Chat
from ..compare.comparison import Comparison, session
from ..compare.running.facts import look_at
from ..errors import UsageError
from ..settings import settings
from ..workspace import shared
from .answering import choices

if TYPE_CHECKING:
    from ..compare.session import Session

MOST_TOKENS = 4096
MOST_TEXT = 100_000
"""Characters of a prompt."""
MOST_MODELS, MOST_PROMPTS = 6, 10
SHORT = 1500
"""Characters of each answer of a comparison."""
MOST_LISTED = 100
"""Models."""


class Purse:
    """How many answers that cost money agents have asked for in this process."""

    def __init__(self) -> None:
        self.taken = 0

    def take(self, calls: int) -> None:
        """Raises `UsageError` for more than the user allows."""
        most = settings().agent_paid_calls
        if calls and self.taken + calls > most:
            raise UsageError(
                f"This asks for {calls:,} answers that cost money; agents have had {self.taken:,}"
                f" of {most:,} (Jan.agent_paid_calls, JAN_AGENT_PAID_CALLS). Ask a model that costs"
                " nothing: jan_models tells which."
            )
        self.taken += calls


purse = Purse()


async def models() -> list[dict[str, Any]]:
    """Those that can be asked."""
    workspace = await asyncio.to_thread(shared)
    default, found = await asyncio.to_thread(choices)
    ids = {id: id for id, *_ in found[:MOST_LISTED]}
    facts = await bridge.await_(look_at(ids, workspace))
    return [
        {
            "id": id,
            "engine": fact.engine,
            "where": fact.place,
            "paid": fact.paid,
            "default": id == default,
        }
        for id, fact in facts.items()
        if not fact.error
    ]


async def ask(question: str, model: str, instructions: str, max_tokens: int) -> dict[str, Any]:
    """Raises `JanError`."""
    _check(max_tokens, question, instructions)
    if not question.strip():
        raise UsageError("The question is empty.")
    workspace = await asyncio.to_thread(shared)
    (fact,) = (await bridge.await_(look_at({"": model or None}, workspace))).values()
    chat = Chat(model or None, system=instructions or None, workspace=workspace)
    stream = await asyncio.to_thread(lambda: chat.stream(question, max_tokens=max_tokens))
    purse.take(int(fact.paid))
    reply = await whole(stream)
    return {
        "answer": reply.text,
        "model": reply.model,
        "engine": reply.engine,
        "tokens": reply.usage.completion,
        "ended": reply.ended_early or "whole",
        "notes": [*reply.notes],
    }


async def compare(prompts: list[str], models: list[str], max_tokens: int) -> dict[str, Any]:
    """Raises `JanError` for what cannot be asked at all; what fails on the way is told there."""
    _check(max_tokens, *prompts)
    if not (1 <= len(models) <= MOST_MODELS and 1 <= len(prompts) <= MOST_PROMPTS):
        raise UsageError(f"Give 1 to {MOST_MODELS} models and 1 to {MOST_PROMPTS} prompts.")
    workspace = await asyncio.to_thread(shared)

    def planned() -> Session:
        shared_by_all = {"max_tokens": max_tokens}
        return session(prompts, models, parameters=shared_by_all, workspace=workspace, yes=True)

    asked = await asyncio.to_thread(planned)
    purse.take((await bridge.await_(asked.planned())).paid)
    await asked.await_(asked.steps())
    return await asyncio.to_thread(_compared, Comparison(asked))


def _check(max_tokens: int, *texts: str) -> None:
    """Raises `UsageError` for more than one call may ask for."""
    if not 1 <= max_tokens <= MOST_TOKENS:
        raise UsageError(f"`max_tokens` is 1 to {MOST_TOKENS:,}, not {max_tokens}.")
    if sum(map(len, texts)) > MOST_TEXT:
        raise UsageError(f"That is too much text: up to {MOST_TEXT:,} characters are asked.")


def _compared(comparison: Comparison) -> dict[str, Any]:
    """What an agent needs of it, in few words."""
    answers = []
    for row in comparison.table():
        text = row["text"] or ""
        cut = f"{text[:SHORT]}…" if len(text) > SHORT else text
        kept = ("seconds", "total"), ("tokens", "tokens"), ("cost", "cost"), ("error", "error")
        told = {name: row[field] for name, field in kept if row[field] not in (None, "")}
        answers.append({"prompt": row["case"], "model": row["contestant"], "answer": cut, **told})
    return {"run": comparison.name, "answers": answers}
