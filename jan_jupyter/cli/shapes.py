"""What `--json` prints: the shapes of the API, where it has the same things; lists as lists.

Each takes what a command has found or done, and its arguments. A field that is here stays.
"""

from __future__ import annotations

import json
import math
import re
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from ..commands.models import Seen
    from ..engines.install.packages import Offer
    from ..errors import JanError
    from ..models.hub.search import Search
    from ..models.model import Model
    from ..types import Running


def write(value: Any) -> None:
    """Print it; nothing in it commands a terminal."""
    text = json.dumps(value, ensure_ascii=not _is_unicode(), indent=2, default=str)
    print(_harmless(text) if sys.stdout.isatty() else text, flush=True)


def _harmless(text: str) -> str:
    """JSON escapes the control characters of ASCII; here also those that others have."""
    return re.sub(
        r"[^\x20-\x7e\n]", lambda m: m[0] if m[0].isprintable() else json.dumps(m[0])[1:-1], text
    )


def _is_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


# Models -------------------------------------------------------------------------------------------


def models(found: Any, arguments: Namespace) -> Any:
    every, seen = found
    return [_model(one, seen) for one in every]


def model(found: Any, arguments: Namespace) -> Any:
    one, seen = found if isinstance(found, tuple) else (found, None)
    return _model(one, seen)


def pulled(found: Any, arguments: Namespace) -> Any:
    return _deleted("pull", found.id) if arguments.discard else _model(found)


def loaded(found: Any, arguments: Namespace) -> Any:
    model, running = found
    held = {} if running is None else _running(running)
    state = model.state if running is None else "loaded"
    return {**_model(model), "state": state, "running": held or None}


def unloaded(found: Any, arguments: Namespace) -> Any:
    model, was = found
    return {**_model(model), "was_loaded": was}


def _model(one: Model, seen: Seen | None = None) -> dict[str, Any]:
    from ..api.models import whole

    told = whole(one, one.reference)
    if seen is not None:
        told |= {"state": seen.state(one), "reason": seen.reason(one)}
    return told


def removed(left: Sequence[Path], arguments: Namespace) -> Any:
    return _deleted("model", arguments.model) | {"left": [path.name for path in left]}


def _deleted(kind: str, id: str) -> dict[str, Any]:
    from ..wire.resources import deleted

    return dict(deleted(kind, id))


def found(search: Search, arguments: Namespace) -> Any:
    from ..models.machine import probe

    machine = probe()
    return [
        {
            "id": one.name,
            "object": "offer",
            "source": one.source,
            "size": one.size,
            "fits": {"fits": True, "too large": False}.get(one.fits(machine)),
            "licence": one.licence,
            "downloads": one.downloads,
            "remark": one.remark,
        }
        for one in search.found
    ]


def running(found: Sequence[Running], arguments: Namespace) -> Any:
    return [_running(one) for one in found]


def _running(one: Running) -> dict[str, Any]:
    """`keep_alive` as it is set: -1 is for ever."""
    keep_alive = -1.0 if one.keep_alive == math.inf else one.keep_alive
    told = {**_named(one, "model"), "keep_alive": keep_alive}
    return {"id": one.model, "object": "running", **told}


def _named(value: Any, but: str) -> dict[str, Any]:
    return {name: given for name, given in asdict(value).items() if name != but}


# Engines, keys ------------------------------------------------------------------------------------


def engines(found: Any, arguments: Namespace) -> Any:
    if arguments.name in ("install", "remove"):
        names = [found] if isinstance(found, str) else [*found]
        return {"object": "package", "id": arguments.what, "action": arguments.name, "names": names}
    if arguments.name and arguments.models:
        return {"id": arguments.name, "object": "engine", "offers": _offered(found)}
    if arguments.name:
        return {"id": found["engine"], "object": "engine", **found}
    from ..api.engines import written

    rows, listening = found
    return [written(row, listening) for row in rows]


def _offered(found: Mapping[str, list[str] | JanError]) -> Any:
    return [name for there in found.values() if isinstance(there, list) for name in there]


def offers(found: Sequence[Offer], arguments: Namespace) -> Any:
    return [{"id": one.name, "object": "package", **_named(one, "name")} for one in found]


def keys(found: Any, arguments: Namespace) -> Any:
    if arguments.action:
        done = {"host": arguments.host or "", "action": arguments.action}
        return {"object": "key", "engine": found, **done}
    return [
        {"object": "key", "engine": one.engine, "host": one.host, "from": one.source}
        for one in found
    ]


# Threads ------------------------------------------------------------------------------------------


def threads(found: Any, arguments: Namespace) -> Any:
    from ..api.threads import brief, whole, written

    verb = arguments.words[0] if arguments.words else "list"
    if verb in ("show", "rename", "import"):
        messages = [written(found, message) for message in found.messages]
        return whole(found) | ({"messages": messages} if verb == "show" else {})
    if verb == "export":
        return {"object": "file", "path": str(found)}
    if verb == "rm":
        return _deleted("thread", found)
    if verb == "search":
        return [
            {
                "object": "hit",
                "thread": hit.thread.id,
                "title": hit.thread.title,
                "message": hit.message,
                "role": hit.role,
                "excerpt": hit.excerpt,
            }
            for hit in found
        ]
    return [brief(thread) for thread in found]


def status(found: Any, arguments: Namespace) -> Any:
    return found
