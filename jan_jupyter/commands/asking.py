"""The options of a question to a model, in a cell and in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from .candidates import parameters, ready_models, threads
from .command import Argument, arg
from .comparing import SWEEPS
from .options import FORMATS, ModelOption, Parser, as_argument, key_value


@cache
def parser() -> Parser:
    """That of `%jan` and `%%jan`; made for the first line, not when the extension is loaded."""
    made = Parser("%jan", "%jan help")
    made.set_defaults(models=())
    for argument in question():
        made.add_argument(*argument.names, **argument.options)
    return made


def question() -> Iterator[Argument]:
    """They are made for the first question: the table of parameters is read for it."""
    from ..parameters import OFFERED

    several: dict[str, Any] = {"action": "append", "default": []}
    yield arg(
        "-m",
        "--model",
        action=ModelOption,
        candidates=ready_models,
        help="model to ask, or engine:model (%%jan models lists them); several are compared",
    )
    yield arg("-s", "--system", help="instructions that hold for the whole answer")
    for field in OFFERED.values():
        if field.options:
            yield arg(*field.options, dest=field.name, **as_argument(field))
    yield from _values(several)
    yield from _where()
    yield from _shape(several)


def _values(several: dict[str, Any]) -> Iterator[Argument]:
    """Parameters that have no option of their own, and several of one."""
    yield arg(
        "-p",
        "--parameter",
        **several,
        type=key_value,
        metavar="KEY=VALUE",
        candidates=parameters,
        help="any other parameter of the engine",
    )
    yield SWEEPS
    yield arg("--repeat", type=int, metavar="TIMES", help="ask each so many times, and compare")


def _where() -> Iterator[Argument]:
    """What the question goes on with, and what becomes of the answer."""
    yield arg(
        "-c",
        "--continue",
        dest="go_on",
        action="store_true",
        help="continue the conversation",
    )
    yield arg(
        "--thread",
        metavar="NAME",
        candidates=threads,
        help="go on with a thread, kept on disk; made if it is new",
    )
    yield arg(
        "--as",
        dest="as_name",
        metavar="NAME",
        help="keep what comes (a Reply, a Comparison) in this variable",
    )


def _shape(several: dict[str, Any]) -> Iterator[Argument]:
    """What goes along with the question, and how the answer is shown."""
    yield arg("-f", "--format", choices=FORMATS, default="markdown", help="how to show the answer")
    yield arg(
        "-a",
        "--attach",
        **several,
        metavar="WHAT",
        help="send a figure, image or array (its name), or a file; may be given several times",
    )
    yield arg(
        "--schema",
        metavar="NAME",
        help="the answer fits this class, type, JSON schema or .json file; its value is .value",
    )
    yield arg(
        "--tool",
        dest="tools",
        **several,
        metavar="NAME",
        help="a function that the model may ask for; may be given several times",
    )
    yield arg(
        "--yes",
        action="store_true",
        help="run its functions, or many paid calls, without asking",
    )
    yield arg("--raw", action="store_true", help="send the prompt as typed, without filling {name}")
    yield arg("--dry-run", action="store_true", help="show the exact request, send nothing")
