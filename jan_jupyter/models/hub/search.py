"""Models that can be pulled: a curated list, and what Hugging Face finds."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ... import errors
from ...engine_options.engine_rows import DATA
from ...types import EMPTY
from ..machine import Machine
from .huggingface import endpoint, key
from .variants import needed, quantisation_of, rooms
from .web import Refused, Web, refusal


@dataclass(frozen=True, slots=True)
class Found:
    """A model that can be pulled. `size` in bytes, if known; `remark` for people."""

    name: str
    source: str
    size: int | None = None
    licence: str = ""
    remark: str = ""
    downloads: int | None = None
    sha256: str = ""
    parameters: Mapping[str, Any] = EMPTY
    """What its makers advise."""

    def fits(self, machine: Machine) -> str:
        """Whether a machine has the memory for it: `fits`, `too large`, or nothing known."""
        if self.size is None:
            return ""
        return "fits" if needed(self.size) <= max(rooms(machine))[0] else "too large"


@functools.cache
def curated() -> tuple[Found, ...]:
    """Good models to begin with, the smallest first; `data/hub.json` says as of when."""
    raw = json.loads((DATA / "hub.json").read_text("utf-8"))
    return tuple(
        Found(
            entry["name"],
            f"{_place(entry)}/{entry['file']}",
            round(entry["gb"] * 1e9),
            entry["licence"],
            entry["remark"],
            sha256=entry.get("sha256", ""),
            parameters=entry.get("parameters", EMPTY),
        )
        for entry in sorted(raw["models"], key=lambda entry: entry["gb"])
    )


def _place(entry: Mapping[str, str]) -> str:
    return f"pypi:{entry['package']}" if "package" in entry else f"hf:{entry['repository']}"


@dataclass(frozen=True, slots=True)
class Search:
    """What was found; `remark` tells where it was not possible to look."""

    found: list[Found]
    remark: str = ""


async def find(words: str) -> Search:
    """Models for these words: of the curated list, then of Hugging Face, most downloaded first.

    Without words all of the curated list. Without a network there is that list, and a remark.
    """
    asked = words.casefold().split()
    found = [
        model
        for model in await asyncio.to_thread(curated)
        if all(word in f"{model.name} {model.source}".casefold() for word in asked)
    ]
    if not asked:
        return Search(found, "Good models to begin with, by size; `%jan pull NAME` fetches one.")
    web = Web(key)
    try:
        return Search([*found, *await _search(words, web)])
    except errors.ModelError as error:
        return Search(found, f"Only models of the curated list: {error}")
    finally:
        await web.close()


async def _search(words: str, web: Web, limit: int = 20) -> list[Found]:
    url = (
        f"{endpoint()}/api/models?search={quote(words)}&filter=gguf&sort=downloads"
        f"&limit={limit}&full=true"
    )
    try:
        raw = await web.json(url)
        return [_found(entry) for entry in raw if isinstance(entry, dict)]
    except Refused as refused:
        raise refusal(refused, f"search for {words!r}") from None
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise errors.DownloadFailed(
            f"{endpoint()} answers a search in a way that is not understood."
        ) from error


def _found(entry: Mapping[str, Any]) -> Found:
    name = str(entry["id"])
    tags = [str(tag) for tag in entry.get("tags") or ()]
    licence = next((tag[len("license:") :] for tag in tags if tag.startswith("license:")), "")
    labels = {quantisation_of(str(f.get("rfilename"))) for f in entry.get("siblings") or ()}
    remarks = [
        f"{len(labels - {''})} quantisations" if len(labels - {""}) > 1 else "",
        "gated: its conditions must be accepted" if entry.get("gated") else "",
    ]
    downloads = entry.get("downloads")
    return Found(
        name,
        f"hf:{name}",
        licence=licence,
        remark=", ".join(filter(None, remarks)),
        downloads=downloads if isinstance(downloads, int) else None,
    )
