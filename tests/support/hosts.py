"""The API in real servers, each a process of its own: in Jupyter's, and alone."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from .environment import isolated_environment

KEY = "sk-host-canary-4711"
OTHERS = ("jupyterlab", "jupyter_lsp", "jupyter_server_terminals", "notebook", "notebook_shim")
"""Extensions that are not under test."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Host(ABC):
    """A server of the API; what it keeps lies below `folder`. `change` is code that runs first."""

    prefix = "/jan/v1"

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        change: str = "",
        env: Mapping[str, str] | None = None,
        key: str = KEY,
    ) -> None:
        self.folder, self.key = folder, key
        self.data_folder = folder / "jan"
        self._arguments = arguments
        self._change = change
        self._environment = {**isolated_environment(folder), "JAN_KEEP_ALIVE": "3", **(env or {})}
        self.log: list[str] = []
        self._told = threading.Condition()

    @abstractmethod
    def program(self) -> tuple[list[str], str, Mapping[str, str]]:
        """Arguments, what runs them, and further variables."""

    @abstractmethod
    def listening(self, line: str) -> int | None:
        """The port that a line of its log tells."""

    def __enter__(self) -> Self:
        arguments, main, variables = self.program()
        code = f"import sys; sys.argv = ['server', *{arguments!r}]\n{self._change}\n{main}"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            env={**self._environment, **variables},
            cwd=self.folder,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self._begin()
        except BaseException:
            self.close()
            raise
        return self

    def _begin(self) -> None:
        self.port = self.wait_for(self.listening)
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:  # Jupyter tells it too early
            with suppress(ConnectionRefusedError), self.raw(""):
                return
            time.sleep(0.02)
        raise RuntimeError("\n".join(self.log))

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._told:
                self.log.append(line.rstrip())
                self._told.notify_all()
        with self._told:
            self.log.append("(end)")
            self._told.notify_all()

    def wait_for(self, found: Any, seconds: float = 60) -> Any:
        """What `found` makes of a line of the log, as soon as it makes anything of one."""

        def look() -> bool:
            return any(map(found, self.log)) or self.log[-1:] == ["(end)"]

        with self._told:
            assert self._told.wait_for(look, seconds), self.log
            for line in self.log:
                if value := found(line):
                    return value
        raise RuntimeError("\n".join(self.log))

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to end; its exit code."""
        self.process.send_signal(how)
        return self.wait()

    def wait(self) -> int:
        code = self.process.wait(30)
        self._reader.join(10)
        return code

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it, and what we hold of it."""
        if self.process.poll() is None:
            self.process.terminate()
        self.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()

    # Asking ---------------------------------------------------------------------------------------

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request below `prefix`; with the key, unless `headers` are given."""
        with self.asking(method, path, body, headers) as response:
            return Answer(response.status, dict(response.getheaders()), response.read())

    @contextmanager
    def asking(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        """The same; the answer is read by whoever asks, who may leave before its end."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with closing(connection):
            sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
            given = self.headers if headers is None else headers
            connection.request(method, self.prefix + path, sent, dict(given))
            with closing(connection.getresponse()) as response:
                yield response

    def chat(self, model: str, **more: Any) -> dict[str, Any]:
        """The body of a question to a model."""
        return {"model": model, "messages": [{"role": "user", "content": "Why?"}], **more}

    def raw(self, head: str, body: bytes = b"") -> socket.socket:
        """A connection on which a request begins: the header lines are whole, but for the end."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connection.sendall(head.replace("\n", "\r\n").encode() + body)
        return connection


class Alone(Host):
    """`jan-jupyter serve`."""

    def program(self) -> tuple[list[str], str, Mapping[str, str]]:
        arguments = ["serve", "--port", "0", *self._arguments]
        return (
            arguments,
            "from jan_jupyter.cli import main; sys.exit(main())",
            {**({"JAN_SERVE_KEY": self.key} if self.key else {})},
        )

    def listening(self, line: str) -> int | None:
        found = re.search(r"Listening at https?://\S+:(\d+)/v1", line)
        return int(found[1]) if found else None


class InJupyter(Host):
    """A Jupyter Server that finds our extension by what was installed."""

    off: tuple[str, ...] = OTHERS

    def program(self) -> tuple[list[str], str, Mapping[str, str]]:
        config = Path(self._environment["JUPYTER_CONFIG_DIR"])
        off = {"ServerApp": {"jpserver_extensions": dict.fromkeys(self.off, False)}}
        (config / "jupyter_server_config.json").write_text(json.dumps(off))
        arguments = [
            "--no-browser",
            "--allow-root",
            "--ServerApp.port=0",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.root_dir={self.folder}",
            *self._arguments,
        ]
        main = "from jupyter_server.serverapp import main; main()"
        return arguments, main, {"JUPYTER_TOKEN": self.key}

    def listening(self, line: str) -> int | None:
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        return int(found[1]) if found else None

    def cookies(self) -> dict[str, str]:
        """Headers of a page that has logged in; the cookie `_xsrf` is among them."""
        given: list[str] = []
        for page in (f"/api/status?token={self.key}", "/login"):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            with closing(connection):
                connection.request("GET", page)
                response = connection.getresponse()
                response.read()
            given += response.headers.get_all("set-cookie") or ()
        return {"Cookie": "; ".join(one.partition(";")[0] for one in given)}


HOSTS: Mapping[str, type[Alone | InJupyter]] = {"alone": Alone, "jupyter": InJupyter}
