"""What an answer costs, where its price is known: by the user's word, or by `genai-prices`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...types import Usage


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


@dataclass(frozen=True, slots=True)
class ListedPrice(Price):
    """A price from the list of `genai-prices`, which may rise with the length of the prompt; the
    numbers in front are those of a short one."""

    model: str = ""
    address: str = ""

    def of(self, usage: Usage) -> float:
        return _listed(self.model, self.address, usage)


def described(metadata: Mapping[str, Any], source: str) -> Price | None:
    """The price that a model's description has: `"price": {"prompt": 2.5, "completion": 10}` in its
    `metadata`, with `cached`, `currency` and `date` where they matter. `None` for what is no price.
    """
    written = metadata.get("price")
    if not isinstance(written, Mapping):
        return None
    prompt, completion, cached = (
        _money(written.get(n)) for n in ("prompt", "completion", "cached")
    )
    if prompt is None or completion is None:
        return None
    currency, date = str(written.get("currency") or "USD"), str(written.get("date") or "")
    return Price(prompt, completion, cached, currency, source, date)


def _money(value: Any) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number and 0 <= value < math.inf else None


def listed(model: str, address: str) -> Price | None:
    """The price of a model at the API of that address, as the extra `prices` has it.

    `None` where the package is not installed, or has no such model there: never a likely one.
    """
    try:
        from genai_prices import __version__

        prompt, completion, cached = (
            _listed(model, address, usage) * 1e6
            for usage in (Usage(1), Usage(0, 1), Usage(1, 0, 1))
        )
    except (ImportError, LookupError, ValueError):
        return None
    source = f"genai-prices {__version__}"
    return ListedPrice(prompt, completion, cached, source=source, model=model, address=address)


def _listed(model: str, address: str, usage: Usage) -> float:
    """Raises `LookupError` for what is not in the list."""
    import genai_prices

    counted = genai_prices.Usage(
        input_tokens=usage.prompt,
        cache_read_tokens=usage.cached,
        output_tokens=usage.completion,
    )
    return float(genai_prices.calc_price(counted, model, provider_api_url=address).total_price)
