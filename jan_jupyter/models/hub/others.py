"""Which other quantisations of a model its repository has."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable

from ... import errors, units
from ..model import Model
from .huggingface import key, listing
from .variants import variants_of
from .web import Web

SECONDS = 8.0
"""So long a repository is waited for: it is only a hint."""
_REPOSITORY = re.compile(
    r"(?:https?://(?:www\.)?(?:huggingface\.co|hf\.co)/([^/]+/[^/]+)/(?:resolve|blob)/"
    r"|hf://([^/]+/[^/@]+))",
    re.IGNORECASE,
)


def repository_of(model: Model) -> str:
    """Where on Hugging Face a model came from, as its description tells; empty: nobody knows."""
    addresses = (str(source.get("url", "")) for source in model.sources)
    found = filter(None, map(_REPOSITORY.match, addresses))
    return next((match[1] or match[2] for match in found), "")


async def others(models: Iterable[Model], here: Iterable[str]) -> str:
    """A line on the quantisations that could be pulled beside those that are `here`.

    Empty where nobody knows where the models came from. Without a network it says so, and never
    fails.
    """
    found = filter(None, map(repository_of, models))
    repository = next(found, "")
    if not repository:
        return ""
    web = Web(key)
    try:
        async with asyncio.timeout(SECONDS):
            _, files = await listing(repository, web)
    except (errors.JanError, TimeoutError) as error:
        why = str(error) or f"it has not answered within {SECONDS:.0f} s."
        return f"What {repository} has beside these is not known: {why}"
    finally:
        await web.close()
    known = {label.casefold() for label in here}
    offered = {
        variant.quantisation: f"{variant.quantisation} ({units.size(variant.size)})"
        for variant in variants_of(files)
        if variant.quantisation and variant.quantisation.casefold() not in known
    }
    if not offered:
        return f"{repository} has no other quantisation."
    return (
        f"{repository} also has {', '.join(offered.values())}:"
        f" `%jan pull hf:{repository}:{next(iter(offered))}` fetches one."
    )
