"""The turns of a thread as the front end shows them, with the answers that are being written."""

from __future__ import annotations

from collections.abc import Sequence

from ..threads import Thread, ThreadMessage
from ..threads.columns import Column, Columns, Step, behind, branches, columns_of, rows
from ..threads.tree import Tree
from ..threads.view import State
from .error_cards import INTERRUPTED
from .live import LiveAnswer, record_of
from .protocol import ColumnRow, ErrorCard, Turn
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
        self.seen: State | None = None
        """What the thread said when `turns` was asked last."""
        self._names: dict[str, str] = {}

    def messages(self, thread: Thread | None) -> list[ThreadMessage]:
        """The thread's, with the answers that are being written as far as they have come."""
        if thread is None:
            return []
        live = [one for one in [*self.live] if one.thread is thread]
        seen = thread.seen
        columns = columns_of(seen.head, seen.tree)
        if columns is not None and columns.open:
            return _row_by_row(seen.tree, columns, live)
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

    def shows(self, live: LiveAnswer, answer: ThreadMessage | None) -> bool:
        """Whether an answer is to be seen: one that failed leaves a better one its place."""
        if answer is None:
            return False
        return bool(live.column) or live.thread.seen.tree.place(answer.id) is not None

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
        seen = self.seen = thread.seen
        messages = seen.tree.line
        self._drop_saved()
        columns = columns_of(seen.head, seen.tree)
        if columns is not None and columns.open:
            return self._side_by_side(thread, columns)
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
            else:
                path.append(name)
                turns.append(self._turn(thread, message, name))
        rest = [live for live in under_way if live.id not in path and not live.column]
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

    # Columns --------------------------------------------------------------------------------------

    def column_rows(self, thread: Thread, columns: Columns, left_out: set[str]) -> list[ColumnRow]:
        """Each column as it stands: whether the next question is for it, whether it is behind."""
        found = branches(thread.seen.tree, columns)
        return [
            {
                "name": one.column.name,
                "model": one.column.model,
                "next": one.column.name not in left_out,
                "behind": one.open is not None or bool(behind(one, found)),
            }
            for one in found
        ]

    def _side_by_side(self, thread: Thread, columns: Columns) -> tuple[list[str], list[Turn]]:
        """The turns up to where the columns part, then row by row a question and its answers."""
        tree = thread.seen.tree
        path: list[str] = []
        turns: list[Turn] = []
        for message in tree.path(columns.question):
            if message.role not in ("system", "tool"):
                path.append(self.name(message.id))
                turns.append(self._turn(thread, message, path[-1]))
        found = branches(tree, columns)
        for row in rows(found):
            steps = [(one.column, one.step(row)) for one in found]
            question = next(step.question for _, step in steps if step is not None)
            if question.id != columns.question:
                path.append(self.name(question.id))
                turns.append({**turn_of(question, path[-1], []), "columns": [path[-1]]})
            cells = [self._cell(thread, one, row, step) for one, step in steps]
            names = [cell["id"] for cell in cells]
            path.append(names[0])
            turns += [{**cell, "columns": names} for cell in cells]
        return path, turns

    def _cell(self, thread: Thread, column: Column, row: str, step: Step | None) -> Turn:
        """What a column says in a row, or why it says nothing."""
        nothing = ThreadMessage("assistant", model=column.model)
        if step is None:
            turn = turn_of(nothing, f"{column.name} {row}", [])
            return {**turn, "column": column.name, "status": "unasked"}
        for live in (*self.live, *self.unsaved):
            at = live.thread, live.column, live.question
            if at == (thread, column.name, step.question.id):
                return live.turn([])
        if step.answer is None:
            turn = turn_of(nothing, f"{column.name} {row}", [])
            return {**turn, "column": column.name, "status": "interrupted", "error": INTERRUPTED}
        name = self.name(step.answer.id)
        turn = turn_of(step.answer, name, [])
        card = INTERRUPTED if step.answer.status == "pending" else turn["error"]
        return {**turn, "column": column.name, "error": self.error_cards.get(name, card)}


def _row_by_row(tree: Tree, columns: Columns, live: Sequence[LiveAnswer]) -> list[ThreadMessage]:
    """Each question once, then what each column answers, as far as that has come."""
    found = branches(tree, columns)
    coming = {(one.column, one.question): one.so_far for one in live}
    messages = [*tree.path(columns.question)[:-1]]
    for row in rows(found):
        steps = {one.column.name: step for one in found if (step := one.step(row)) is not None}
        messages.append(next(iter(steps.values())).question)
        for name, step in steps.items():
            answer = coming.get((name, step.question.id), step.answer)
            messages += [answer] if answer is not None else []
    return messages
