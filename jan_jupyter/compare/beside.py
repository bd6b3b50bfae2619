"""An answer that is there, and others beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import time
from typing import Any

from ..errors import UsageError
from ..types import Reply
from ..workspace import Workspace, shared
from . import comparison
from .running.compose import Composer
from .session import Session
from .values import Call, Row


def session(
    reply: Reply, models: Sequence[str], given: Mapping[str, Any], **options: Any
) -> Session:
    """What asks other models what an answer answers; that answer is the first contestant's.

    `given`: the parameters that it was asked with. Raises `UsageError` for what no others can be
    asked alike.
    """
    said = reply.messages[:-1]
    if reply.error or not said or reply.finish == "cancelled":
        raise UsageError("That answer is not whole: ask again, then compare.")
    if reply.reader is not None or any(m.role == "tool" or m.extra for m in said):
        raise UsageError("That answer has a schema, or used functions: a comparison has neither.")
    workspace: Workspace = options.get("workspace") or shared()
    own = workspace.router.written(reply.model, reply.engine)
    asked = comparison.session([[*said]], [own, *models], parameters=given, **options)
    keys = Composer(asked.grid, workspace.router).keyed(0, 0, (0,))[2]
    asked.known = {keys[0]: Row(Call(0, 0), keys[0], replace(reply, others=()), at=time())}
    return asked
