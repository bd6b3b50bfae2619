"""The folder of workers: find the one that runs, or start it. All here may block.

A folder of the user's runtime directory is the registry: `<key>.json` (what runs; only the worker
itself writes it), `<key>.log` (what its server says), `registry.lock` (held while one is started).
The key stands for model files and options, so whoever wants the same finds the same worker.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ... import units
from ...models.machine import memory
from ...programs import environment
from . import supervisor
from .worker import Launch, NoMemory, Worker, WorkerFailed, WorkerSpec

START_SECONDS = 30.0
"""In which a started worker must have registered itself (loading takes as long as it takes)."""
STOP_SECONDS = 3.0
KEEP_LOG_SECONDS = 86400.0


@dataclass(frozen=True, slots=True)
class Held:
    """What a worker holds: what its end would give back, when it last worked, whether it works."""

    key: str
    memory: int
    used: float
    busy: bool


def to_evict(need: int, available: int, workers: Iterable[Held]) -> list[str]:
    """The workers to end so that `need` bytes fit; none if they fit, or would not even so.

    The least recently used go first, never one that is answering, and only those that help.
    """
    missing = need - available
    if missing <= 0:
        return []
    victims: list[Held] = []
    freed = 0
    for held in sorted((w for w in workers if not w.busy), key=lambda w: w.used):
        if freed >= missing:
            break
        victims.append(held)
        freed += held.memory
    if freed < missing:
        return []
    # A large one at the end may make some before it needless: spare the most recently used first.
    for held in reversed(victims[:]):
        if freed - held.memory >= missing:
            victims.remove(held)
            freed -= held.memory
    return [held.key for held in victims]


def _is_own(path: Path) -> bool:
    """Whether it is there itself, no link, and the user's. Raises `OSError`."""
    status = path.lstat()
    is_ours = not hasattr(os, "getuid") or status.st_uid == os.getuid()
    return is_ours and not stat.S_ISLNK(status.st_mode)


