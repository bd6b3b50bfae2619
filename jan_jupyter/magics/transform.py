"""Let a top-level `%jan`/`%%jan` run as a coroutine of its cell, so that the kernel stays alive.

IPython has turned the magics into `get_ipython().run_line_magic('jan', …)` when `post` sees them.
What is nested (in `def`, `for`, `%%time`, `%%capture`) stays as it is and waits synchronously: an
`await` there would fail.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from .core import JanMagics

_CALL = re.compile(
    r"(?P<target>[^\W\d][\w.]*\s*=\s*)?get_ipython\(\)\.run_(?P<kind>line|cell)_magic\('jan', "
)
_QUESTION = re.compile(r"(?P<target>[^\W\d][\w.]*\s*=\s*)?%jan\s+(?P<line>.*\?\s*)$")
_HERE = "get_ipython().magics_manager.registry['JanMagics']."


class Transformer:
    """The input transformers, and what they need to know of the cells under way."""

    def __init__(self, shell: InteractiveShell, magics: JanMagics) -> None:
        self._shell = shell
        self._magics = magics
        self._depth = 0
        self._quiet = shell.displayhook.quiet

    def install(self) -> None:
        self._shell.input_transformers_cleanup.append(self.cleanup)
        self._shell.input_transformers_post.append(self.post)
        self._shell.events.register("pre_run_cell", self._begin)
        self._shell.events.register("post_run_cell", self._end)
        self._shell.displayhook.quiet = self.quiet  # type: ignore[method-assign]

    def remove(self) -> None:
        self._shell.input_transformers_cleanup.remove(self.cleanup)
        self._shell.input_transformers_post.remove(self.post)
        self._shell.events.unregister("pre_run_cell", self._begin)
        self._shell.events.unregister("post_run_cell", self._end)
        self._shell.displayhook.quiet = self._quiet  # type: ignore[method-assign]

    def _begin(self, _info: Any) -> None:
        self._depth += 1

    def _end(self, _result: Any) -> None:
        self._depth = max(0, self._depth - 1)
        if not self._depth:
            self._magics.shown = None

    def quiet(self) -> bool:
        """IPython asks this before it shows a value: what is shown already only becomes `_`."""
        value = sys._getframe(1).f_locals.get("result")
        if value is None or value is not self._magics.shown:
            return bool(self._quiet())  # type: ignore[no-untyped-call]
        self._shell.displayhook.update_user_ns(value)  # type: ignore[no-untyped-call]
        return True

    def cleanup(self, lines: list[str]) -> list[str]:
        """`%jan what is this?` is a question, not a request for help on `this`."""
        if lines and lines[0].startswith("%%"):
            return lines
        return [
            f"{m['target'] or ''}get_ipython().run_line_magic('jan', {m['line'].strip()!r})\n"
            if (m := _QUESTION.match(line))
            else line
            for line in lines
        ]

    def post(self, lines: list[str]) -> list[str]:
        if self._depth:
            return lines
        return [self._rewritten(line) for line in lines]

    def _rewritten(self, line: str) -> str:
        match = _CALL.match(line)
        if match is None:
            return line
        # A terminal has nothing else to keep alive, and its Ctrl-C would not reach a coroutine.
        concurrent = self._shell.autoawait and hasattr(self._shell, "kernel")
        target = match["target"] or ""
        kind = match["kind"]
        call = f"await {_HERE}{kind}_async(" if concurrent else f"{_HERE}{kind}("
        return target + call + line[match.end() :]
