"""The models that can be found, each with its state (spec §§2-7). Only changes ever write."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import JanError, ModelBroken, ModelNotFound, ModelReadOnly
from . import changes, schema
from .engine_files import (
    DATA,
    EngineOptions,
    canonical,
    is_placeholder,
    known_engines,
    plugin_engines,
    read_engine_options,
)
from .files import Files, find, find_folder
from .folders import DataFolder, jan_data_folder
from .model import Model
from .reading import read_json, read_yaml
from .scan import Found, description_at, scan
from .schema import Description


class _Engines:
    """What is set for engines, looked up once for a whole listing."""

    def __init__(self, options: Callable[[str | None], EngineOptions]) -> None:
        self.options = functools.cache(options)
        self.plugins = functools.cache(plugin_engines)
        self._keys: dict[tuple[str, str], str] = {}

    def why_no_key(self, options: EngineOptions) -> str:
        """Empty if there is a key."""
        place = options.name, options.key_name
        if place not in self._keys:
            self._keys[place] = _why_no_key(options)
        return self._keys[place]


def _why_no_key(options: EngineOptions) -> str:
    from ..settings import key_variable

    hint = ""
    try:
        if options.key():
            return ""
    except JanError as error:
        hint = f" ({error})"
    variable = options.api_key_env or key_variable(options.key_name)
    return f"no key: set {variable}, or `api_key` in {_engine_file(options)}{hint}"


def _engine_file(options: EngineOptions) -> str:
    return f"engines/{options.name}/engine.json"


class ModelStore:
    """Reads the models of data folders.

    With `data_folder` of that one alone; else of the folder that the user's settings name, else of
    our own and that of an installed Jan; without `data_folder` also the bundled models.
    """

    def __init__(self, data_folder: Path | str | None = None) -> None:
        self._given = Path(data_folder).expanduser().absolute() if data_folder else None
        self._cache: dict[Path, tuple[tuple[int, ...], Any]] = {}

    def folders(self) -> list[DataFolder]:
        """The data folders in use, the first one wins; a folder may not exist yet."""
        if self._given:
            return [DataFolder(self._given, "given for this store")]
        from ..settings import own_data_folder, settings

        own = own_data_folder().absolute()
        if settings().data_folder:
            return [DataFolder(own, "JAN_DATA_FOLDER or `%config Jan.data_folder`")]
        found = [DataFolder(own, "our own data folder")]
        jan = jan_data_folder()
        if jan is not None and jan.path.resolve() != own.resolve():
            found.append(jan)
        return found

    def list(self) -> list[Model]:
        """All models, those that win a shared id before those that lose it, ours before others'."""
        engines = _Engines(self._engine_options)
        models: list[Model] = []
        for folder in self.folders():
            for found in scan(folder.path):
                models += self._models(found, folder.path, engines)
        if not self._given:
            for found in scan(DATA):
                if found.source == "json":
                    models += [
                        replace(model, source="bundled", data_folder=None)
                        for model in self._models(found, DATA, engines)
                    ]
        return _with_duplicates_told(models)

    def get(self, name: str) -> Model:
        """The model of that id, folder, or `<source>:<id>`; then without regard to case.

        Raises `ModelNotFound`, which tells the nearest names.
        """
        models = self.list()
        losers_first = sorted(models, key=lambda model: not model.shadowed)
        for same in (str, str.casefold):
            for names_of, searched in (
                (_ids, models),
                (_folder_names, models),
                (_references, losers_first),
            ):
                for model in searched:
                    if same(name) in map(same, names_of(model)):
                        return model
        every = [name for model in models for name in (model.id, *model.names)]
        near = difflib.get_close_matches(name, dict.fromkeys(every), n=3, cutoff=0.4)
        hint = f" Nearest: {', '.join(near)}." if near else ""
        raise ModelNotFound(f"There is no model {name!r}.{hint} `%jan models` lists all.")

    def default(self) -> Model:
        """The model for requests that name none: the user's choice, else the newest local one.

        A remote model is never chosen by itself. Raises `ModelNotFound`.
        """
        from ..settings import settings

        if chosen := settings().model:
            return self.get(chosen)
        local = [m for m in self.list() if m.engine == "nitro" and m.state == "ready"]
        if not local:
            raise ModelNotFound(
                "There is no local model here: put a .gguf file into a folder below models/ in the"
                " data folder (`%jan status` tells which it is)."
            )
        return max(local, key=lambda model: (model.source != "bundled", _modified(model)))

    # Changes --------------------------------------------------------------------------------------

    @property
    def writable(self) -> Path:
        """The data folder that new models go to."""
        return self.folders()[0].path

    def create(self, description: Mapping[str, Any], *, files_from: Path | None = None) -> Model:
        """Make a model from what its `model.json` shall say; `id` is required.

        `files_from` is a folder whose files become the model's; it is moved, and gone afterwards
        (a copy is made first if it lies on another disk). The model is there whole or not at all,
        also if the process is killed; after an error `files_from` is as it was. Where the id makes
        no good folder name, the folder gets a similar one.

        Raises `ModelExists` if our data folder has a model of that id, `CannotWrite` if the disk
        refuses, `UsageError` for a description that is none.
        """
        folder = self.writable
        path = changes.create(folder, description, self._taken, files_from)
        return self._model_at(path, folder)

    def add_files(self, model: Model, files_from: Path) -> Model:
        """Move files into the folder of a model that waits for them; gives it as it is now.

        The folder must lie below `models/` of the data folder that is ours; no file is replaced.
        `files_from` is gone afterwards. Raises `ModelReadOnly`, `ModelExists` or `CannotWrite`.
        """
        folder = self.writable
        if model.data_folder != folder or model.source != "json":
            raise ModelReadOnly(f"Model {model.id} is not ours: {model.path} is only read.")
        changes.add_files(folder, model.folder, files_from)
        return self._model_at(model.path, folder)

    def _taken(self, name: str) -> Path | None:
        """The description of the model of that id in the folder that we write to."""
        folder = self.writable
        for found in scan(folder):
            for model in self._models(found, folder, self._engines()):
                if model.id.casefold() == name.casefold() and found.source != "remote-list":
                    return model.path
        return None

    def _model_at(self, path: Path, data_folder: Path) -> Model:
        found = description_at(path, data_folder)
        return next(self._models(found, data_folder, self._engines()))

    def _engines(self) -> _Engines:
        return _Engines(self._engine_options)

    # Engines --------------------------------------------------------------------------------------

    def engine_options(self, engine: str | Model) -> EngineOptions:
        """What is set for an engine, or for the engine of a model (by the name written there)."""
        if not isinstance(engine, Model):
            return self._engine_options(engine)
        options = self._engine_options(engine.written_engine)
        return replace(options, kind="azure-openai") if engine.engine == "azure-openai" else options

    def _engine_options(self, written: str | None) -> EngineOptions:
        folders = [folder.path for folder in self.folders()]
        return read_engine_options(written or "nitro", folders, self._read)

    def _models(self, found: Found, data_folder: Path, engines: _Engines) -> Iterator[Model]:
        """The models of one description. Whatever is wrong with it, it says so itself."""
        try:
            described = list(_describe(found, data_folder, self._read))
        except Exception as error:
            yield _broken(found, found.id, data_folder, error)
            return
        for one in described:
            try:
                yield _model(found, one, data_folder, engines)
            except Exception as error:
                yield _broken(found, one.id, data_folder, error)

    def _read(self, path: Path) -> Any:
        """What a JSON or YAML file holds; read again only if the file is another."""
        read = read_json if path.suffix == ".json" else read_yaml
        try:
            status = path.stat()
        except OSError:
            return read(path)  # tells why
        state = (status.st_mtime_ns, status.st_size, status.st_ino)
        known = self._cache.get(path)
        if known is None or known[0] != state:
            try:
                known = state, read(path)
            except ModelBroken as error:
                known = state, error
            self._cache[path] = known
        if isinstance(known[1], ModelBroken):
            raise ModelBroken(str(known[1]))
        return known[1]


