"""What an answer costs, where its price is known. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ..types import Usage


@dataclass(frozen=True, slots=True)
class Price:
    """Money for a million tokens of prompt, of completion, and of prompt that was cached."""

    prompt: float
    completion: float
    cached: float | None = None
    """As any other of the prompt, unless it is given."""
    currency: str = "USD"
    source: str = ""
    """Who says so."""
    date: str = ""
    """When that was so: `2026-11-29`."""

    def of(self, usage: Usage) -> float:
        """Money for an answer; an estimate, for what a server bills is its own affair."""
        cached = self.prompt if self.cached is None else self.cached
        fresh = max(0, usage.prompt - usage.cached)
        return (
            fresh * self.prompt + usage.cached * cached + usage.completion * self.completion
        ) / 1e6
