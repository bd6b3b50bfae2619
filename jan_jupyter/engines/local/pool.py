"""Shared worker processes: find the one that runs, or start it, for every local engine.

A folder of the user's runtime directory is the registry: `<key>.json` (what runs; only the worker
itself writes it), `<key>.log` (what its server says), `registry.lock` (held while one is started).
The key stands for model files and options, so whoever wants the same finds the same worker.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

from ... import units
from ...errors import JanError
from ...models.machine import memory
from ...programs import environment
from ...settings import runtime_folder
from ...types import EMPTY, Running
from . import supervisor

T = TypeVar("T")

WorkerState = Literal["loading", "ready", "failed"]
Progress = Callable[[float | None, str], None]
"""Takes 0 … 1 where it is known, and a line for people where there is something to say."""

START_SECONDS = 30.0
"""In which a started worker must have registered itself (loading takes as long as it takes)."""
STOP_SECONDS = 3.0
KEEP_LOG_SECONDS = 86400.0


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model file as it was when the spec was made; an exchanged file is another model."""

    path: Path
    size: int
    modified: int

    @classmethod
    def of(cls, path: Path) -> ModelFile:
        """Raises `OSError` if it is not there."""
        stat = path.stat()
        return cls(path, stat.st_size, stat.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start the server of a worker.

    It is run as `command --port N` with `input` as the first line of its standard input and its
    secret in the variable `secret_variable`. `slots`: how many requests it answers at once;
    `shared`: tokens of context that they have together, 0 if each has its own.
    `memory`: bytes it will need, 0 if nobody knows. `notes` are lines for people.
    """

    runtime: str
    command: tuple[str, ...]
    input: str = ""
    environment: Mapping[str, str] = EMPTY
    secret_variable: str = "JAN_WORKER_KEY"  # noqa: S105  a name
    slots: int = 1
    shared: int = 0
    memory: int = 0
    ceiling: int = 0
    """Bytes of its own, beside mapped files, that it may never pass; 0: no limit."""
    watched: bool = False
    """Whether its ceiling is kept by looking: a GPU's runtime reserves more than it takes."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """What a worker is for. `engine`, `files` and `options` say whether two mean the same worker.

    `launch` may take its time (it reads headers, looks for programs): it is called in a thread,
    and only if a worker must be started. It may raise a `JanError`.
    """

    model: str
    engine: str
    files: tuple[ModelFile, ...]
    options: Mapping[str, Any]
    launch: Callable[[], Launch] = field(compare=False)
    keep_alive: float = 600.0
    notes: Sequence[str] = field(default=(), compare=False)
    """Lines for people about what of the model's settings is left out."""

    @property
    def key(self) -> str:
        """A short name for engine, files and options."""
        files = [(str(file.path), file.size, file.modified) for file in self.files]
        what = json.dumps([self.engine, files, sorted(self.options.items())])
        return hashlib.sha256(what.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker as its entry tells of it."""

    key: str
    model: str
    engine: str
    runtime: str
    file: str
    slots: int
    memory: int
    """Bytes it was expected to need."""
    pid: int
    born: float
    port: int
    secret: str = field(repr=False)
    state: WorkerState
    progress: float
    since: float
    """When it was started, and below when it last worked: seconds since 1970."""
    used: float
    busy: int
    keep_alive: float
    server_pid: int = 0
    server_born: float | None = None
    exit: int | None = None
    """What the server ended with, if it failed; negative: the signal."""
    notes: Sequence[str] = ()
    """Lines for people about how it was started, for all who share it."""
    shared: int = 0
    """Tokens of context that the requests at it have together; 0 if each has its own."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        """Whether worker and server run; an entry may outlive both."""
        return (
            self.state != "failed"
            and supervisor.birth(self.pid) == self.born
            and (not self.server_pid or supervisor.birth(self.server_pid) == self.server_born)
        )


class WorkerFailed(Exception):
    """A worker did not come up, or is gone. `log` is the end of what its server said."""

    def __init__(self, why: str, *, exit: int | None = None, log: str = "") -> None:
        super().__init__(why)
        self.exit = exit
        self.log = log


class NoMemory(WorkerFailed):
    """The model cannot fit into this machine."""


class Unloaded(WorkerFailed):
    """Somebody unloaded the model while it was loading."""


# Deciding -----------------------------------------------------------------------------------------


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


# The registry -------------------------------------------------------------------------------------


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
                worker.key, expected, worker.used, worker.state != "ready" or _working(worker) > 0
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
        while (worker := self.look(key)) is None:
            if starter.poll() or time.monotonic() > deadline:
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
        if worker.alive and not self._shared(worker.key).exists() and not _working(worker):
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


def _working(worker: Worker) -> int:
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


# For the engines ----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Flight:
    """A load under way in this process, for all who wait for it."""

    spec: WorkerSpec
    task: asyncio.Task[Worker] = field(init=False)
    waiters: int = 0
    unwanted: bool = False
    """Whether it was unloaded before it was there."""


async def in_order(look: Callable[[], T]) -> T:
    """Take a short look at files, without the loop waiting for it: who asks first knows first."""
    return await asyncio.get_running_loop().run_in_executor(_LOOKS, look)


_LOOKS = ThreadPoolExecutor(1, "jan-looks")


class Workers:
    """The registry for code on an event loop, where nothing here blocks; and what a process has to
    do with the workers in it: which it has started, and which it uses.
    """

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._folder = folder
        self._flights: dict[str, _Flight] = {}
        self._tasks: set[asyncio.Task[Worker]] = set()
        self._ours: set[tuple[str, int]] = set()
        """Key and process of the workers that this process has started."""
        self._latest: dict[tuple[Any, ...], Worker] = {}
        """The worker that this process used last, by engine, model and what it is for."""
        self._in_use: Counter[str] = Counter()
        """How many requests of this process are at a worker, or on their way to it, by its key."""

    @property
    def registry(self) -> Registry:
        """That of the folder that holds now: in a thread, for it is looked at, or made."""
        return Registry(self._folder() / "workers")

    def brings_up(self, key: str) -> bool:
        """Whether somebody in this process waits for the worker of that key."""
        return key in self._flights

    async def _ask(self, work: Callable[[Registry], T]) -> T:
        """What the registry says, without the loop waiting for its files."""
        return await asyncio.to_thread(lambda: work(self.registry))

    async def ensure(self, spec: WorkerSpec, on_progress: Progress) -> Worker:
        """The worker for `spec`, ready; asking again is cheap.

        Cancelling stops a load that this process has started and nobody else here waits for.
        Raises `WorkerFailed` (`NoMemory`, `Unloaded`) and what `spec.launch` raises.
        """
        key = spec.key

        def warm(registry: Registry) -> Worker | None:
            worker = registry.look(key)
            if worker is None or worker.state != "ready" or not worker.alive:
                return None
            registry.extend(worker, spec.keep_alive)
            return worker

        if (worker := await in_order(lambda: warm(self.registry))) is not None:
            await self._follow(spec, worker)
            return worker
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(spec)
            flight.task = asyncio.create_task(self._bring_up(flight, on_progress))
            self._tasks.add(flight.task)
            flight.task.add_done_callback(lambda task: self._landed(key, flight, task))
        flight.waiters += 1
        try:
            worker = await asyncio.shield(flight.task)
            await self._follow(spec, worker)
            return worker
        finally:
            flight.waiters -= 1
            if not flight.waiters and not flight.task.done():
                self._flights.pop(key, None)
                flight.task.cancel()

    @contextmanager
    def using(self, key: str) -> Iterator[None]:
        """While this lasts, a change of settings does not end the worker of that key."""
        self._in_use[key] += 1
        try:
            yield
        finally:
            self._in_use[key] -= 1

    async def _follow(self, spec: WorkerSpec, worker: Worker) -> None:
        """Let the worker go that the same model had before its settings changed, if it is ours."""
        # One that chats and one that embeds are both wanted.
        purpose = (
            spec.engine,
            spec.model,
            *(spec.options.get(n) for n in ("embedding", "only_embeds")),
        )
        before = self._latest.get(purpose)
        if before is not None and (before.key, before.pid) == (worker.key, worker.pid):
            return
        self._latest[purpose] = worker
        if (worker.key, worker.pid) not in self._ours:
            await self._ask(lambda known: known.share(worker))
        if before is None or before.key == worker.key or self._in_use[before.key]:
            return
        if (before.key, before.pid) in self._ours:
            await self._ask(lambda known: known.leave(before))

    def _landed(self, key: str, flight: _Flight, task: asyncio.Task[Worker]) -> None:
        self._tasks.discard(task)
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not task.cancelled():
            task.exception()  # its waiters have it; if all have left, nobody needs it

    async def _bring_up(self, flight: _Flight, on_progress: Progress) -> Worker:
        loop = asyncio.get_running_loop()

        def say(message: str) -> None:
            loop.call_soon_threadsafe(on_progress, None, message)

        while True:
            claim = asyncio.create_task(self._ask(lambda known: known.claim(flight.spec, say)))
            try:
                worker, ours = await asyncio.shield(claim)
                if ours:
                    self._ours.add((worker.key, worker.pid))
                ready = None if flight.unwanted else await self._watch(worker, on_progress)
            except asyncio.CancelledError:
                with suppress(WorkerFailed, JanError, OSError):
                    worker, ours = await claim  # a thread cannot be stopped, its worker can
                    if ours:
                        await self._stop(worker)
                raise
            if ready is not None:
                return ready
            if ours or flight.unwanted:
                await self._stop(worker)
                raise Unloaded("it was unloaded while it was loading")
            # Somebody else had started it and gave up: our wish still stands.

    async def _watch(self, worker: Worker, on_progress: Progress) -> Worker | None:
        """Wait until it is ready; `None` if it went away without having failed."""
        told = -1.0
        while True:
            now, runs = await self._look(worker)
            if now is None or (now.pid, now.born) != (worker.pid, worker.born):
                return None
            if now.state == "failed" or not runs:
                raise await self.why(now)
            if now.state == "ready":
                return now
            if now.progress != told:
                on_progress(told := now.progress, "")
            await asyncio.sleep(0.01)

    async def why(self, worker: Worker) -> WorkerFailed:
        """Why a worker is gone. Gives it a moment to write down what its server ended with."""
        deadline = time.monotonic() + 1.0
        now, runs = await self._look(worker)
        while now is not None and now.pid == worker.pid and now.state != "failed":
            if not runs or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.01)
            now, runs = await self._look(worker)
        log = await self._ask(lambda known: known.log(worker.key))
        if now is not None and now.pid == worker.pid and now.state == "failed":
            return WorkerFailed("its server ended", exit=now.exit, log=log)
        return WorkerFailed("its worker process is gone", log=log)

    async def gone(self, worker: Worker) -> bool:
        """Whether a worker has ended, or its server no longer takes connections."""

        def look(registry: Registry) -> bool:
            now = registry.look(worker.key)
            if now is None or (now.pid, now.born) != (worker.pid, worker.born) or not now.alive:
                return True
            return not answers(worker)

        return await self._ask(look)

    async def left(self, worker: Worker) -> bool:
        """Whether a worker has left in order, rather than died."""
        now = await self._ask(lambda known: known.look(worker.key))
        return now is None or (now.pid, now.born) != (worker.pid, worker.born)

    async def unload(self, model: str, engine: str, file: Path | None = None) -> int:
        """End every worker of a model, also one that loads; how many there were."""

        def meant(model_of: str, engine_of: str, file_of: str) -> bool:
            return engine_of == engine and (model_of == model or file_of == str(file))

        for flight in self._flights.values():
            spec = flight.spec
            flight.unwanted |= meant(spec.model, spec.engine, str(spec.files[0].path))
        found = await self._ask(Registry.all)
        victims = [w for w in found if meant(w.model, w.engine, w.file)]
        for worker in victims:
            await self._stop(worker)
        return len(victims)

    async def running(self, engine: str) -> list[Running]:
        """The models that an engine holds for this user, whoever started them."""

        def look(registry: Registry) -> list[Running]:
            return [_running(worker) for worker in registry.all() if worker.engine == engine]

        return await self._ask(look)

    async def _look(self, worker: Worker) -> tuple[Worker | None, bool]:
        """What the entry says now, and whether the process that it names runs."""

        def look(registry: Registry) -> tuple[Worker | None, bool]:
            now = registry.look(worker.key)
            return now, now is not None and supervisor.birth(now.pid) == now.born

        return await self._ask(look)

    async def _stop(self, worker: Worker) -> None:
        await self._ask(lambda known: known.stop(worker))


SHARED = Workers(runtime_folder)
"""The one that all engines of this process use: an edited engine file makes another engine."""


def _running(worker: Worker) -> Running:
    working = _working(worker) if worker.state == "ready" else 0
    return Running(
        model=worker.model,
        engine=worker.engine,
        runtime=worker.runtime,
        state="answering" if working else worker.state,
        pid=worker.server_pid or worker.pid,
        memory=supervisor.resident(worker.server_pid)[0],
        since=worker.since,
        idle=None if working else max(0.0, time.time() - worker.used),
        busy=working,
        slots=worker.slots,
        progress=worker.progress if worker.state == "loading" else None,
    )
