"""One pure function per kind of description: a parsed file -> `Description`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import is_
from pathlib import Path, PureWindowsPath
from typing import Any
from urllib.parse import unquote

from ..errors import ModelBroken
from ..parameters import (
    FIELDS,
    METADATA,
    OLD_GROUPS,
    PARAMETERS,
    SETTINGS,
    collect,
    names_program,
    settings_and_parameters,
)
from ..reading import fit, is_absent, mapping, number, text, words
from .prompts import PromptTemplate

# Descriptions -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Description:
    """What a file says about one model, made regular; nothing here was looked up elsewhere.

    `sources` are `{"url", "filename"}` (an address to download from) or `{"path", "filename"}`
    (absolute). `guess` allows other files of the folder as the main file. `broken` is why it
    cannot be used; the rest is then as far as it came.
    """

    id: str
    name: str = ""
    written_engine: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    sources: Sequence[Mapping[str, str]] = ()
    version: str = "1.0"
    format: str = "gguf"
    description: str = ""
    created: float | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    guess: bool = True
    broken: str = ""


def model_json(raw: Any, path: Path, default_id: str) -> Description:
    """A `model.json` of any version. Raises `ModelBroken` if it is not an object."""
    if not isinstance(raw, Mapping):
        raise ModelBroken(f"{path}, line 1: not an object")
    warnings: list[str] = []
    found = Description(id=_name(raw, "id", warnings) or default_id, warnings=warnings, raw=raw)
    settings = mapping(_first(raw, "settings", *OLD_GROUPS["settings"]), "settings", warnings)
    parameters = mapping(
        _first(raw, "parameters", *OLD_GROUPS["parameters"]), "parameters", warnings
    )
    _describe(found, raw)
    if found.written_engine is None:
        found.written_engine = _name(settings, "engine", warnings)
    found.settings, found.parameters = settings_and_parameters(settings, parameters, warnings)
    found.broken = names_program(path, found.settings)
    if isinstance(key := settings.get("api_key"), str):
        from ..redaction import Secret

        found.raw = {**raw, "settings": {**settings, "api_key": Secret(key)}}
    found.sources = list(_sources(raw, path, warnings))
    _check_template(found, settings)
    # What is as it should be is kept once: a listing may hold thousands of them.
    found.settings = _one(found.settings, settings)
    found.parameters = _one(found.parameters, parameters)
    found.metadata = _one(found.metadata, raw.get("metadata"))
    return found


def _one(made: dict[str, Any], written: Any) -> dict[str, Any]:
    """What is written, if nothing of it had to be made fit."""
    if type(written) is not dict or [*made] != [*written]:
        return made
    return written if all(map(is_, made.values(), written.values())) else made


def remote_list(raw: Any, path: Path) -> list[Description]:
    """The models of an array, or of a provider's `models`. A bad entry is a broken description.

    Raises `ModelBroken` if it is neither.
    """
    engine = path.parent.name if path.name == "engine.json" else path.stem
    raw = raw.get("models") if isinstance(raw, Mapping) else raw
    if not isinstance(raw, list):
        raise ModelBroken(f"{path}, line 1: not a list of models")
    found = []
    for index, entry in enumerate(raw):
        place = f"{path.stem}[{index}]"
        entry = {"id": entry} if isinstance(entry, str) else entry
        try:
            model = model_json(entry, path, "")
            model.id = model.id or _name(entry, "model", model.warnings) or ""
            if not model.id:
                raise ModelBroken(f"{path}: entry {index} has no id")
        except ModelBroken as error:
            found.append(Description(id=place, name=place, broken=str(error)))
            continue
        model.name = model.name or model.id
        model.written_engine = model.written_engine or engine
        found.append(model)
    return found


_CORTEX_METADATA = ("os", "gpu_arch", "quantization_method", "precision", "tp", "trtllm_version")


def cortex_yml(raw: Any, path: Path, default_id: str, data_folder: Path) -> Description | None:
    """A flat `model.yml` of cortex; `None` for a preset, which names no model.

    Raises `ModelBroken` if it is not a mapping.
    """
    raw = _yaml_mapping(raw, path)
    if path.parent.name == "presets" and not raw.keys() & {"model", "files", "sources"}:
        return None
    warnings: list[str] = []
    found = Description(
        id=_name(raw, "model", warnings) or default_id, warnings=warnings, raw=raw, guess=False
    )
    _describe(found, raw)
    _place_flat(found, raw)
    asked = mapping(raw.get("inference_params"), "inference_params", warnings)
    found.parameters |= collect(asked, PARAMETERS, warnings)
    found.metadata |= {k: raw[k] for k in _CORTEX_METADATA if not is_absent(raw.get(k))}
    found.metadata |= collect({"size": raw.get("size")}, METADATA, warnings)
    files = fit(_first(raw, "files", "sources"), words, "files", warnings)
    found.sources = [
        *(_source(file, "", data_folder / "x") for file in files or ()),
        *([] if files else [{"filename": "model.gguf"}]),
        {"filename": "mmproj.gguf"},
    ]
    if projector := found.settings.get("mmproj"):
        found.settings["mmproj"] = str(data_folder / projector)
    return found


def llamacpp_yml(
    raw: Any, path: Path, default_id: str, data_folder: Path, engine: str
) -> Description:
    """A `model.yml` of today's Jan, below `llamacpp/` or `mlx/`, as their names say.

    Raises `ModelBroken` if it is not a mapping or names no model file.
    """
    raw = _yaml_mapping(raw, path)
    warnings: list[str] = []
    found = Description(id=default_id, warnings=warnings, raw=raw, guess=False)
    _describe(found, raw)
    found.written_engine = engine
    _place_flat(found, raw)
    found.metadata |= collect({"size": raw.get("size_bytes")}, METADATA, warnings)
    main = found.settings.pop("model_path", None)
    if main is None:
        found.broken = f"{path}: has no model_path"
    else:
        names = ({"filename": "model.gguf"}, {"filename": "mmproj.gguf"})
        found.sources = [_source(main, "", data_folder / "x"), *names]
    if projector := found.settings.get("mmproj"):
        found.settings["mmproj"] = str(data_folder / projector)
    return found


_TIME = number(0)


def _describe(found: Description, raw: Mapping[str, Any]) -> None:
    """The fields that every kind has at its top."""
    warnings = found.warnings
    found.name = _name(raw, "name", warnings) or found.id
    found.written_engine = _name(raw, "engine", warnings)
    for name in ("version", "format", "description"):
        if value := name in raw and fit(raw[name], text, name, warnings):
            setattr(found, name, value)
    kind = raw.get("object")
    if not is_absent(kind) and kind != "model":
        warnings.append(f"object: {kind!r:.80} instead of 'model'")
    metadata = mapping(raw.get("metadata"), "metadata", warnings)
    found.metadata = collect(metadata, METADATA, warnings, unknown=True)
    given = raw.get("capabilities")
    if given is not None and (capabilities := fit(given, words, "capabilities", warnings)):
        found.metadata["capabilities"] = capabilities
    if created := "created" in raw and fit(raw["created"], _TIME, "created", warnings):
        found.created = created / 1000 if created > 1e11 else float(created)


def _place_flat(found: Description, raw: Mapping[str, Any]) -> None:
    """Settings and parameters that stand together with everything else, in YAML."""
    values = collect(raw, FIELDS, found.warnings)
    for name in ("prompt_template", "system_prompt", "user_prompt", "ai_prompt", "pre_prompt"):
        if (value := values.get(name)) and (decoded := _decode(value)) != value:
            values[name] = decoded
            found.warnings.append(f"{name}: escapes decoded, as in a double-quoted text")
    found.settings, found.parameters = settings_and_parameters(
        {k: v for k, v in values.items() if k in SETTINGS},
        {k: v for k, v in values.items() if k in PARAMETERS},
        found.warnings,
    )
    _check_template(found, raw)


def _check_template(found: Description, written: Mapping[str, Any]) -> None:
    """Drop a template that cannot be used: the engine then takes that of the GGUF."""
    template = found.settings.get("prompt_template")
    if template is None and written.get("prompt_template") != "":
        return
    try:
        PromptTemplate.parse(template or "")
    except ValueError as error:
        found.settings.pop("prompt_template", None)
        found.warnings.append(f"prompt_template: {error}; the template of the GGUF is used")


def _decode(value: str) -> str:
    return re.sub(r"\\([nrt])", lambda m: {"n": "\n", "r": "\r", "t": "\t"}[m[1]], value)


def _yaml_mapping(raw: Any, path: Path) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise ModelBroken(f"{path}, line 1: not a mapping")
    return {str(key): value for key, value in raw.items()}


def _name(raw: Mapping[str, Any], key: str, warnings: list[str]) -> str | None:
    if key not in raw:
        return None
    return (fit(raw.get(key), text, key, warnings) or "").strip() or None


def _first(raw: Mapping[str, Any], *keys: str) -> Any:
    """The first value that is given."""
    for key in keys:
        if not is_absent(value := raw.get(key)):
            return value
    return None


# Sources ----------------------------------------------------------------------------------------

_BLOB = re.compile(r"(https?://(?:www\.)?(?:huggingface\.co|hf\.co)/[^?#]*?)/blob/", re.IGNORECASE)


def _sources(
    raw: Mapping[str, Any], path: Path, warnings: list[str]
) -> Iterator[Mapping[str, str]]:
    keys = ("sources", "source", "source_url", "assets")
    given = next((raw[key] for key in keys if raw.get(key) and not is_absent(raw[key])), None)
    for item in given if isinstance(given, list) else [given]:
        entry = {"url": item} if isinstance(item, str) else mapping(item, "sources", warnings)
        url = fit(entry.get("url"), text, "url", warnings)
        filename = fit(entry.get("filename"), text, "filename", warnings) or ""
        if url:
            yield _source(url.strip(), filename, path)
        elif filename:
            yield {"filename": filename}


def _source(url: str, filename: str, beside: Path) -> Mapping[str, str]:
    """An address to download from, or a path, which is relative to the folder of `beside`."""
    if is_address(url):
        if not filename:
            filename = unquote(re.split(r"[?#]", url, maxsplit=1)[0].rpartition("/")[2])
        if "/blob/" in url:
            url = _BLOB.sub(r"\1/resolve/", url)
        return {"url": url, "filename": filename}
    path = re.sub(r"^files?://(?:/(?=[a-z]:))?", "", url, flags=re.IGNORECASE)
    if PureWindowsPath(path).drive:
        return {"path": path, "filename": filename}
    if url.lower().startswith("models://"):
        models = next((folder for folder in beside.parents if folder.name == "models"), None)
        path = str((models or beside.parent / "models") / url[len("models://") :].lstrip("/"))
    return {"path": str(beside.parent / path), "filename": filename}


def is_address(url: str) -> bool:
    """Whether a source is one to fetch from; else it is a path."""
    return url.lower().startswith(("http://", "https://", "hf://", "pypi:"))


def is_absolute(path: str) -> bool:
    """Whether a path is absolute on this or on another system."""
    return Path(path).is_absolute() or PureWindowsPath(path).is_absolute()
