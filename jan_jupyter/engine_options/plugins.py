"""The engines that other installed packages offer: found here, imported only by `engines`.

A package that is installed or removed while the kernel runs is seen at the next look.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

GROUP = "jan_jupyter.engines"


@dataclass(frozen=True, slots=True)
class Plugin:
    """An engine's name, and the entry point behind it."""

    name: str
    point: EntryPoint

    @property
    def package(self) -> str:
        """The name of the package that offers it."""
        return self.point.dist.name if self.point.dist else "a package"

    @property
    def version(self) -> str:
        return self.point.dist.version if self.point.dist else ""


_known: tuple[object, Sequence[Plugin]] = (None, ())


def plugins() -> Sequence[Plugin]:
    """What is offered now, by name; a name that two packages offer comes twice.

    To look costs milliseconds, so it is done again only if a folder of packages has changed.
    """
    global _known
    state = _folders()
    if state != _known[0]:
        importlib.invalidate_caches()
        found = (Plugin(p.name.lower(), p) for p in entry_points(group=GROUP))
        _known = state, sorted(found, key=lambda plugin: (plugin.name, plugin.package))
    return _known[1]


def forget() -> None:
    """Look again, whatever the folders say: their times may be coarser than two installs."""
    global _known
    _known = (None, ())


def _folders() -> object:
    """The folders that packages are imported from, as they stand."""
    state = []
    for path in sys.path:
        try:
            state.append((path, os.stat(path or ".").st_mtime_ns))
        except OSError:
            continue
    return state
