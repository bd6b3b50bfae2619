"""What a model would write next, in grey behind the cursor of IPython's terminal.

IPython's own suggestions come first, which it takes from what was typed before. Where it has none,
a model is asked, when nothing was typed for a moment; whatever is typed next stops it. Only text is
offered: nothing runs, and nothing is entered without a key.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from IPython.terminal.shortcuts.auto_suggest import NavigableAutoSuggestFromHistory
from prompt_toolkit.application import get_app
from prompt_toolkit.auto_suggest import Suggestion
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document

from .. import bridge
from ..errors import JanError
from ..types import Delta

PAUSE = 0.2
"""Seconds without a key after which a model is asked."""
MOST_TOKENS = 48
MOST_BEFORE = 6000
"""Characters of earlier cells that are read, too."""
_OURS = re.compile(r"\s*(?:%|!|\?)")
"""Lines that are no Python."""
_HOLDS_KEY = re.compile(
    r"(?i)(?:key|token|secret|password|passwd)\w*[\"']?\]?\s*[=:]|getpass|\bsk-|\bhf_|bearer\s"
)
"""Code that may hold what a server elsewhere must not see."""


class Suggesting(NavigableAutoSuggestFromHistory):
    """Takes the place of IPython's own in a shell, until it leaves."""

    def __init__(self, shell: Any, model: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._shell, self._model = shell, model
        self._before = shell.auto_suggest
        self._asking: asyncio.Task[None] | None = None
        self._offered = ("", "")
        """What was typed when a model was asked last, and what it has said."""
        self._told: set[str] = set()
        if isinstance(self._before, NavigableAutoSuggestFromHistory):
            self._before.disconnect()
        self._place(self)
        self.connect(shell.pt_app)

    def leave(self) -> None:
        """IPython suggests as before."""
        self.disconnect()
        if self._shell.auto_suggest is not self:
            return  # somebody has chosen another meanwhile
        self._place(self._before)
        if isinstance(self._before, NavigableAutoSuggestFromHistory):
            self._before.connect(self._shell.pt_app)

    def _place(self, suggests: Any) -> None:
        self._shell.auto_suggest = self._shell.pt_app.auto_suggest = suggests

    # Called by IPython and prompt_toolkit ---------------------------------------------------------

    def get_suggestion(self, buffer: Buffer, document: Document) -> Suggestion | None:
        if self._before is not None and (found := super().get_suggestion(buffer, document)):
            return found
        (asked, said), typed = self._offered, document.text_before_cursor
        whole = asked + said
        if len(asked) <= len(typed) < len(whole) and whole.startswith(typed):
            return Suggestion(whole[len(typed) :])  # what was offered is being typed
        return None

    async def get_suggestion_async(self, buffer: Buffer, document: Document) -> Suggestion | None:
        found = self.get_suggestion(buffer, document)
        self._stop()
        if found is None and _is_open(document):
            self._asking = get_app().create_background_task(self._ask(buffer, document))
        return found

    def _dismiss(self, buffer: Buffer, *args: Any, **kwargs: Any) -> None:
        self._stop()
        super()._dismiss(buffer, *args, **kwargs)

    def disconnect(self) -> None:
        self._stop()
        super().disconnect()

    # The model ------------------------------------------------------------------------------------

    def _stop(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    async def _ask(self, buffer: Buffer, document: Document) -> None:
        await asyncio.sleep(PAUSE)
        asked, said = document.text_before_cursor, ""
        try:
            async with aclosing(bridge.aiterate(self._answer(document))) as pieces:
                async for delta in pieces:
                    said += delta.text
                    shown = _line(said)
                    if buffer.document != document:
                        return
                    if shown:
                        self._offered = (asked, shown)
                        buffer.suggestion = Suggestion(shown)
                        buffer.on_suggestion_set.fire()
                    if shown != said:
                        return  # one line is what is offered
        except JanError as error:
            self._tell(str(error))

    async def _answer(self, document: Document) -> AsyncGenerator[Delta, None]:
        """On the background loop."""
        from ..workspace import shared

        router = (await asyncio.to_thread(shared)).router
        parameters = {"max_tokens": MOST_TOKENS, "stop": ["\n"]}
        target = await asyncio.to_thread(router.target, self._model, (), parameters)
        cells = [*self._shell.history_manager.input_hist_raw]  # `In` has magics as Python
        prefix, suffix = document.text_before_cursor, document.text_after_cursor
        if not target.engine.local:
            cells = [cell for cell in cells if not _HOLDS_KEY.search(cell)]
            if _HOLDS_KEY.search(document.text):
                return
        asked = router.complete(
            earlier(cells) + prefix, suffix, target, priority="completion", key="terminal"
        )
        async with aclosing(asked) as deltas:
            async for delta in deltas:
                yield delta

    def _tell(self, said: str) -> None:
        """Once, above the prompt."""
        if said not in self._told:
            self._told.add(said)
            print(f"No ghost text: {said}")


def earlier(cells: Sequence[str]) -> str:
    """The text of earlier cells: its beginning stays for a while, so that what a model has read of
    it holds."""
    kept: list[str] = []
    for cell in cells:
        if cell.strip() and not _OURS.match(cell):
            kept.append(cell.rstrip() + "\n\n")
        while len(kept) > 1 and sum(map(len, kept)) > MOST_BEFORE:
            del kept[: max(1, len(kept) // 2)]
    return "".join(kept)[-MOST_BEFORE:]


def _is_open(document: Document) -> bool:
    """Whether something can be written at the cursor: it stands at the end of a line of code."""
    code = document.text.strip()
    return bool(code) and document.is_cursor_at_the_end_of_line and not _OURS.match(document.text)


def _line(said: str) -> str:
    """The line that a text begins with, as far as it is one that can be shown: a terminal is told
    nothing."""
    end = next((i for i, sign in enumerate(said) if not sign.isprintable()), len(said))
    return said[:end]
