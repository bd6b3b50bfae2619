"""What stands in one cell of the rows beside the answer: the same words in every form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...types import Message
from . import diff
from .board import Board, Cell, Line, Variant
from .figures import SECONDS, measured, of_cell
from .written import counted, line, number, seconds

ABOUT = {
    "baseline": "Answers, against the baseline's: underlined (+) only here, struck (−) only there",
    "expected": "Answers, against what was expected: underlined (+) only here, struck (−) only "
    "there",
    "nothing": "Answers",
}
_SHORT = 160
"""Characters of a question that head a row."""


def cut(
    parts: Sequence[diff.Part], contestants: int
) -> tuple[Sequence[diff.Part], Sequence[diff.Part], int]:
    """What is seen of an answer at once, the rest, and how many characters of its own that has.

    The more columns there are, the less is seen.
    """
    longest = max(400, 1200 // max(1, contestants))
    # A few characters more are no reason for a fold.
    if sum(len(part.text) for part in parts) <= longest * 1.25:
        return parts, [], 0
    head, rest = diff.cut(parts, longest)
    return head, rest, sum(len(part.text) for part in rest if part.kind != "removed")


def is_code(parts: Sequence[diff.Part]) -> bool:
    """Whether an answer looks as if its columns matter."""
    text = "".join(part.text for part in parts if part.kind != "removed").lstrip()
    return "```" in text or text.startswith(("{", "["))


def same(board: Board) -> str:
    """What stands for an answer that is its reference to the letter."""
    if board.against == "expected":
        return "= as expected"
    return f"= the same answer as {line(board.names[board.baseline])}"


def question(row: Line) -> tuple[str, list[str]]:
    """What heads a row, and what is behind it: all turns, where it does not say everything."""
    turns = [message for turn in row.case.turns for message in turn]
    asked = row.case.text
    name = line(row.case.name)
    beginning = name.removesuffix("…").rstrip()
    short = line(asked, _SHORT)
    if name and not line(asked).startswith(beginning):
        short = f"{line(name, 60)}: {short}"
    if attached := sum(len(_attached(message)) for message in turns):
        short += f" (with {counted(attached, 'attachment')})"
    if len(turns) == 1 and len(line(asked)) <= _SHORT:
        return short, []
    return short, [f"{message.role}: {message.text}" for message in turns]


def _attached(message: Message) -> list[Mapping[str, Any]]:
    """What of a message is no text."""
    parts = [] if isinstance(message.content, str) else message.content
    return [part for part in parts if part.get("type") != "text"]


def about(board: Board, cell: Cell) -> tuple[list[str], list[str]]:
    """The numbers of a cell, but for the score that orders the rows, and its marks."""
    texts = []
    for name in board.scorers:
        value = of_cell(cell.rows, name) if name != board.scorer else None
        texts += [f"{name} {number(value)}"] if value is not None else []
    good = [row for row in cell.rows if row.ok]
    if len(cell.rows) > 1:
        texts.append(_agreement(cell))
    if good and good[0].reply:
        tokens = good[0].reply.usage.completion
        texts += [counted(tokens, "token")] if tokens else []
        total = measured(good[0], SECONDS)
        texts += [seconds(total)] if total is not None else []
    tags = []
    if cold := [row for row in good if row.cold]:
        took = cold[0].reply.timings.load if cold[0].reply else None
        tags.append(f"cold: {seconds(took)} of loading" if took else "cold")
    if any(row.reused for row in good):
        tags.append("reused")
    tags += dict.fromkeys(
        row.reply.ended_early for row in good if row.reply and row.reply.ended_early
    )
    notes = (score.note for row in cell.rows for score in row.scores.values() if score.note)
    texts += [line(note, 80) for note in dict.fromkeys(notes)][:2]
    return texts, tags


def ends(cell: Cell) -> list[str]:
    """Why calls failed, each reason once."""
    reasons: dict[str, int] = {}
    for row in cell.errors:
        reason = line(row.error or "no answer", 300)
        reasons[reason] = reasons.get(reason, 0) + 1
    return [f"{reason} (×{n})" if n > 1 else reason for reason, n in reasons.items()]


EMPTY = "an empty answer"
"""What stands for one."""


def parted(first: Variant, other: Variant) -> str:
    """Where another answer of the repeats parts from the first."""
    times = f"×{len(other.rows)}"
    if not other.text.strip():
        return f"{times} {EMPTY}"
    at, here, there = diff.parting(first.text, other.text)
    if here == there:
        return f"{times} differs in blanks only"
    here, there = (f"“{line(text, 40)}”" if text else "" for text in (here, there))
    if not there:
        return f"{times} ends before {here} (word {at})"
    if not here:
        return f"{times} goes on with {there} (word {at})"
    return f"{times} differs from word {at} on: {there} instead of {here}"


def shown(board: Board, row: Line, contestant: int) -> list[diff.Part] | None:
    """The answer of a cell as it is shown, marked where that helps; `None`: it is its reference to
    the letter."""
    text = row.cells[contestant].text or ""
    if board.reference(row, contestant) == text:
        return None
    return board.parts(row, contestant) or [diff.Part("same", text)]


def _agreement(cell: Cell) -> str:
    """How often the answer came that is shown."""
    if not cell.variants:
        return ""
    most, all_ = len(cell.variants[0].rows), len(cell.rows)
    return f"×{most}" if most == all_ else f"×{most} of {all_}"
