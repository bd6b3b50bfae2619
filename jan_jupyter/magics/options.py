"""The options of `%jan` and `%%jan`, and where among them the prompt begins."""

from __future__ import annotations

import difflib
import json
import math
import re
import shlex
from argparse import Action, ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.error import UsageError

if TYPE_CHECKING:
    from ..parameters import Field

FORMATS = ("markdown", "text", "json", "html", "code")


def argument_type(field: Field) -> Callable[[str], Any]:
    """What makes a value of the text that was typed; it bears the name of what it takes.

    It raises `ValueError` or `OverflowError`.
    """
    kind = {"integer": int, "number": float}.get(field.kind)
    if kind is None:
        return str

    def read(text: str) -> Any:
        return finite(kind(text))

    read.__name__ = "whole number" if kind is int else "number"  # argparse names it in errors
    return read


def _argparse(field: Field) -> dict[str, Any]:
    """An option for a parameter, as `add_argument` takes it."""
    if field.kind == "list":
        return {"action": "append", "help": f"{field.help}; may be given several times"}
    limits = "" if field.low is None or field.high is None else f" ({field.low} … {field.high})"
    return {"type": argument_type(field), "help": field.help + limits}


def key_value(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ValueError(text)
    return key, value_of(value)


key_value.__name__ = "KEY=VALUE"


def sweep(text: str) -> tuple[str, list[Any]]:
    """`KEY=VALUE,VALUE`; what is a JSON list, is one."""
    key, value = key_value(text)
    if isinstance(value, list):
        return key, value
    return key, [value_of(part.strip()) for part in text.partition("=")[2].split(",")]


sweep.__name__ = "KEY=VALUE,…"


class _Model(Action):
    """`model` is the last that was given, `models` are all of them."""

    def __call__(self, parser: Any, namespace: Namespace, value: Any, option: Any = None) -> None:
        namespace.model = value
        namespace.models = [*getattr(namespace, "models", ()), value]


def value_of(text: str) -> Any:
    """A value as typed: JSON if it is some, else the text itself.

    Raises `ValueError` for a number that JSON has no word for.
    """
    try:
        value = json.loads(text)
        json.dumps(value, allow_nan=False)
    except json.JSONDecodeError:
        return text
    return value


def finite(number: Any) -> Any:
    """The number; raises `ValueError` for NaN and infinity."""
    if not math.isfinite(number):
        raise ValueError(number)
    return number


def near(word: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant: few letters differ, or two changed places."""
    found = difflib.get_close_matches(word, names := [*names], 1, 0.8)
    swapped = {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)}
    return next((name for name in [*found, *names] if name in {*found, *swapped}), None)


class Parser(ArgumentParser):
    """Wrong use is one line that says where help is."""

    def __init__(self, name: str, help_at: str) -> None:
        super().__init__(prog=name, add_help=False, allow_abbrev=False)
        self._help_at = help_at

    @property
    def known_options(self) -> Mapping[str, Any]:
        """What argparse knows of each option, by each of its spellings."""
        return self._option_string_actions

    def error(self, message: str) -> NoReturn:
        message = message.replace(" -- ", " ")  # it came with what we gave, not what was typed
        wrong = message.removeprefix("unrecognized arguments: ").split(" ")[0]
        near = difflib.get_close_matches(wrong, self.known_options, 1)
        hint = f"; did you mean {near[0]}?" if wrong != message.split(" ")[0] and near else "."
        raise UsageError(f"{self.prog}: {message}{hint} See {self._help_at}.")

    def described(self) -> str:
        """What `format_help` says after the usage."""
        return self.format_help().partition("\n\n")[2].replace("%%", "%").strip("\n")


@cache
def parser() -> Parser:
    """That of `%jan` and `%%jan`; made for the first line, not when the extension is loaded."""
    from ..parameters import OFFERED

    made = Parser("%jan", "%jan help")
    made.set_defaults(models=())
    add = made.add_argument
    which = "model to ask, or engine:model (%%jan models lists them); several are compared"
    add("-m", "--model", action=_Model, help=which)
    add("-s", "--system", help="instructions that hold for the whole answer")
    for field in OFFERED.values():
        if field.options:
            add(*field.options, dest=field.name, **_argparse(field))
    several: dict[str, Any] = {"action": "append", "default": []}
    more: dict[str, Any] = {**several, "type": key_value, "metavar": "KEY=VALUE"}
    add("-p", "--parameter", **more, help="any other parameter of the engine")
    values = {**several, "type": sweep, "metavar": "KEY=VALUE,…"}
    add("--set", dest="sweeps", **values, help="compare values of a parameter: temperature=0,0.7")
    add("--repeat", type=int, metavar="TIMES", help="ask each so many times, and compare")
    add("-c", "--continue", dest="go_on", action="store_true", help="continue the conversation")
    add("--thread", metavar="NAME", help="go on with a thread, kept on disk; made if it is new")
    add(
        "--as",
        dest="as_name",
        metavar="NAME",
        help="keep what comes (a Reply, a Comparison) in this variable",
    )
    add("-f", "--format", choices=FORMATS, default="markdown", help="how to show the answer")
    what = "send a figure, image or array (its name), or a file; may be given several times"
    add("-a", "--attach", **several, metavar="WHAT", help=what)
    shape = "the answer fits this class, type, JSON schema or .json file; its value is .value"
    add("--schema", metavar="NAME", help=shape)
    tool = "a function that the model may ask for; may be given several times"
    add("--tool", dest="tools", **several, metavar="NAME", help=tool)
    add("--yes", action="store_true", help="run its functions, or many paid calls, without asking")
    add("--raw", action="store_true", help="send the prompt as typed, without filling {name}")
    add("--dry-run", action="store_true", help="show the exact request, send nothing")
    return made


def parse_cell(line: str) -> Namespace:
    """`%%jan [MODEL] [options]`."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"%%jan: {error} in {line!r}") from None
    taken, rest = options_anywhere(words, parser().known_options)
    options = parser().parse_args(taken)
    if len(rest) > 1 or (rest and options.model):
        raise UsageError(
            f"%%jan takes one model, not {' '.join(rest)!r}; the prompt goes into the lines below,"
            " options look like -t 0. See %jan help."
        )
    if rest:
        options.model, options.models = rest[0], rest
    return options


def compares(options: Namespace) -> bool:
    """Whether the options ask for a comparison."""
    return bool(len(options.models) > 1 or options.sweeps or options.repeat is not None)


def options_anywhere(
    words: Sequence[str], options: Mapping[str, Any]
) -> tuple[list[str], list[str]]:
    """The options among `words`, bound to their values, and the other words."""
    taken: list[str] = []
    rest: list[str] = []
    queue = [*words]
    while queue:
        word = queue.pop(0)
        if word == "--":
            return taken, rest + queue
        if is_option(word):
            taken.append(word)
            if _wants_value(word, options) and queue:
                taken[-1:] = _bound(word, queue.pop(0))
        else:
            rest.append(word)
    return taken, rest


_WORD = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[^\s"'])+)""")


def leading_options(text: str) -> tuple[list[str], str]:
    """The options at the beginning of a line, and the prompt after them as typed."""
    taken: list[str] = []
    known = parser().known_options
    position = 0
    while match := _WORD.match(text, position):
        word = match[1]
        if word == "--":
            return taken, text[match.end() :].strip()
        if not is_option(word):
            break
        position = match.end()
        taken.append(word)
        value = _WORD.match(text, position)
        wants = _wants_value(word, known)
        if wants and value and value[1] != "--":
            taken[-1:] = _bound(word, _unquoted(value[1]))
            position = value.end()
        left = text[position:] if value or not wants else text[position:].lstrip()
        if left[:1].strip():  # only a quote that nothing closes can be there
            raise UsageError(
                f"%jan: the quote {left[0]} after {word} is not closed: put the value into the"
                " other kind of quotes."
            )
    return taken, text[position:].strip()


def _unquoted(word: str) -> str:
    try:
        return "".join(shlex.split(word))
    except ValueError:
        return word


def is_option(word: str) -> bool:
    return len(word) > 1 and word[0] == "-" and not re.match(r"-\.?\d", word)


def _wants_value(word: str, options: Mapping[str, Any]) -> bool:
    action = options.get(word)
    return action is not None and action.nargs != 0


def _bound(option: str, value: str) -> list[str]:
    """Option and value in a form in which argparse takes any value, also one that begins with -."""
    return [f"{option}={value}"] if option.startswith("--") else [f"{option}{value}"]


def parameters_of(options: Namespace) -> dict[str, Any]:
    """The sampling parameters that the options set."""
    from ..parameters import OFFERED

    named = {name: getattr(options, name) for name, field in OFFERED.items() if field.options}
    return {k: v for k, v in named.items() if v is not None} | dict(options.parameter)