def _describe(
    found: Found, data_folder: Path, read: Callable[[Path], Any]
) -> Iterator[Description]:
    path = found.path
    match found.source:
        case "json":
            yield schema.model_json(read(path), path, found.id)
        case "cortex":
            if described := schema.cortex_yml(read(path), path, found.id, data_folder):
                yield described
        case "llamacpp" | "mlx":
            engine = "mlx" if found.source == "mlx" else "nitro"
            yield schema.llamacpp_yml(read(path), path, found.id, data_folder, engine)
        case "remote-list":
            try:
                yield from schema.remote_list(read(path), path)
            except ModelBroken:
                if path.parent.name == "engine-models":  # elsewhere it is meant for others
                    raise
        case _:
            yield Description(found.id, found.id)


def _broken(found: Found, name: str, data_folder: Path, error: Exception) -> Model:
    reason = str(error)
    if not isinstance(error, ModelBroken):
        reason = f"{found.path}: {type(error).__name__}: {error}"
    return Model(
        id=name,
        name=name,
        engine="nitro",
        state="broken",
        source=found.source,
        path=found.path,
        reason=reason,
        data_folder=data_folder,
        names=_names(found),
    )


def _names(found: Found) -> tuple[str, ...]:
    return tuple(filter(None, dict.fromkeys(found.names)))


