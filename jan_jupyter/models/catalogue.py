"""All models of several places, each with its state; what did not change is not read again."""

from __future__ import annotations

import difflib
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from ..engine_options.engine_files import is_placeholder
from ..engine_options.engine_rows import canonical, default_engine, known_engines, plugin_engines
from ..engine_options.options import Door, EngineOptions, door_of
from ..errors import JanError, ModelBroken
from ..watch import Look, Memo, Watch
from . import other_apps, schema
from .files import Files, find, find_folder
from .model import FOREIGN, ORIGIN, Model
from .names import folder_parts
from .scan import Found, scan
from .schema import Description


class Place(NamedTuple):
    """Where models lie: a data folder of Jan's kind, or the home of another program."""

    root: Path
    kind: str = "data"
    """`data`, `bundled`, or the name of a home."""
    own: bool = False
    """Whether it is the user's: what others have put there is not trusted with keys."""


class Needs(NamedTuple):
    """What a model needs of others: its engine, as written, and a way in at its own address."""

    engine: str | None
    door: Door | None = None


class Engines:
    """What is set for engines, looked up once for a whole listing."""

    def __init__(self, options: Callable[[str | None], EngineOptions]) -> None:
        self.options = cache(options)
        self.plugins = cache(plugin_engines)
        self._keys: dict[tuple[str, str, Door | None], str] = {}

    def at(self, needs: Needs) -> EngineOptions:
        """The options that hold for the address of a model."""
        return self.options(needs.engine).at(needs.door)

    def why_no_key(self, options: EngineOptions, door: Door | None) -> str:
        """Empty if there is a key."""
        place = options.name, options.key_name, door
        if place not in self._keys:
            self._keys[place] = _why_no_key(options)
        return self._keys[place]

    def fingerprint(self, needs: Needs) -> object:
        """What the states of models depend on, besides their own files."""
        options = self.at(needs)
        needed = options.row is not None and options.row.needs_key and options.needs_key()
        plugins = self.plugins() if _may_be_plugin(options) else None
        return options, needed and self.why_no_key(options, needs.door), plugins


def _why_no_key(options: EngineOptions) -> str:
    hint = ""
    try:
        if options.key():
            return ""
    except JanError as error:
        hint = f" ({error})"
    return f"no key for engine {options.name}: {options.key_hint}{hint}"


def _engine_file(options: EngineOptions) -> str:
    return f"engines/{options.name}/engine.json"


_DOUBTFUL = ("broken", "missing-file", "not-downloaded")
"""States that a model may also seem to be in because another process is changing it."""
_MOST_LOOKS = 3


@dataclass(slots=True)
class _Item:
    """One description: what it says, and what that depends on."""

    models: tuple[Model, ...]
    paths: tuple[str, ...]
    needs: tuple[Needs, ...]


