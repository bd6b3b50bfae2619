"""The server as a process of its own, as the tests use it."""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from .wire import Entry

PROGRAM = Path(__file__).with_name("__main__.py")


class StreamingServer:
    """The server as a process of its own, so that its pace does not depend on ours.

    `url` is its root, `base_url` the address that an OpenAI engine is given (`…/v1`).
    """

    def __enter__(self) -> Self:
        command = [sys.executable, "-I", str(PROGRAM), "--port", "0", "--until-stdin-ends"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise RuntimeError(f"the server ended at once ({self.process.returncode})")
        self.port: int = json.loads(line)["port"]
        self.url = f"http://127.0.0.1:{self.port}"
        self.base_url = f"{self.url}/v1"
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def journal(self) -> list[Entry]:
        """All chat and model requests since the last `clear`, oldest first."""
        return [Entry(**entry) for entry in self.call("GET", "/journal")]

    def wait(self, until: str, *, count: int = 1, timeout: float = 60) -> list[Entry]:
        """The journal, as soon as `count` of its entries have the field `until` set.

        `server.wait("closed")` returns when a client was seen to go, `server.wait("complete")`
        when an answer was written to its end, `server.wait("received")` when a request is there.
        """
        path = f"/journal?until={until}&count={count}&timeout={timeout}"
        entries = [Entry(**entry) for entry in self.call("GET", path, timeout=timeout + 10)]
        if sum(bool(getattr(entry, until)) for entry in entries) < count:
            raise TimeoutError(f"not {count} × {until!r} within {timeout} s: {entries}")
        return entries

    def clear(self) -> None:
        """Forget the journal, the behaviours and how often a model was asked."""
        self.call("DELETE", "/journal")

    def behave(self, model: str, behaviour: str) -> None:
        """Answer requests for `model` so; see `Behaviour`."""
        self.call("PUT", "/behaviour", {"model": model, "behaviour": behaviour})

    def call(self, method: str, path: str, body: Any = None, *, timeout: float = 10) -> Any:
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        ) as connection:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            value = json.loads(response.read())
        if response.status != 200:
            raise ValueError(value["error"])
        return value
