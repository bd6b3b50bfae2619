"""Our own server that misbehaves on request, for what real peers cannot be made to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from support.server import StreamingServer

from .process import Peer


class Misbehaving(Peer):
    """Answers as the model's name says (see `support.server.Behaviour`); takes any key."""

    name = "misbehaving"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.server = StreamingServer()

    def __enter__(self) -> Self:
        self.server.__enter__()
        self.port = self.server.port
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.server.__exit__(kind, error, traceback)

    @property
    def url(self) -> str:
        return self.server.url

    def command(self) -> Sequence[str]:
        raise NotImplementedError("it starts itself")
