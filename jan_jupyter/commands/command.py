"""How a command is declared: arguments in argparse's terms, help, what it does.

The declarations are read when the extension is loaded. So a command's file imports little at its
top (see the package); what it does imports the library when it is asked.
"""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import (
    AsyncGenerator,
    Callable,
    Coroutine,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing, closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from ..errors import UsageError
from .candidates import Offer
from .options import Parser, is_option, near, options_anywhere
from .screen import StepsOutput

Candidates = Callable[[str], Offer]
"""What Tab may offer for a word that begins so: texts, each with its kind."""


class Caller(Protocol):
    """What a command may need of the magics that run it."""

    @property
    def shell(self) -> Any:
        """IPython's."""

    @property
    def parameters(self) -> dict[str, Any]:
        """What `%jan set` has set for every cell."""

    @property
    def answered(self) -> Sequence[tuple[Any, Mapping[str, Any]]]:
        """The last answers, the newest last, each with the parameters that it was asked with."""


class Notebook(Caller, Protocol):
    """The magics, for commands that show what only a notebook can."""

    def chat(self, arguments: Namespace) -> Any: ...
    def compare(self, arguments: Namespace) -> Any: ...
    def ladder(self, arguments: Namespace) -> Any: ...
    def replay(self, arguments: Namespace) -> Any: ...


class Work(NamedTuple):
    """What a command does on the background loop, and what makes of it its output and value."""

    coroutine: Coroutine[Any, Any, Any]
    show: Callable[[Any], Any]


class Told(NamedTuple):
    """What a command has found or done already, and what makes of it its output and value."""

    found: Any
    show: Callable[[Any], Any]


class Steps(NamedTuple):
    """What a command does step by step on the background loop, and where each is shown."""

    steps: AsyncGenerator[Any, None]
    output: StepsOutput

    def run(self) -> Any:
        """Show each as it comes; gives the value of the whole."""
        from ..bridge import iterate

        with self._shown(), closing(iterate(self.steps)) as coming:
            for step in coming:
                self.output.step(step)
        return self.output.end(None)

    async def arun(self) -> Any:
        """The same where a loop runs."""
        from ..bridge import aiterate

        with self._shown():
            async with aclosing(aiterate(self.steps)) as coming:
                async for step in coming:
                    self.output.step(step)
        return self.output.end(None)

    @contextmanager
    def _shown(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self.output.end(error)
            raise


class Argument(NamedTuple):
    """One argument, as `add_argument` takes it, and what Tab offers for its value."""

    names: tuple[str, ...]
    options: Mapping[str, Any]
    candidates: Candidates | None

    @property
    def is_option(self) -> bool:
        return self.names[0].startswith("-")

    def offered(self, current: str) -> Offer:
        """What Tab may offer for its value."""
        if self.candidates is not None:
            return self.candidates(current)
        return [(str(choice), "value") for choice in self.options.get("choices") or ()]


def arg(*names: str, candidates: Candidates | None = None, **options: Any) -> Argument:
    """An argument of a command; a positional one is named like the attribute that it fills."""
    if not names[0].startswith("-"):
        options = {"metavar": names[0].upper(), **options}
    return Argument(names, options, candidates)


Run = Callable[[Caller, Namespace], Any]
"""Gives the value of the line, or what it comes from. Raises `JanError` with one line."""


@dataclass(frozen=True)
class Command:
    """What a name does. `details` stand on its page below `help`, which is one line.

    In a cell, a line that begins with the name of a command is a question to a model if it has more
    words than the command takes, or if `is_question` says so of them. If its words may be `secret`,
    the line is never a question, and no error repeats them.
    """

    name: str
    run: Run
    help: str
    arguments: tuple[Argument, ...] = ()
    details: str = ""
    is_question: Callable[[Sequence[str]], bool] | None = None
    secret: bool = False
    program: str = "%jan"

    @property
    def called(self) -> str:
        """How it is typed."""
        return f"{self.program} {self.name}"

    @property
    def help_at(self) -> str:
        """What shows its page."""
        return f"{self.called}?" if self.program[0] == "%" else f"{self.called} --help"

    @cached_property
    def parser(self) -> Parser:
        parser = Parser(self.called, self.help_at)
        for argument in self.arguments:
            parser.add_argument(*argument.names, **argument.options)
        parser.add_argument("-h", "--help", action="store_true", help="this page")
        return parser

    @property
    def usage(self) -> str:
        """`models [-v] [FILTER]`"""
        words = self.parser.format_usage().split()[2:]  # without "usage:" and the program
        return " ".join(words).replace("[-h] ", "").replace(" [-h]", "")

    @property
    def page(self) -> str:
        """What `help_at` shows."""
        parts = [f"{self.program} {self.usage}", f"{self.help[:1].upper()}{self.help[1:]}."]
        return "\n\n".join([*parts, *filter(None, (self.details, self.parser.described()))]) + "\n"

    def parse(self, text: str) -> Namespace | None:
        """What stands behind the name, understood; `None` if the line is a question to a model.

        Raises `UsageError` for wrong use.
        """
        words = split(text)
        taken, rest = options_anywhere(words, self.parser.known_options)
        known = self.parser.known_options
        # An option of the command is no part of a question, nor is one that is nearly spelt so.
        named = any(near(word.partition("=")[0], known) for word in taken)
        meant = named or (taken and len(rest) <= 1 and not text.rstrip().endswith("?"))
        if not meant and self._is_question(rest):
            return None
        return self.read(taken, rest)

    def read(self, taken: Sequence[str], rest: Sequence[str]) -> Namespace:
        """Its options and its other words, understood. Raises `UsageError` for wrong use."""
        if {"-h", "--help"} & {*taken}:
            return Namespace(help=True)
        try:
            return self.parser.parse_args([*taken, "--", *rest] if rest else taken)
        except UsageError:
            if not self.secret:
                raise
        raise UsageError(f"{self.called} is not used like that. See {self.help_at}.")

    def candidates(self, before: Sequence[str], current: str) -> Offer:
        """What Tab may offer for the word `current` after the words `before`."""
        if (asked := self.asked(before, current)) is not None:
            return asked.offered(current)
        if is_option(current) or current == "-":
            return [(name, "option") for name in self.parser.known_options if name[:2] == "--"]
        return []

    def asked(self, before: Sequence[str], current: str) -> Argument | None:
        """Which argument the word `current` after the words `before` is a value of."""
        known = self.parser.known_options
        last = known.get(before[-1]) if before else None
        if last is not None and last.nargs != 0:
            return next((one for one in self.arguments if before[-1] in one.names), None)
        if is_option(current) or current == "-":
            return None
        _, rest = options_anywhere(before, known)
        positional = [one for one in self.arguments if not one.is_option]
        if len(rest) < len(positional):
            return positional[len(rest)]
        return positional[-1] if positional and _repeats(positional[-1]) else None

    def _is_question(self, words: Sequence[str]) -> bool:
        if self.secret:
            return False
        if self.is_question is not None:
            return self.is_question(words)
        positional = [a for a in self.arguments if not a.is_option]
        return len(words) > len(positional) and not any(map(_repeats, positional))


OTHER_NAMES = {"list": "models", "install": "pull", "delete": "rm"}
"""What others call commands."""


def _repeats(argument: Argument) -> bool:
    return argument.options.get("nargs") in ("*", "+")


def without_pairs(words: Sequence[str]) -> bool:
    """Whether several words hold no `KEY=VALUE`: then they are a sentence."""
    return len(words) > 2 and not any("=" in word for word in words)


def pairs(words: Sequence[str]) -> list[tuple[str, str]]:
    """`KEY=VALUE` of each word, also with spaces around the equals sign; two words may do without.

    A word that is none has an empty value.
    """
    if len(words) == 2 and not any("=" in word for word in words):
        return [(words[0], words[1])]
    joined: list[str] = []
    for word in words:
        if joined and (word.startswith("=") or (joined[-1].endswith("=") and "=" not in word)):
            joined[-1] += word
        else:
            joined.append(word)
    return [(key, value) for key, _, value in (word.partition("=") for word in joined)]


_WORD = re.compile(r"""((?:"[^"]*"|'[^']*'|\S)+)""")
_QUOTED = re.compile(r""""([^"]*)"|'([^']*)'""")


def split(text: str) -> list[str]:
    """The words of a line; quotes hold one together, and a backslash is part of a Windows path."""
    words = _WORD.findall(text)
    return [_QUOTED.sub(lambda m: m[1] if m[1] is not None else m[2], word) for word in words]
