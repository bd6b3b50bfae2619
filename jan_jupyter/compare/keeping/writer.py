"""The one thread that writes to a store of runs, and how its file is opened.

What is handed in meanwhile is one transaction: many answers cost one wait for the disk. When the
future of a change is done, it is on the disk.
"""

from __future__ import annotations

import asyncio
import functools
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from weakref import WeakValueDictionary

from ... import bridge
from ...errors import JanError, RunNotKept, RunsUnreadable

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], T]

PATIENCE = 10.0
"""Seconds to wait for another process that writes; each does for milliseconds."""
IDLE = 30.0
"""Seconds after which a thread with nothing to write ends and closes its file."""
LARGEST = 500
"""Changes of one transaction."""
VERSION = 1
"""Of the tables; a store of a newer one is not touched."""
APPLICATION = 0x4A414E52
"""By which SQLite's files of ours are known."""

TABLES = (
    """CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, created REAL NOT NULL,
        grid TEXT NOT NULL, sameness TEXT NOT NULL, prompts INTEGER NOT NULL,
        models TEXT NOT NULL, repeats INTEGER NOT NULL)""",
    """CREATE TABLE requests (hash TEXT PRIMARY KEY, request TEXT NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE rows (
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, prompt INTEGER NOT NULL,
        contestant INTEGER NOT NULL, repeat INTEGER NOT NULL, key TEXT NOT NULL,
        worth INTEGER NOT NULL, error TEXT NOT NULL, cold INTEGER NOT NULL,
        reused INTEGER NOT NULL, at REAL NOT NULL, cost REAL, request TEXT, reply TEXT,
        PRIMARY KEY (run, prompt, contestant, repeat))""",
    "CREATE INDEX rows_by_key ON rows (key, worth)",
    "CREATE INDEX rows_by_run ON rows (run, worth, at)",  # a listing looks at no answer
    "CREATE INDEX rows_by_request ON rows (request)",
    """CREATE TABLE scores (
        run INTEGER NOT NULL, prompt INTEGER NOT NULL, contestant INTEGER NOT NULL,
        repeat INTEGER NOT NULL, scorer TEXT NOT NULL, score TEXT NOT NULL,
        PRIMARY KEY (run, prompt, contestant, repeat, scorer),
        FOREIGN KEY (run, prompt, contestant, repeat) REFERENCES rows ON DELETE CASCADE)""",
    """CREATE TABLE notes (
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, name TEXT NOT NULL,
        value TEXT NOT NULL, PRIMARY KEY (run, name))""",
)


_writers: WeakValueDictionary[Path, Writer] = WeakValueDictionary()
_finding = threading.Lock()


def writer(path: Path) -> Writer:
    """The one writer of this process to a file."""
    with _finding:
        found = _writers.get(path)
        if found is None:
            found = _writers[path] = Writer(path)
        return found


_submitting = threading.Lock()
_readers = threading.RLock()


def _before_fork() -> None:
    """Close all files: of an open one SQLite's child would believe that it holds its locks."""
    _submitting.acquire()
    for one in [*_writers.values()]:
        one.close()
    _readers.acquire()


def _after_fork() -> None:
    _readers.release()
    _submitting.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork
    )


@functools.cache
def _close_at_end() -> None:
    """Have what was handed in written when the process ends."""

    async def close() -> None:
        for one in [*_writers.values()]:
            await asyncio.to_thread(one.close)

    bridge.at_close(close)


class _Task(NamedTuple):
    job: Job[Any]
    future: Future[Any]


