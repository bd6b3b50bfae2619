"""Who is compared: models in every form in which people name them, times axes of parameters."""

from __future__ import annotations

import itertools
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ...errors import UsageError
from ...models.model import Model
from ...parameters import PARAMETERS, PROGRAMS, SETTINGS, TABLE, names_program, unknown
from ..values import Contestant
from .size import check_size

Many = Mapping[str, Sequence[Any]]

_LISTS = {
    *(name for name, field in TABLE["parameters"].items() if field.kind == "list"),
    *("stop_sequences", "samplers", "dry_sequence_breakers", "stop_token_ids", "bad_words"),
    *("allowed_token_ids", "documents", "modalities", "betas", "mcp_servers", "lora", "models"),
    *("transforms", "plugins", "preserved_tokens", "grammar_triggers", "guided_choice"),
}
"""Parameters whose one value is a list: an axis of theirs is a list of lists."""

SYSTEM = "system"
"""Among parameters: instructions of a contestant's own."""

_ELSEWHERE = {
    "n": "`repeats` says how often each question is asked",
    "messages": "what is asked are the prompts",
    "model": "whom you ask are the models",
    "stream": "answers are always streamed",
}


def contestants(models: Any, parameters: Mapping[str, Any] | None) -> list[Contestant]:
    """All contestants, the axes of `parameters` multiplied in; unique names. Raises `UsageError`.

    Of `parameters` only the axes count here: see `shared`.
    """
    axes = _axes(parameters or {})
    found: list[Contestant] = []
    for one in _listed(models):
        base, own = _contestant(one)
        # What a contestant sets for itself holds for it, whatever the axes are.
        others = {
            name: values
            for name, values in axes.items()
            if name not in base.parameters
            and name not in base.settings
            and not (name == SYSTEM and base.system)
        }
        found += _multiplied(base, {**others, **own})
    if not found:
        raise UsageError('There is no model to ask: name some, models=["A", "B"].')
    names = [one.name for one in found]
    if doubled := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(
            f"{doubled} is there twice: tell them apart by nicknames,"
            ' ("NICKNAME", "MODEL", {"temperature": 0}).'
        )
    return found


class Shared(NamedTuple):
    """Values by where they belong."""

    parameters: dict[str, Any]
    """Of requests."""
    settings: dict[str, Any]
    """Of loading."""
    system: str
    """Instructions; empty: none."""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Shared:
        settings = {name: value for name, value in given.items() if name in SETTINGS}
        asked = {k: v for k, v in given.items() if k not in SETTINGS and k != SYSTEM}
        return cls(asked, settings, given.get(SYSTEM) or "")


def shared(parameters: Mapping[str, Any] | None) -> Shared:
    """Those of `parameters` that are the same for all."""
    plain = {
        name: fitting(name, value)
        for name, value in _mapping(parameters, "`parameters`").items()
        if not _is_axis(name, value)
    }
    return Shared.of(plain)


def with_shared(one: Contestant, shared: Shared) -> Contestant:
    """A contestant with the settings and the instructions of all, unless it has its own."""
    settings = {**shared.settings, **one.settings} or one.settings
    return replace(one, settings=settings, system=one.system or shared.system)


def fitting(name: str, value: Any) -> Any:
    """A value as the parameter or setting of that name takes it. Raises `UsageError`."""
    if name == SYSTEM:
        if not isinstance(value, str):
            raise UsageError(f"The instructions of a model are text, not {reprlib.repr(value)}.")
        return value
    if why := _ELSEWHERE.get(name):
        raise UsageError(f"{name} is no parameter to compare: {why}.")
    if why := names_program("A comparison", [name]):
        raise UsageError(f"{why}.")
    if callable(plain := getattr(value, "tolist", None)):  # NumPy's
        value = plain()
    cast = PARAMETERS.get(name) or SETTINGS.get(name)
    if cast is None:
        if why := unknown(name):
            raise UsageError(why)
        return value
    try:
        return cast(value)
    except ValueError as error:
        raise UsageError(f"{name} cannot be {reprlib.repr(value)}: it {error}.") from None


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise UsageError(f"{what} are a mapping of names to values, not {reprlib.repr(value)}.")
    return value


# Models -------------------------------------------------------------------------------------------


