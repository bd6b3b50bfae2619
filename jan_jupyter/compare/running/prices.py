"""What an answer costs, where its price is known: by the user's word, or by `genai-prices`."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import UsageError
from ...fold import NOTHING
from ...types import Reply, Usage
from ..grids.frames import lines


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
    own: bool = False
    """Whether it stands in the user's table: then it counts for what is stored, too."""

    def __str__(self) -> str:
        cached = "" if self.cached is None else f", {self.cached:g} cached"
        amounts = f"{self.prompt:g} (prompt{cached}) and {self.completion:g} (answer)"
        by = ", ".join(filter(None, (self.source, self.date)))
        return f"{amounts} {self.currency} for a million tokens{by and f', by {by}'}"

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


def cost(price: Price | None, reply: Reply | None) -> float | None:
    """Money for a reply, an estimate; `None` where its price or its tokens are not known."""
    known = price is not None and reply is not None and reply.usage != NOTHING
    return price.of(reply.usage) if known and price and reply else None


def table(given: Any) -> dict[str, Price]:
    """A user's prices, by the name of a contestant or the id of a model: money for a million tokens
    of prompt and of answer.

    `{"gpt-4o": (2.5, 10)}`, or a mapping for each with `prompt`, `completion`, and `cached`,
    `currency`, `source`, `date` where they matter; or rows (a data frame, a list of mappings) of
    these with `model`. Raises `UsageError`.
    """
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return {str(name): _given(name, one) for name, one in given.items()}
    rows = [line.values for line in lines(given)]
    if nameless := next((row for row in rows if not isinstance(row.get("model"), str)), None):
        raise UsageError(f"A row of prices names its `model`, not {reprlib.repr(nameless)}.")
    return {row["model"]: _given(row["model"], row) for row in rows}


def _given(name: Any, written: Any) -> Price:
    if isinstance(written, Price):
        return written
    if isinstance(written, tuple | list) and len(written) == 2:
        written = dict(zip(("prompt", "completion"), written, strict=True))
    whole = isinstance(written, Mapping) and written.keys() <= {*_NAMES, "model"}
    source = str(written.get("source") or "your table") if whole else ""
    found = described({"price": written}, source, own=True) if whole else None
    if found is None:
        raise UsageError(
            f"The price of {name} is money for a million tokens of prompt and answer,"
            f' {{"prompt": 2.5, "completion": 10}}, with {", ".join(_NAMES[2:])} if they are known,'
            f" not {reprlib.repr(written)}."
        )
    return found


_NAMES = ("prompt", "completion", "cached", "currency", "source", "date")


def described(metadata: Mapping[str, Any], source: str, *, own: bool = False) -> Price | None:
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
    return Price(prompt, completion, cached, currency, source, date, own)


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
