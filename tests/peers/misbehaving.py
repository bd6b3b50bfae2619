"""Our own server that misbehaves on request, for what real peers cannot be made to do."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from support.server import PROGRAM

from .process import HOST, Peer


class Misbehaving(Peer):
    """Answers as the model's name says (see `support.server.Behaviour`); takes any key."""

    name = "misbehaving"

    def command(self) -> Sequence[str]:
        address = ["--host", HOST, "--port", str(self.port)]
        return [sys.executable, "-I", str(PROGRAM), *address]
