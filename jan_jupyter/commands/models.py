"""`%jan models`, `show`, `import`, `rm`, `edit`: the models, and what is changed of them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import errors, units
from .candidates import all_models, fields, paths
from .command import Caller, Command, Told, Work, arg, pairs, without_pairs
from .options import value_of
from .screen import say
from .shared import default_id, workspace

if TYPE_CHECKING:
    from pathlib import Path

    from ..models.changes import How
    from ..models.fit import Fit
    from ..models.machine import Machine
    from ..models.model import Model
    from ..models.summary import Facts
    from .tables import Cell, Tone

MOST_ROWS = 300
LONGEST_REMARK = 240

_STATES: dict[str, tuple[str, Tone]] = {
    "loaded": ("● loaded", "good"),
    "ready": ("● ready", ""),
    "not-running": ("○ not running", "quiet"),
    "needs-key": ("○ needs key", "warning"),
    "not-downloaded": ("○ not downloaded", "quiet"),
    "missing-file": ("✕ file missing", "bad"),
    "broken": ("✕ broken", "bad"),
}
_ORDER = [*_STATES]


class Seen(NamedTuple):
    """What holds now of models: the ids of those in memory, and of those whose server does not run
    the references, with a line for people."""

    loaded: set[str]
    not_running: Mapping[str, str]

    def state(self, model: Model) -> str:
        if model.state != "ready":
            return model.state
        if model.reference in self.not_running:
            return "not-running"
        return "loaded" if model.id in self.loaded else "ready"

    def reason(self, model: Model) -> str:
        """Why it cannot answer now; empty if it can."""
        return model.reason or self.not_running.get(model.reference, "")


# Listing ----------------------------------------------------------------------------------------


def models(magics: Caller, arguments: Namespace) -> Work:
    async def look() -> tuple[list[Model], Seen]:
        import asyncio

        every = await asyncio.to_thread(workspace().models.list)
        wanted = arguments.filter.casefold()
        found = [m for m in every if wanted in m.id.casefold() or wanted in m.name.casefold()]
        seen = await _look(found)
        found.sort(key=lambda m: (_ORDER.index(seen.state(m)), m.id.casefold()))
        return found, seen

    def show(found: tuple[list[Model], Seen]) -> list[Model]:
        return _listed(arguments.filter, arguments.verbose, *found)

    return Work(look(), show)


async def _loaded() -> set[str]:
    """The ids of the models that are in memory; none if that cannot be told."""

    try:
        return {running.model for running in await workspace().router.running()}
    except errors.JanError:
        return set()


async def _look(models: Sequence[Model]) -> Seen:
    return Seen(await _loaded(), await workspace().servers.not_running(models))


def _listed(pattern: str, verbose: bool, found: list[Model], seen: Seen) -> list[Model]:
    from ..models.machine import probe
    from ..models.summary import facts
    from .tables import table

    default, machine = default_id(), probe() if found else None
    store = workspace().models
    rows = []
    for model in found[:MOST_ROWS]:
        told = facts(model, store.header(model))
        rows.append(_row(model, told, model.id == default, seen, machine, verbose))
    headings = ["model", "runs on", "size", "context", "images", "state", "remark"]
    if verbose:
        headings[-1:] = ["from", "architecture", "trained for", "path, remark"]
    nothing = f"No model's name contains {pattern!r}." if pattern else "No models."
    more = len(found) - len(rows)
    caption = (
        f"The first {MOST_ROWS} of {len(found):,}: %jan models PART lists some." if more else ""
    )
    table(
        headings,
        rows,
        caption if rows else nothing,
        right={2, 3, *({8} if verbose else ())},
        remarks=True,
    )
    return found


def _row(
    model: Model,
    told: Facts,
    is_default: bool,
    seen: Seen,
    machine: Machine | None,
    verbose: bool,
) -> list[str | Cell]:
    from ..models.summary import sees
    from .tables import Cell

    label, tone = _STATES[seen.state(model)]
    row: list[str | Cell] = [
        Cell(f"{model.reference} (default)" if is_default else model.reference, "", model.name),
        f"{model.engine} · {_where(model, told)}",
        " · ".join(filter(None, [units.size(told.size) if told.size else "", told.quantisation])),
        f"{told.context:,}" if told.context else "",
        "yes" if sees(model) else "",
        Cell(label, tone),
    ]
    if verbose:
        trained = f"{told.trained:,}" if told.trained else ""
        row += [told.origin, told.architecture, trained]
    remark = "; ".join(_remarks(model, machine, seen))
    short = remark if len(remark) <= LONGEST_REMARK else f"{remark[: LONGEST_REMARK - 1]}…"
    detail = remark if short != remark else ""
    row.append(
        Cell("; ".join(filter(None, [str(model.path), short])) if verbose else short, "", detail)
    )
    return row


def _where(model: Model, told: Facts) -> str:
    """This machine, or the host that is asked."""
    from ..addresses import host_of, is_this_machine

    if not told.remote:
        return "this machine"
    address = workspace().models.engine_options(model.engine).at(model).address
    return "this machine" if is_this_machine(address) else host_of(address) or "no address"


def _remarks(model: Model, machine: Machine | None, seen: Seen) -> Iterator[str]:
    """What somebody should know of it, the most important first."""

    if reason := seen.reason(model):
        yield reason
    elif (
        model.id not in seen.loaded
        and (fit := workspace().models.fit(model, machine))
        and fit.verdict != "fits"
    ):
        yield str(fit)
    yield from model.warnings


# One model --------------------------------------------------------------------------------------


def show(magics: Caller, arguments: Namespace) -> Work:

    model, _ = workspace().router.model(arguments.model)

    async def look() -> tuple[Model, Seen]:
        return model, await _look([model])

    def shown(found: tuple[Model, Seen]) -> Model:
        from .tables import card

        model, seen = found
        fit = workspace().models.fit(model)
        card(model.name, [*_facts_of(model, fit, seen)], model.description)
        return model

    return Work(look(), shown)


def _facts_of(model: Model, fit: Fit | None, seen: Seen) -> Iterator[tuple[str, str | Cell]]:
    from ..engine_options.engine_rows import loads
    from ..models.summary import facts, reasons
    from .tables import Cell

    told = facts(model, workspace().models.header(model))
    label, tone = _STATES[seen.state(model)]
    reason, written = seen.reason(model), model.written_engine
    yield "id", model.reference
    yield "state", Cell(f"{label}: {reason}" if reason else label, tone)
    yield (
        "engine",
        f"{model.engine} (written {written})"
        if written not in (None, model.engine)
        else model.engine,
    )
    where = "" if model.source == "bundled" else f": {_short_path(model, model.path)}"
    yield "from", f"{told.origin}{where}"
    if model.file is not None:
        bytes_ = f" ({units.size(told.size)})" if told.size else ""
        yield "file", f"{_short_path(model, model.file)}{bytes_}"
    if model.projector is not None:
        yield "images", f"yes: {_short_path(model, model.projector)}"
    if reasons(model, workspace().models.template(model)):
        yield "reasons", "yes"
    if loads(model.engine) == "gguf":
        kind = " · ".join(filter(None, [told.architecture, told.quantisation]))
        yield from [("kind", kind)] if kind else []
        if told.context:
            trained = f" (trained for {told.trained:,})" if told.trained else ""
            yield "context", f"{told.context:,} tokens{trained}"
    if fit is not None and model.id not in seen.loaded:
        tones: dict[str, Tone] = {"fits": "good", "slow": "warning", "too large": "bad"}
        yield "memory", Cell(str(fit), tones[fit.verdict])
    yield from _written(model)


def _written(model: Model) -> Iterator[tuple[str, str | Cell]]:
    """What its description sets, and what is amiss with it."""
    from .tables import Cell

    for name, values in (("settings", model.settings), ("parameters", model.parameters)):
        if values:
            yield name, ", ".join(f"{k}={_short(v, k)}" for k, v in values.items())
    for key, value in model.metadata.items():
        if value not in (None, "", []) and key != "size":
            yield key, ", ".join(map(str, value)) if isinstance(value, list) else _short(value)
    for source in model.sources:
        if address := source.get("url"):
            yield "download", str(address)
    for warning in model.warnings:
        yield "remark", Cell(warning, "warning")


def _short_path(model: Model, path: Path) -> str:
    """A path as seen from the data folder or the home folder; a bundled one by its name."""
    from pathlib import Path

    if model.source == "bundled":
        return path.name
    for folder, name in ((model.data_folder, ""), (Path.home(), "~/")):
        if folder is not None and path.is_relative_to(folder):
            return f"{name}{path.relative_to(folder).as_posix()}"
    return str(path)


def _short(value: Any, name: str = "") -> str:
    from ..redaction import Address, is_secret_name, without_secrets

    if is_secret_name(name) and name != "api_key_env":
        return "…"
    value = without_secrets(value) if isinstance(value, Address) else value
    text = repr(value) if isinstance(value, str) and " " in value else str(value)
    return text if len(text) <= 120 else text[:119] + "…"


# Changes ----------------------------------------------------------------------------------------


def import_(magics: Caller, arguments: Namespace) -> Work:
    import asyncio

    if arguments.copy and arguments.link:
        raise errors.UsageError("%jan import: --copy or --link, not both.")
    how: How = "copy" if arguments.copy else "link" if arguments.link else "refer"
    importing = asyncio.to_thread(
        workspace().models.import_,
        arguments.path,
        id=arguments.as_id,
        how=how,
        trust_address=arguments.trust_address,
    )

    def shown(model: Model) -> Model:
        where = {"copy": "copied", "link": "linked", "refer": "used where it lies"}[how]
        state = "" if model.state == "ready" else f" It is {model.state}: {model.reason}."
        file = f" (its file is {where})" if model.file else ""
        say(f"{model.id} is a model now{file}: %%jan {model.reference}{state}")
        return model

    return Work(importing, shown)


def rm(magics: Caller, arguments: Namespace) -> Work:

    router = workspace().router
    model = router.store.owned(arguments.model, "removed")

    async def remove() -> Sequence[Path]:
        import asyncio

        if model.id in await _loaded():  # some systems delete no file that is in use
            await router.unload(model)
        return await asyncio.to_thread(router.store.remove, model)

    def shown(left: Sequence[Path]) -> None:

        freed = f", {units.size(model.size)}" if model.size else ""
        say(f"{model.id} is removed{freed}.")
        if model.file is not None and model.file.exists():
            say(f"Its file is not in its folder and stays: {model.file}")
        if left:
            say(f"Left in its folder: {', '.join(path.name for path in left)}")

    return Work(remove(), shown)


def edit(caller: Caller, arguments: Namespace) -> Told:

    changes: dict[str, Any] = {}
    for key, text in pairs(arguments.pairs):
        if not key or (
            not text and not any(word.startswith(f"{key}=") for word in arguments.pairs)
        ):
            raise errors.UsageError(f"%jan edit: {key!r} is not KEY=VALUE. See %jan edit?.")
        try:
            changes[key] = value_of(text) if text else None
        except ValueError:
            raise errors.UsageError(f"%jan edit: {key}={text} is no number that can be.") from None
    model = workspace().models.update(arguments.model, changes)

    def shown(model: Model) -> Model:
        _edited(model, changes)
        return model

    return Told(model, shown)


def _edited(model: Model, changes: Mapping[str, Any]) -> None:
    top = {name: getattr(model, name) for name in ("name", "description", "version", "engine")}
    for key in changes:
        name = key.rpartition(".")[2]
        for values in (model.settings, model.parameters, model.metadata, top):
            if name in values:
                say(f"{model.id}: {name} = {_short(values[name], name)}")
                break
        else:
            say(f"{model.id}: {key} {'is unset' if changes[key] is None else 'is set'}")


_MODEL = arg("model", candidates=all_models, help="its id")

COMMANDS = (
    Command(
        "models",
        models,
        "list the models and their state",
        (
            arg("filter", nargs="?", default="", help="a part of the names to list"),
            arg("-v", "--verbose", action="store_true", help="more columns"),
        ),
    ),
    Command("show", show, "all that is known of a model", (_MODEL,)),
    Command(
        "import",
        import_,
        "make a model of ours from a file or folder",
        (
            arg(
                "path",
                candidates=paths,
                help="a .gguf file, a folder, a model.json, or a model of another program",
            ),
            arg("--copy", action="store_true", help="copy the file into the data folder"),
            arg("--link", action="store_true", help="give it a second name there, without a copy"),
            arg("--as", dest="as_id", metavar="ID", help="id of the new model"),
            arg(
                "--trust-address",
                action="store_true",
                help="allow a description that names the server it talks to",
            ),
        ),
        "Without --copy and --link the file stays where it is, and is used from there.",
    ),
    Command(
        "rm",
        rm,
        "delete a model and its files",
        (_MODEL,),
        "Only models in our data folder, and only files in the model's own folder.",
    ),
    Command(
        "edit",
        edit,
        "change what stands in its description",
        (
            _MODEL,
            arg(
                "pairs",
                nargs="+",
                metavar="KEY=VALUE",
                candidates=fields,
                help="KEY= takes the field away",
            ),
        ),
        "Keys: ctx_len, ngl, temperature, max_tokens, stop, name, description …; settings.NAME,\n"
        "parameters.NAME and metadata.NAME for any other. Values are JSON, or text as it is.",
        is_question=without_pairs,
    ),
)
