"""Models that can be fetched: good ones to begin with, those of the hub, what a repository has."""

from __future__ import annotations

import asyncio
from typing import Any

from ..models.hub.choices import Choice, choices
from ..models.hub.search import Found, find
from ..models.machine import Machine, probe
from ..models.store import ModelStore
from ..wire import resources as wire
from .exchange import Call, Response, Route, as_json
from .shapes import FLAG, TEXT, TEXT_OR_NONE, holds, listing, one_of

_SIZE = {"type": ["integer", "null"]}
_FIT = one_of("fits", "too large", "")
_FOUND = holds(
    id=TEXT,
    object=one_of("hub.model"),
    name=TEXT,
    source=TEXT,
    size=_SIZE,
    fit=_FIT,
    licence=TEXT,
    downloads=_SIZE,
    remark=TEXT,
    here=TEXT_OR_NONE,
)
_CHOICE = holds(
    id=TEXT,
    object=one_of("hub.choice"),
    quantisation=TEXT,
    size=_SIZE,
    fit=_FIT,
    chosen=FLAG,
    remark=TEXT,
)


async def _search(call: Call) -> Response:
    search = await find(call.request.query.get("q", ""))
    rows = await asyncio.to_thread(_written, search.found, call.store)
    return as_json({**wire.listed(rows), "remark": search.remark})


def _written(found: list[Found], store: ModelStore) -> list[dict[str, Any]]:
    machine, here = probe(), _here(store)
    return [
        {
            "id": one.name,
            "object": "hub.model",
            "name": one.name,
            "source": one.source,
            "size": one.size,
            "fit": one.fits(machine),
            "licence": one.licence,
            "downloads": one.downloads,
            "remark": one.remark,
            "here": here.get(one.name.casefold()) or here.get(one.sha256 or " "),
        }
        for one in found
    ]


def _here(store: ModelStore) -> dict[str, str]:
    """The models that are here, by their ids and by the hashes of their files."""
    found: dict[str, str] = {}
    for model in store.list():
        if model.state == "ready":
            found[model.id.casefold()] = model.reference
            hashes = model.metadata.get("sha256")
            for one in hashes.values() if isinstance(hashes, dict) else ():
                found[str(one)] = model.reference
    return found


async def _choices(call: Call) -> Response:
    machine = await asyncio.to_thread(probe)
    found = await choices(call.request.query.get("source", ""), machine)
    return as_json(wire.listed([_choice(one, machine) for one in found]))


def _choice(one: Choice, machine: Machine) -> dict[str, Any]:
    return {
        "id": one.source,
        "object": "hub.choice",
        "quantisation": one.quantisation,
        "size": one.size,
        "fit": one.fits(machine),
        "chosen": one.chosen,
        "remark": one.remark,
    }


ROUTES = (
    Route(
        "GET",
        "/hub",
        _search,
        "Models that can be fetched; without words, good ones to begin with.",
        shape={**listing(_FOUND), "additionalProperties": True},
        query={"q": "words of the name"},
    ),
    Route(
        "GET",
        "/hub/choices",
        _choices,
        "The quantisations of a repository, and which of them suits this machine.",
        shape=listing(_CHOICE),
        query={"source": "the repository, `hf:org/repo`"},
    ),
)