class Writer:
    """Writes to the store in one file; `submit` may be called from any thread.

    Its thread ends when it has had nothing to do for a while; a process that was forked begins one
    of its own.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._owner = os.getpid()

    def submit(self, job: Job[T]) -> Future[T]:
        """Have a change made; the future has what it gives, or raises a `JanError`."""
        if self._owner != os.getpid():  # forked: neither lock nor thread nor file are ours
            self._begin()
        future: Future[T] = Future()
        _close_at_end()
        with _submitting, self._lock:
            self._tasks.put(_Task(job, future))
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, args=(self._tasks,), name="jan-jupyter-runs", daemon=True
                )
                self._thread.start()
        return future

    def close(self) -> None:
        """Return when all that was handed in is written and the file is closed."""
        with self._lock:
            thread = self._thread if self._owner == os.getpid() else None
            if thread is not None:
                self._tasks.put(None)
        if thread is not None:
            thread.join()

    def _run(self, tasks: queue.SimpleQueue[_Task | None]) -> None:
        connection: sqlite3.Connection | None = None
        file = None
        while (batch := self._next(tasks)) is not None:
            batch = [task for task in batch if task.future.set_running_or_notify_cancel()]
            try:
                if connection is None or _file(self.path) != file:
                    if connection is not None:  # somebody has taken the file away
                        connection.close()
                    connection = opened(self.path)
                    file = _file(self.path)
                self._write(connection, batch)
            except BaseException as error:
                for task in batch:
                    if not task.future.done():
                        task.future.set_exception(error)
                if connection is not None:  # whatever state it is in: the next one opens anew
                    connection.close()
                connection = None
        if connection is not None:
            connection.close()

    def _next(self, tasks: queue.SimpleQueue[_Task | None]) -> list[_Task] | None:
        """What is to be written next; `None`: the thread ends."""
        try:
            first = tasks.get(timeout=IDLE)
        except queue.Empty:
            first = None
        if first is None:
            with self._lock:
                while first is None and not tasks.empty():
                    first = tasks.get_nowait()
                if first is None:
                    self._thread = None
                    return None
            tasks.put(None)  # it ends when all is written
        batch = [first]
        with suppress(queue.Empty):
            while len(batch) < LARGEST:
                if (more := tasks.get_nowait()) is None:
                    tasks.put(None)
                    break
                batch.append(more)
        return batch

    def _write(self, connection: sqlite3.Connection, batch: list[_Task]) -> None:
        """Make all changes of a batch together; if that fails, each by itself."""
        if not batch:
            return
        try:
            results = _committed(connection, self.path, batch)
        except JanError as error:
            if len(batch) == 1:
                batch[0].future.set_exception(error)
                return
            for task in batch:
                self._write(connection, [task])
            return
        for task, result in zip(batch, results, strict=True):
            if isinstance(result, Exception):
                task.future.set_exception(result)
            else:
                task.future.set_result(result)


def _committed(connection: sqlite3.Connection, path: Path, batch: list[_Task]) -> list[Any]:
    """What the jobs give, or the `JanError` that one raised before it changed anything."""
    results: list[Any] = []
    with told(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            _known(connection, path)  # it may have become a newer one since it was opened
            for task in batch:
                connection.execute("SAVEPOINT job")
                try:
                    results.append(task.job(connection))
                except sqlite3.Error:
                    raise
                except Exception as error:
                    connection.execute("ROLLBACK TO job")
                    results.append(error)
                connection.execute("RELEASE job")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
            raise
    return results


# The file -----------------------------------------------------------------------------------------


def opened(path: Path) -> sqlite3.Connection:
    """A connection that writes; the file is made if there is none, for this user alone (0600).

    Raises `RunsUnreadable` for a store of a newer version, which stays as it is, and `RunNotKept`.
    """
    with told(path):
        _make(path)
        check(path)
        connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection that only reads, all of one moment; `None` if there is no store yet."""
    with _readers, told(path):
        connection = _reader(path)
        if connection is None:
            yield None
            return
        with closing(connection):
            connection.execute("BEGIN")
            _known(connection, path)
            yield connection


def _reader(path: Path) -> sqlite3.Connection | None:
    if not os.path.exists(path):
        return None
    with told(path):
        check(path)
        address = path.as_uri()
        connection = sqlite3.connect(f"{address}?mode=ro", uri=True, timeout=PATIENCE)
        try:
            version = _version(connection)
        except sqlite3.OperationalError:
            # In a folder that is read-only SQLite has no index of what is new; but nothing is.
            connection.close()
            connection = sqlite3.connect(f"{address}?immutable=1", uri=True)
            version = _version(connection)
    if version == 0:
        connection.close()
        return None
    return connection


