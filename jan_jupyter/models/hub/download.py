"""One file from a server to the disk: in parallel ranges, resumed, checked, whole or not at all.

While it comes it is `NAME.part`, beside `NAME.part.journal`, which says what of it is there. Both
survive whatever ends the process; the next download of the same file goes on from there.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import IO, Any, ClassVar, TypeVar

from ... import errors
from ...types import EMPTY
from ...wire.retry import LONGEST_WAIT, backoff
from . import journal
from .journal import JOURNAL, PART, Journal
from .plans import Wanted
from .space import check_space, in_thread, sha256_of, told
from .web import Answer, Refused, Web, refusal, said_of, site

T = TypeVar("T")

PIECE = 32 * 2**20
"""Bytes that are asked for at once, and again from the start of what is missing if it fails."""
CONNECTIONS = 4
BLOCK = 2**18
"""Bytes that are written at once."""
SYNC_SECONDS = 2.0
"""What has come is brought onto the disk so often: not more of it is lost by a power cut."""
ATTEMPTS = 12
"""So many failures in a row, without a byte between them, end a download: minutes of waiting."""
FRESH_STARTS = 3


class _Changed(Exception):
    """The file on the server is not the one of which a part is here."""


@dataclass(slots=True)
class _Gap:
    """Bytes to fetch; `start` moves on as they come. Without `end`: until the server ends."""

    start: int
    end: int | None


class Download:
    """A file on its way into `folder`.

    `done` and `size` are bytes; `message` is one line if it does anything else than receive;
    `sha256` is known when it is finished.
    """

    resumes: ClassVar[bool] = True
    metadata: ClassVar[Mapping[str, Any]] = EMPTY
    """What the source says of the model, beside what was known before."""

    def __init__(self, wanted: Wanted, folder: Path, web: Web) -> None:
        self.wanted = wanted
        self.size = wanted.size
        self.sha256 = wanted.sha256
        self.message = ""
        self.received = 0
        """Bytes that came over the wire in this run."""
        self.finished = False
        """Whether it is whole and in its place, as of the last look."""
        self._folder = folder
        self._web = web
        self._address = wanted.address or wanted.url
        self._nearer = ""  # where redirects led to: asked directly, until it refuses
        self._what = wanted.what or wanted.name
        self._part = folder / (wanted.name + PART)
        self._journal: Journal | None = None
        self._file: IO[bytes] | None = None
        self._writing = threading.Lock()
        self._gaps: deque[_Gap] = deque()
        self._ranged = True
        self._agreed = asyncio.Event()
        self._synced_at = monotonic()
        self._syncing: asyncio.Task[None] | None = None
        self._failures = 0
        self._reached = False  # whether the server has answered in this run

    @property
    def done(self) -> int:
        if self._journal is not None:
            return self._journal.done.total
        if self._file is not None:  # its size is not known
            return self.received
        return self.size or 0 if self.finished else 0

    @property
    def path(self) -> Path:
        """Where the file is when it is whole."""
        return self._folder / self.wanted.name

    def look(self) -> None:
        """Find out what is here already, without asking anybody. It looks at the disk."""
        self.finished = self.path.is_file()
        if self.finished:
            self.size = self.path.stat().st_size
            return
        self._journal = journal.read(self._folder, self.wanted.name)
        if self._journal is not None:
            if self._journal.is_of(self.wanted.size, self.wanted.sha256):
                self.size = self._journal.size
                self._journal.sha256 = self._journal.sha256 or self.wanted.sha256
            else:
                self._journal = None

    async def run(self) -> Path:
        """Return when the file is whole and checked. Cancelling keeps the part for another time.

        Raises `DownloadFailed`, `DownloadRefused`, `NoSpace`, `CannotWrite`, `ModelNotFound` or
        `ModelBroken`.
        """
        await in_thread(self.look)
        if self.finished:
            return self.path
        resumed = self.done > 0
        for _ in range(FRESH_STARTS):
            try:
                await self._transfer()
                await self._check_hash()
                break
            except errors.ModelBroken:
                await in_thread(self._start_over)  # what others have of it is of no use
                raise
            except _Changed:
                why = (
                    f"{self._what} is another file now on its server"
                    if self._ranged
                    else f"The server of {self._what} does not go on in the middle"
                )
            except _WrongHash as wrong:
                why = f"What there was of {self._what} was damaged"
                if not resumed:  # what came is no mixture of two files
                    await in_thread(self._start_over)
                    raise errors.DownloadFailed(
                        f"{self._what} came damaged, and is deleted: its SHA-256 is"
                        f" {wrong.found[:12]}…, its hub says {self.sha256[:12]}…. Pull again; if it"
                        " stays so, the server or a mirror in between is at fault."
                    ) from None
                resumed = False
            await in_thread(self._start_over)
            self.message = f"{why}: starting over …"
        else:
            raise errors.DownloadFailed(
                f"{why}, and so it was {FRESH_STARTS} times; try again later."
            )
        await in_thread(self._finish)
        self.message = ""
        return self.path

    # The connections ------------------------------------------------------------------------------

    async def _transfer(self) -> None:
        """Fetch all that is missing."""
        self._agreed.clear()
        self._gaps = deque(self._pieces())
        if self._journal is not None and not self._gaps:
            return
        if self._journal is None:
            self._gaps.append(_Gap(0, PIECE))  # whether ranges are given shows in the answer
        await self._fits((self.size or 0) - self.done)
        await in_thread(self._open)
        tasks = {asyncio.create_task(self._work())}
        agreed = asyncio.create_task(self._agreed.wait())
        try:
            # The first connection finds out what the file is; then the others may join in.
            await asyncio.wait({*tasks, agreed}, return_when=asyncio.FIRST_COMPLETED)
            if self._ranged and self._agreed.is_set():
                others = min(CONNECTIONS - 1, len(self._gaps))
                tasks |= {asyncio.create_task(self._work()) for _ in range(others)}
            finished, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in finished:
                task.result()
        finally:
            agreed.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(agreed, *tasks, return_exceptions=True)
            await self._close()

    def _pieces(self) -> list[_Gap]:
        if self._journal is None:
            return []
        return [
            _Gap(start, min(start + PIECE, stop))
            for first, stop in self._journal.done.missing(self._journal.size)
            for start in range(first, stop, PIECE)
        ]

    async def _work(self) -> None:
        """Fetch gaps until none is left; after a failure what is left of one comes up again."""
        while self._gaps:
            gap = self._gaps.popleft()
            before, address = self.received, self._nearer or self._address
            try:
                await self._fetch(gap, address)
                self._failures = 0
                continue
            except Refused as refused:
                failure: errors.JanError = refusal(refused, self._what, self.wanted.page)
                if address != self._address and refused.status < 429:
                    # Its signature has run out: the hub gives another.
                    self._nearer = "" if self._nearer == address else self._nearer
                    self._gaps.appendleft(gap)
                    continue
            except errors.DownloadFailed as error:
                failure = error
            if gap.end is None:  # of a file of unknown size no part can be asked for
                gap.start = 0
            elif gap.start >= gap.end:  # it broke behind the last byte
                continue
            self._gaps.appendleft(gap)
            self._failures = 1 if self.received > before else self._failures + 1
            await asyncio.sleep(self._pause(failure))

    def _pause(self, failure: errors.JanError) -> float:
        """Seconds before another try, after a failure; raises it if there is to be none."""
        again = isinstance(failure, errors.DownloadFailed) and failure.retryable
        if not again or not self._reached or self._failures >= ATTEMPTS:
            raise failure
        asked = getattr(failure, "retry_after", None)
        if (asked or 0) > LONGEST_WAIT:
            raise failure
        seconds = backoff(self._failures, asked)
        self.message = f"{failure} Trying again in {max(1, round(seconds))} s …"
        return seconds

    async def _fetch(self, gap: _Gap, address: str) -> None:
        headers = {"Range": f"bytes={gap.start}-{gap.end - 1 if gap.end is not None else ''}"}
        validator = self._journal.validator if self._journal else ""
        if self._journal and validator and validator[:2] != "W/" and not self._journal.sha256:
            # (Servers of a CDN may have an ETag each for the same file; a hash is surer.)
            headers["If-Range"] = validator
        try:
            async with self._web.get(address, headers) as answer:
                self._reached = True
                if self._agree(answer, gap):
                    await self._fits(self.size or 0)
                self.message = ""
                await self._receive(answer.body, gap)
        except Refused as refused:
            self._reached = True
            if refused.status == 416 and self._journal is not None:
                raise _Changed from None
            if refused.status == 416:
                raise errors.DownloadFailed(f"{self._what} is empty on its server.") from None
            raise

    async def _fits(self, needed: int) -> None:
        """Raises `NoSpace` if the disk has no room for so many bytes more."""
        await in_thread(lambda: check_space(self._folder, needed, self._what))

    def _agree(self, answer: Answer, gap: _Gap) -> bool:
        """See that the answer is of the file and the range that are meant; whether it is the first
        that tells the size.
        """
        said = said_of(answer)
        if self.wanted.size is not None and said.size not in (None, self.wanted.size):
            raise errors.DownloadFailed(
                f"{self._what} has {said.size:,} bytes on {site(answer.url)}, but its hub says"
                f" {self.wanted.size:,}: the server or a mirror is at fault."
            )
        known = self._journal
        if known is None:
            self._ranged = answer.status == 206 and said.size is not None
            if self._ranged and said.start != gap.start:
                raise errors.DownloadFailed(f"{self._what}: the server sends another range.")
            self.size = said.size
            if said.size is not None:
                sha256 = self.wanted.sha256 or said.sha256
                self._journal = Journal(said.size, sha256, said.validator)
                self.sha256 = sha256
            gap.end = min(PIECE, said.size) if self._ranged and said.size else said.size
            if self._ranged and self._journal is not None:
                self._gaps.extend(self._pieces()[1:])
        elif answer.status != 206:
            same = said.validator == known.validator and said.size == known.size
            self._ranged = not same  # if it is the same file, the server gives no ranges
            raise _Changed
        elif said.start != gap.start or said.size != known.size:
            raise _Changed
        elif said.sha256 and known.sha256:
            if said.sha256 != known.sha256:
                raise _Changed
        elif not known.sha256 and said.validator != known.validator:
            raise _Changed
        if answer.url != self._address:
            self._nearer = answer.url
        self._agreed.set()
        return known is None and self.size is not None

    async def _receive(self, body: AsyncIterator[bytes], gap: _Gap) -> None:
        """Write what comes, in blocks, until the gap is filled."""
        block = bytearray()
        try:
            async for piece in body:
                block += piece
                self.received += len(piece)
                if len(block) >= BLOCK:
                    await self._put(gap, block)
                if gap.end is not None and gap.start + len(block) >= gap.end:
                    break
        finally:
            # Also of a connection that broke, or a pull that was stopped: what came, came.
            await self._put(gap, block)
        if gap.end is not None and gap.start < gap.end:
            raise errors.DownloadFailed(f"The server closed {self._what} early.", retryable=True)
        if gap.end is None:
            self.size = gap.start
            if gap.start != (self.wanted.size or gap.start):
                raise errors.DownloadFailed(f"{self._what} was cut off.", retryable=True)
            await in_thread(lambda: self._end_at(gap.start))

    async def _put(self, gap: _Gap, block: bytearray) -> None:
        data = bytes(block if gap.end is None else block[: gap.end - gap.start])
        block.clear()
        if not data:
            return
        if gap.start == 0:
            _check_start(data, self.wanted.name, self._what)
        await in_thread(lambda: self._write(gap.start, data))
        gap.start += len(data)
        if monotonic() - self._synced_at > SYNC_SECONDS and (
            self._syncing is None or self._syncing.done()
        ):
            self._syncing = asyncio.create_task(in_thread(self._sync))

    # The disk -------------------------------------------------------------------------------------

    def _open(self) -> None:
        with told(self._part):
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._journal is None:
                journal.forget(self._folder, self.wanted.name)
            mode = "r+b" if self._part.exists() else "x+b"
            self._file = open(self._part, mode, buffering=0)  # noqa: SIM115  closed by _close

    def _write(self, position: int, data: bytes) -> None:
        assert self._file is not None
        with told(self._part), self._writing:
            if self._journal is not None and not self._journal.begun:
                os.fsync(self._file.fileno())
                self._journal.begin(self._folder / (self.wanted.name + JOURNAL))
            self._file.seek(position)
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) :]
            if self._journal is not None:
                self._journal.add(position, position + len(data))

    def _end_at(self, size: int) -> None:
        """The file has this size: its server has not said so before."""
        assert self._file is not None
        with told(self._part):
            self._file.truncate(size)
        self._journal = Journal(size)
        self._journal.done.add(0, size)

    def _sync(self) -> None:
        if self._journal is not None and self._file is not None:
            self._synced_at = monotonic()
            with told(self._part):
                self._journal.sync(self._file)

    async def _close(self) -> None:
        """Bring what has come onto the disk, and give back the files."""
        if self._syncing is not None:
            await asyncio.gather(self._syncing, return_exceptions=True)
        try:
            await in_thread(self._sync)
        finally:
            if self._journal is not None:
                self._journal.close()
            if self._file is not None:
                self._file.close()
                self._file = None

    def _start_over(self) -> None:
        self._journal, self.size, self._nearer = None, self.wanted.size, ""
        journal.forget(self._folder, self.wanted.name)

    async def _check_hash(self) -> None:
        """Read the file once more: what the hub promised must be what is on the disk."""
        self.message = "Checking …"
        stop = threading.Event()
        try:
            found = await asyncio.to_thread(sha256_of, self._part, stop)
        finally:
            stop.set()
        if self._journal is not None and self._journal.sha256:
            self.sha256 = self._journal.sha256
        if self.sha256 and found != self.sha256:
            raise _WrongHash(found)
        self.sha256 = found

    def _finish(self) -> None:
        with told(self._part):
            os.replace(self._part, self.path)
            journal.forget(self._folder, self.wanted.name)
        self.finished = True


class _WrongHash(Exception):
    def __init__(self, found: str) -> None:
        super().__init__(found)
        self.found = found


def _check_start(data: bytes, name: str, what: str) -> None:
    """A login page or an error page must not be fetched to its end as if it were a model."""
    if name.lower().endswith(".gguf") and data[:4] != b"GGUF"[: len(data)]:
        raise errors.ModelBroken(
            f"{what} is not a GGUF file: it begins with {data[:16]!r}. Is the address that of the"
            " file itself?"
        )
