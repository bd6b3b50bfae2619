"""The process that keeps one local model server: starts it, registers it, ends it when it is idle.

    python -I worker.py < order.json

It detaches from whoever started it (a kernel that restarts ends all its children), starts the
server given in the order on a free loopback port with a secret that it makes up, and writes what
a client must know into its registry entry. It is the only writer of that entry. It leaves when
nobody has asked for `keep_alive` seconds, on SIGTERM, or when its entry is gone; the server never
outlives it.

The server is any program that takes `--port N`, finds its secret in an environment variable, and
answers `/health` (200 when it can work) and `/slots` (a list with `is_processing` and `id_task`).

Only the standard library is imported: it runs with any interpreter, and stays small.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

LARGEST_LOG = 2**20
FIRST_REQUEST_SECONDS = 5.0
"""A worker waits at least so long for its first request, however short its keep-alive."""
SILENT_SECONDS = 20.0
"""A server that says nothing for so long, while nobody waits for it, is at what was stopped."""
STACK = 8 * 2**20
"""Bytes of the stack of each of a server's threads, where it has a ceiling that the system keeps:
all of it counts, used or not, and some systems are set to a thousand times as much."""

LINUX = sys.platform.startswith("linux")


# Shared with the client ---------------------------------------------------------------------------


def birth(pid: int) -> float | None:
    """When a process began, in a unit of this system; `None` if it does not run (any more).

    A process id is given again after its process has ended; together with its birth it is unique.
    """
    if LINUX:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2]
        except OSError:
            return None
        state, *rest = fields.split()
        return None if state in "ZX" else float(rest[18])
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def resident(pid: int) -> tuple[int, int]:
    """Bytes of memory a process holds, and how many of them are pages of files."""
    if LINUX:
        try:
            pages = Path(f"/proc/{pid}/statm").read_text("ascii").split()
        except OSError:
            return 0, 0
        size = os.sysconf("SC_PAGE_SIZE")
        return int(pages[1]) * size, int(pages[2]) * size
    import psutil

    try:
        return psutil.Process(pid).memory_info().rss, 0
    except psutil.Error:
        return 0, 0


def write_private(path: Path, text: str) -> None:
    """Write a file at once and for this user alone."""
    new = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with open(
            os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", -1, "utf-8"
        ) as f:
            f.write(text)
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def ask(port: int, path: str, secret: str = "", timeout: float = 2.0) -> tuple[int, bytes]:
    """GET from a loopback server: status and body. Raises `OSError`; timeouts are `TimeoutError`.

    A few lines here save each kernel the import of an HTTP client on its way to a warm model.
    """
    with socket.create_connection(("127.0.0.1", port), timeout) as connection:
        key = f"Authorization: Bearer {secret}\r\n" if secret else ""
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n{key}\r\n".encode("ascii"))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    try:
        return int(head.split(None, 2)[1]), body
    except (IndexError, ValueError):
        raise OSError("not an HTTP answer") from None


def slots(port: int, secret: str, timeout: float = 2.0) -> list[tuple[bool, int]] | None:
    """For each slot whether it works and on which task; `None` if the server is too busy to say.

    Raises `OSError` if it does not answer at all.
    """
    try:
        status, body = ask(port, "/slots", secret, timeout)
        if status != 200:
            return None
        return [(bool(s["is_processing"]), int(s.get("id_task", -1))) for s in json.loads(body)]
    except (TimeoutError, ValueError, TypeError, KeyError):
        return None


def connected(pid: int, port: int) -> bool:
    """Whether a client holds a connection to the server of that port."""
    if LINUX:
        try:
            lines = Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]
        except OSError:
            return False
        rows = (line.split()[1:4] for line in lines)
        return any(local.endswith(f":{port:04X}") and state == "01" for local, _, state in rows)
    import psutil

    try:
        process = psutil.Process(pid)
        # psutil before 6, as Colab and Kaggle have it, has the older name.
        found = getattr(process, "net_connections", None) or process.connections
        connections = found("tcp")
    except psutil.Error:
        return False
    return any(c.laddr.port == port and c.status == psutil.CONN_ESTABLISHED for c in connections)


# The worker ---------------------------------------------------------------------------------------


class Worker:
    """One server and its entry. `order` is what `workers.py` writes to our standard input."""

    def __init__(self, order: Mapping[str, Any]) -> None:
        self.order = order
        self.folder = Path(order["folder"])
        self.file = self.folder / f"{order['key']}.json"
        self.log = self.folder / f"{order['key']}.log"
        self.keep = self.folder / f"{order['key']}.keep"
        self.secret = os.urandom(24).hex()
        self.port = _free_port()
        self.ceiling = int(order["ceiling"])
        self.watched = bool(order["watched"]) or not LINUX
        """Whether what the server holds is looked at, instead of a limit that the system keeps."""
        self.wake = threading.Event()
        self.leaving = False
        now = time.time()
        self.entry: dict[str, Any] = {
            **order["labels"],
            "pid": os.getpid(),
            "born": birth(os.getpid()),
            "port": self.port,
            "secret": self.secret,
            "state": "loading",
            "progress": 0.0,
            "since": now,
            "used": now,
            "busy": 0,
            "keep_alive": order["keep_alive"],
        }
        self.written: object = None

    def tell(self, **changes: Any) -> None:
        """Change the entry; one that somebody took away stays away."""
        if self.written and not self._registered():
            self._leave()
            return
        self.entry.update(changes)
        write_private(self.file, json.dumps(self.entry))
        self.written = self._stamp()

    def run(self) -> None:
        signal.signal(signal.SIGTERM, self._leave)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            server = self._start()
        except OSError as error:
            print(f"cannot start {self.order['command'][0]}: {error}", file=sys.stderr)
            self.tell(state="failed", exit=None)
            return
        try:
            self.tell(server_pid=server.pid, server_born=birth(server.pid))
            if self._load(server):
                self._serve(server)
            if not self.leaving and (status := server.poll()) is not None:
                self.tell(state="failed", exit=status, busy=0)
                return
            self._unregister()
        finally:
            server.kill()
            server.wait()

    def _leave(self, *_: object) -> None:
        self.leaving = True
        self.wake.set()

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **self.order["environment"]}
        environment[self.order["secret_variable"]] = self.secret
        limit = 0 if self.watched else self.ceiling
        if limit:
            environment["OMP_STACKSIZE"] = f"{STACK}B"
            for other in ("GOMP_STACKSIZE", "KMP_STACKSIZE"):
                environment.pop(other, None)
        server = subprocess.Popen(
            [*self.order["command"], "--port", str(self.port)],
            stdin=subprocess.PIPE,
            env=environment,
            preexec_fn=_first_of_all(limit),
        )
        assert server.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            # It stays open: where the system cannot tie a child to us, its end says that we died.
            server.stdin.write(self.order["input"].encode() + b"\n")
            server.stdin.flush()
        threading.Thread(target=self._notice_end, args=(server,), daemon=True).start()
        return server

    def _notice_end(self, server: subprocess.Popen[bytes]) -> None:
        server.wait()
        self.wake.set()

    def _load(self, server: subprocess.Popen[bytes]) -> bool:
        """Wait until the server can work; `False` if it ended or we shall leave."""
        began = time.monotonic()
        expected = max(1, self.order["bytes"])
        while not self.leaving and server.poll() is None and not self._goes_astray(server):
            with contextlib.suppress(OSError):
                # The second answer proves that it is our server: it knows the secret.
                if ask(self.port, "/health")[0] == 200 and slots(self.port, self.secret):
                    self.tell(state="ready", progress=1.0, used=time.time())
                    return True
            # llama.cpp gives no progress to a server's owner; what it has brought into memory, of
            # what the files hold, is measured and close to it.
            progress = round(min(0.99, resident(server.pid)[0] / expected), 2)
            if progress > self.entry["progress"]:
                self.tell(progress=progress)
            self.wake.wait(0.01 if time.monotonic() - began < 1 else 0.1)
        return False

    def _serve(self, server: subprocess.Popen[bytes]) -> None:
        """Watch the slots until it is time to leave."""
        seen: object = None
        idle_since = heard = time.monotonic()
        used = False
        while True:
            keep_alive = self._keep_alive()
            allowed = keep_alive if used else max(keep_alive, FIRST_REQUEST_SECONDS)
            self.wake.wait(min(1.0, max(0.05, keep_alive / 4)))
            if self.leaving or server.poll() is not None or not self._registered():
                return
            if self._goes_astray(server):
                return
            waited_for = connected(server.pid, self.port)
            try:
                now = slots(self.port, self.secret)
            except OSError:
                continue  # it is ending: `poll` tells in a moment
            if now is not None or waited_for:
                heard = time.monotonic()
            elif time.monotonic() - heard > SILENT_SECONDS:
                self._end(server, f"it said nothing for {SILENT_SECONDS:.0f} s")
                return
            busy = sum(working for working, _ in now) if now is not None else 1
            # A prompt that is being read into tokens has a connection, but no slot yet.
            if busy or waited_for or (now != seen and any(task >= 0 for _, task in now or ())):
                idle_since, used = time.monotonic(), True
            if now != seen:
                with contextlib.suppress(OSError):  # a full disk is no reason to end an answer
                    self.tell(busy=busy, used=time.time())
            seen = now
            if time.monotonic() - idle_since >= allowed:
                return
            self._bound_log()

    def _goes_astray(self, server: subprocess.Popen[bytes]) -> bool:
        """End a server that holds more memory than its ceiling, where the system does not; whether
        it did."""
        if not self.watched or not self.ceiling:
            return False
        held, of_files = resident(server.pid)
        if held - of_files <= self.ceiling:
            return False
        self._end(server, f"out of memory: it took {(held - of_files) / 1e9:.1f} GB")
        return True

    def _end(self, server: subprocess.Popen[bytes], why: str) -> None:
        print(why, file=sys.stderr)
        server.kill()
        server.wait()

    def _keep_alive(self) -> float:
        """The longest that any client has asked for."""
        try:
            wanted = float(self.keep.read_text("ascii"))
        except (OSError, ValueError):
            wanted = 0.0
        if wanted > self.entry["keep_alive"]:
            with contextlib.suppress(OSError):
                self.tell(keep_alive=wanted)
        return float(self.entry["keep_alive"])

    def _registered(self) -> bool:
        """Whether the entry is there and is what we wrote last."""
        return self._stamp() == self.written

    def _stamp(self) -> tuple[int, int] | None:
        try:
            stat = self.file.stat()
        except OSError:
            return None
        return stat.st_ino, stat.st_mtime_ns

    def _unregister(self) -> None:
        """Take the entry away before the server ends, so that nobody starts to use it."""
        if self.written and self._registered():
            self.file.unlink(missing_ok=True)
            self.keep.unlink(missing_ok=True)

    def _bound_log(self) -> None:
        with contextlib.suppress(OSError):
            if self.log.stat().st_size > LARGEST_LOG:
                os.truncate(self.log, 0)


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def _first_of_all(ceiling: int) -> Callable[[], None] | None:
    """What a child does first (Linux only): even `kill -9` of its parent ends it, and its own
    memory has a ceiling in bytes, unless that is 0.

    The ceiling is one of data: weights are mapped from their file and do not count, a program that
    goes astray does, and is told so by its allocator before the machine suffers.
    """
    if not LINUX:
        return None
    import ctypes
    import resource

    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def tie() -> None:
        prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)
        if ceiling:
            resource.setrlimit(resource.RLIMIT_DATA, (ceiling, ceiling))
            hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
            limits = (STACK, hard) if hard == resource.RLIM_INFINITY else (min(STACK, hard), hard)
            resource.setrlimit(resource.RLIMIT_STACK, limits)

    return tie


def main() -> None:
    order = json.load(sys.stdin.buffer)
    # No longer a child of whoever started us: a Jupyter kernel that shuts down or restarts ends
    # all its children, whatever their session. The one who goes tells whether we are registered:
    # its exit status is the number of the error if the entry could not be written.
    told, tell = os.pipe()
    if hasattr(os, "fork") and os.fork():
        os.close(tell)
        said = os.read(told, 1)
        os._exit(said[0] if said else 1)
    os.umask(0o077)
    worker = Worker(order)
    try:
        worker.tell()
    except OSError as error:
        os.write(tell, bytes([(error.errno or 1) % 256]))
        sys.exit(error.errno or 1)
    os.write(tell, b"\0")
    os.close(tell)
    os.close(told)
    worker.run()


if __name__ == "__main__":
    main()
