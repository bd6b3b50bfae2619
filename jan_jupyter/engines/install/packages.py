"""Packages that add engines: which there are, installing and removing them while the kernel runs.

The index is a list kept here; PyPI is where packages come from. Nothing is installed unasked.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Any

from ... import errors
from ...engine_options.engine_rows import DATA, canonical, known_engines
from ...engine_options.plugins import Plugin, plugins
from ...models.store import ModelStore
from ...programs import Tell, find_uv, run
from ...types import EMPTY
from ..registry import engine_class

OUR_PACKAGE = "jan-jupyter"


@dataclass(frozen=True, slots=True)
class Package:
    """A row of the index. `requires` is empty for an engine that installs its parts itself.

    `kind`: `engine`, `runtime` (of an engine) or `extra` (for an engine, or for us).
    """

    name: str
    kind: str
    about: str
    requires: tuple[str, ...] = ()
    size: str = ""
    source: str = ""
    date: str = ""

    @property
    def package(self) -> str:
        """What its distribution is called."""
        return _project(self.requires[0]) if self.requires else ""


@functools.cache
def index() -> Sequence[Package]:
    """The packages that we know of."""
    rows: list[dict[str, Any]] = json.loads((DATA / "packages.json").read_text("utf-8"))
    return [Package(**{**row, "requires": tuple(row.get("requires", ()))}) for row in rows]


@dataclass(frozen=True, slots=True)
class Offer:
    """A package as `%jan hub` shows it."""

    name: str
    kind: str
    state: str
    about: str
    size: str = ""


def hub(words: Sequence[str] = ()) -> list[Offer]:
    """What can be installed and what is, those that have all `words`. No network is used."""
    offers = []
    for one in index():
        version = _version(one.package) if one.package else ""
        state = f"installed ({version})" if version else "available"
        if one.requires:
            offers.append(Offer(one.name, one.kind, state, one.about, one.size))
        for part, cost in _parts(one.name).items():
            offers.append(Offer(f"{one.name}[{part}]", "part", "on demand", one.about, cost))
    known = {_normal(one.package) for one in index()}
    for plugin in plugins():
        if _normal(plugin.package) not in known:
            about = str(plugin.point.dist.metadata["Summary"] or "") if plugin.point.dist else ""
            state = f"installed ({plugin.package} {plugin.version})"
            offers.append(Offer(plugin.name, "engine", state, about))
    return [
        o
        for o in offers
        if all(word.casefold() in f"{o.name} {o.kind} {o.about}".casefold() for word in words)
    ]


def _parts(name: str) -> Mapping[str, str]:
    """The parts that an engine installs itself, each with its cost."""
    try:
        return engine_class(canonical(name)).installs
    except errors.EngineError:
        return EMPTY


# What is to be done -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Plan:
    """What installing something will do; `what` says it in one line."""

    name: str
    what: str
    requires: tuple[str, ...] = ()
    part: str = ""
    """A part that the engine `name` installs itself."""


def plan(name: str) -> Plan:
    """What `name` means: a row of the index, `engine[part]`, a path, a project on PyPI.

    Nothing is done and nothing is asked yet. Raises `UsageError`.
    """
    if _is_path(name):
        path = Path(name).expanduser().absolute()
        if not path.exists():
            raise errors.UsageError(f"There is no file or folder {path}.")
        if not (path.suffix in (".whl", ".gz", ".zip") or (path / "pyproject.toml").is_file()):
            raise errors.UsageError(
                f"{path} is no Python package: it is neither a wheel nor a folder with a"
                " pyproject.toml."
            )
        return Plan(name, f"Installs {path} {_where()}.", (str(path),))
    known = next((p for p in index() if _normal(name) in map(_normal, (p.name, p.package))), None)
    if known is not None and known.requires:
        size = f" (about {known.size})" if known.size else ""
        wanted = " and ".join(known.requires)
        return Plan(known.name, f"Installs {wanted}{size} {_where()}.", known.requires)
    engine, _, part = name.rstrip("]").partition("[")
    if parts := _parts(engine):
        if part not in parts:
            offered = "; ".join(f"{engine}[{part}] ({cost})" for part, cost in parts.items())
            raise errors.UsageError(f"%jan engines install what of {engine}? There is {offered}.")
        what = f"Installs {part} for engine {engine}: {parts[part]}."
        return Plan(canonical(engine), what, part=part)
    if known is not None:
        raise errors.UsageError(f"{known.name} is not in this version of jan_jupyter.")
    if (row := known_engines().get(canonical(name))) is not None:
        no_use = "is not supported here" if row.kind == "unsupported" else "needs no package"
        raise errors.UsageError(
            f"Engine {row.name} {no_use}; `%jan engines {row.name}` tells how it stands."
        )
    if not _REQUIREMENT.fullmatch(name):
        raise errors.UsageError(f"{name!r} is no name of a package; `%jan hub` lists some.")
    what = f"Installs {name} from the package index {_where()}. The hub does not know it: be sure"
    return Plan(name, f"{what} that you trust it.", (name,))


_REQUIREMENT = re.compile(
    r"[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?(\[[\w.,-]+\])?((==|>=|<=|~=|!=|<|>)[\w.*+!-]+,?)*"
)


def _is_path(name: str) -> bool:
    return name.startswith((".", "~")) or "/" in name or os.sep in name or name.endswith(".whl")


def _where() -> str:
    return f"into {sys.prefix}"


# Doing it ---------------------------------------------------------------------------------------


async def install(plan: Plan, store: ModelStore, tell: Tell) -> list[str]:
    """Do what was planned; gives the names of the engines that are new or new again.

    They can be used at once. Cancelling it stops the installer. Raises `EngineUnavailable`.
    """
    if plan.part:
        options = store.engine_options(plan.name)
        await engine_class(plan.name).install(options, tell, plan.part)
        return [plan.name]
    before = {(p.name, _identity(p)) for p in plugins()}
    await _run([*_installer(), "install", *_flags(), *plan.requires], plan.name, tell)
    _look_again()
    fresh = [p for p in plugins() if (p.name, _identity(p)) not in before]
    for plugin in fresh:
        _forget_modules(plugin)
    return [plugin.name for plugin in fresh]


async def remove(name: str, tell: Tell) -> str:
    """Remove the package of an engine, or of a row of the index; gives what was removed.

    Raises `UsageError` for what is not there or not ours to remove.
    """
    offered = next((p for p in plugins() if p.name == name.lower()), None)
    if offered is None:
        offered = next((p for p in plugins() if _normal(p.package) == _normal(name)), None)
    known = next((p for p in index() if _normal(name) in map(_normal, (p.name, p.package))), None)
    if offered is not None:
        package = offered.package
    elif known is not None and known.requires:
        package = known.package
    elif canonical(name) in known_engines():
        raise errors.UsageError(f"Engine {canonical(name)} is part of jan_jupyter.")
    else:
        raise errors.UsageError(
            f"{name!r} is not the name of an engine that was installed; `%jan hub` lists those."
        )
    if not _version(package):
        raise errors.UsageError(f"{package} is not installed.")
    mine = [p for p in plugins() if p.package == package]
    answer_yes = ["-y"] if _installer()[1] == "-m" else []
    await _run(
        [*_installer(), "uninstall", *answer_yes, *_where_flags(), package],
        package,
        tell,
        fetches=False,
    )
    for plugin in mine:
        _forget_modules(plugin)
    _look_again()
    return package


def _installer() -> list[str]:
    """pip of this very Python; where that is missing (environments of uv), uv."""
    if util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    if uv := find_uv():
        return [*uv, "pip"]
    raise errors.EngineUnavailable(
        f"{sys.prefix} has neither pip nor uv: run `python -m ensurepip` there first."
    )


def _flags() -> list[str]:
    if _installer()[1] == "-m":
        return ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    return ["--no-progress", *_where_flags()]


def _where_flags() -> list[str]:
    return [] if _installer()[1] == "-m" else ["--python", sys.executable]


async def _run(command: Sequence[str], what: str, tell: Tell, *, fetches: bool = True) -> None:
    def told(line: str) -> None:
        if not line.startswith("Requirement already satisfied"):
            tell(line)

    status, last = await run(command, told, fetches=fetches)
    if status:
        raise errors.EngineUnavailable(_why(what, last))


_NO_NETWORK = re.compile(
    r"(?i)name resolution|connection (error|refused|to|broken|timed out)|network is unreachable"
    r"|failed to (establish|fetch)|error sending request|dns error|max retries|getaddrinfo|no index"
    r"|ReadTimeoutError|proxy"
)


def _why(what: str, lines: Iterable[str]) -> str:
    """One line on why an installer failed. (They give no codes, only words.)"""
    said = [*lines]
    text = "\n".join(said)
    if "externally-managed-environment" in text:
        return (
            f"{what} was not installed: the Python of this kernel belongs to the system. Make a"
            " virtual environment, and a kernel in it."
        )
    if _NO_NETWORK.search(text):
        return (
            f"{what} was not installed: the package index cannot be reached. Check the network (or"
            " its proxy), or install a file: %jan engines install PATH.whl."
        )
    errors_said = [line for line in said if re.match(r"(?i)\s*(error|×|cause)", line)]
    reason = (errors_said or said or ["it gave no reason"])[-1].strip()
    return f"{what} was not installed: {reason[:300]}"


# What the kernel then knows ---------------------------------------------------------------------


def _look_again() -> None:
    importlib.invalidate_caches()
    from ...engine_options import plugins as found

    found.forget()


def _identity(plugin: Plugin) -> object:
    """Changes when a package is installed anew, also in the same version."""
    record = plugin.point.dist.locate_file("") if plugin.point.dist else ""
    folder = getattr(plugin.point.dist, "_path", None)
    try:
        return str(record), plugin.version, os.stat(folder).st_ino if folder else 0
    except OSError:
        return str(record), plugin.version


def _forget_modules(plugin: Plugin) -> None:
    """Take the modules of a plug-in's package out, so that the next import reads the new files."""
    dist = plugin.point.dist
    files = {str(dist.locate_file(file)) for file in dist.files or ()} if dist else set()
    for name, module in [*sys.modules.items()]:
        if getattr(module, "__file__", None) in files:
            del sys.modules[name]


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _project(requirement: str) -> str:
    match = re.match(r"[\w.-]+", requirement)
    return match[0] if match else requirement


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