def _model(found: Found, described: Description, data_folder: Path, engines: _Engines) -> Model:
    options = engines.options(described.written_engine)
    engine = canonical(described.written_engine)
    address = described.settings.get("base_url", "") or options.address
    if options.kind == "openai" and ".openai.azure.com" in address:
        options = replace(options, kind="azure-openai")
    if options.kind == "azure-openai" and engine == "openai":
        engine = "azure-openai"
    if described.broken:
        there = Files(state="broken", reason=described.broken)
    else:
        there = _look(found, described, options, address, engines)
    warnings = [*described.warnings, *there.warnings]
    names = _names(found)
    if names and described.id.replace(":", "/") not in names:
        warnings.append(f"its folder is named {names[0]}, not like its id")
    return Model(
        id=described.id,
        name=described.name or described.id,
        engine=engine,
        state=there.state,
        source=found.source,
        path=found.path,
        settings=dict(described.settings),
        parameters=dict(described.parameters),
        metadata=dict(described.metadata),
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
        data_folder=data_folder,
        raw=described.raw,
        names=names,
    )


def _look(
    found: Found,
    described: Description,
    options: EngineOptions,
    address: str,
    engines: _Engines,
) -> Files:
    """Files and state of a model, by the kind of its engine."""
    row = options.row
    folder = found.path if found.source == "bare" else found.path.parent
    if row is None:
        if options.kind in engines.plugins():
            local = find(described, folder)
            return Files(local.main, local.projector)
        known = ", ".join(known_engines())
        return Files(state="broken", reason=f"engine {options.kind} is not known; known: {known}")
    if row.kind == "unsupported":
        return Files(state="broken", reason=f"engine {row.name} is not supported here")
    if row.name == "nitro":
        return find(described, folder)
    if row.kind == "local" and not address:
        return find_folder(described, folder)
    return _remote(options, address, engines)


def _remote(options: EngineOptions, address: str, engines: _Engines) -> Files:
    """The state of a model that a server answers for."""
    if options.needs_key(address) and (reason := engines.why_no_key(options)):
        return Files(state="needs-key", reason=reason)
    if not address or is_placeholder(address):
        reason = f"engine {options.name} has no address: set `base_url` in {_engine_file(options)}"
        return Files(state="broken", reason=reason)
    if (
        options.kind == "azure-openai"
        and address == options.full_url
        and "api-version=" not in address
        and "/openai/v1/" not in address
    ):
        reason = "the address of an Azure deployment needs `?api-version=…` at its end"
        return Files(state="broken", reason=reason)
    return Files()


# All of them ------------------------------------------------------------------------------------


def _with_duplicates_told(models: list[Model]) -> list[Model]:
    """Tell both sides of a shared id; `models` come in order of precedence."""
    first: dict[str, int] = {}
    for index, model in enumerate(models):
        best = models[first.setdefault(model.id, index)]
        same_place = (best.data_folder, best.source) == (model.data_folder, model.source)
        if same_place and model.id in model.names and model.id not in best.names:
            first[model.id] = index
    told = list(models)
    for index, loser in enumerate(models):
        if (winner := first[loser.id]) != index:
            shadowed = replace(loser, shadowed=True)
            message = f"{models[winner].path} wins over {loser.path}, which has the same id"
            hint = f"{message} and is {shadowed.reference}"
            told[index] = replace(shadowed, warnings=(*loser.warnings, hint))
            told[winner] = replace(told[winner], warnings=(*told[winner].warnings, hint))
    return told


def _ids(model: Model) -> tuple[str, ...]:
    return () if model.shadowed else (model.id,)


def _folder_names(model: Model) -> tuple[str, ...]:
    return model.names


def _references(model: Model) -> tuple[str, ...]:
    return (f"{model.source}:{model.id}",)


def _modified(model: Model) -> float:
    try:
        return model.path.stat().st_mtime
    except OSError:
        return 0
