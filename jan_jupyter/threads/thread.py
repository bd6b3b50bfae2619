"""One thread: a folder with `thread.json`, `messages.jsonl` and, if it has any, `branches.jsonl`.

`messages.jsonl` always holds the active line of the conversation, so that Jan shows it as we do.
`branches.jsonl` is ours, and Jan ignores it: each line is `{"parent": ID, "message": {…}}`, a turn
off the active line and the turn that it follows (`""`: none).

**What a kill cannot do.** A new turn is one appended line; when `append` returns, it is on the
disk. A change that moves turns between the two files replaces each of them whole, in this order:

1. `branches.jsonl`, with all turns that will be off the line and those that are off it now,
2. `messages.jsonl`, with the new line,
3. `branches.jsonl`, without what is on the line now.

So at every instant each turn is in one of the files at least. It may be in both: **a turn that is
in `messages.jsonl` is on the line**, whatever `branches.jsonl` says. Killed before 2, the thread is
as it was; after 2, as it was meant to be; nothing needs to be mended. A line that was torn by a
kill in the middle of an `append` is kept where it is, is no turn, and stops nothing. Of an answer
that is under way, `underway.py` keeps what has come.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ThreadBusy, ThreadError, expect
from ..types import Message
from . import context, files, thread_file
from . import message as turns
from .columns import Columns
from .lines import as_read, off_line, on_lines
from .message import ThreadMessage
from .tree import ROOT, Tree
from .view import ReadThread, State, content

if TYPE_CHECKING:
    from .assistants import Assistants


class Thread(ReadThread):
    """One conversation on disk. Every method that changes something returns when it is safe there.

    All processes that have it open see one conversation: others who write are waited for.
    `switch(id)` brings back a turn that was replaced, with what followed it.
    """

    def __init__(self, folder: Path, assistants: Assistants, *, own: bool = True) -> None:
        super().__init__(folder, assistants, own=own)
        self._writer = threading.Lock()
        self._owed: deque[Callable[[], object]] = deque()

    def conversation(
        self, before: str | None = None, *, through: str | None = None
    ) -> list[Message]:
        """What a model is sent: instructions, then the turns of the line, up to (without) `before`;
        or those that lead to `through`, and itself, be it in a branch.

        Turns with an error and empty answers are left out; all system texts become one.
        """
        with suppress(ThreadBusy):
            self._pay()
        tree = self.now().tree
        line: Sequence[ThreadMessage] = tree.line
        if through is not None:
            line = tree.path(through)
        elif before is not None:
            place = next((i for i, m in enumerate(line) if m.id == before), len(line))
            line = line[:place]
        return context.conversation(self.instructions, line)

    # Writing turns

    def append(self, message: ThreadMessage, instead: str | None = None) -> ThreadMessage:
        """Put a turn at the end of the line; returns it as written, with id and time.

        With `instead`, in the place of that turn, if it is on the line still: it and what follows
        it go into a branch.
        """
        with self._writing() as state:
            tree = state.tree
            replaces = instead is not None and tree.place(instead) is not None
            if replaces and instead is not None:
                tree = tree.forked(instead)
            written = self._new(state, message, tree.line[-1].id if tree.line else ROOT)
            if replaces:
                self._write_tree(state, tree.appended(written))
                self._tell_listings(thread_file.touched(state.head.raw, written.text))
            else:
                self._append(state, written)
            return written

    def answer(self, message: ThreadMessage, to: str) -> ThreadMessage:
        """Put an answer behind the turn `to`; returns it as written.

        At the end of the line, or between if somebody asked on meanwhile. If `to` has an answer
        already (several models in one turn), or is not on the line any more: a branch, which
        `switch` brings up.
        """
        with self._writing() as state:
            written = self._new(state, message, to)
            if state.tree.line and state.tree.line[-1].id == to:
                self._append(state, written)
            else:
                self._write_tree(state, state.tree.answered(written, to))
                self._tell_listings(thread_file.touched(state.head.raw))
            return written

    def follow(self, message: ThreadMessage, to: str) -> ThreadMessage:
        """Put a turn behind any turn `to`; returns it as written.

        It stands on the line if `to` ends that, else in a branch.
        """
        with self._writing() as state:
            written = self._new(state, message, to)
            if state.tree.line and state.tree.line[-1].id == to:
                self._append(state, written)
            else:
                self._write_tree(state, state.tree.followed(written, to))
                self._tell_listings(thread_file.touched(state.head.raw))
            return written

    def put_columns(self, columns: Columns | None) -> None:
        """Let several conversations part at a question, side by side; `None`: there is one."""
        with self._writing() as state:
            raw = thread_file.with_columns(state.head.raw, columns.json() if columns else None)
            if raw != state.head.raw:
                self._write_head(raw)

    def fork(self, at: str) -> None:
        """End the line before the turn `at`; it and what follows go into a branch."""
        with self._writing() as state:
            self._write_tree(state, state.tree.forked(at))

    def switch(self, id: str) -> None:
        """Make the line lead through the turn `id`, and on through the newest that follow."""
        with self._writing() as state:
            self._write_tree(state, state.tree.switched(id))

    def update(self, id: str, **changes: Any) -> ThreadMessage:
        """Change fields of a turn (`content`, `status`, …) in place; returns it as written."""
        with self._writing() as state:
            raw = turns.rewrite(state.tree.message(id), **changes)
            changed = replace(as_read(raw, id), id=id)
            self._write_tree(state, state.tree.replaced(changed))
            return changed

    def delete(self, *ids: str) -> None:
        """Remove turns; what followed them stays.

        If the end of the line goes, the newest other version there takes its place.
        """
        with self._writing() as state:
            self._write_tree(state, state.tree.without(ids), gone=ids)
            self._tell_listings(thread_file.touched(state.head.raw))

    # The thread itself

    def rename(self, title: str) -> None:
        expect(title, str, "A thread's title is text")
        if not (title := " ".join(title.split())):
            raise ThreadError("The new title of a thread cannot be empty.")
        with self._writing() as state:
            self._write_head(thread_file.titled(state.head.raw, title))

    def configure(
        self,
        *,
        model: str | None = None,
        engine: str | None = None,
        assistant: str | None = None,
        instructions: str | None = None,
        settings: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        """Change what is given; `engine` goes with `model`.

        `settings` and `parameters` are merged name by name; `None` as a value resets a name. With
        `assistant` its instructions come, too, unless `instructions` are given.
        """
        profile = self._assistants.get(assistant) if assistant else None
        with self._writing() as state:
            raw = thread_file.configured(
                state.head.raw,
                model=model,
                engine=engine,
                profile=profile.profile if profile else None,
                instructions=instructions,
                settings=settings,
                parameters=parameters,
            )
            if raw != state.head.raw:
                self._write_head(raw)

    def owe(self, write: Callable[[], object]) -> None:
        """Have that written once it can be: before whatever is written, or sent to a model, next,
        else when the process ends. It may raise `ThreadBusy` again.
        """
        if not self._owed:
            atexit.register(self._pay_at_end)
        self._owed.append(write)

    # Writing

    @contextmanager
    def _writing(self) -> Iterator[State]:
        """Hold off all other writers, not who reads; gives what the files say now."""
        self._pay()
        if not self._writer.acquire(timeout=files.PATIENCE):
            raise files.busy(self.folder)
        try:
            with files.locked(self.folder):
                yield self._adopted(self.now())
        finally:
            self._writer.release()

    def _adopted(self, state: State) -> State:
        """Put what is left of answers that were killed among the messages, where it is read."""
        if not state.left:
            return state
        self._write_tree(state, state.tree)
        for name in state.left:
            with suppress(OSError):
                (self.folder / name).unlink()
        return self.now()

    def _pay(self) -> None:
        """Write what is owed. Raises `ThreadBusy` if that still cannot be."""
        while self._owed:
            write = self._owed.popleft()
            try:
                write()
            except ThreadBusy:
                self._owed.appendleft(write)
                raise
            except ThreadError:
                pass  # what it belongs to is gone

    def _pay_at_end(self) -> None:
        with suppress(ThreadError):
            self._pay()

    def _new(self, state: State, message: ThreadMessage, parent: str) -> ThreadMessage:
        """A turn as it will stand in the file, younger than all that stand at its place."""
        expect(message, ThreadMessage, "A turn of a thread is a ThreadMessage")
        newest = max((m.created or 0 for m in state.tree.children(parent)), default=0)
        created = max(message.created or time.time(), newest + 0.001 if newest else 0)
        message = replace(message, id=message.id or turns.new_id(), created=created)
        raw = turns.write(message, self.id, state.head.assistant)
        return replace(as_read(raw, message.id), id=message.id)

    def _append(self, state: State, message: ThreadMessage) -> None:
        files.append(self._paths[1], files.compact(message.raw))
        raw = thread_file.touched(state.head.raw, message.text)
        if (
            not state.tree.line
            and message.role == "user"
            and state.head.title == thread_file.UNTITLED
        ):
            raw = thread_file.titled(raw, _title(message.text))
        self._tell_listings(raw)

    def _tell_listings(self, raw: Mapping[str, Any]) -> None:
        """Write what a listing shows. The turns are safe: if this fails, the next one tells."""
        with suppress(OSError):
            self._write_head(raw)

    def _write_head(self, raw: Mapping[str, Any]) -> None:
        files.replace(self._paths[0], files.pretty(raw))

    def _write_tree(self, state: State, tree: Tree, gone: Sequence[str] = ()) -> None:
        """Make the files hold another tree, in the order that the docstring of this module gives.

        Lines that did not change, also those that are no turns, stay as they are, byte for byte.
        """
        _, on, off = self._paths
        after = b"".join(data + b"\n" for data in (*map(off_line, tree.off), *state.strays))
        meant = {o.message.id for o in tree.off}
        leaving = [o for o in state.tree.off if o.message.id not in meant.union(gone)]
        before = after + b"".join(off_line(o) + b"\n" for o in leaving)
        if before != content(off):
            files.replace(off, before)
        written = on_lines(state.lines, tree)
        if written != content(on):
            files.replace(on, written)
        if not after:
            off.unlink(missing_ok=True)
        elif after != before:
            files.replace(off, after)


def _title(text: str) -> str:
    first = next((line for line in map(str.strip, text.splitlines()) if line), thread_file.UNTITLED)
    return first if len(first) <= 60 else first[:59] + "…"
