"""A real server that speaks the part of a model hub's HTTP interface that matters, and misbehaves.

    python tests/support/hub.py --folder F        prints {"port": N, "cdn": M}, then serves
    with Hub(folder) as hub: ...                  the same as a process of its own

Below F lie repositories, `ORG/REPO/FILE`. The hub tells of them like Hugging Face's
(`/api/models/…`, and `/ORG/REPO/resolve/REVISION/FILE`, which redirects to the CDN on another port)
and like Ollama's registry (`/v2/SPACE/NAME/manifests/TAG` of `SPACE/NAME/TAG.gguf`,
`…/blobs/DIGEST`); the CDN serves the bytes. Plain files are also at the hub's
`/plain/ORG/REPO/FILE`, and `/plain/FOLDER/` lists what lies there, as a package index does.

`hub.behave("ORG/REPO/FILE", rate=…, cut=…)` sets how a file (or `ORG/REPO`, for what its
repository answers) is served; see `Behaviour`.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_canary_0815"
BLOCK = 2**14


@dataclass
class Behaviour:
    """How a file is served. -1 means never."""

    rate: float = 0
    """Bytes per second for each connection; 0: as fast as it goes, also from now on."""
    cut: int = -1
    """Close the connection after so many bytes of it."""
    stall: int = -1
    """Send nothing more after so many bytes, and keep the connection."""
    status: int = 0
    """The CDN (for a repository: its API) answers with this HTTP status."""
    retry_after: float = -1
    times: int = -1
    """Only so many requests misbehave by `cut`, `stall` and `status`; then all is well."""
    ranges: bool = True
    """Whether ranges are given."""
    length: bool = True
    """Whether an answer of the whole file says how long it is."""
    etag: str | None = None
    """Instead of the hash; empty: none, and no time either."""
    wrong: bool = False
    """One byte of the content is another one."""
    size: int = -1
    """What the API says of the size, whatever it is."""
    hashes: bool = True
    """Whether the hub tells the SHA-256."""
    gated: bool = False
    """Only for those who have the key and were let in: nobody."""
    private: bool = False
    """Only for those who have the key."""
    signatures: int = -1
    """An address of the CDN works so many times."""


@dataclass
class Seen:
    """One request as the server saw it; `sent` counts bytes of the body that went out."""

    server: str
    path: str
    file: str
    headers: dict[str, str]
    status: int = 0
    sent: int = 0
    at: float = field(default_factory=time.monotonic)


class State:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.Lock()
        self.behaviours: dict[str, Behaviour] = {}
        self.misbehaved: dict[str, int] = {}
        self.seen: list[Seen] = []
        self.signed: dict[str, int] = {}
        self.ports: dict[str, int] = {}

    def behaviour(self, name: str) -> Behaviour:
        return self.behaviours.get(name, Behaviour())

    def may_misbehave(self, name: str) -> bool:
        """Counts it; whether the behaviour of a file still holds."""
        times = self.behaviour(name).times
        with self.lock:
            self.misbehaved[name] = self.misbehaved.get(name, 0) + 1
            return times < 0 or self.misbehaved[name] <= times


@lru_cache(maxsize=256)
def _hash(path: Path, modified: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sha256(path: Path) -> str:
    return _hash(path, path.stat().st_mtime_ns)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 0
    state: State
    name: str

    def setup(self) -> None:
        # What waits in buffers counts as sent: keep them small.
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * BLOCK)
        super().setup()

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def version_string(self) -> str:
        return "stand-in"

    # What is asked for

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if path == "/journal":
            self.answer(200, [asdict(seen) for seen in self.state.seen])
            return
        self.seen = Seen(self.name, self.path, "", {k.lower(): v for k, v in self.headers.items()})
        with self.state.lock:
            self.state.seen.append(self.seen)
        try:
            if self.name == "cdn":
                self.cdn(path)
                return
            for pattern, do in (
                (r"/api/models", self.search),
                (r"/api/models/([^/]+/[^/]+)", self.repository),
                (r"/([^/]+/[^/]+)/resolve/[^/]+/(.+)", self.resolve),
                (r"/v2/([^/]+/[^/]+)/manifests/([^/]+)", self.manifest),
                (r"/v2/([^/]+/[^/]+)/blobs/sha256:([0-9a-f]+)", self.blob),
                (r"/plain/(.+)", self.plain),
            ):
                if match := re.fullmatch(pattern, path):
                    do(*match.groups())
                    return
            self.refuse(404, "")
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def do_PUT(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.state.behaviours[body["name"]] = Behaviour(**body["behaviour"])
        self.state.misbehaved.pop(body["name"], None)
        self.answer(200, None)

    def do_DELETE(self) -> None:
        with self.state.lock:
            self.state.seen.clear()
            self.state.behaviours.clear()
            self.state.misbehaved.clear()
        self.answer(200, None)

    # Hugging Face

    def search(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        words = asked["search"][0].lower().split()
        found = []
        for folder in sorted(self.state.folder.glob("*/*")):
            name = folder.relative_to(self.state.folder).as_posix()
            if all(word in name.lower() for word in words):
                files = [{"rfilename": p.name} for p in sorted(folder.rglob("*.gguf"))]
                tags = ["gguf", "license:apache-2.0"]
                gated = "manual" if self.state.behaviour(name).gated else False
                found.append(
                    {"id": name, "downloads": 1234, "tags": tags, "gated": gated, "siblings": files}
                )
        self.answer(200, found[: int(asked["limit"][0])])

    def repository(self, name: str) -> None:
        folder, behaviour = self.state.folder / name, self.state.behaviour(name)
        if behaviour.status and self.state.may_misbehave(name):
            self.refuse(behaviour.status, "", behaviour.retry_after)
            return
        if (behaviour.private and not self.keyed()) or not folder.is_dir():
            self.refuse(404 if self.keyed() else 401, "RepoNotFound")
            return
        siblings = []
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            its = path.relative_to(folder).as_posix()
            how = self.state.behaviour(f"{name}/{its}")
            size = how.size if how.size >= 0 else path.stat().st_size
            entry: dict[str, Any] = {"rfilename": its, "size": size, "blobId": "0" * 40}
            if how.hashes:
                entry["lfs"] = {"sha256": sha256(path), "size": size, "pointerSize": 134}
            siblings.append(entry)
        self.answer(
            200,
            {"id": name, "sha": COMMIT, "cardData": {"license": "mit"}, "siblings": siblings},
        )

    def resolve(self, name: str, file: str) -> None:
        path = self.state.folder / name / file
        behaviour = self.state.behaviour(name)
        if behaviour.gated:
            self.refuse(403 if self.keyed() else 401, "GatedRepo")
            return
        if not path.is_file():
            self.refuse(404, "EntryNotFound")
            return
        how = self.state.behaviour(f"{name}/{file}")
        linked = {"X-Linked-Etag": f'"{sha256(path)}"'} if how.hashes else {}
        self.redirect(f"{name}/{file}", {"X-Repo-Commit": COMMIT, **linked})

    def plain(self, file: str) -> None:
        if file.endswith("/") and (self.state.folder / file).is_dir():
            self.listing(self.state.folder / file)
            return
        if not (self.state.folder / file).is_file():
            self.refuse(404, "")
            return
        self.file(file)

    def listing(self, folder: Path) -> None:
        names = sorted(path.name for path in folder.iterdir())
        body = "".join(f'<a href="{name}">{name}</a>\n' for name in names).encode()
        self.begin(200, {"Content-Type": "text/html", "Content-Length": str(len(body))})
        self.wfile.write(body)

    # Ollama

    def manifest(self, name: str, tag: str) -> None:
        folder = self.state.folder / name
        layers = []
        for kind, file in (("model", f"{tag}.gguf"), ("params", f"{tag}.params")):
            path = folder / file
            if path.is_file():
                digest = f"sha256:{sha256(path)}"
                media = f"application/vnd.ollama.image.{kind}"
                size = path.stat().st_size
                layers.append({"mediaType": media, "digest": digest, "size": size})
        if not layers:
            self.refuse(404, "")
            return
        self.answer(200, {"schemaVersion": 2, "layers": layers})

    def blob(self, name: str, digest: str) -> None:
        for path in (self.state.folder / name).iterdir():
            if sha256(path) == digest:
                self.redirect(path.relative_to(self.state.folder).as_posix(), {}, 307)
                return
        self.refuse(404, "")

    # The bytes

    def redirect(self, file: str, headers: Mapping[str, str], status: int = 302) -> None:
        with self.state.lock:
            signature = str(len(self.state.signed))
            self.state.signed[signature] = 0
        to = f"http://127.0.0.1:{self.state.ports['cdn']}/{file}?signature={signature}"
        self.seen.file = file
        self.answer(status, None, {"Location": to, **headers})

    def cdn(self, path: str) -> None:
        file = path.lstrip("/")
        how = self.state.behaviour(file)
        signature = parse_qs(urlsplit(self.path).query)["signature"][0]
        with self.state.lock:
            self.state.signed[signature] += 1
            if 0 <= how.signatures < self.state.signed[signature]:
                how = Behaviour(status=403)
        self.file(file, how)

    def file(self, file: str, how: Behaviour | None = None) -> None:
        self.seen.file = file
        how = how or self.state.behaviour(file)
        odd = self.state.may_misbehave(file)
        if how.status and odd:
            self.refuse(how.status, "", how.retry_after)
            return
        path = self.state.folder / file
        size = path.stat().st_size
        etag = f'"{sha256(path)[:32]}"' if how.etag is None else how.etag
        start, end, status = 0, size, 200
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range", ""))
        if asked and how.ranges and self.headers.get("if-range", etag) == etag:
            start, end = int(asked[1]), min(size, int(asked[2] or size) + 1)
            if start >= size:
                self.answer(416, None, {"Content-Range": f"bytes */{size}"})
                return
            status = 206
        headers = {"ETag": etag} if etag else {}
        if status == 206:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        if how.length or status == 206:
            headers["Content-Length"] = str(end - start)
        else:
            headers["Connection"] = "close"
            self.close_connection = True
        self.begin(status, headers)
        limit = min(n for n in (how.cut, how.stall, size) if n >= 0) if odd else size
        with path.open("rb") as content:
            content.seek(start)
            self.send(content.read, end - start, limit, how)
        if self.seen.sent < end - start:
            if odd and how.stall >= 0:
                time.sleep(60)
            self.close_connection = True

    def send(self, read: Any, count: int, limit: int, how: Behaviour) -> None:
        began = time.monotonic()
        while self.seen.sent < min(count, limit):
            block = read(min(BLOCK, min(count, limit) - self.seen.sent))
            if how.wrong and self.seen.sent == 0:
                block = block[:-1] + bytes([block[-1] ^ 1])
            self.wfile.write(block)
            self.seen.sent += len(block)
            while how.rate and (ahead := self.seen.sent / how.rate - time.monotonic() + began) > 0:
                time.sleep(min(ahead, 0.1))
                if not self.state.behaviour(self.seen.file).rate:
                    how = replace(how, rate=0)  # it was told to hurry meanwhile

    # Answers

    def keyed(self) -> bool:
        return self.headers.get("authorization") == f"Bearer {TOKEN}"

    def refuse(self, status: int, code: str, retry_after: float = -1) -> None:
        headers = {"X-Error-Code": code} if code else {}
        if retry_after >= 0:
            headers["Retry-After"] = str(round(retry_after))
        self.answer(status, {"error": f"refused {self.headers.get('authorization')}"}, headers)

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if hasattr(self, "seen"):
            self.seen.status = status

    def answer(self, status: int, value: Any, headers: Mapping[str, str] | None = None) -> None:
        body = json.dumps(value).encode()
        kind = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        self.begin(status, {**kind, **(headers or {})})
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # clients that go away are what this is for


def main() -> None:
    parser = argparse.ArgumentParser(description="A stand-in for a model hub.")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--until-stdin-ends", action="store_true")
    options = parser.parse_args()
    state = State(options.folder)
    servers = []
    for name in ("hub", "cdn"):
        handler = type(name, (Handler,), {"state": state, "name": name})
        server = Server(("127.0.0.1", 0), handler)
        state.ports[name] = server.server_address[1]
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": state.ports["hub"], "cdn": state.ports["cdn"]}), flush=True)
    if options.until_stdin_ends:
        sys.stdin.buffer.read()
        os._exit(0)
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()


# For the tests ------------------------------------------------------------------------------------


class Hub:
    """The server as a process of its own. `url` is the hub's root, what `HF_ENDPOINT` is set to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> Self:
        command = [sys.executable, "-I", __file__, "--folder", str(self.folder)]
        self.process = subprocess.Popen(
            [*command, "--until-stdin-ends"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise RuntimeError(f"the hub ended at once ({self.process.returncode})")
        ports = json.loads(line)
        self.port: int = ports["port"]
        self.url = f"http://127.0.0.1:{self.port}"
        self.cdn = f"http://127.0.0.1:{ports['cdn']}"
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def add(self, name: str, content: bytes) -> Path:
        """A file, `ORG/REPO/FILE`."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def behave(self, name: str, **behaviour: Any) -> None:
        self._call("PUT", "/behaviour", {"name": name, "behaviour": asdict(Behaviour(**behaviour))})

    def clear(self) -> None:
        """Forget the journal and the behaviours."""
        self._call("DELETE", "/journal")

    def seen(self, file: str = "", server: str = "") -> list[Seen]:
        """The requests, oldest first: all, or those for a file, or of one server."""
        every = [Seen(**entry) for entry in self._call("GET", "/journal")]
        return [s for s in every if file in ("", s.file) and server in ("", s.server)]

    def sent(self, file: str) -> int:
        """Bytes of a file that went out."""
        return sum(seen.sent for seen in self.seen(file) if seen.status in (200, 206))

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        ) as connection:
            connection.request(method, path, None if body is None else json.dumps(body))
            return json.loads(connection.getresponse().read())


if __name__ == "__main__":
    main()
