"""The turns of a thread as the front end shows them, with the answers that are being written."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from .. import errors
from ..threads import Thread, ThreadMessage
from .live import LiveAnswer, record_of
from .protocol import ErrorCard, Turn
from .turns import turn_of


class Timeline:
    """What is shown where. Used on the background loop alone: a thread as it was `seen` last.

    An answer that was seen being written keeps its name once the thread has an id for it: the page
    then goes on with what it has drawn. `real_id` and `name` lead from one to the other.
    """

    def __init__(self) -> None:
        self.live: list[LiveAnswer] = []
        self.unsaved: list[LiveAnswer] = []
        """Answers that have ended, and that the disk has not taken yet."""
        self.error_cards: dict[str, ErrorCard] = {}
        """What went wrong with answers of this session, by their name."""
        self.seen: tuple[ThreadMessage, ...] = ()
        """The thread's messages when `turns` was asked last."""
        self._names: dict[str, str] = {}
        self._columns: dict[str, list[str]] = {}
        """Ids of questions -> names of answers that stand side by side until one is chosen."""
        self._earlier: dict[str, list[str]] = {}
        """The same of those that stood so before."""

    def messages(self, thread: Thread | None) -> list[ThreadMessage]:
        """The thread's, with the answers that are being written as far as they have come."""
        if thread is None:
            return []
        live = [one for one in [*self.live] if one.thread is thread]
        replaced = {one.replaces for one in live}
        left = [message for message in thread.seen.tree.line if message.id not in replaced]
        return [*left, *(one.so_far for one in live)]

    def busy(self, thread: Thread | None) -> bool:
        return any(live.thread is thread for live in self.live)

    def set_name(self, real: str, name: str) -> None:
        self._names[real] = name

    def name(self, real: str) -> str:
        return self._names.get(real, real)

    def real_id(self, name: str) -> str:
        return next((real for real, shown in self._names.items() if shown == name), name)

    def columns(self, question: str, first: str) -> list[str]:
        """Names of the answers to a question that stand side by side, to be added to."""
        return self._columns.setdefault(question, [first])

    def put_beside(self, question: str, answers: Sequence[str]) -> Sequence[str]:
        """Put answers that are in the thread side by side, in the order in which they stood so.

        Returns their names in that order.
        """
        earlier = self._earlier.get(question, [])
        names = [self.name(one) for one in answers]
        names.sort(key=lambda name: earlier.index(name) if name in earlier else len(earlier))
        self._columns = {question: names}
        return names

    def single_column(self) -> None:
        """One of several answers has been chosen, or the conversation goes on."""
        self._earlier |= self._columns
        self._columns = {}

    def shows(self, live: LiveAnswer, answer: ThreadMessage | None) -> bool:
        """Whether an answer is to be seen: one that failed leaves a better one its place."""
        if answer is None:
            return False
        place = live.thread.seen.tree.place(answer.id)
        return self._columns_with(live.id) is not None or place is not None

    def _drop_saved(self) -> None:
        for live in [*self.unsaved]:
            record = record_of(live.stream) if live.stream else None
            if record is not None and record.answer is not None:
                self.unsaved.remove(live)
                self.set_name(record.answer.id, live.id)

    def turns(self, thread: Thread | None) -> tuple[list[str], list[Turn]]:
        """Names of the turns on the path, and the turns: more than those where columns stand."""
        if thread is None:
            return [], []
        messages = self.seen = thread.seen.tree.line
        self._drop_saved()
        under_way = [live for live in (*self.unsaved, *self.live) if live.thread is thread]
        replaced = {live.replaces: live for live in under_way if live.replaces}
        path: list[str] = []
        turns: list[Turn] = []
        for message in messages:
            if message.role in ("system", "tool"):
                continue
            name = self.name(message.id)
            live = replaced.get(message.id)
            if live is not None and live.id != name:
                break  # it is about to leave the path
            if live is not None:
                path.append(live.id)
                turns.append(live.turn([]))
            elif column := self._columns_with(name):
                path.append(column[0])
                turns += self._side_by_side(thread, column, under_way)
            else:
                path.append(name)
                turns.append(self._turn(thread, message, name))
        last = messages[-1].id if messages else ""
        if column := self._columns.get(last):  # none of its answers is in the thread yet
            path.append(column[0])
            turns += self._side_by_side(thread, column, under_way)
        rest = [
            live for live in under_way if live.id not in path and not self._columns_with(live.id)
        ]
        for live in rest[-1:]:
            path.append(live.id)
            turns.append(live.turn([]))
        return path, turns

    def _turn(self, thread: Thread, message: ThreadMessage, name: str) -> Turn:
        versions = [self.name(one) for one in thread.seen.tree.versions(message.id)]
        turn = turn_of(message, name, versions if len(versions) > 1 else [])
        tree = thread.seen.tree
        models = {tree.message(one).model for one in tree.versions(message.id)}
        turn["compared"] = message.role == "assistant" and len(models) > 1
        turn["error"] = self.error_cards.get(name, turn["error"])
        return turn

    def _side_by_side(
        self, thread: Thread, column: Sequence[str], under_way: Sequence[LiveAnswer]
    ) -> list[Turn]:
        by_name = {live.id: live for live in under_way}
        found: list[Turn] = []
        for name in column:
            if name in by_name:
                found.append(by_name[name].turn([*column]))
                continue
            with contextlib.suppress(errors.ThreadNotFound):
                turn = turn_of(thread.seen.tree.message(self.real_id(name)), name, [])
                turn["columns"] = [*column]
                turn["error"] = self.error_cards.get(name, turn["error"])
                found.append(turn)
        return found

    def _columns_with(self, name: str) -> list[str] | None:
        return next((column for column in self._columns.values() if name in column), None)
