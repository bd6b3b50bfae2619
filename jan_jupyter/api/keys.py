"""Keys of engines: where each comes from, to give one and to take it back. None is ever told."""

from __future__ import annotations

from typing import Any

from .. import errors
from ..engine_options.keys import key_file
from ..engines.install.listing import key_places
from ..engines.keeping import Kept, kept
from ..redaction import Secret
from ..wire import resources as wire
from .exchange import Call, Route, beside
from .shapes import DELETED, FLAG, TEXT, holds, listing, one_of

_KEY = holds(
    id=TEXT,
    object=one_of("key"),
    engine=TEXT,
    source=TEXT,
    host=TEXT,
    hint=TEXT,
    kept=FLAG,
)


def _list(call: Call) -> dict[str, Any]:
    store = call.router.store
    rows = []
    for place in key_places(store):
        ours = ("keyring", str(key_file(store.engine_options(place.engine).folder)))
        rows.append(
            {
                "id": f"{place.engine}@{place.host}" if place.host else place.engine,
                "object": "key",
                "engine": place.engine,
                "host": place.host,
                "source": place.source,
                "hint": place.hint,
                "kept": place.source in ours,
            }
        )
    return wire.listed(rows)


def _set(call: Call) -> dict[str, Any]:
    place = _place(call, call.body.get("for"))
    source = place.keep(Secret(call.body["key"]))
    return {
        "id": place.name,
        "object": "key",
        "engine": place.name.partition("@")[0],
        "host": place.name.partition("@")[2],
        "source": source,
        "hint": place.wins(),
        "kept": True,
    }


def _delete(call: Call) -> dict[str, Any]:
    place = _place(call, call.request.query.get("for"))
    return wire.deleted("key", place.name, places=place.forget(), left=place.left())


def _place(call: Call, host: str | None) -> Kept:
    name = call.names["engine"]
    if not name.strip():  # in a file it means the usual one
        raise errors.EngineNotFound("An engine has a name.")
    return kept(call.router.store, name, host or None)


ROUTES = (
    Route(
        "GET",
        "/keys",
        beside(_list),
        "Where the keys of engines come from; never a key.",
        shape=listing(_KEY),
    ),
    Route(
        "PUT",
        "/keys/{engine...}",
        beside(_set),
        "Keep a key for an engine, for its own host, or for the one that `for` names.",
        "write",
        wire.GivenKey,
        shape=_KEY,
    ),
    Route(
        "DELETE",
        "/keys/{engine...}",
        beside(_delete),
        "Forget the key that is kept for an engine.",
        "write",
        shape=DELETED,
        query={"for": "the host whose key is forgotten"},
    ),
)
