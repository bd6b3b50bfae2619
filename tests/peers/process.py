"""How a peer is started, awaited and surely ended."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

import psutil

from support.environment import isolated_environment

REPOSITORY = Path(__file__).parents[2]
TETHER = Path(__file__).with_name("tether.py")
MODEL = REPOSITORY / "jan_jupyter/data/models/jan-mini/jan-mini.gguf"
KEY = "sk-canary-peer-0815"

HOST = "127.0.0.2" if sys.platform == "linux" else "127.0.0.1"
"""Not 127.0.0.1, where the system allows it: there our client takes a short way of its own, and
here it takes the one that it takes to every server elsewhere."""


class Unready(RuntimeError):
    """A peer did not come up; its log is in the message."""


class Peer(ABC):
    """A server as a process of its own; a context manager. `folder` takes its files and its log.

    `url` is its root, without a slash at the end; `key` is what opens it, empty if nothing is
    locked.
    """

    name: ClassVar[str]
    ready_path: str = "/health"
    start_seconds: ClassVar[float] = 120.0
    """Seconds that a start may take on a loaded machine."""
    key: str = KEY

    def __init__(self, folder: Path) -> None:
        self.folder = folder / self.name
        self.port = 0

    @abstractmethod
    def command(self) -> Sequence[str]:
        """The command that serves on `HOST` and `self.port`; may write files into the folder."""

    def environment(self) -> Mapping[str, str]:
        """Variables that the command needs beside the clean ones."""
        return {}

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    @property
    def log(self) -> str:
        """The end of what it has said."""
        return (self.folder / "log").read_text("utf-8", "replace")[-4000:]

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        for attempt in (1, 2, 3):
            self._start()
            try:
                self._await()
                return self
            except Unready:
                self.close()
                # Its port may have been taken between our look and its bind.
                if attempt == 3 or "in use" not in self.log.lower():
                    raise
            except BaseException:
                self.close()
                raise
        raise AssertionError("unreachable")

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Of the process whose children serve."""
        return self._process.pid

    def connections(self) -> int:
        """How many clients its process holds a connection with."""
        processes = psutil.Process(self.pid).children(recursive=True)
        open_now = [c for p in processes for c in p.net_connections("tcp") if c.raddr]
        return sum(c.laddr.port == self.port and c.status == "ESTABLISHED" for c in open_now)

    def close(self) -> None:
        """End it and all that it started; returns when they are gone."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and body (read as JSON if it is) of a request of the tests' own."""
        status, data = self.bytes(method, path, body, **headers)
        text = data.decode("utf-8", "replace")
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    def bytes(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        """The same, as it came."""
        host = urlsplit(self.url).hostname or HOST
        with closing(http.client.HTTPConnection(host, self.port, timeout=60)) as connection:
            data = None if body is None else json.dumps(body)
            sent = {"Content-Type": "application/json", **headers}
            connection.request(method, path, data, sent)
            response = connection.getresponse()
            return response.status, response.read()

    def _start(self) -> None:
        self.port = free_port()
        command = self.command()
        environment = {**isolated_environment(self.folder / "home"), **self.environment()}
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(TETHER), *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=environment,
            )

    def _await(self) -> None:
        deadline = time.monotonic() + self.start_seconds
        while True:
            if self._process.poll() is not None:
                raise Unready(f"{self.name} ended ({self._process.returncode}):\n{self.log}")
            try:
                if self.call("GET", self.ready_path, **self.authorization)[0] == 200:
                    return
            except (OSError, http.client.HTTPException):
                pass
            if time.monotonic() > deadline:
                raise Unready(f"{self.name} is not up in {self.start_seconds} s:\n{self.log}")
            time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as wire:
        wire.bind((HOST, 0))
        port: int = wire.getsockname()[1]
        return port


def environment_of(name: str) -> Path:
    """The folder of an environment that `make test-peers` or `make test-slow` sets up."""
    folder = REPOSITORY / f".venv-peers-{name}"
    if not (folder / "done").exists():
        raise Unready(f"{folder.name} is not set up: run `make {folder.name}/done`")
    return folder