def _listed(models: Any) -> list[Any]:
    if isinstance(models, str | Model | Contestant | Mapping):
        return [models] if models else []
    if models is None:
        return []
    if isinstance(models, Iterable) and not isinstance(models, bytes):
        return [*models]
    raise UsageError(
        "The models of a comparison are ids, Models, or tuples (NICKNAME, ID, PARAMETERS,"
        f" SETTINGS), not {reprlib.repr(models)}."
    )


def _contestant(given: Any) -> tuple[Contestant, Many]:
    """One of `models`, and axes of its own."""
    if isinstance(given, Contestant):
        return given, {}
    if isinstance(given, Model | str):
        name = _id(given)
        return Contestant(name, name), {}
    if isinstance(given, Mapping):
        given = _as_tuple(given)
    if not isinstance(given, tuple | list) or not 2 <= len(given) <= 4:
        raise UsageError(
            "A model to compare is an id, a Model, or a tuple (NICKNAME, ID, PARAMETERS,"
            f" SETTINGS), not {reprlib.repr(given)}."
        )
    name, model, parameters, settings = (*given, None, None)[:4]
    if not isinstance(name, str) or not name.strip():
        raise UsageError(f"The nickname of a model is text, not {reprlib.repr(name)}.")
    parameters = _mapping(parameters, f"The parameters of {name}")
    settings = _mapping(settings, f"The settings of {name}")
    asked, loaded, system = shared(parameters)
    for setting, value in settings.items():
        known = setting in SETTINGS or setting in PROGRAMS
        loaded[setting] = fitting(setting, value) if known else value  # else the engine's own
    base = Contestant(" ".join(name.split()), _id(model), asked, loaded, system)
    return base, _axes(parameters)


_KEYS = ("name", "model", "parameters", "settings", SYSTEM)


def _as_tuple(given: Mapping[str, Any]) -> tuple[Any, ...]:
    """`{"model": …, "system": …}` in the other form."""
    if "model" not in given or not given.keys() <= {*_KEYS}:
        raise UsageError(
            f"A model as a mapping has {', '.join(_KEYS)}, of which `model` must be there, not"
            f" {reprlib.repr(given)}."
        )
    parameters = {**_mapping(given.get("parameters"), "The parameters of a model")}
    if given.get(SYSTEM) is not None:
        parameters[SYSTEM] = given[SYSTEM]
    return (
        given.get("name") or _id(given["model"]),
        given["model"],
        parameters,
        given.get("settings"),
    )


def _id(model: Any) -> str:
    if isinstance(model, Model):
        return model.reference
    if isinstance(model, str) and model.strip():
        return model.strip()
    raise UsageError(f"A model is named by its id, or given as a Model, not {reprlib.repr(model)}.")


# Axes ---------------------------------------------------------------------------------------------


def _is_axis(name: str, value: Any) -> bool:
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        return False
    return name not in _LISTS or all(isinstance(one, list | tuple) for one in value)


def _axes(parameters: Mapping[str, Any]) -> Many:
    """Name -> values, for what has several."""
    found: dict[str, Sequence[Any]] = {}
    for name, value in _mapping(parameters, "`parameters`").items():
        if _is_axis(name, value):
            values = [None if one is None else fitting(name, one) for one in value]
            if not values:
                raise UsageError(f"{name} has no value to compare: its list is empty.")
            found[name] = values
    return found


def _multiplied(base: Contestant, axes: Many) -> list[Contestant]:
    """A contestant for each combination of values; `None` leaves a parameter as it is."""
    check_size(*map(len, axes.values()))
    found = []
    for values in itertools.product(*axes.values()):
        chosen = dict(zip(axes, values, strict=True))
        parts = [base.name, *(part(name, value) for name, value in chosen.items())]
        own = Shared.of({name: value for name, value in chosen.items() if value is not None})
        found.append(
            replace(
                base,
                name=" · ".join(parts),
                parameters={**base.parameters, **own.parameters} or base.parameters,
                settings={**base.settings, **own.settings} or base.settings,
                system=own.system or base.system,
            )
        )
    return found


def part(name: str, value: Any) -> str:
    """`temperature 0.7`: a value in the name of a contestant."""
    if value is None:
        return f"{name} as it is"
    text = " ".join(str(value).split())
    return f"{name} {text if len(text) <= 24 else text[:23] + '…'}"