def check(path: Path) -> None:
    """Raise `RunsUnreadable` for a file that is none of ours, without a change of it.

    By SQLite: to close the file ourselves would take away the locks that this process has on it.
    """
    connection = sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)
    try:
        version = _known(connection, path)
        known = connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION
        if not version:  # new, if there is nothing in it
            known = not connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if _code(error) != sqlite3.SQLITE_CORRUPT or not os.path.exists(f"{path}-wal"):
            raise
        return  # who is killed while the log is taken over leaves a file that is whole with it
    finally:
        connection.close()
    if not known:
        raise RunsUnreadable(f"{path} is no store of runs: move it away.")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _known(connection: sqlite3.Connection, path: Path) -> int:
    """The version of its tables, 0 if there are none. Raises `RunsUnreadable` for a newer one."""
    if (version := _version(connection)) <= VERSION:
        return version
    told = f"{path} was written by a newer version of jan_jupyter; it was not touched. Upgrade with"
    raise RunsUnreadable(f"{told} `pip install --upgrade jan-jupyter`, or name another folder.")


def _file(path: Path) -> tuple[int, int] | None:
    """Which file that is: another one once it was replaced."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


_making = threading.Lock()


def _make(path: Path) -> None:
    with _making:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    status = path.stat()
    if os.name == "posix" and status.st_mode & 0o077 and status.st_uid == os.getuid():
        os.chmod(path, 0o600)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """What SQLite writes besides has the rights of the file itself."""
    for pragma in ("foreign_keys=ON", "secure_delete=ON", "auto_vacuum=INCREMENTAL"):
        connection.execute(f"PRAGMA {pragma}")
    if is_shared(path):  # a log that is read through memory shared by processes of one machine
        _insist(connection, "PRAGMA journal_mode=DELETE")
        connection.execute("PRAGMA synchronous=EXTRA")
    else:
        _insist(connection, "PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
    if _known(connection, path) == 0:
        connection.execute("BEGIN IMMEDIATE")
        if _version(connection) == 0:  # nobody was faster
            for table in TABLES:
                connection.execute(table)
            connection.execute(f"PRAGMA application_id={APPLICATION}")
            connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")


def _insist(connection: sqlite3.Connection, command: str) -> None:
    """For this SQLite does not wait by itself when another process is at the file."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute(command)
        except sqlite3.OperationalError as error:
            if _code(error) not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
            if time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


_SHARED = {
    *("nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afpfs", "webdav", "afs", "9p"),
    *("ceph", "glusterfs", "lustre", "gpfs", "beegfs", "pvfs2", "orangefs", "ocfs2", "gfs2"),
    *("drvfs", "vboxsf", "prl_fs", "osxfs", "grpcfuse", "virtiofs", "macfuse", "osxfuse"),
}


def is_shared(path: Path) -> bool:
    """Whether a file may be on another machine: then SQLite's log of writes does not work."""
    import psutil

    real = os.path.realpath(path)
    if real.startswith("\\\\"):
        return True
    best = kind = options = ""
    with suppress(OSError, psutil.Error):
        for one in psutil.disk_partitions(all=True):
            root = one.mountpoint.rstrip(os.sep) + os.sep
            if real.startswith(root) and len(root) >= len(best):
                best, kind, options = root, one.fstype.lower(), one.opts.lower()
    remote = os.name == "nt" and "remote" in options.split(",")
    return remote or kind in _SHARED or kind.startswith("fuse.")


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


@contextmanager
def told(path: Path) -> Iterator[None]:
    """What the disk or SQLite refuses becomes one line."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise RunNotKept(f"{path} cannot be written: {reason}. {_OTHER}") from error
    except sqlite3.Error as error:
        code = _code(error)
        if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            raise RunsUnreadable(
                f"{path} is damaged, or no store of runs ({error}): move it away to begin anew."
            ) from error
        mend = _MENDS.get(code, f"SQLite says: {error}. {_OTHER}")
        raise RunNotKept(f"{path} cannot be used: {mend}") from error


_OTHER = "Look at its rights, or name another data folder (`%config Jan.data_folder`)."
_FULL = "the disk is full, at a limit, or fails. Make room; what was stored is kept."
_MENDS = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: _FULL,
    sqlite3.SQLITE_BUSY: "another program is writing it; try again in a moment.",
    sqlite3.SQLITE_LOCKED: "another program is writing it; try again in a moment.",
    sqlite3.SQLITE_READONLY: f"it is read-only. {_OTHER}",
    sqlite3.SQLITE_CANTOPEN: f"it cannot be opened. {_OTHER}",
}
