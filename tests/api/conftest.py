"""A workspace whose models answer as told, behind a socket; and a plain client for its API."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jan_jupyter import bridge
from jan_jupyter.workspace import Workspace
from support.jan import add_remote
from support.server import StreamingServer
from support.v1 import served

MODELS = {
    "short": "n=20",
    "slow": "n=2000,delay=0.01",
    "refused": "status=401",
    "limited": "status=429,retry_after=600",
    "cut": "n=10,cut=5",
    "caller": "tools=2,finish=tool_calls",
    "thinker": "n=3,reasoning=2",
}


@dataclass
class Answer:
    """What came back; `json` reads it, `events` are those of a stream: (name, data)."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[tuple[str, Any]]:
        found = []
        for block in self.body.decode().strip().split("\n\n"):
            lines = dict(line.split(": ", 1) for line in block.splitlines())
            data = lines["data"]
            found.append((lines.get("event", ""), data if data == "[DONE]" else json.loads(data)))
        return found


class Client:
    """Asks a server of ours with what every Python has."""

    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}/{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request) as response:
                return Answer(response.status, dict(response.headers), response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status == 200, answer.body
        return answer.json

    def post(self, path: str, body: Any = None) -> Any:
        answer = self.ask("POST", path, {} if body is None else body)
        assert answer.status in (200, 201), answer.body
        return answer.json


@pytest.fixture
def workspace(isolated: Path, server: StreamingServer) -> Iterator[Workspace]:
    folder = isolated / "api"
    add_remote(folder, server, **MODELS)
    made = Workspace(folder)
    yield made
    bridge.wait(made.close())


@pytest.fixture
def address(workspace: Workspace) -> Iterator[str]:
    """`http://…/v1` over the workspace."""
    with served(workspace) as address:
        yield address


@pytest.fixture
def client(address: str) -> Client:
    return Client(address)
