"""`%jan use`, `%jan set`: what holds for the cells that follow."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ... import errors
from ..candidates import parameters, ready_models
from ..command import Caller, Command, arg, pairs, without_pairs
from ..options import argument_type
from ..shared import workspace

if TYPE_CHECKING:
    from ...parameters import Field


def use(magics: Caller, arguments: Namespace) -> None:
    from ...settings import settings

    if arguments.model:
        model, _ = workspace().router.model(arguments.model)
        if model.state != "ready":
            raise errors.ModelNotReady(f"Model {model.id} is {model.state}: {model.reason}")
        settings().model = arguments.model
        workspace().chosen = None
    model, _ = workspace().router.model(None)
    whole = workspace().profile
    as_whole = f", as {whole.id} was compared" if whole is not None else ""
    print(f"Default model: {model.id} (engine {model.engine}){as_whole}.")


def set_(magics: Caller, arguments: Namespace) -> dict[str, Any]:
    for name, value in [*_set_pairs(arguments.pairs)]:
        if value is None:
            magics.parameters.pop(name, None)
        else:
            magics.parameters[name] = value
    if magics.parameters:
        print("Set for every cell: " + ", ".join(f"{k}={v}" for k, v in magics.parameters.items()))
    else:
        print("No default parameters are set. For example: %jan set temperature=0.2")
    return dict(magics.parameters)


def _set_pairs(words: Sequence[str]) -> Iterator[tuple[str, Any]]:
    from ...parameters import OFFERED

    for name, text in pairs(words):
        name = name.replace("-", "_")
        if name not in OFFERED:
            raise errors.UsageError(
                f"%jan set knows no parameter {name!r}. Known: {', '.join(OFFERED)}. Others:"
                " -p KEY=VALUE."
            )
        yield name, _typed(OFFERED[name], text) if text else None


def _typed(field: Field, text: str) -> Any:
    read = argument_type(field)
    try:
        value = read(text)
    except (ValueError, OverflowError):
        raise errors.UsageError(f"{field.name} must be a {read.__name__}, not {text!r}.") from None
    return [value] if field.kind == "list" else value


COMMANDS = (
    Command(
        "use",
        use,
        "choose the default model",
        (arg("model", nargs="?", candidates=ready_models, help="without one: tells which it is"),),
    ),
    Command(
        "set",
        set_,
        "set default parameters",
        (arg("pairs", nargs="*", metavar="KEY=VALUE", candidates=parameters, help="KEY= unsets"),),
        is_question=without_pairs,
    ),
)
