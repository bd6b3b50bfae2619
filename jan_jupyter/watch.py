"""What lies on disk, looked at again only where it is another than it was.

A file or folder is the same as long as its size, inode and times are. Times tell two changes apart
only if the file system's clock ticked between them: it does so every few milliseconds on most, and
every two seconds on FAT. What was changed so shortly before we looked is therefore looked at again
the next time. A network file system may show changes of other machines later still, as it caches
these facts itself.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from typing import Any, Generic, NamedTuple, TypeVar

from .errors import ModelBroken
from .reading import MAX_JSON, MAX_YAML, decoded, parse_json, parse_yaml, read_bytes

T = TypeVar("T")

State = tuple[int, ...]
"""Of something that is there."""

_TICK = 2_000_000_000  # nanoseconds: the coarsest clock of a file system


class Listing(NamedTuple):
    """What a folder holds, by name, in order; nothing that is hidden."""

    folders: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    """Links to folders."""
    files: tuple[str, ...] = ()
    """Everything else."""
    plain: Collection[str] = ()
    """The files that are no links and no pipes or devices either."""
    identity: tuple[int, int] = (0, 0)


_NOTHING = Listing()
_FEW = 8
"""So many names are found one by one as fast as in a set."""


class Watch:
    """Remembers folders, and in which state everything was that somebody depends on."""

    def __init__(self) -> None:
        self.needed = set[str]()
        """The folders that were listed since somebody emptied it."""
        self._states: dict[str, State | None] = {}
        self._unsettled = set[str]()
        """What may change without another state."""
        self._listings: dict[str, Listing] = {}

    def changed(self) -> set[str]:
        """The paths that are not what they were; they are forgotten. One `stat` for each path."""
        return self._forgotten(self._others(self._states.items()) | self._unsettled)

    def is_settled(self) -> bool:
        """Whether everything is what it was. One `stat` for each path."""
        return not self._unsettled and not self._others(self._states.items())

    def changed_meanwhile(self, paths: set[str]) -> set[str]:
        """Those of some paths that are seen to have changed since they were looked at just now."""
        states = [(path, self._states[path]) for path in self._states.keys() & paths]
        return self._forgotten(self._others(states))

    @staticmethod
    def _others(states: Iterable[tuple[str, State | None]]) -> set[str]:
        """The paths that are not in these states."""
        found = set()
        status_of = os.stat
        for path, state in states:
            try:
                status = status_of(path)
            except (OSError, ValueError):
                if state is not None:
                    found.add(path)
                continue
            if state != (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino):
                found.add(path)
        return found

    def _forgotten(self, paths: set[str]) -> set[str]:
        for path in paths:
            del self._states[path]
            self._listings.pop(path, None)
        self._unsettled -= paths
        return paths

    def forget_all_but(self, paths: set[str]) -> None:
        self._forgotten(self._states.keys() - paths)

    def see(self, path: str) -> os.stat_result | None:
        """What is at `path` (links are followed), remembered; `None` if nothing is."""
        status: os.stat_result | None
        try:
            status = os.stat(path)
        except (OSError, ValueError):
            status = None
        self.saw(path, status)
        return status

    def saw(self, path: str, status: os.stat_result | None) -> None:
        """Remember a state that somebody found before it read the file."""
        self._unsettled.discard(path)
        if status is None:
            self._states[path] = None
            return
        modified, changed = status.st_mtime_ns, status.st_ctime_ns
        self._states[path] = (modified, changed, status.st_size, status.st_ino)
        if time.time_ns() - max(modified, changed) < _TICK:
            self._unsettled.add(path)

    def listing(self, folder: str) -> Listing:
        """What a folder holds; nothing if it cannot be read."""
        self.needed.add(folder)
        known = self._listings.get(folder)
        if known is None:
            known = self._listings[folder] = self._look(folder)
        return known

    def _look(self, folder: str) -> Listing:
        status = self.see(folder)
        if status is None or not stat.S_ISDIR(status.st_mode):
            return _NOTHING
        folders, links, files, plain = [], [], [], []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    name = entry.name
                    if name.startswith("."):
                        continue
                    if entry.is_file(follow_symlinks=False):
                        files.append(name)
                        plain.append(name)
                    elif not entry.is_dir():
                        files.append(name)
                    elif entry.is_symlink():
                        links.append(name)
                    else:
                        folders.append(name)
        except OSError:
            return _NOTHING
        names = tuple(sorted(files))
        return Listing(
            tuple(sorted(folders)),
            tuple(sorted(links)),
            names,
            names if len(plain) == len(names) <= _FEW else frozenset(plain),
            (status.st_dev, status.st_ino),
        )

    def walk(self, root: str, skip: str = "") -> Iterator[tuple[str, Listing]]:
        """The folders below `root`, itself first, each once, with what they hold.

        Real folders come before links, so that a model has its own path; `skip` is a folder of
        `root`.
        """
        waiting, links, seen = [root], list[str](), set[tuple[int, int]]()
        while waiting or links:
            folder = waiting.pop() if waiting else links.pop()
            listing = self.listing(folder)
            if listing.identity in seen or listing is _NOTHING:
                continue
            seen.add(listing.identity)
            yield folder, listing
            if listing.folders:
                inside = [n for n in listing.folders if folder != root or n != skip]
                waiting += [f"{folder}{os.sep}{name}" for name in reversed(inside)]
            if listing.links:
                links += [f"{folder}{os.sep}{name}" for name in reversed(listing.links)]


class Look:
    """Looks at the disk on behalf of one description; `paths` are what its result depends on."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self.paths: set[str] = set()

    def listing(self, folder: str) -> Listing:
        self.paths.add(folder)
        return self._watch.listing(folder)

    def is_file(self, path: str) -> bool:
        status = self.see(path)
        return status is not None and stat.S_ISREG(status.st_mode)

    def is_folder(self, path: str) -> bool:
        status = self.see(path)
        return status is not None and stat.S_ISDIR(status.st_mode)

    def see(self, path: str) -> os.stat_result | None:
        self.paths.add(path)
        return self._watch.see(path)

    def saw(self, path: str, status: os.stat_result | None) -> None:
        self.paths.add(path)
        self._watch.saw(path, status)

    def read(self, path: str) -> Any:
        """What a JSON or YAML file holds. Raises `ModelBroken` naming file, line and reason."""
        yaml = path.endswith((".yml", ".yaml"))
        try:
            data, status = read_bytes(path, MAX_YAML if yaml else MAX_JSON)
        except ModelBroken:
            self.see(path)
            raise
        self.saw(path, status)
        return (parse_yaml if yaml else parse_json)(decoded(data, path), path)


class Memo(Generic[T]):
    """What was found on disk, by name; found anew only if something that it depends on changed."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[Watch, T]] = {}

    def get(self, name: Hashable, find: Callable[[Look], T]) -> T:
        """What `find` gives, which sees by its `Look` all that the result depends on."""
        known = self._known.get(name)
        if known is None or not known[0].is_settled():
            watch = Watch()
            known = self._known[name] = watch, find(Look(watch))
        return known[1]
