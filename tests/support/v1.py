"""OpenAI's API over a workspace behind a real socket, as a server of ours offers it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from jan_jupyter import api, bridge
from jan_jupyter.workspace import Workspace


@contextmanager
def served(workspace: Workspace) -> Iterator[str]:
    """A server over the workspace; gives its base address, `http://…/v1`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path, _, query = self.path.removeprefix("/v1").partition("?")
            request = api.Request(self.command, path, dict(parse_qsl(query)), asked)
            answer = bridge.wait(api.respond(workspace, request))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            body = answer.body
            for piece in [body] if isinstance(body, bytes) else bridge.iterate(body):
                self.wfile.write(piece)

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):  # whatever method it is
                return self.do_POST
            raise AttributeError(name)

        def log_message(self, *what: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            thread.join()