class Registry:
    """The folder of workers. Everything here may block: call it in a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def look(self, key: str) -> Worker | None:
        """What the entry says; `None` if there is none that can be read and is ours."""
        path = self.folder / f"{key}.json"
        try:
            if not (_is_own(self.folder) and _is_own(path)):
                return None
            entry = json.loads(path.read_text("utf-8"))
            entry["notes"] = tuple(entry.get("notes", ()))  # a list in JSON, which has no hash
            worker = Worker(key=key, **{k: v for k, v in entry.items() if k in _FIELDS})
            return worker if all(type(getattr(worker, n)) is t for n, t in _TYPES) else None
        except (OSError, ValueError, TypeError, AttributeError):
            return None

    def all(self) -> list[Worker]:
        """Every worker that runs."""
        found = (self.look(path.stem) for path in sorted(self.folder.glob("*.json")))
        return [worker for worker in found if worker is not None and worker.alive]

    def log(self, key: str) -> str:
        """The last 16 kB that the server of a worker said."""
        try:
            with (self.folder / f"{key}.log").open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - 16384))
                return log.read().decode("utf-8", "replace")
        except OSError:
            return ""

    @contextmanager
    def locked(self) -> Iterator[None]:
        import filelock

        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not _is_own(self.folder):
            raise WorkerFailed(f"{self.folder} belongs to another user, or is a link")
        try:
            with filelock.FileLock(self.folder / "registry.lock", timeout=60, mode=0o600):
                yield
        except filelock.Timeout as error:
            raise WorkerFailed(f"another process holds {error.lock_file}") from error

    def claim(self, spec: WorkerSpec, say: Callable[[str], None]) -> tuple[Worker, bool]:
        """The worker for `spec`, loading or ready, and whether it was started here and now."""
        try:
            return self._claim(spec, say)
        except OSError as error:
            raise WorkerFailed(f"{self.folder} cannot be used ({error.strerror})") from error

    def _claim(self, spec: WorkerSpec, say: Callable[[str], None]) -> tuple[Worker, bool]:
        with self.locked():
            worker = self.look(spec.key)
            if worker is not None and worker.alive:
                if worker.state != "ready" or answers(worker):
                    return worker, False
                self.stop(worker)
            launch = spec.launch()
            for note in (*spec.notes, *launch.notes):
                say(note)
            self.clean()
            self.make_room(spec.model, launch.memory, say)
            return self.start(spec, launch), True

    def clean(self) -> None:
        """Take away entries whose worker is gone, and servers whose worker is gone."""
        for path in self.folder.glob("*.json"):
            worker = self.look(path.stem)
            if worker is None or not worker.alive:
                if worker is not None:
                    self.stop(worker)
                with suppress(OSError):
                    path.unlink(missing_ok=True)
        beside = (self.folder.glob(f"*.{kind}") for kind in ("log", "keep", "shared"))
        for path in (path for paths in beside for path in paths):
            with suppress(OSError):
                if not path.with_suffix(".json").exists() and _age(path) > KEEP_LOG_SECONDS:
                    path.unlink()

    def make_room(self, model: str, need: int, say: Callable[[str], None]) -> None:
        """End workers that nobody uses if the model needs their memory. Raises `NoMemory`."""
        available, total = memory()
        if need > total:
            raise NoMemory(
                f"it needs about {units.size(need)}, and this machine has {units.size(total)}"
            )
        running = {worker.key: worker for worker in self.all()}
        held = {}
        for worker in running.values():
            resident, of_files = supervisor.resident(worker.server_pid)
            expected = resident if worker.state == "ready" else max(resident, worker.memory)
            # Pages of a mapped file count as available although a model at work needs them.
            available -= expected - (resident - of_files)
            held[worker.key] = Held(
                worker.key, expected, worker.used, worker.state != "ready" or working(worker) > 0
            )
        for key in to_evict(need, available, held.values()):
            say(f"{running[key].model} is unloaded to make room for {model}.")
            self.stop(running[key])
            available += held[key].memory
        if need > available:
            free = units.size(max(0, available))
            say(f"{model} needs about {units.size(need)}, {free} are free: it may be slow.")

    def start(self, spec: WorkerSpec, launch: Launch) -> Worker:
        """Start the worker and return when it has registered itself."""
        key = spec.key
        log = self.folder / f"{key}.log"
        log.unlink(missing_ok=True)
        self._shared(key).unlink(missing_ok=True)
        with open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as output:
            starter = subprocess.Popen(
                [sys.executable, "-I", supervisor.__file__],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                env=environment(os.environ),
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        assert starter.stdin is not None
        with suppress(BrokenPipeError), starter.stdin:
            starter.stdin.write(json.dumps(self._order(spec, launch)).encode())
        deadline = time.monotonic() + START_SECONDS
        while True:
            ended = starter.poll()  # 0: the worker has been registered
            if (worker := self.look(key)) is not None:
                break
            if ended == 0:
                raise WorkerFailed("it was ended as soon as it began", log=self.log(key))
            if ended or time.monotonic() > deadline:
                starter.kill()
                status = starter.wait()
                if status > 1 and hasattr(os, "fork"):  # the number of an error, see its `main`
                    raise OSError(status, os.strerror(status))
                raise WorkerFailed(
                    "its worker process did not start", exit=status, log=self.log(key)
                )
            time.sleep(0.005)
        if hasattr(os, "fork"):
            starter.wait()  # it has detached the worker and ended
        else:
            _started.append(starter)
        return worker

    def _order(self, spec: WorkerSpec, launch: Launch) -> dict[str, Any]:
        return {
            "folder": str(self.folder),
            "key": spec.key,
            "command": launch.command,
            "input": launch.input,
            "environment": dict(launch.environment),
            "secret_variable": launch.secret_variable,
            "bytes": sum(file.size for file in spec.files),
            "ceiling": launch.ceiling,
            "watched": launch.watched,
            "keep_alive": spec.keep_alive,
            "labels": {
                "model": spec.model,
                "engine": spec.engine,
                "runtime": launch.runtime,
                "file": str(spec.files[0].path),
                "slots": launch.slots,
                "shared": launch.shared,
                "memory": launch.memory,
                "notes": launch.notes,
            },
        }

    def _shared(self, key: str) -> Path:
        return self.folder / f"{key}.shared"

    def share(self, worker: Worker) -> None:
        """Say that somebody else than who started it uses a worker, too."""
        with suppress(OSError):
            self._shared(worker.key).touch(mode=0o600)

    def leave(self, worker: Worker) -> None:
        """End a worker that we have started, unless others use it, or it is at work."""
        if worker.alive and not self._shared(worker.key).exists() and not working(worker):
            self.stop(worker)

    def extend(self, worker: Worker, keep_alive: float) -> None:
        """Ask a worker to stay for longer than it was started for."""
        if keep_alive > worker.keep_alive:
            supervisor.write_private(self.folder / f"{worker.key}.keep", str(keep_alive))

    def stop(self, worker: Worker) -> None:
        """End a worker and its server; returns when both are gone."""
        _end(worker.pid, worker.born, signal.SIGTERM)
        if not _gone(worker.pid, worker.born, STOP_SECONDS):
            _end(worker.pid, worker.born, _KILL)
            _gone(worker.pid, worker.born, STOP_SECONDS)
        _end(worker.server_pid, worker.server_born, _KILL)
        _gone(worker.server_pid, worker.server_born, STOP_SECONDS)
        now = self.look(worker.key)
        if now is not None and (now.pid, now.born) == (worker.pid, worker.born):
            (self.folder / f"{worker.key}.json").unlink(missing_ok=True)


_FIELDS = {f.name for f in fields(Worker)} - {"key"}
_TYPES = (("pid", int), ("born", float), ("port", int), ("secret", str), ("state", str))
_started: list[subprocess.Popen[bytes]] = []
"""Workers that stay our children: on systems that cannot fork."""
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


def answers(worker: Worker) -> bool:
    """Whether the server of a worker takes connections."""
    with suppress(OSError):
        return supervisor.ask(worker.port, "/health")[0] == 200
    return False


def working(worker: Worker) -> int:
    """How many slots of a worker are answering; one at least if it is too busy to say."""
    try:
        now = supervisor.slots(worker.port, worker.secret, timeout=1.0)
    except OSError:
        return 0
    return 1 if now is None else sum(working for working, _ in now)


def _age(path: Path) -> float:
    return time.time() - path.stat().st_mtime


def _end(pid: int, born: float | None, how: int) -> None:
    if pid and born is not None and supervisor.birth(pid) == born:
        with suppress(OSError):
            os.kill(pid, how)


def _gone(pid: int, born: float | None, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while pid and born is not None and supervisor.birth(pid) == born:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True
