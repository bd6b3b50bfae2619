"""What Tab offers for the arguments of commands."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from .shared import models, workspace

Offer = Iterable[tuple[str, str]]


def ready_models(current: str) -> Offer:
    """The models that can be asked."""
    usable = [model for model in models().list() if model.state == "ready"]
    return [(quoted(model.reference), "model") for model in usable]


def all_models(current: str) -> Offer:
    return [(quoted(model.reference), "model") for model in models().list()]


def parameters(current: str) -> Offer:
    """Sampling parameters, with their equals sign."""
    from ..parameters import OFFERED

    return [(f"{name}=", "param") for name in OFFERED]


def fields(current: str) -> Offer:
    """What may be set in a model's description, with its equals sign."""
    from ..parameters import GROUPS

    known = ["name", "description", *itertools.chain.from_iterable(GROUPS.values())]
    return [(f"{name}=", "param") for name in known]


def threads(current: str) -> Offer:
    """The threads, by title, newest first."""

    titles = dict.fromkeys(thread.title for thread in workspace().threads.list())
    return [(quoted(title), "thread") for title in titles]


def runs(current: str) -> Offer:
    """The comparisons that are kept, the newest first."""
    from ..compare.keeping.runs import Runs

    return [(quoted(name), "run") for name in Runs(workspace())]


def scorers(current: str) -> Offer:
    """What scores answers by its name."""
    from ..compare.scoring.scorers import NAMES

    return [(name, "scorer") for name in NAMES]


def names(current: str) -> Offer:
    """What the user has made in the notebook; nothing where there is none."""
    module = sys.modules.get("IPython.core.getipython")  # else there is no shell either
    shell = module.get_ipython() if module is not None else None
    hidden = shell.user_ns_hidden if shell is not None else {}
    made = shell.user_ns if shell is not None else {}
    return [(name, "instance") for name in made if name[:1] != "_" and name not in hidden]


def paths(current: str) -> Offer:
    """Files and folders; a folder ends with a slash, so that Tab goes on inside."""
    folder, _, start = current.rpartition("/")
    try:
        with os.scandir(
            Path(folder + "/" if folder or current[:1] == "/" else ".").expanduser()
        ) as entries:
            found = [e for e in entries if start[:1] == "." or not e.name.startswith(".")]
            head = current[: len(current) - len(start)]
            return [
                (f"{head}{e.name}{'/' if e.is_dir() else ''}", "path")
                for e in sorted(found, key=lambda e: e.name)
            ]
    except (OSError, ValueError, RuntimeError):
        return []


def quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name


def unquoted(text: str) -> str:
    """The same where no line of a cell is typed: a shell quotes by itself."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def sources(current: str) -> Offer:
    """What can be pulled: what has begun, models that wait for their files, the curated ones."""
    from ..models.hub.search import curated
    from ..models.hub.unfinished import unfinished

    store = models()
    begun = [known.id for known in unfinished(store.writable)]
    waiting = [model.reference for model in store.list() if model.state == "not-downloaded"]
    names = dict.fromkeys([*begun, *waiting, *(known.name for known in curated())])
    return [(quoted(name), "model") for name in names]
