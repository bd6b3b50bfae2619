"""The models that can be found, each with its state. Only changes ever write."""

from __future__ import annotations

import difflib
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from ..engine_options.engine_files import read_engine_options, written_engines
from ..engine_options.engine_rows import (
    DATA,
    canonical,
    default_engine,
    known_engines,
    loads,
    plugin_engines,
)
from ..engine_options.options import EngineOptions
from ..errors import ModelBroken, ModelNotFound, ModelReadOnly, UsageError, expect
from ..watch import Memo
from . import changes, imports, other_apps
from .catalogue import Catalogue, Place
from .fit import Fit, estimate
from .folders import DataFolder, jan_data_folder
from .gguf import GGUFHeader, read_brief, read_template
from .machine import Machine, probe
from .model import ORIGIN, Model
from .scan import Found, description_at

if TYPE_CHECKING:
    from .hub.pull import Progress


class Shown(Protocol):
    """Where somebody sees how far a `pull` is, and how it ended."""

    def step(self, progress: Progress, /) -> None: ...
    def end(self, error: BaseException | None, /) -> object: ...


class ModelStore:
    """Reads the models of data folders.

    With `data_folder` of that one alone; else of the folder that the user's settings name, else of
    our own and that of an installed Jan; without `data_folder` also the bundled models.
    """

    shows: ClassVar[Callable[[str], Shown] | None] = None
    """Makes what shows people the progress of a `pull`, from a line that goes on with it."""

    def __init__(self, data_folder: Path | str | None = None) -> None:
        expect(data_folder, Path | str | None, "A data folder is a path")
        self._given = Path(data_folder).expanduser().absolute() if data_folder else None
        self._catalogue = Catalogue(self._engine_options)
        self._headers: dict[tuple[int, ...], GGUFHeader | None] = {}
        self._templates: dict[tuple[int, ...], str] = {}
        self._options = Memo[EngineOptions]()

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

    def places(self) -> list[Place]:
        """Where models are looked for, in order of precedence; a place may not exist."""
        found = [Place(f.path, own=not i) for i, f in enumerate(self.folders())]
        if self._given:
            return found
        from ..settings import settings

        found.append(Place(DATA, "bundled"))
        for kind in settings().home_names():
            found += [Place(root, kind) for root in other_apps.roots(kind)]
        return [*found, *(Place(folder, "folder") for folder in settings().extra_folders())]

    def list(self) -> list[Model]:
        """All models, those that win a shared id before those that lose it, ours before others'.

        A file that has several names, or that another program has too, is one model.
        """
        return self._catalogue.models(self.places())

    def get(self, name: str) -> Model:
        """The model of that id, folder, or `<source>:<id>`; then without regard to case.

        A model whose folder is named like it is found without a look at the others. Raises
        `ModelNotFound`, which tells the nearest names.
        """
        expect(name, str, "A model is named by text, or given as a Model")
        if (model := self._at_its_name(name)) is not None:
            return model
        models = self.list()
        losers_first = sorted(models, key=lambda model: not model.shadowed)
        for same in (str, str.casefold):
            wanted = same(name)
            for names_of, searched in (
                (_ids, models),
                (_folder_names, models),
                (_references, losers_first),
            ):
                for model in searched:
                    if any(same(known) == wanted for known in names_of(model)):
                        return model
        every = [name for model in models for name in (model.id, *model.names)]
        near = difflib.get_close_matches(name, dict.fromkeys(every), n=3, cutoff=0.4)
        hint = f" Nearest: {', '.join(near)}." if near else ""
        raise ModelNotFound(f"There is no model {name!r}.{hint} `%jan models` lists all.")

    def _at_its_name(self, name: str) -> Model | None:
        """The model whose `model.json` lies where its id says: nothing wins over that one."""
        folder = self.writable
        found = _named(name, folder)
        if found is None or not os.path.isfile(found.path):
            return None
        model = self._catalogue.read(Place(folder, own=True), found)
        return model if model is not None and model.id == name and not model.shadowed else None

    def _meant(self, model: Model | str) -> Model:
        return model if isinstance(model, Model) else self.get(model)

    def default(self) -> Model:
        """The model for requests that name none: the user's choice, else the newest local one.

        A remote model is never chosen by itself. Raises `ModelNotFound`.
        """
        from ..settings import settings

        if chosen := settings().model:
            return self.get(chosen)
        local = [m for m in self.list() if loads(m.engine) == "gguf" and m.state == "ready"]
        if not local:
            raise ModelNotFound(
                "There is no local model here: `%jan pull smollm2-135m` gets a small one, or put a"
                " .gguf file into a folder below models/ in the data folder (`%jan status` tells"
                " which it is)."
            )
        return max(local, key=lambda model: (model.source != "bundled", _modified(model)))

    def header(self, model: Model | str) -> GGUFHeader | None:
        """What the model's file tells before its vocabulary; read once. `None` without such a file.

        `size` is that of all parts.
        """
        model = self._meant(model)
        if model.file is None or model.identity is None:
            return None
        key = (*model.identity, model.size)
        if key not in self._headers:
            try:
                self._headers[key] = replace(read_brief(model.file), size=model.size)
            except ModelBroken:
                self._headers[key] = None
        return self._headers[key]

    def template(self, model: Model | str) -> str:
        """The chat template of a model, of its description or of its file, which is read once."""
        model = self._meant(model)
        for name in ("chat_template", "prompt_template"):
            if own := model.settings.get(name):
                return str(own)
        if model.file is None or model.identity is None:
            return ""
        key = (*model.identity, model.size)
        if key not in self._templates:
            self._templates[key] = read_template(model.file)
        return self._templates[key]

    def fit(self, model: Model | str, machine: Machine | None = None) -> Fit | None:
        """Whether a model fits into memory now; `None` if that cannot be told (a remote one)."""
        model = self._meant(model)
        header = self.header(model)
        if header is None or loads(model.engine) != "gguf":
            return None
        settings = {**self.engine_options(model).settings, **model.settings}
        projector = model.projector.stat().st_size if model.projector else 0
        return estimate(header, settings, machine or probe(), model.size, projector)

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
        expect(description, Mapping, "A model is made from a mapping, as its model.json shall be")
        expect(files_from, Path | None, "`files_from` is the Path of a folder")
        path = changes.create(folder, description, self._taken, files_from)
        return self._model_at(path, folder)

    def add_files(self, model: Model | str, files_from: Path) -> Model:
        """Move files into the folder of a model that waits for them; gives it as it is now.

        The folder must lie below `models/` of the data folder that is ours; no file is replaced.
        `files_from` is gone afterwards. Raises `ModelReadOnly`, `ModelExists` or `CannotWrite`.
        """
        model = self.owned(model, "changed")
        expect(files_from, Path, "`files_from` is the Path of a folder")
        changes.add_files(self.writable, model.folder, files_from)
        return self._again(model)

    def update(self, model: Model | str, values: Mapping[str, Any]) -> Model:
        """Set fields of a model's description, and give the model as it is then.

        Keys are the names of fields (`temperature`, `ctx_len`, `name` …), each put where it
        belongs, or `settings.NAME`, `parameters.NAME`, `metadata.NAME` for any name; `None` takes
        a field away. Other fields stay, in their order; in `model.yml` also comments. A bare folder
        gets a `model.json`. Raises `ModelReadOnly`, or `UsageError` for what cannot be.
        """
        expect(values, Mapping, "What to set is a mapping of names to values")
        for name in values:
            expect(name, str, "A field is named by text")
        model = self.owned(model, "edited")
        path = changes.update(self.writable, model, values)
        if path.name == "model.json":
            return self._model_at(path, self.writable)
        return self._again(model)

    def remove(self, model: Model | str) -> Sequence[Path]:
        """Delete a model: its description, and its files in the same folder.

        What else lies in that folder stays; those paths are the result. Files elsewhere, also
        those behind a link, stay. Raises `ModelReadOnly` for a model that is not ours.
        """
        model = self.owned(model, "removed")
        return changes.remove(self.writable, model, self.list())

    def import_(
        self,
        source: Model | Path | str,
        *,
        id: str | None = None,
        how: changes.How = "refer",
        trust_address: bool = False,
    ) -> Model:
        """Make a model of ours from what lies elsewhere.

        `source` is a `.gguf` file (of a split one, any part), a folder that holds one or a
        `model.json`, a `model.json`, or a model of another program. `how`: `refer` leaves the
        files where they are, `link` gives them a second name in our folder, `copy` copies them.
        `id` is another id than the one that it has.

        A description that sends requests to an address of its own is refused without
        `trust_address`; keys go there only as `%jan keys` is told. Raises `ModelExists`,
        `ModelBroken`, `CannotWrite`, `UsageError`.
        """
        from ..redaction import without_secrets

        taken = imports.read(source, self.get)
        if taken.address and not trust_address:
            raise UsageError(
                f"{taken.where} sends what it is asked to {without_secrets(taken.address)}: import"
                " it with --trust-address (in Python trust_address=True)"
                " if that server is meant."
            )
        description = dict(taken.description)
        description["id"] = id or description["id"]
        metadata = description.get("metadata")
        metadata = metadata if isinstance(metadata, Mapping) else {}
        description["metadata"] = {**metadata, ORIGIN: "imported"}
        changes.checked(description)
        models = self.writable / "models"
        files = changes.bring(models, description, taken.files, how)
        try:
            return self.create(description, files_from=files)
        except BaseException:
            if files is not None:
                shutil.rmtree(files, ignore_errors=True)
            raise

    def owned(self, model: Model | str, verb: str) -> Model:
        """The model, if it is ours to change. Raises `ModelReadOnly`, `ModelNotFound`."""
        model = self._meant(model)
        if model.data_folder == self.writable and model.source != "remote-list":
            return model
        where = (
            f"{model.path} holds others too" if model.source == "remote-list" else "it is not ours"
        )
        hint = ""
        if model.is_foreign or (model.file and model.source != "bundled"):
            hint = f"; `%jan import {model.reference!r}` makes one of ours from it"
        raise ModelReadOnly(f"Model {model.id} cannot be {verb}: {where} ({model.path}){hint}.")

    def _again(self, model: Model) -> Model:
        """The model as it is now."""
        for found in self.list():
            if found.path == model.path and found.id == model.id:
                return found
        raise ModelNotFound(f"Model {model.id} is gone.")

    def pull(self, source: str, *, id: str | None = None, quiet: bool = False) -> Model:
        """Fetch a model, and return when it is here; an interrupt keeps what has come.

        `source` is a Hugging Face repository (`hf:org/repo`, `hf:org/repo:Q4_K_M`,
        `hf:org/repo/file.gguf`), an address, an Ollama name (`ollama:llama3.2:1b`), a name of the
        curated list, or a model here that waits for its files. `id` is the name that a new model
        gets. Its progress is shown unless `quiet`.

        Raises `ModelNotFound`, `DownloadRefused`, `NoSpace`, `DownloadFailed`.
        """
        from .. import bridge
        from .hub.pull import pull

        shows = None if quiet else type(self).shows
        shown = shows(f"jan.models.pull({source!r})") if shows else None
        last = failure = None
        try:
            for last in bridge.iterate(pull(self, source, id=id)):
                if shown:
                    shown.step(last)
        except BaseException as error:
            failure = error
            raise
        finally:
            if shown:
                shown.end(failure)
        assert last is not None
        assert last.model is not None
        return last.model

    def _taken(self, name: str) -> Path | None:
        """The description of the model of that id in the folder that we write to."""
        folder = self.writable
        for model in self._catalogue.models(self.places()):
            if model.data_folder == folder and model.id.casefold() == name.casefold():
                return model.path
        return None

    def _model_at(self, path: Path, data_folder: Path) -> Model:
        place = Place(data_folder, own=data_folder == self.writable)
        model = self._catalogue.read(place, description_at(path, data_folder))
        assert model is not None  # a description of its own
        return model

    # Engines --------------------------------------------------------------------------------------

    def engine_options(self, engine: str | Model) -> EngineOptions:
        """What is set for an engine, or for the engine of a model (by the name written there)."""
        if not isinstance(engine, Model):
            expect(engine, str, "An engine is named by text, or by a Model of its own")
            return self._engine_options(engine)
        options = self._engine_options(engine.written_engine)
        return replace(options, kind=options.at(engine).kind)

    def engine_names(self) -> Sequence[str]:
        """The names under which an engine file lies in one of the data folders."""
        return written_engines([folder.path for folder in self.folders()])

    def _engine_options(self, written: str | None) -> EngineOptions:
        name = written or default_engine()
        folders = [folder.path for folder in self.folders()]
        # Whether a package offers an engine of that name lies elsewhere.
        plugins = () if canonical(name) in known_engines() else sorted(plugin_engines())
        return self._options.get(
            (name, *folders, *plugins), lambda look: read_engine_options(name, folders, look)
        )


@lru_cache(1024)
def _named(name: str, data_folder: Path) -> Found | None:
    """The description that lies where an id says; `None` if no folder is named so. Pure."""
    parts = re.split(r"[/:]", name[:1000])
    if len(name) > 1000 or any(
        part.strip(" .") != part or not part or "\\" in part for part in parts
    ):
        return None
    if parts[0] == "config":
        return None
    return description_at(data_folder.joinpath("models", *parts, "model.json"), data_folder)


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
