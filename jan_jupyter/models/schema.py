"""One pure function per kind of description: a parsed file -> `Description` (spec §§4, 5, 11)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any
from urllib.parse import unquote

from ..errors import ModelBroken
from .prompts import PromptTemplate
from .reading import Cast, fit, flag, is_absent, mapping, number, text, whole, words

# Fields -----------------------------------------------------------------------------------------


def _mirostat(value: Any) -> Any:
    """On or off in cortex, a version in llama.cpp."""
    try:
        return flag(value)
    except ValueError:
        return whole(0, 2)(value)


def _address(value: Any) -> str | None:
    from ..keys import Address

    return Address(found) if (found := text(value)) else None


SETTINGS: Mapping[str, Cast] = {
    "ctx_len": whole(1, zero=False),
    "ngl": whole(),
    "prompt_template": text,
    "system_prompt": text,
    "user_prompt": text,
    "ai_prompt": text,
    "pre_prompt": text,
    "llama_model_path": text,
    "model_path": text,
    "mmproj": text,
    "vision_model": flag,
    "text_model": flag,
    "embedding": flag,
    "cpu_threads": whole(1, zero=False),
    "n_parallel": whole(1, zero=False),
    "cont_batching": flag,
    "stop_word": text,
    "base_url": _address,
    "chat_template": text,
}
"""Load time: name -> what its value is made to fit (spec §4.1)."""

PARAMETERS: Mapping[str, Cast] = {
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "top_k": whole(0),
    "min_p": number(0, 1),
    "repeat_penalty": number(1e-6),
    "repeat_last_n": whole(-1),
    "frequency_penalty": number(-2, 2),
    "presence_penalty": number(-2, 2),
    "max_tokens": whole(1, zero=False),
    "stop": words,
    "stream": flag,
    "seed": whole(),
    # cortex (spec §11)
    "dynatemp_range": number(),
    "dynatemp_exponent": number(),
    "tfs_z": number(),
    "typ_p": number(),
    "mirostat": _mirostat,
    "mirostat_tau": number(),
    "mirostat_eta": number(),
    "penalize_nl": flag,
    "ignore_eos": flag,
    "n_probs": whole(0),
    "min_keep": whole(0),
    "grammar": text,
}
"""Per request: name -> what its value is made to fit (spec §4.2)."""

METADATA: Mapping[str, Cast] = {
    "author": text,
    "tags": words,
    "capabilities": words,
    "size": whole(1, zero=False),
    "cover": text,
    "default_ctx_len": whole(1, zero=False),
    "default_max_tokens": whole(1, zero=False),
}

OLD_NAMES: Mapping[str, str] = {
    "visionModel": "vision_model",
    "textModel": "text_model",
    "token_limit": "max_tokens",
    "n_parallels": "n_parallel",
    "ctx_size": "ctx_len",
    "n_gpu_layers": "ngl",
    "mmproj_path": "mmproj",
}

PROGRAMS = frozenset({"runtime_path", "python"})
"""Settings that name what is run: they count in the user's own engine file, and nowhere else."""

_ENGINE_ONLY = {"engine", "api_key"}  # never a setting or a parameter of a model
_FIELDS: Mapping[str, Cast] = {**SETTINGS, **PARAMETERS}


def collect(
    raw: Mapping[str, Any],
    fields: Mapping[str, Cast],
    warnings: list[str],
    *,
    unknown: bool = False,
) -> dict[str, Any]:
    """The values that are set, under today's names; with `unknown`, also those of other names."""
    found: dict[str, Any] = {}
    old: dict[str, Any] = {}
    for key, value in raw.items():
        name = OLD_NAMES.get(key, key)
        if (cast := fields.get(name)) is not None:
            try:
                value = cast(value)
            except ValueError:
                value = fit(value, cast, key, warnings)  # tells it
        elif not unknown or name in _ENGINE_ONLY or is_absent(value):
            continue
        if value is not None:
            (found if name == key else old)[name] = value
    return {**old, **found}


def _is_bound(name: str) -> bool:
    """Whether a name is for Jan's sliders (`max_temperature`), and nothing to ask a server with."""
    kind, _, parameter = name.partition("_")
    return kind in ("max", "min", "default", "step") and parameter in PARAMETERS


def settings_and_parameters(
    settings: Mapping[str, Any], parameters: Mapping[str, Any], warnings: list[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both made regular: values fit, and what stands in the wrong one of the two is moved."""
    load = collect(settings, _FIELDS, warnings, unknown=True)
    ask = collect(parameters, _FIELDS, warnings, unknown=True)
    ask = {name: value for name, value in ask.items() if not _is_bound(name)}
    for here, there, names, place in (
        (load, ask, PARAMETERS, "parameters"),
        (ask, load, SETTINGS, "settings"),
    ):
        for name in [name for name in here if name in names]:
            value = here.pop(name)
            if name not in there:
                there[name] = value
                warnings.append(f"{name}: belongs into {place}")
    if word := load.pop("stop_word", None):
        stop = ask.get("stop", [])
        ask["stop"] = stop if word in stop else [*stop, word]
    return load, ask


def names_program(where: object, settings: Iterable[str]) -> str:
    """The line that refuses settings which name what is run; empty if there is none of them."""
    found = ", ".join(sorted(PROGRAMS.intersection(settings)))
    if not found:
        return ""
    return f"{where} names a program to run ({found}): only your own engine.json may; take it out"


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
    settings = mapping(_first(raw, "settings", "engine_parameters"), "settings", warnings)
    parameters = mapping(
        _first(raw, "parameters", "inference_params", "model_parameters"), "parameters", warnings
    )
    _describe(found, raw)
    if found.written_engine is None:
        found.written_engine = _name(settings, "engine", warnings)
    found.settings, found.parameters = settings_and_parameters(settings, parameters, warnings)
    found.broken = names_program(path, found.settings)
    if isinstance(key := settings.get("api_key"), str):
        from ..keys import Secret

        found.raw = {**raw, "settings": {**settings, "api_key": Secret(key)}}
    found.sources = list(_sources(raw, path, warnings))
    _check_template(found, settings)
    return found


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
    """A `model.yml` of today's Jan, below `llamacpp/` (engine `nitro`) or `mlx/`.

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
    if capabilities := fit(raw.get("capabilities"), words, "capabilities", warnings):
        found.metadata["capabilities"] = capabilities
    if created := "created" in raw and fit(raw["created"], _TIME, "created", warnings):
        found.created = created / 1000 if created > 1e11 else float(created)


def _place_flat(found: Description, raw: Mapping[str, Any]) -> None:
    """Settings and parameters that stand together with everything else, in YAML."""
    values = collect(raw, _FIELDS, found.warnings)
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
    return next((raw[key] for key in keys if not is_absent(raw.get(key))), None)


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
    if url.lower().startswith(("http://", "https://", "hf://")):
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


def is_absolute(path: str) -> bool:
    """Whether a path is absolute on this or on another system."""
    return Path(path).is_absolute() or PureWindowsPath(path).is_absolute()
