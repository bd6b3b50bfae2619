"""The subcommands of `%jan`: each asks the library and shows a table; its value is the data."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from time import time
from typing import TYPE_CHECKING, Any

from .. import __version__, errors
from ..router import Router, shared
from ..settings import settings
from . import options as opt
from .core import Work
from .tables import seconds, show, size, table

if TYPE_CHECKING:
    from ..models.model import Model
    from ..types import Event, Running
    from .core import JanMagics


def run(magics: JanMagics, name: str, arguments: str) -> Any:
    """Run a subcommand: its value, or the `Work` to wait for. Raises `JanError` with one line."""
    return _COMMANDS[name](magics, _unquoted(arguments))


def _unquoted(arguments: str) -> str:
    if arguments[:1] in ("'", '"'):
        return "".join(shlex.split(arguments))
    return arguments


def models(magics: JanMagics, pattern: str) -> list[Model]:
    found = [m for m in shared().store.list() if pattern.lower() in m.id.lower()]
    default = _default_id()
    rows = [
        (
            f"{m.id} (default)" if m.id == default else m.id,
            m.engine,
            m.state,
            m.source,
            m.reason or "; ".join(m.warnings),
        )
        for m in found
    ]
    nothing = f"No model's name contains {pattern!r}." if pattern else "No models."
    table(("model", "engine", "state", "found as", "remark"), rows, "" if rows else nothing)
    return found


def _default_id() -> str | None:
    try:
        return shared().model(None)[0].id
    except errors.JanError:
        return None


def engines(magics: JanMagics, arguments: str) -> list[str]:
    from ..engines.registry import listing

    rows = listing()
    table(
        ("engine", "kind", "state", "remark"), [(r.name, r.kind, r.state, r.remark) for r in rows]
    )
    return [row.name for row in rows]


def use(magics: JanMagics, name: str) -> None:
    if name:
        model, _ = shared().model(name)
        if model.state != "ready":
            raise errors.ModelNotReady(f"Model {model.id} is {model.state}: {model.reason}")
        settings().model = name
    model, _ = shared().model(None)
    print(f"Default model: {model.id} (engine {model.engine}).")


def set_(magics: JanMagics, arguments: str) -> dict[str, Any]:
    for name, value in _pairs(arguments):
        if value is None:
            magics.parameters.pop(name, None)
        else:
            magics.parameters[name] = value
    if magics.parameters:
        print("Set for every cell: " + ", ".join(f"{k}={v}" for k, v in magics.parameters.items()))
    else:
        print("No default parameters are set. For example: %jan set temperature=0.2")
    return dict(magics.parameters)


def _pairs(arguments: str) -> list[tuple[str, Any]]:
    if match := re.fullmatch(r"(\w+)\s+(\S+)", arguments):
        arguments = f"{match[1]}={match[2]}"
    try:
        words = shlex.split(re.sub(r"\s*=\s*", "=", arguments))
    except ValueError as error:
        raise errors.UsageError(f"%jan set: {error} in {arguments!r}") from None
    pairs = []
    for word in words:
        name, _, text = word.partition("=")
        name = name.replace("-", "_")
        if name not in opt.PARAMETERS:
            known = ", ".join(opt.PARAMETERS)
            raise errors.UsageError(
                f"%jan set knows no parameter {name!r}. Known: {known}. Others: -p KEY=VALUE."
            )
        pairs.append((name, _typed(name, text) if text else None))
    return pairs


def _typed(name: str, text: str) -> Any:
    kind = opt.PARAMETERS[name][0]
    if name == "stop":
        return [text]
    try:
        return kind(text)
    except ValueError:
        what = "a whole number" if kind is int else "a number"
        raise errors.UsageError(f"{name} must be {what}, not {text!r}.") from None


def load(magics: JanMagics, name: str) -> Work:
    loading = _telling(shared(), name or None)
    return Work(loading, lambda model: print(f"{model.id} is ready."))


def unload(magics: JanMagics, name: str) -> Work:
    unloading = shared().unload(name or None)
    return Work(unloading, lambda model: print(f"{model.id} is unloaded."))


async def _telling(router: Router, name: str | None) -> Model:
    """Load, and print each whole tenth of the progress."""
    told = [-1]

    def tell(event: Event) -> None:
        if event.state == "loading" and event.progress is not None:
            tenth = int(event.progress * 10)
            if tenth > told[0]:
                told[0] = tenth
                print(f"Loading {event.model} {event.progress:.0%} …", flush=True)

    unwatch = router.watch(tell)
    try:
        return await router.load(name)
    finally:
        unwatch()


def ps(magics: JanMagics, arguments: str) -> Work:
    return Work(shared().running(), _running)


def _running(running: list[Running]) -> list[Running]:
    rows = [
        (
            r.model,
            f"{r.engine} ({r.runtime})",
            r.state if r.idle is None else f"idle {seconds(r.idle)}",
            size(r.memory),
            str(r.pid),
            seconds(time() - r.since),
        )
        for r in running
    ]
    table(
        ("model", "engine", "state", "memory", "process", "for"),
        rows,
        "" if rows else "No model is loaded.",
    )
    return running


def status(magics: JanMagics, arguments: str) -> None:
    from importlib import metadata

    store = shared().store
    rows: list[tuple[str, str]] = [("jan_jupyter", __version__)]
    for package in ("xllamacpp", "ipykernel", "IPython"):
        try:
            rows.append((package, metadata.version(package)))
        except metadata.PackageNotFoundError:
            continue
    rows += [("folder", f"{folder.path} ({folder.why})") for folder in store.folders()]
    rows.append(("default model", _default_id() or "none"))
    rows += [(name, str(value)) for name, value in _set_settings().items()]
    rows += [(name, str(value)) for name, value in magics.parameters.items()]
    table(("what", "value"), rows)


def _set_settings() -> Mapping[str, Any]:
    jan = settings()
    return {name: getattr(jan, name) for name in jan.trait_names(config=True) if getattr(jan, name)}


def help_(magics: JanMagics, arguments: str) -> None:
    show({"text/plain": opt.help_text()})


_COMMANDS: Mapping[str, Callable[[JanMagics, str], Any]] = {
    "models": models,
    "engines": engines,
    "use": use,
    "set": set_,
    "load": load,
    "unload": unload,
    "ps": ps,
    "status": status,
    "help": help_,
}