class Catalogue:
    """Lists the models of places, in order of precedence."""

    def __init__(self, options: Callable[[str | None], EngineOptions]) -> None:
        self._options = options
        self._lock = threading.RLock()
        self._described = Memo[Sequence[Description]]()
        self._forget()

    def _forget(self) -> None:
        self._watch = Watch()
        self._places: list[Place] | None = None
        self._items: dict[tuple[str, str, str], _Item] = {}
        self._fingerprints: dict[Needs, object] = {}
        self._listed: list[Model] = []
        self._by_path: dict[Path, Model] | None = None

    def models(self, places: list[Place]) -> list[Model]:
        """All models, those that win a shared id before those that lose it, by place.

        If nothing changed since the last time, that costs one `stat` for each folder and
        description.
        """
        with self._lock:
            engines = Engines(self._options)
            stale = {k for k, v in self._fingerprints.items() if v != engines.fingerprint(k)}
            changed = self._watch.changed()
            looks = 0
            while looks < _MOST_LOOKS and (changed or stale or places != self._places):
                try:
                    self._refresh(places, changed, stale, engines)
                except BaseException:  # an interrupt, in the middle of it
                    self._forget()
                    raise
                looks, stale = looks + 1, set()
                changed = self._watch.changed_meanwhile(self._doubtful())
            return [*self._listed]

    def _doubtful(self) -> set[str]:
        """Paths of what has something wrong: perhaps only because it was changed meanwhile."""
        return {
            path
            for (_, _, description), item in self._items.items()
            if any(model.state in _DOUBTFUL for model in item.models)
            for path in (*item.paths, os.path.dirname(description))
        }

    def read(self, place: Place, found: Found) -> Model | None:
        """The model of one description, read now; as the last listing has it if it is the same."""
        path = Path(found.path)
        describe = partial(_describe, found, path, place)
        described = partial(self._described.get, (place, found), describe)
        models = self._read(place, found, path, described, Look(Watch()), Engines(self._options))
        if len(models) != 1:
            return None
        if self._by_path is None:
            self._by_path = {model.path: model for model in self._listed}
        listed = self._by_path.get(models[0].path)
        if listed is not None and listed.raw == models[0].raw:
            same = replace(models[0], warnings=listed.warnings, shadowed=listed.shadowed)
            return listed if same == listed else models[0]
        return models[0]

    def _refresh(
        self, places: list[Place], changed: set[str], stale: set[Needs], engines: Engines
    ) -> None:
        known, self._items = self._items, {}
        needed = self._watch.needed = set()
        every_need: dict[tuple[Needs, ...], tuple[Needs, ...]] = {}
        for place in places:
            where = str(place.root)
            for found in _scan(place, self._watch):
                key = (where, found.source, found.path)
                item = known.get(key)
                if (
                    item is None
                    or not changed.isdisjoint(item.paths)
                    or not stale.isdisjoint(item.needs)
                ):
                    look = Look(self._watch)
                    path = Path(found.path)
                    described = partial(_describe, found, path, place, look)
                    models = self._read(place, found, path, described, look, engines)
                    needs = tuple(dict.fromkeys(map(_needs, models)))
                    needs = every_need.setdefault(needs, needs)  # most have the same
                    item = _Item(tuple(models), tuple(look.paths), needs)
                needed.update(item.paths)
                self._items[key] = item
        self._watch.forget_all_but(needed)
        met = {needs for item in self._items.values() for needs in item.needs}
        self._fingerprints = {needs: engines.fingerprint(needs) for needs in met}
        every = [model for item in self._items.values() for model in item.models]
        self._listed = _with_duplicates_told(_each_file_once(every))
        self._by_path = None
        self._places = [*places]

    def _read(
        self,
        place: Place,
        found: Found,
        path: Path,
        described: Callable[[], Sequence[Description]],
        look: Look,
        engines: Engines,
    ) -> list[Model]:
        """The models of one description. Whatever is wrong with it, it says so itself."""
        data_folder = place.root if place.kind == "data" else None
        try:
            descriptions = described()
        except Exception as error:
            return [_broken(found, found.id, data_folder, error)]
        models = []
        for one in descriptions:
            try:
                models.append(_model(found, one, path, place, look, engines))
            except Exception as error:
                models.append(_broken(found, one.id, data_folder, error))
        if place.kind == "bundled":
            return [replace(model, source="bundled") for model in models]
        return models


def _scan(place: Place, watch: Watch) -> Iterable[Found]:
    if place.kind == "data":
        return scan(str(place.root), watch)
    if place.kind == "bundled":
        return [found for found in scan(str(place.root), watch) if found.source == "json"]
    return other_apps.scan(place.kind, str(place.root), watch)


# One description --------------------------------------------------------------------------------


def _describe(found: Found, path: Path, place: Place, look: Look) -> Sequence[Description]:
    return [*_descriptions(found, path, place, look)]


def _descriptions(found: Found, path: Path, place: Place, look: Look) -> Iterator[Description]:
    match found.source:
        case "json":
            yield schema.model_json(look.read(found.path), path, found.id)
        case "cortex":
            if described := schema.cortex_yml(look.read(found.path), path, found.id, place.root):
                yield described
        case "llamacpp" | "mlx":
            engine = canonical(found.source)  # Jan's folders bear the names of engines
            yield schema.llamacpp_yml(look.read(found.path), path, found.id, place.root, engine)
        case "remote-list":
            try:
                yield from schema.remote_list(look.read(found.path), path)
            except ModelBroken:
                if path.parent.name == "engine-models":  # elsewhere it is meant for others
                    raise
        case "bare":
            yield Description(found.id, found.id)
        case _:
            yield other_apps.describe(found, place.root, look)


def _needs(model: Model) -> Needs:
    return Needs(model.written_engine, door_of(model.settings, model.raw, model.path, model.own))


def _broken(found: Found, name: str, data_folder: Path | None, error: Exception) -> Model:
    reason = str(error)
    if not isinstance(error, ModelBroken):
        reason = f"{found.path}: {type(error).__name__}: {error}"
    return Model(
        id=name,
        name=name,
        engine=default_engine(),
        state="broken",
        source=found.source,
        path=Path(found.path),
        reason=reason,
        data_folder=data_folder,
        names=_names(found),
    )


def _names(found: Found) -> tuple[str, ...]:
    return tuple(filter(None, dict.fromkeys(found.names)))


