"""Words and options of a line: how they are told apart, and what makes values of them."""

from __future__ import annotations

import difflib
import json
import math
import re
from argparse import Action, ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from ..errors import UsageError

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


def as_argument(field: Field) -> dict[str, Any]:
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


class ModelOption(Action):
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
            if wants_value(word, options) and queue:
                taken[-1:] = bound(word, queue.pop(0))
        else:
            rest.append(word)
    return taken, rest


def is_option(word: str) -> bool:
    return len(word) > 1 and word[0] == "-" and not re.match(r"-\.?\d", word)


def wants_value(word: str, options: Mapping[str, Any]) -> bool:
    action = options.get(word)
    return action is not None and action.nargs != 0


def bound(option: str, value: str) -> list[str]:
    """Option and value in a form in which argparse takes any value, also one that begins with -."""
    return [f"{option}={value}"] if option.startswith("--") else [f"{option}{value}"]


def parameters_of(options: Namespace) -> dict[str, Any]:
    """The sampling parameters that the options set."""
    from ..parameters import OFFERED

    named = {name: getattr(options, name) for name, field in OFFERED.items() if field.options}
    return {k: v for k, v in named.items() if v is not None} | dict(options.parameter)
