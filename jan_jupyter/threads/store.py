"""All threads of the data folders in use: list, find, make, search, delete, import."""

from __future__ import annotations

import difflib
import os
import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..errors import ThreadBroken, ThreadError, ThreadNotFound, UsageError, expect
from ..models.disk import is_inside
from . import files, thread_file, underway
from . import message as turns
from .assistants import Assistants
from .draft import Draft
from .lines import read_lines
from .message import ThreadMessage
from .thread import Thread
from .view import read_head


@dataclass(frozen=True, slots=True)
class Listed:
    """A thread in a listing; its messages are not read for it.

    `reason` says why the state is `broken`; times are seconds since 1970. `own`: it lies in our
    data folder.
    """

    id: str
    title: str
    folder: Path
    updated: float | None = None
    created: float | None = None
    model: str | None = None
    assistant: str = "jan"
    last_message: str = ""
    state: Literal["ready", "broken"] = "ready"
    reason: str = ""
    own: bool = True


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was found, and the text around the place."""

    thread: Listed
    message: str
    """Id of the message."""
    role: str
    excerpt: str


class ThreadStore:
    """The threads of one data folder, or of those in use: ours, and an installed Jan's.

    New ones are made in our own; one of Jan's is written where it lies, once it is gone on with.
    """

    def __init__(self, data_folder: Path | str | None = None) -> None:
        expect(data_folder, Path | str | None, "A data folder is a path")
        self._given = Path(data_folder).expanduser().absolute() if data_folder else None
        self._cache: dict[Path, tuple[files.Signature, Listed]] = {}
        self._open: dict[Path, Thread] = {}
        self._lock = threading.Lock()
        self.assistants = Assistants(self.folders)

    def folders(self) -> Sequence[tuple[Path, bool]]:
        """The data folders in use, and whether each is our own; one may not exist yet."""
        if self._given:
            return [(self._given, True)]
        from ..models.folders import jan_data_folder
        from ..settings import own_data_folder, settings

        own = own_data_folder().absolute()
        jan = None if settings().data_folder else jan_data_folder()
        if jan is None or jan.path.resolve() == own.resolve():
            return [(own, True)]
        return [(own, True), (jan.path, False)]

    def list(self, pattern: str = "") -> list[Listed]:
        """All threads, newest first, also broken ones; `pattern` is part of a title or id."""
        expect(pattern, str, "Part of a title or id is text")
        found = [
            self._listed(Path(folder), own)
            for data_folder, own in self.folders()
            for folder in _thread_folders(data_folder)
        ]
        wanted = pattern.casefold()
        found = [t for t in found if wanted in t.title.casefold() or wanted in t.id.casefold()]
        return sorted(found, key=lambda thread: thread.updated or 0, reverse=True)

    def get(self, name: str) -> Thread:
        """By id, then by title (the newest of that title), then without regard to case.

        Raises `ThreadNotFound`, which tells the nearest names, or `ThreadBroken`.
        """
        listed = self._find(name)
        if listed.state == "broken":
            raise ThreadBroken(listed.reason)
        return self._thread(listed.folder, listed.own)

    def _find(self, name: str) -> Listed:
        if not isinstance(name, str) or not name.strip():
            raise UsageError(f"A thread's name is text, and not empty: {name!r:.80} is none.")
        threads = self.list()
        for same in (str, str.casefold):
            for by in ("id", "title"):
                for thread in threads:
                    if same(getattr(thread, by)) == same(name):
                        return thread
        near = difflib.get_close_matches(name, dict.fromkeys(t.title for t in threads), 3, 0.4)
        hint = f" Nearest: {', '.join(near)}." if near else ""
        raise ThreadNotFound(f"There is no thread {name!r}.{hint} `%jan threads` lists all.")

    def create(
        self,
        title: str = "",
        *,
        model: str | None = None,
        engine: str | None = None,
        assistant: str | None = None,
        instructions: str = "",
    ) -> Thread:
        """A new, empty thread. Without `title` it is named after its first question."""
        draft = self.draft(title, assistant=assistant, instructions=instructions)
        if model is not None:
            draft.configure(model=model, engine=engine)
        return draft.begin()

    def draft(
        self, title: str = "", *, assistant: str | None = None, instructions: str = ""
    ) -> Draft:
        """What `create` makes, not written yet."""
        expect(title, str, "A thread's title is text")
        profile = self.assistants.get(assistant) if assistant else None
        raw = thread_file.new("", " ".join(title.split()))
        raw = thread_file.with_model(raw, profile.model if profile else None, None)
        chosen = thread_file.configured(
            raw,
            profile=profile.profile if profile else None,
            instructions=instructions or None,
        )
        return Draft(chosen, self.assistants, self._write)

    def _write(self, raw: Mapping[str, Any]) -> Thread:
        with self._new_folder() as folder:
            raw = thread_file.touched({**raw, "id": folder.name})
            files.replace(folder / "thread.json", files.pretty(raw))
        return self._thread(folder, True)

    def find(self, name: str) -> Thread | None:
        """As `get`, but `None` if there is none of that name."""
        try:
            return self.get(name)
        except ThreadNotFound:
            return None

    def open(self, name: str) -> Thread:
        """The thread of that name, created if there is none."""
        return self.find(name) or self.create(name)

    def search(self, text: str, limit: int = 50) -> Sequence[Hit]:
        """Messages of the active lines that hold `text` (without regard to case), newest threads
        first, in each the newest message first.
        """
        expect(text, str, "What to search for is text")
        expect(limit, int, "`limit` is how many messages at most")
        wanted = text.casefold()
        found: list[Hit] = []
        for thread in self.list() if wanted.strip() else ():
            with suppress(OSError):
                data = (thread.folder / "messages.jsonl").read_bytes()
                for message in reversed(read_lines(data)[0]):
                    if (place := message.text.casefold().find(wanted)) >= 0:
                        excerpt = _excerpt(message.text, place, len(text))
                        found.append(Hit(thread, message.id, message.role, excerpt))
                        if len(found) >= limit:
                            return found
        return found

    def delete(self, name: str) -> None:
        """Remove one of our threads with its files; one of Jan's is refused.

        What a link leads to, and what does not belong to a thread, stays.
        """
        thread = self._find(name)
        if not thread.own:
            raise ThreadError(f"Thread {thread.title} is Jan's: delete it there.")
        folder = thread.folder
        own = next(path for path, own in self.folders() if own)
        with files.told(folder):
            if folder.is_symlink():
                folder.unlink()
            elif not is_inside(folder, own):
                raise ThreadError(f"{folder} is a link out of the data folder: delete it yourself.")
            else:
                self._remove(folder)
        with self._lock:
            self._open.pop(folder, None)

    def _remove(self, folder: Path) -> None:
        with files.locked(folder):
            # The description first: without it the rest is no thread any more, whatever happens.
            for file in ("thread.json", "messages.jsonl", "branches.jsonl"):
                (folder / file).unlink(missing_ok=True)
                (folder / f".{file}.tmp").unlink(missing_ok=True)
            for file in underway.all_names(folder):
                (folder / file).unlink(missing_ok=True)
            for part in ("files", "memory"):
                if (folder / part).is_symlink():
                    (folder / part).unlink()
                elif (folder / part).is_dir():
                    shutil.rmtree(folder / part)
            with suppress(OSError):  # whatever else lies there is somebody's
                folder.rmdir()

    def import_(self, source: Path | str, title: str = "") -> Thread:
        """A new thread from a file: `.jsonl` (Jan's, or `{"role", "content"}` lines), `.ipynb` (its
        `%%jan` cells and their answers), or the folder of a thread. Raises `ThreadError`.
        """
        expect(source, Path | str, "A thread is imported from the path of a file or folder")
        expect(title, str, "A thread's title is text")
        if not str(source).strip() or source == Path():  # Path("") is the working directory
            raise UsageError("What to import has no name: give the path of a file or folder.")
        source = Path(source).expanduser()
        model = None
        if os.path.isfile(source / "thread.json"):
            described = read_head(source)
            title, model = title or described.title, described.model
            source = source / "messages.jsonl"
        messages = [*_imported(source)]
        if not messages:
            raise ThreadError(f"{source} holds no messages.")
        with self._new_folder() as folder:
            raw = thread_file.new(folder.name, " ".join((title or source.stem).split()))
            raw = thread_file.touched(thread_file.with_model(raw, model, None), messages[-1].text)
            lines = [files.compact(_own(message, folder.name)) + b"\n" for message in messages]
            files.replace(folder / "messages.jsonl", b"".join(lines))
            files.replace(folder / "thread.json", files.pretty(raw))
        return self._thread(folder, True)

    def _thread(self, folder: Path, own: bool) -> Thread:
        """One object for each folder, so that what was read is read once."""
        with self._lock:
            thread = self._open.get(folder)
        if thread is None:
            thread = Thread(folder, self.assistants, own=own)
            with self._lock:
                thread = self._open.setdefault(folder, thread)
        return thread

    @contextmanager
    def _new_folder(self) -> Iterator[Path]:
        """A folder to be filled; it is gone again if that fails."""
        threads = next(folder for folder, own in self.folders() if own) / "threads"
        with files.told(threads):
            folder = files.new_folder(threads, f"jan_{int(time.time())}")
            try:
                yield folder
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise

    def _listed(self, folder: Path, own: bool) -> Listed:
        signature = files.signature(folder / "thread.json")
        known = self._cache.get(folder)
        if known is None or known[0] != signature:
            known = self._cache[folder] = signature, _list(folder, own)
        return known[1]


def _thread_folders(data_folder: Path) -> Iterator[str]:
    with suppress(OSError), os.scandir(data_folder / "threads") as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if not entry.name.startswith(".") and os.path.isfile(f"{entry.path}/thread.json"):
                yield entry.path


def _list(folder: Path, own: bool) -> Listed:
    try:
        written = (folder / "thread.json").stat().st_mtime
    except OSError:
        written = 0.0
    try:
        found = read_head(folder)
    except ThreadBroken as error:
        return Listed(
            folder.name, folder.name, folder, written, state="broken", reason=str(error), own=own
        )
    return Listed(
        id=folder.name,
        title=found.title,
        folder=folder,
        updated=found.updated or written,
        created=found.created,
        model=found.model,
        assistant=found.assistant,
        last_message=found.last_message,
        own=own,
    )


def _excerpt(text: str, place: int, length: int, around: int = 40) -> str:
    """The passage and the words around it; only a very long one is cut."""
    start, end = max(0, place - around), min(len(text), place + length + around)
    before, after = text[start:place], text[place + length : end]
    if start and (space := before.find(" ", 0, 20)) >= 0:
        start += space + 1
    if end < len(text) and (space := after.rfind(" ", len(after) - 20)) >= 0:
        end = place + length + space
    middle = " ".join(text[start:end].split())
    return f"{'…' if start else ''}{middle}{'…' if end < len(text) else ''}"


def _imported(source: Path) -> Sequence[ThreadMessage]:
    try:
        data = source.read_bytes()
    except OSError as error:
        raise ThreadError(f"{source} cannot be read: {error.strerror or error}.") from error
    if source.suffix == ".ipynb":
        from .export import from_notebook

        return from_notebook(data, str(source))
    if source.suffix == ".jsonl":
        return read_lines(data)[0]
    raise ThreadError(f"{source.name}: a thread is imported from .jsonl, .ipynb or its folder.")


def _own(message: ThreadMessage, thread: str) -> dict[str, object]:
    """The object of an imported turn, as one of ours."""
    if message.raw.get("object") or isinstance(message.raw.get("content"), list):
        return {"id": message.id, **message.raw, "thread_id": thread}
    return turns.write(message, thread, "jan")