def _model(
    found: Found,
    described: Description,
    path: Path,
    place: Place,
    look: Look,
    engines: Engines,
) -> Model:
    own = place.own and ORIGIN not in described.metadata
    needs = Needs(described.written_engine, door_of(described.settings, described.raw, path, own))
    options = engines.at(needs)
    there = _look(found, described, options, needs, look, engines)
    warnings = [*described.warnings, *there.warnings]
    names = _names(found)
    if not _named_alike(found, described.id, names):
        warnings.append(f"its folder is named {names[0]}, not like its id")
    return Model(
        id=described.id,
        name=described.name or described.id,
        engine=options.key_name,
        state=there.state,
        source=found.source,
        path=path,
        settings=described.settings,
        parameters=described.parameters,
        metadata=described.metadata,
        warnings=tuple(warnings),
        reason=there.reason,
        file=there.main,
        projector=there.projector,
        sources=tuple(described.sources),
        written_engine=described.written_engine,
        version=described.version,
        format=described.format,
        description=described.description,
        created=described.created,
        data_folder=place.root if place.kind == "data" else None,
        raw=described.raw,
        own=own,
        names=names,
        size=there.size,
        identity=there.identity,
    )


def _named_alike(found: Found, id: str, names: Sequence[str]) -> bool:
    """Whether a folder of ours has the name that its model's id makes."""
    if found.source in FOREIGN or not names or id.replace(":", "/") in names:
        return True
    return "/".join(folder_parts(id)) == names[0]


def _look(
    found: Found,
    described: Description,
    options: EngineOptions,
    needs: Needs,
    look: Look,
    engines: Engines,
) -> Files:
    """Files and state of a model, by the kind of its engine."""
    if described.broken:
        return Files(state="broken", reason=described.broken)
    row = options.row
    folder = found.path if found.source == "bare" else os.path.dirname(found.path)
    if _may_be_plugin(options) and options.kind in engines.plugins():
        local = find(described, folder, look)
        return Files(local.main, local.projector)
    if row is None:
        known = [*known_engines(), *engines.plugins()]
        near = " or ".join(difflib.get_close_matches(options.kind, known, 2))
        hint = f"did you mean {near}?" if near else f"known: {', '.join(known)}"
        reason = f"engine {options.kind} is not known (`%jan hub` lists more); {hint}"
        return Files(state="broken", reason=reason)
    if row.kind == "unsupported":
        return Files(state="broken", reason=f"engine {row.name} is not supported here")
    if row.loads == "gguf":
        return find(described, folder, look)
    if row.kind == "local" and not options.address:
        return find_folder(described, folder, look)
    return _remote(described, options, needs, engines)


def _may_be_plugin(options: EngineOptions) -> bool:
    """Whether a package may serve that engine: it is none of ours."""
    return options.row is None or options.row.kind == "unsupported"


def _remote(
    described: Description, options: EngineOptions, needs: Needs, engines: Engines
) -> Files:
    """The state of a model that a server answers for."""
    address = options.address
    if not address or is_placeholder(address):
        reason = f"engine {options.name} has no address: set `base_url` in {_engine_file(options)}"
        return Files(state="broken", reason=reason)
    if reason := options.incomplete(described.settings):
        return Files(state="broken", reason=reason)
    if options.needs_key() and (reason := engines.why_no_key(options, needs.door)):
        return Files(state="needs-key", reason=reason)
    return Files()


# All of them ------------------------------------------------------------------------------------


def _each_file_once(models: list[Model]) -> list[Model]:
    """Leave out what another program has if its file is that of a model before it."""
    met: set[tuple[int, int]] = set()
    kept = []
    for model in models:
        if model.identity is None:
            kept.append(model)
        elif not model.is_foreign or model.identity not in met:
            met.add(model.identity)
            kept.append(model)
    return kept


def _with_duplicates_told(models: list[Model]) -> list[Model]:
    """Tell both sides of a shared id; `models` come in order of precedence.

    Within a place and source, the one whose folder is named like the id wins.
    """
    first: dict[str, int] = {}
    for index, model in enumerate(models):
        best = models[first.setdefault(model.id, index)]
        if best is model:
            continue
        same_place = (best.data_folder, best.source) == (model.data_folder, model.source)
        if same_place and _likeness(model) > _likeness(best):
            first[model.id] = index
    if len(first) == len(models):
        return models
    told = [*models]
    for index, loser in enumerate(models):
        if (winner := first[loser.id]) != index:
            shadowed = replace(loser, shadowed=True)
            best = models[winner]
            if best.path == loser.path:
                hint = f"{loser.path} has {loser.id} more than once: the first counts"
            else:
                hint = (
                    f"{best.path} wins over {loser.path}, which has the same id and is"
                    f" {shadowed.reference}"
                )
            told[index] = replace(shadowed, warnings=(*loser.warnings, hint))
            told[winner] = replace(told[winner], warnings=(*told[winner].warnings, hint))
    return told


def _likeness(model: Model) -> int:
    """How much the folder is named like the id: in full, in its last part, or not."""
    if model.names[:1] == (model.id,):
        return 2
    return int(model.id in model.names)
