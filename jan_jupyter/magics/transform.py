"""How a line of `%jan` is read, and how a top-level one runs as a coroutine of its cell.

IPython turns magics into `get_ipython().run_line_magic('jan', …)`. That text stays as it is, for
`%save`, `%macro`, `%history` and `%run`; only in the parsed cell is it made an `await`, so that the
kernel stays alive. What is nested (in `def`, `for`, `%%time`, `%%capture`) waits synchronously: an
`await` there would fail.
"""

from __future__ import annotations

import ast
import re
import sys
import tokenize
from collections.abc import Callable
from typing import Any, Self

from IPython.core.displayhook import CapturingDisplayHook
from IPython.core.inputtransformer2 import (
    EscapedCommand,
    HelpEnd,
    MagicAssign,
    TokenTransformBase,
)
from IPython.core.interactiveshell import InteractiveShell

from .core import JanMagics

_HERE = "get_ipython().magics_manager.registry['JanMagics']"


class Question(TokenTransformBase):
    """`%jan what is this?` is a question, not a request for help on `this`."""

    priority = HelpEnd.priority - 1

    def __init__(self, start: tuple[int, int], magic: tuple[int, int]) -> None:
        super().__init__(start)  # type: ignore[no-untyped-call]
        self._magic = magic

    @classmethod
    def find(cls, tokens_by_line: list[list[tokenize.TokenInfo]]) -> Self | None:
        """The first line of ours that IPython would take for a request for help."""
        for line in tokens_by_line:
            help_ = HelpEnd.find([line])  # type: ignore[no-untyped-call]
            magic = help_ and (_escaped([line]) or MagicAssign.find([line]))  # type: ignore[no-untyped-call]
            if magic and _is_jan(line, (magic.start_line + 1, magic.start_col)):
                start = help_.start_line + 1, help_.start_col
                return cls(start, (magic.start_line + 1, magic.start_col))
        return None

    def transform(self, lines: list[str]) -> list[str]:
        changed: list[str] = MagicAssign(self._magic).transform(lines)  # type: ignore[no-untyped-call]
        return changed


def _escaped(lines: list[list[tokenize.TokenInfo]]) -> Any:
    return EscapedCommand.find(lines)  # type: ignore[no-untyped-call]


_JAN = re.compile(r"%(?:\w+(?:\s+-\S+(?:\s+[^\s%-]\S*)?)*\s+%)*jan\s")
"""`%jan` and a space (`%jan?` asks for help on the magic), also behind magics that run or time what
follows their options: `%time %jan …`."""


def _is_jan(line: list[tokenize.TokenInfo], start: tuple[int, int]) -> bool:
    """Whether a line of ours begins there."""
    token = next(token for token in line if token.start == start and token.string)
    return _JAN.match(token.line, start[1]) is not None


class Transformer(ast.NodeTransformer):
    """The input transformers, and what they need to know of the cells under way."""

    def __init__(self, shell: InteractiveShell, magics: JanMagics) -> None:
        self._shell = shell
        self._magics = magics
        self._depth = 0
        self._awaits = False
        """Whether the cell that is compiled next runs as a coroutine that may await ours."""
        self._should_run_async = shell.should_run_async

    def install(self) -> None:
        self._shell.input_transformer_manager.token_transformers.append(Question)
        self._shell.ast_transformers.append(self)
        self._shell.events.register("pre_run_cell", self._begin)
        self._shell.events.register("post_run_cell", self._end)
        self._shell.should_run_async = self.should_run_async  # type: ignore[method-assign]
        self._show_values_by(self.show_value)

    def remove(self) -> None:
        self._shell.input_transformer_manager.token_transformers.remove(Question)
        self._shell.ast_transformers.remove(self)
        self._shell.events.unregister("pre_run_cell", self._begin)
        self._shell.events.unregister("post_run_cell", self._end)
        self._shell.should_run_async = self._should_run_async  # type: ignore[method-assign]
        self._show_values_by(self._shell.displayhook)

    def _begin(self, _info: Any) -> None:
        self._depth += 1
        if isinstance(hook := sys.displayhook, CapturingDisplayHook):  # `%%capture` puts it back

            def keep(value: object) -> None:
                if value is None or value is not self._magics.shown:
                    hook(value)

            sys.displayhook = keep

    def _end(self, _result: Any) -> None:
        self._depth = max(0, self._depth - 1)
        if not self._depth:
            self._magics.shown = None

    def _show_values_by(self, hook: Callable[[object], None]) -> None:
        """What IPython makes `sys.displayhook` for a cell, also for the one that runs now."""
        trap = self._shell.display_trap
        if sys.displayhook is trap.hook:
            sys.displayhook = hook
        trap.hook = hook

    def show_value(self, value: object = None) -> None:
        """What is shown already only becomes `_`."""
        hook = self._shell.displayhook
        if value is None or value is not self._magics.shown:
            hook(value)
        else:
            hook.check_for_underscore()  # type: ignore[no-untyped-call]
            hook.update_user_ns(value)  # type: ignore[no-untyped-call]

    def should_run_async(
        self, raw_cell: str, *, transformed_cell: str | None = None, **rest: Any
    ) -> bool:
        """Also for a cell with a line of ours at its top level."""
        self._awaits = (
            not self._depth
            and self._shell.autoawait
            # A terminal has nothing else to keep alive, and its Ctrl-C would reach no coroutine.
            and hasattr(self._shell, "kernel")
            and rest.get("preprocessing_exc_tuple") is None
            and _has_ours(transformed_cell or "")
        )
        asked = self._should_run_async(raw_cell, transformed_cell=transformed_cell, **rest)
        return self._awaits or asked

    def visit_Module(self, module: ast.Module) -> ast.Module:
        """The parsed cell; the call stays nested inside anything but a plain statement."""
        if self._awaits:
            self._awaits = False
            for statement in module.body:
                if (call := _ours(statement)) is not None:
                    statement.value = _awaited(call)  # type: ignore[attr-defined]
        return module


def _has_ours(cell: str) -> bool:
    if "_magic('jan', " not in cell:
        return False
    try:
        return any(_ours(statement) is not None for statement in ast.parse(cell).body)
    except (SyntaxError, ValueError):
        return False


def _ours(statement: ast.stmt) -> ast.Call | None:
    """The call of our magic that is a whole statement, or all that is assigned in one."""
    value = getattr(statement, "value", None)
    match value:
        case ast.Call(
            func=ast.Attribute(
                value=ast.Call(func=ast.Name(id="get_ipython"), args=[]),
                attr="run_line_magic" | "run_cell_magic" as kind,
            ),
            args=[ast.Constant(value="jan"), *given],
            keywords=[],
        ) if isinstance(statement, ast.Expr | ast.Assign | ast.AnnAssign):
            return value if len(given) == (1 if kind == "run_line_magic" else 2) else None
    return None


def _awaited(call: ast.Call) -> ast.Await:
    assert isinstance(call.func, ast.Attribute)
    name = "line_async" if call.func.attr == "run_line_magic" else "cell_async"
    function = ast.parse(f"{_HERE}.{name}", mode="eval").body
    made = ast.Await(ast.Call(function, call.args[1:], []))
    for node in ast.walk(made):
        ast.copy_location(node, call)
    return made
