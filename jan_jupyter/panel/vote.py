"""A blind vote in a cell. What is saved of it are the strengths, and those only after a vote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from .. import bridge
from ..compare.live.ballots import Voting
from ..compare.session import Session
from ..compare.views.written import counted, line
from ..errors import UsageError
from .alive import NO_WIDGETS, Output, Widget, usable
from .comparison import PATIENCE, place
from .kernel_thread import KernelThread


class VoteView:
    """The output of a vote. `_voted` is called on the loop, all else in the kernel's own thread."""

    def __init__(self, voting: Voting) -> None:
        self._kernel = KernelThread()
        self._voting = voting
        self._widget = Widget("vote", voting.id, place(), self._take)
        self._view = voting.join(self._widget.tell)
        first = {"text/plain": f"{_asked(voting)}\n{NO_WIDGETS}"}
        self._output = Output(self._widget, first, lambda: voting.audience.hosts)
        self._output.leave(summary(voting))
        if self._output.undecided:
            loop = bridge.loop()
            loop.call_soon_threadsafe(
                loop.call_later, PATIENCE, self._kernel.call, lambda: self._output.decide(last=True)
            )

    def _take(self, message: Mapping[str, Any]) -> None:
        self._voting.take(self._view, message)
        if message.get("type") == "hello":
            self._kernel.call(self._output.decide)

    @property
    def cell(self) -> str:
        return self._output.cell

    def close(self) -> None:
        self._voting.leave(self._view)
        self._widget.close()

    def voted(self) -> None:
        """On the loop: what is saved follows."""
        forms = summary(self._voting)
        self._kernel.call(lambda: self._output.follow(forms))


def poll(session: Session, by: str, seed: int) -> VoteView:
    """Show a blind vote below the cell that runs. Raises `UsageError` where that cannot be."""
    if not usable():
        raise UsageError(
            "A blind vote takes a notebook that shows widgets; elsewhere: .vote(prompt, winner)."
        )
    shown: list[VoteView] = []

    def changed() -> None:
        for view in shown:
            view.voted()

    shown.append(VoteView(Voting(session, by, seed, changed)))
    for view in [one for one in _open if one.cell and one.cell == shown[0].cell]:
        _open.remove(view)  # its cell was run again
        view.close()
    _open.append(shown[0])
    return shown[0]


_open: list[VoteView] = []
"""Those that somebody may vote in."""


def _asked(voting: Voting) -> str:
    name = line(voting.session.name, 80)
    return f"Blind vote{f' on {name}' if name else ''}: {counted(voting.total, 'pair')} of answers"


def summary(voting: Voting) -> dict[str, str]:
    """What a notebook keeps."""
    told = voting.ballot()
    said = f"{_asked(voting)}, {voting.done:,} voted on by {line(voting.by, 80)}"
    rows = [
        (line(told["names"][one["contestant"]]), f"{one['value']:+.2f}", one["word"])
        for one in told["strengths"]
    ]
    plain = "\n".join([said, *("  ".join(filter(None, row)) for row in rows)])
    body = "".join(f"<tr>{_cells('td', row)}</tr>" for row in rows)
    head = _cells("th", ("model", "strength", "against the first"))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if rows else ""
    return {"text/html": f"<div><p>{escape(said)}.</p>{table}</div>", "text/plain": plain}


def _cells(tag: str, texts: Sequence[str]) -> str:
    scope = ' scope="col"' if tag == "th" else ""
    shown = (f'<{tag}{scope} style="text-align:left">{escape(text)}</{tag}>' for text in texts)
    return "".join(shown)
